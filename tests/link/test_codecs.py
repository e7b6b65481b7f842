# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""Check sums, Modbus frames and SunSpec points against published vectors and at every bound."""

from evse.link import crc, modbus, sunspec
from evse.link.sunspec import NONE


def test_crc_check_values():
    text = b"123456789"
    assert crc.modbus(text, 0, 9) == 0x4B37  # CRC-16/MODBUS
    assert crc.ccitt(text) == 0x29B1  # CRC-16/CCITT-FALSE
    assert crc.crc32(text) == 0xCBF43926
    assert crc.crc32(text[4:], crc.crc32(text[:4])) == 0xCBF43926
    assert crc.modbus(b"xx" + text + b"yy", 2, 11) == 0x4B37


def test_read_request_is_the_specification_example():
    # Modbus application protocol V1.1b3, 6.3: read registers 108-110.
    buffer = bytearray(16)
    end = modbus.put_read(buffer, 0, 0x11, 3, 0x006B, 3)
    assert bytes(buffer[:end]) == b"\x11\x03\x00\x6b\x00\x03"
    assert modbus.close_rtu(buffer, end) == 8
    assert bytes(buffer[6:8]) == b"\x76\x87"


def test_write_request_is_the_specification_example():
    # 6.12: write 10 and 258 to registers 2 and 3.
    buffer = bytearray(32)
    end = modbus.put_write(buffer, 0, 0x11, 1, b"\x00\x0a\x01\x02", 2)
    assert bytes(buffer[:end]) == b"\x11\x10\x00\x01\x00\x02\x04\x00\x0a\x01\x02"
    assert modbus.close_rtu(buffer, end) == 13
    assert bytes(buffer[11:13]) == b"\xc6\xf0"


def test_tcp_header():
    buffer = bytearray(32)
    end = modbus.put_read(buffer, modbus.TCP_HEAD, 1, 3, 0, 2)
    assert modbus.close_tcp(buffer, end, 0x1501) == 12
    assert bytes(buffer[:12]) == b"\x15\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x02"
    assert modbus.tcp_length(buffer, 7) == 0
    assert modbus.tcp_length(buffer, 12) == 12
    assert modbus.transaction(buffer) == 0x1501
    for at, value in ((2, 1), (3, 1), (4, 1), (5, 2), (5, 0xFF)):
        spoiled = bytearray(buffer)
        spoiled[at] = value
        assert modbus.tcp_length(spoiled, 12) == -1, (at, value)


def framed(body):
    buffer = bytearray(body) + bytearray(2)
    modbus.close_rtu(buffer, len(body))
    return buffer


def test_an_answer_is_found_among_noise():
    good = framed(b"\x01\x03\x04\x12\x34\x56\x78")
    for before in (b"", b"\x00", b"\x01", b"\x01\x03", b"\x01\x03\x04", b"\x01\x83\x02", b"\xff" * 20):
        line = bytearray(before) + good + b"\x01\x03"
        found = modbus.find_rtu(line, 0, len(line), 1, 3, 500, 2)
        assert found == 2 * len(before), before
        for cut in range(len(before) + len(good)):
            assert modbus.find_rtu(line, 0, cut, 1, 3, 500, 2) == -1, (before, cut)


def test_only_our_answer_counts():
    good = framed(b"\x01\x03\x04\x12\x34\x56\x78")
    end = len(good)
    assert modbus.find_rtu(good, 0, end, 2, 3, 500, 2) == -1  # unit
    assert modbus.find_rtu(good, 0, end, 1, 4, 500, 2) == -1  # function
    assert modbus.find_rtu(good, 0, end, 1, 3, 500, 1) == -1  # count
    for bit in range(8 * end):
        good[bit >> 3] ^= 1 << (bit & 7)
        assert modbus.find_rtu(good, 0, end, 1, 3, 500, 2) == -1, bit
        good[bit >> 3] ^= 1 << (bit & 7)
    write = framed(b"\x01\x10\x01\xf4\x00\x02")
    assert modbus.find_rtu(write, 0, 8, 1, 16, 500, 2) == 0
    assert modbus.find_rtu(write, 0, 8, 1, 16, 501, 2) == -1
    assert modbus.find_rtu(write, 0, 8, 1, 16, 500, 3) == -1


