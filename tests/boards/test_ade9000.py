# SPDX-License-Identifier: MIT
"""The ADE9000 model through raw SPI, against figures worked out here from the data sheet."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tiny import TinyPlant

ROOT = Path(__file__).parents[2]

SPI = """
    import time
    from machine import SPI, Pin
    cs = Pin(10, Pin.OUT, value=1)
    spi = SPI(1, 10000000, sck=Pin(12), mosi=Pin(11), miso=Pin(13))

    def read(address, count):
        tx = bytearray(2 + count)
        tx[0], tx[1] = address >> 4, (address << 4 & 0xF0) | 8
        rx = bytearray(len(tx))
        cs(0); spi.write_readinto(tx, rx); cs(1)
        return rx[2:]

    def write(address, value, count):
        tx = bytes((address >> 4, address << 4 & 0xF0)) + value.to_bytes(count, "big")
        cs(0); spi.write(tx); cs(1)

    def signed(data):
        value = int.from_bytes(data, "big")
        return value - (1 << 32) if value >> 31 else value

    def r32(address):
        return signed(read(address, 4))

    def start():
        write(0x480, 1, 2)
        time.sleep_ms(20)
"""


def crc_ccitt(data: bytes) -> int:
    check = 0xFFFF
    for byte in data:
        check ^= byte << 8
        for _ in range(8):
            check = (check << 1) ^ 0x1021 if check & 0x8000 else check << 1
    return check & 0xFFFF


def test_identity_and_crc(output) -> None:
    lines = output(SPI + "    print(read(0x4FE, 4).hex(), read(0x472, 6).hex(), read(0x4A9, 2).hex())\n")
    version, part, crc = lines[0].split()
    assert version == "00fe" + f"{crc_ccitt(bytes.fromhex('00fe')):04x}"
    assert part == "00100000" + f"{crc_ccitt(bytes.fromhex('00100000')):04x}"
    assert crc == part[8:]  # CRC_SPI holds that of the read before


def test_measured_values(output) -> None:
    lines = output(
        SPI
        + """
    print(r32(0x21A))  # before RUN
    start()
    for phase in range(3):
        a = 0x20A + 32 * phase
        print(r32(a + 0x10), r32(a + 0x0F), r32(a + 6), r32(a + 7), r32(0x418 + phase))
    """
    )
    assert lines[0] == "0"
    full_w = 700743 * 80353 / 1e6
    for phase, line in enumerate(lines[1:]):
        volts, amps, watts, vars_, period = map(int, line.split())
        assert volts == pytest.approx((230, 231, 232)[phase] * 1000 / 700743 * 52702092, abs=1)
        assert amps == pytest.approx((10, 11, 12)[phase] * 1000 / 80353 * 52702092, abs=1)
        assert watts == pytest.approx((2300, -2000, 1000)[phase] / full_w * 20694066, abs=1)
        assert vars_ == pytest.approx((50, -60, 70)[phase] / full_w * 20694066, abs=1)
        assert period == 8000 * 65536 // 50 - 1


def test_three_views_of_a_register_agree(output) -> None:
    lines = output(
        SPI
        + """
    start()
    write(0x481, 1 << 11, 2)  # BURST_EN
    one = [r32(0x20A + 32 * phase + 0x10) for phase in range(3)]
    functional = read(0x632, 12)
    print(one == [signed(functional[i:i + 4]) for i in (0, 4, 8)])
    by_phase = read(0x684, 4 * 51)
    print(one == [signed(by_phase[i * 76 + 48:i * 76 + 52]) for i in range(3)])
    """
    )
    assert lines == ["True", "True"]


def test_without_burst_a_register_repeats_with_its_crc(output) -> None:
    (line,) = output(SPI + "    start()\n    print(read(0x632, 12).hex())\n")
    data = bytes.fromhex(line)
    assert data[:6] == data[6:]
    assert int.from_bytes(data[4:6], "big") == crc_ccitt(data[:4])


def test_dead_line_still_shows_the_nominal_period(board) -> None:
    """xPERIOD is coerced to 50 or 60 Hz without zero crossings: a dead bus has a frequency. STATUS1 tells."""
    plant = TinyPlant()
    plant.inputs.afe.line_period_s = [0.0, 0.02, 1 / 39]
    one = board(
        SPI
        + """
    start()
    print([r32(0x418 + n) for n in range(3)], r32(0x403) >> 6 & 63)
    write(0x492, 1 << 8, 2)  # SELFREQ: 60 Hz
    time.sleep_ms(20)
    print([r32(0x418 + n) for n in range(3)])
    """,
        plant=plant,
    )
    one.run(1)
    lines = one.console.text.splitlines()
    assert lines[0] == f"[{0xA00000}, {8000 * 65536 // 50 - 1}, {0xA00000}] {0b010101}"
    assert lines[1] == f"[{0x855554}, {8000 * 65536 // 50 - 1}, {0x855554}]"


def test_energy_accumulates_signed_and_resets_when_asked(board) -> None:
    plant = TinyPlant()
    plant.inputs.afe.import_wh = [1.0, 0.0, 2.0]
    plant.inputs.afe.export_wh = [0.0, 0.5, 3.0]
    one = board(
        SPI
        + """
    write(0x4B0, 1, 2)
    start()
    print([r32(0x2E7 + 0x3C * n) for n in range(3)])
    write(0x4B0, 0x21, 2)  # RD_RST_EN
    print(r32(0x2E7), r32(0x2E7))
    """,
        plant=plant,
    )
    one.run(1)
    code_per_wh = 3600 * 8000 * 20694066 / (700743 * 80353 / 1e6) / 8192
    energies, resets = one.console.text.splitlines()
    assert ast.literal_eval(energies) == pytest.approx([code_per_wh, -0.5 * code_per_wh, -code_per_wh], abs=2)
    assert resets.split() == [str(ast.literal_eval(energies)[0]), "0"]


def test_gain_and_reset(output) -> None:
    lines = output(
        SPI
        + """
    start()
    before = r32(0x21A)
    write(0x00B, (1 << 27) // 100, 4)  # AVGAIN + 1 %
    time.sleep_ms(20)
    print(before, r32(0x21A), r32(0x210))
    write(0x481, 1, 2)  # SWRST
    print(r32(0x472))
    time.sleep_ms(60)
    print(r32(0x472), r32(0x21A), r32(0x00B))
    """
    )
    before, after, _ = map(int, lines[0].split())
    assert after == pytest.approx(before * 1.01, rel=1e-6)
    assert lines[1:] == ["0", f"{1 << 20} 0 0"]


def test_write_lock(output) -> None:
    lines = output(
        SPI
        + """
    write(0x4BF, 0x3C64, 2)
    write(0x492, 0x100, 2)
    print(read(0x492, 2).hex())
    write(0x4BF, 0x4AD1, 2)
    write(0x492, 0x100, 2)
    print(read(0x492, 2).hex())
    """
    )
    assert lines == ["0000", "0100"]


@pytest.mark.parametrize(("spi", "first"), [(1, "00000000"), (2, "ffffffff")])
def test_stuck_miso(board, spi, first) -> None:
    one = board(SPI + "    start()\n    print(read(0x472, 4).hex())\n")
    one.faults.spi = spi
    one.run(1)
    assert one.console.text.strip() == first


def test_noise_breaks_a_crc_and_frozen_registers_stand(board) -> None:
    plant = TinyPlant()
    script = (
        SPI + "    start()\n    for n in range(3):\n        print(read(0x632, 6).hex())\n        time.sleep_ms(50)\n"
    )
    one = board(script, plant=plant)
    one.hooks.append(lambda t_us, outputs, inputs: inputs.afe.voltage_v.__setitem__(0, 200 + t_us / 1e5))
    one.run(0.05)
    one.faults.afe_frozen = True
    one.run(1)
    frozen = one.console.text.split()
    assert len(set(frozen[1:])) == 1 or len(set(frozen)) == 1
    noisy = board(script)
    noisy.faults.spi = 3
    noisy.run(1)
    words = [bytes.fromhex(word) for word in noisy.console.text.split()]
    assert any(int.from_bytes(word[4:], "big") != crc_ccitt(word[:4]) for word in words)


def test_deselected_part_floats_high(output) -> None:
    lines = output(
        SPI + "    rx = bytearray(4)\n    spi.write_readinto(b'\\x4f\\xe8\\0\\0', rx)\n    print(rx.hex())\n"
    )
    assert lines == ["ffffffff"]


def test_addresses_agree_with_the_drivers_own_table() -> None:
    """Two tables written from the same data sheet by different hands."""
    tree = ast.parse((ROOT / "firmware/evse/drivers/ade9000_registers.py").read_text())
    driver = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    from hil.virtual_board.parts import ade9000 as model

    for name in ("RUN", "ACCMODE", "CONFIG1", "VGAIN", "IGAIN", "PGAIN", "GAIN_STRIDE"):
        assert driver[name] == getattr(model, name), name
    assert driver["APERIOD"] == 0x418 and driver["AWATTHR_HI"] == 0x2E7 and driver["ENERGY_STRIDE"] == 0x3C
    assert driver["BURST_STRIDE"] == model.PER_PHASE
