# SPDX-License-Identifier: MIT
"""What runs on every cycle or frame allocates nothing on a 31-bit VM, for any bytes from the wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from backfeed.vm31 import run_on_31bit

pytestmark = pytest.mark.usefixtures("vm31")

TESTS = Path(__file__).parents[1]


FRONT_END = """
import micropython, random, sys
sys.path.insert(0, '/drivers')
from ade9000_peer import Part
from evse.drivers import ade9000
from evse.drivers.ade9000_setup import RUNNING
from evse.link import crc
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
            for turn in range(6000):
                if turn & 1 and turn < 3000:
                    afe.setup.state = RUNNING  # as if every reading of noise were of a part that runs
                    afe._new_high = tape[turn & 4095] << 8 | tape[turn * 7 & 4095]
                    afe._energy_take()
                afe.read()
        finally:
            micropython.heap_unlock()
    return afe
for phases in (1, 3):
    afe = locked(phases)
    print(phases, afe.range_errors > 100, afe.crc_errors > 100, afe.energy_jumps > 10, afe.restarts > 100,
          afe.burst_errors > 100, afe.setup.failed > 10)
class Bank:
    # Registers as bytes, so that the part itself takes nothing from the heap.
    def __init__(self):
        self.memory = bytearray(0x700 * 4)
        self.reset()
    def reset(self):
        for i in range(len(self.memory)):
            self.memory[i] = 0
        self.memory[0x472 * 4 + 1] = 0x10
    def write_readinto(self, tx, rx):
        address = (tx[0] << 8 | tx[1]) >> 4
        size = 2 if 0x480 <= address < 0x500 else 4
        at = address * 4
        if not tx[1] & 8:
            for i in range(size):
                self.memory[at + i] = tx[2 + i]
            return
        if len(rx) > 8:
            for i in range(len(rx) - 2):
                rx[2 + i] = self.memory[at + i]
            return
        for i in range(size):
            rx[2 + i] = self.memory[at + i]
        if len(rx) < 4 + size:
            return
        check = crc.SEED
        for i in range(2, 2 + size):
            check = check << 8 & 0xFF00 ^ crc.CCITT[check >> 8 ^ rx[i]]
        rx[2 + size] = check >> 8
        rx[3 + size] = check & 255
spi = Bank()
afe = ade9000.Ade9000(spi, cs, {'afe_voltage_full_mv': 700743, 'afe_current_full_ma': 80353})
afe.start(3)
afe.set_gain(2, 0x00B, -90000)
gain = bytes(spi.memory[0x04B * 4:0x04C * 4])
micropython.heap_lock()
try:
    afe.read()
    first = afe.ok
    spi.reset()
    afe.read()
    lost = afe.ok
    for turn in range(40):
        spi.memory[0x690 * 4 + 3] = turn
        afe.read()
finally:
    micropython.heap_unlock()
print(first, lost, afe.ok, afe.restarts, gain[0] == 255, bytes(spi.memory[0x04B * 4:0x04C * 4]) == gain)
"""


def test_the_front_end_takes_any_bytes_without_allocating():
    out = run_on_31bit(FRONT_END, trees={TESTS / "drivers": "/drivers"})
    assert out.splitlines() == ["1" + 6 * " True", "3" + 6 * " True", "1 0 1 1 True True"]


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
