# SPDX-License-Identifier: MIT
"""What runs on every cycle or frame allocates nothing on a 31-bit VM, for any bytes from the wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from backfeed.errors import PartError
from backfeed.vm31 import module, node, run_on_31bit

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def vm() -> None:
    """Skip where node or the npm package cannot be had, and say why."""
    try:
        node()
        module()
    except PartError as error:
        pytest.skip(str(error.message))


FRONT_END = """
import micropython, random, sys
sys.path.insert(0, '/drivers')
from ade9000_peer import Part
from evse.drivers import ade9000
ade9000.sleep_ms = lambda ms: None
random.seed(7)
part = Part()
tape = bytearray(4096)
for i in range(len(tape)):
    tape[i] = random.choice((0, 0, 1, 2, 0x7F, 0x80, 0xFF, 0xFF, random.getrandbits(8)))
class Spi:
    at = 0
    live = 1
    def write_readinto(self, tx, rx):
        if self.live:
            part.write_readinto(tx, rx)
            return
        at = self.at
        for i in range(len(rx)):
            rx[i] = tape[(at + i) & 4095]
        self.at = (at * 5 + len(rx)) & 4095
def cs(level):
    pass
def locked(phases):
    spi = Spi()
    afe = ade9000.Ade9000(spi, cs, {'afe_voltage_full_mv': 700743, 'afe_current_full_ma': 80353})
    afe.start(phases)
    spi.live = 0
    for checked in (1, 0):
        afe.crc_checked = checked
        micropython.heap_lock()
        try:
            for _ in range(3000):
                afe.read()
        finally:
            micropython.heap_unlock()
    return afe
for phases in (1, 3):
    afe = locked(phases)
    print(phases, afe.range_errors > 100, afe.crc_errors > 100, afe.energy_jumps > 10, afe.sequence > 1000)
"""


def test_the_front_end_takes_any_bytes_without_allocating():
    out = run_on_31bit(FRONT_END, trees={TESTS / "drivers": "/drivers"})
    assert out.splitlines() == ["1 True True True True", "3 True True True True"]


FRAMES = """
import micropython, random
from evse.link import modbus, sunspec
random.seed(3)
buffer = bytearray(320)
good = bytearray(300)
data = bytearray(250)
decoders = (sunspec.u16, sunspec.s16, sunspec.u32, sunspec.s32, sunspec.bits30)
def noise():
    for i in range(320):
        buffer[i] = random.choice((0, 1, 3, 16, 0x80, 0x83, 0xFF, 0x7F, 0x40, random.getrandbits(8)))
def body():
    modbus.find_rtu(buffer, 0, 320, 1, 3, 500, 10)
    modbus.tcp_length(buffer, 320)
    modbus.close_rtu(good, modbus.put_read(good, 0, 1, 3, 40000, 10))
    modbus.close_rtu(good, modbus.put_write(good, 0, 1, 40000, data, 10))
    for register in range(100):
        factor = sunspec.scale_factor(buffer, register)
        for exponent in range(-2, 7):
            for decode in decoders:
                scaled = sunspec.scaled(decode(buffer, register), factor, exponent)
                sunspec.put32(data, 0, sunspec.unscaled(scaled, factor))
        for factor in range(-10, 11):
            sunspec.scaled(sunspec.s32(buffer, register), factor, 1)
            sunspec.unscaled(sunspec.s32(buffer, register), factor)
        sunspec.bits30(buffer, register)
for _ in range(30):
    noise()
    micropython.heap_lock()
    try:
        body()
    finally:
        micropython.heap_unlock()
print('free')
"""


def test_frames_and_points_are_decoded_without_allocating():
    assert run_on_31bit(FRAMES) == "free\n"
