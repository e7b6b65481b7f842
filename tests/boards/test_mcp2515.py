# SPDX-License-Identifier: MIT
"""The MCP2515 model by its data sheet, byte by byte over the bare SPI; nothing of the firmware's driver is used."""

from __future__ import annotations

import pytest
from tiny import TinyPlant

PRELUDE = """
    import time
    from machine import SPI, Pin
    spi = SPI(2, 8000000, sck=Pin(36), mosi=Pin(35), miso=Pin(37))
    cs = Pin(43, Pin.OUT, value=1)
    def talk(*sent):
        received = bytearray(len(sent))
        cs(0)
        spi.write_readinto(bytes(sent), received)
        cs(1)
        return bytes(received)
    def read(address, count=1):
        return talk(3, address, *bytes(count))[2:]
    def normal():
        talk(2, 0x28, 0x01, 0xB5, 0x03)  # CNF3..1: 125 kbit/s of 16 MHz
        talk(2, 0x0F, 0)
        time.sleep_ms(1)
    talk(0xC0)
    time.sleep_us(50)
"""


class Recorder:
    """A node that keeps what it hears and sends what it is told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, bytes, int]] = []
        self.say: list[tuple[int, int, bytes]] = []

    def receive(self, identifier: int, data: bytes, t_us: int) -> None:
        self.heard.append((identifier, data, t_us))

    def transmit(self) -> list[tuple[int, int, bytes]]:
        said, self.say = self.say, []
        return said


def plant_with(*nodes: Recorder) -> TinyPlant:
    plant = TinyPlant()
    plant.can = list(nodes)  # type: ignore[attr-defined]
    return plant


def test_after_reset(output) -> None:
    lines = output(PRELUDE + "    print(read(0x0E).hex(), read(0x0F).hex(), read(0x1C, 2).hex(), talk(0xA0, 0).hex())")
    assert lines == ["80 87 0000 ff00"], "configuration mode, CANCTRL 87h, no errors, nothing pending"


def test_what_can_be_written_when(output) -> None:
    lines = output(
        PRELUDE
        + """
    talk(2, 0x00, 1, 2, 3, 4)
    talk(2, 0x20, 5, 6, 7, 8)
    print(read(0x00, 4).hex(), read(0x20, 4).hex())
    normal()
    print(read(0x0E).hex(), read(0x00, 4).hex(), read(0x28, 3).hex())
    talk(2, 0x28, 7, 7, 7)
    talk(2, 0x1C, 9)
    print(read(0x28, 3).hex(), read(0x1C).hex())
    talk(5, 0x2C, 0x03, 0xFF)
    print(read(0x2C).hex())
    talk(5, 0x2C, 0x01, 0x00)
    print(read(0x2C).hex(), talk(0xB0, 0).hex())
    """
    )
    assert lines == [
        "01020304 05060708",
        "00 00000000 01b503",
        "01b503 00",
        "03",
        "02 ff80",
    ]


def test_frames_out_by_priority_and_their_time(board) -> None:
    node = Recorder()
    one = board(
        PRELUDE
        + """
    normal()
    for number in range(3):
        talk(0x40 + 2 * number, 0x12, 0x68 | number << 5 & 0x60, 0x45, 0x67, 8, *range(number, number + 8))
    talk(5, 0x50, 3, 3)  # TXB2 first
    talk(0x87)
    print(talk(0xA0, 0).hex())
    time.sleep_ms(10)
    print(talk(0xA0, 0).hex(), read(0x2C).hex())
    """,
        plant=plant_with(node),
    )
    one.run(5)
    assert one.console.text.splitlines() == ["ff54", "ffa8 1c"], "all three pending; all sent, their flags up"
    assert [data[0] for _identifier, data, _t in node.heard] == [2, 1, 0], "TXP, then the higher buffer"
    gap_us = node.heard[1][2] - node.heard[0][2]
    assert 131 * 8 <= gap_us <= 160 * 8, "a frame of 131 bits and what is stuffed in, at 125 kbit/s"
    assert node.heard[0][0] == 0x12 << 21 | 3 << 18 | 0 << 16 | 0x4567


def test_an_abort_takes_back_what_has_not_begun(board) -> None:
    node = Recorder()
    one = board(
        PRELUDE
        + """
    normal()
    for number in range(2):
        talk(0x40 + 2 * number, 0, 8, 0, 1 + number, 8, *bytes(8))
    talk(0x82)
    time.sleep_us(300)  # TXB1 is on the bus
    talk(0x81)
    talk(5, 0x30, 8, 0)
    talk(5, 0x40, 8, 0)
    time.sleep_ms(5)
    print(read(0x30).hex(), read(0x2C).hex())
    """,
        plant=plant_with(node),
    )
    one.run(5)
    assert [identifier for identifier, _data, _t in node.heard] == [2], "what was on the bus went out"
    assert one.console.text.splitlines() == ["40 08"], "ABTF; TX1IF alone"


def test_filters_both_buffers_and_overflow(board) -> None:
    node = Recorder()
    one = board(
        PRELUDE
        + """
    for at in (0x00, 0x04, 0x08, 0x10, 0x14, 0x18):
        talk(2, at, 0, 8, 0xF0, 0)
    talk(2, 0x20, 0, 0, 0xFF, 0)
    talk(2, 0x24, 0, 0, 0xFF, 0)
    talk(2, 0x60, 4)
    normal()
    print("ready")
    time.sleep_ms(20)
    print(talk(0xA0, 0).hex(), talk(0xB0, 0).hex(), read(0x2D).hex())
    print(talk(0x90, *bytes(13)).hex())
    print(talk(0xA0, 0).hex())
    print(talk(0x94, *bytes(13)).hex())
    print(talk(0xA0, 0).hex())
    """,
        plant=plant_with(node),
    )
    one.run_while(lambda: "ready" not in one.console.text, 3)
    for number in range(4):
        identifier = (0x1234 << 16 & 0x1FFFFFFF) | (0xF1 if number == 0 else 0xF0) << 8 | number
        node.say.append((one.now_us, identifier, bytes([number] * 8)))
    one.run(5)
    first = "ff" + bytes([0x91, 0xA8, 0xF0, 0x01, 8, *[1] * 8]).hex()
    second = "ff" + bytes([0x91, 0xA8, 0xF0, 0x02, 8, *[2] * 8]).hex()
    status = "ff03 ffd0 80"  # both full, an extended data frame in the first, RXB1 overflowed
    assert one.console.text.splitlines()[1:] == [status, first, "ff02", second, "ff00"]


@pytest.mark.parametrize(("fault", "flags"), [("stuck", 0x20), ("dead", 0x10)])
def test_errors(board, fault, flags) -> None:
    """Destroyed frames lead off the bus and, 128 times 11 bits later, back; a missing acknowledgement does not."""
    node = Recorder()
    one = board(
        PRELUDE
        + """
    normal()
    talk(0x40, 0, 8, 0, 1, 8, *bytes(8))
    print("ready")
    talk(0x81)
    seen = 0
    for _ in range(60):
        time.sleep_ms(1)
        seen |= read(0x2D)[0]
    print(seen & 0x30)
    time.sleep_ms(100)
    print(read(0x2D).hex(), talk(0xA0, 0).hex())
    """,
        plant=plant_with(node),
    )
    setattr(one.can, fault, True)
    one.run_while(lambda: "ready" not in one.console.text, 3)
    one.run(0.06)
    setattr(one.can, fault, False)
    one.run(5)
    lines = one.console.text.splitlines()
    assert int(lines[1]) & flags, "bus-off" if fault == "stuck" else "error passive, never bus-off"
    assert int(lines[1]) & 0x20 == (flags & 0x20)
    assert lines[2].endswith("ff08"), "sent in the end"
    assert len(node.heard) == 1