def test_an_exception_answer():
    line = framed(b"\x01\x83\x02")
    assert modbus.find_rtu(line, 0, 5, 1, 3, 500, 2) == 1
    assert modbus.check_reply(line, 0, 3, 1, 3, 500, 2) == 2
    assert modbus.check_reply(b"\x01\x83\x00", 0, 3, 1, 3, 500, 2) == -1


def put(*words):
    data = bytearray(2 * len(words))
    for at in range(len(words)):
        sunspec.put16(data, at, words[at])
    return data


def test_points_and_what_is_not_implemented():
    data = put(0xFFFF, 0x8000, 0x7FFF, 0xFFFE, 0, 5)
    assert sunspec.u16(data, 0) == NONE
    assert sunspec.s16(data, 1) == NONE
    assert sunspec.u16(data, 1) == 0x8000
    assert sunspec.s16(data, 2) == 32767
    assert sunspec.s16(data, 3) == -2
    assert sunspec.u32(data, 4) == 5
    assert sunspec.u32(put(0xFFFF, 0xFFFF), 0) == NONE
    assert sunspec.u32(put(0x3FFF, 0xFFFF), 0) == (1 << 30) - 1
    assert sunspec.u32(put(0x4000, 0), 0) == NONE
    assert sunspec.s32(put(0x8000, 0), 0) == NONE
    assert sunspec.s32(put(0xFFFF, 0xFFFF), 0) == -1
    assert sunspec.s32(put(0xC100, 0), 0) == -0x3F000000
    assert sunspec.s32(put(0xC0FF, 0xFFFF), 0) == NONE
    assert sunspec.s32(put(0x3FFF, 0xFFFF), 0) == (1 << 30) - 1
    assert sunspec.s32(put(0xBFFF, 0xFFFF), 0) == NONE
    assert sunspec.bits30(put(0xFFFF, 0xFFFF), 0) == 0
    assert sunspec.bits30(put(0xC000, 0x0411), 0) == 0x411


def test_scale_factors():
    for factor in range(-10, 11):
        assert sunspec.scale_factor(put(factor), 0) == factor
    assert sunspec.scale_factor(put(0x8000), 0) == 0
    assert sunspec.scale_factor(put(11), 0) == NONE
    assert sunspec.scale_factor(put(-11), 0) == NONE


def test_scaling_rounds_and_saturates_to_none():
    assert sunspec.scaled(553, -1, 1) == 553
    assert sunspec.scaled(-300, 1, 0) == -3000
    assert sunspec.scaled(5005, -2, 0) == 50
    assert sunspec.scaled(5050, -2, 0) == 51
    assert sunspec.scaled(-5050, -2, 0) == -51
    assert sunspec.scaled(-5049, -2, 0) == -50
    assert sunspec.scaled(0, 10, 6) == 0
    assert sunspec.scaled(1, 10, 0) == NONE
    assert sunspec.scaled(123456789, -10, 0) == 0
    assert sunspec.scaled(1073741822, 0, 0) == 1073741822
    assert sunspec.scaled(1073741822, 1, 0) == NONE
    assert sunspec.scaled(NONE, 0, 0) == NONE
    assert sunspec.scaled(5, NONE, 0) == NONE


def test_setpoints_go_back_to_raw_values():
    assert sunspec.unscaled(-1500, 0) == -1500
    assert sunspec.unscaled(-1599, 2) == -15
    assert sunspec.unscaled(1599, 2) == 15
    assert sunspec.unscaled(-22080, -4) == -220800000
    assert sunspec.unscaled(200000, -4) == NONE
    data = bytearray(4)
    for value in (0, 1, -1, 22080, -22080, (1 << 30) - 1, -0x3F000000):
        sunspec.put32(data, 0, value)
        assert sunspec.s32(data, 0) == value


def test_text():
    data = bytearray(b"Wall\x07box \x00\x00rest")
    assert sunspec.text(data, 0, 8) == "Wall?box"
