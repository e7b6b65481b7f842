# SPDX-License-Identifier: MIT
"""An inverter (unit 1, SunSpec) and a meter (unit 2, SDM230) whose values prove when they were read.

W counts hundredths of a second since power-up, modulo 30 000; Var is worked out from W; SOC counts tens of seconds. The
inverter checks what it is told: setpoints count up, so an old one that follows a new one shows.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "link"))

from sunspec_image import INVERTER, device, offset, start_of  # noqa: E402

from hil.plant import modbus_server as modbus  # noqa: E402

BASE = 40000
PERIOD = 30_000  # of the clock in W, in hundredths of a second
HALF = 15_000
SOC_PERIOD = 990  # in tens of seconds; a multiple of the 300 s of the clock in W
WRAP = 4000  # setpoints count from 1 to this, then from 1 again


def clock_of(t_us: int) -> int:
    return t_us // 10_000 % PERIOD - HALF


def reactive_of(power: int) -> int:
    """As the board works it out too; kept in int16."""
    return (power * 7 + 11) % 20_011 - 10_000


class Inverter:
    """Registers of a SunSpec inverter. errors: what a real one would have obeyed and must not."""

    def __init__(self) -> None:
        values = [(number, dict(points)) for number, points in INVERTER]
        for number, points in values:
            if number == 701:
                points.update(W_SF=0, Var_SF=0)
        self.registers = device(values)
        self._status = start_of(self.registers, 701)
        self._setpoint = start_of(self.registers, 704) + offset(704, "WSet")
        self._storage = start_of(self.registers, 713) + offset(713, "SoC")
        self.now_us = 0
        self.setpoints = 0
        self.zeros = 0
        self.last = 0
        self.errors: list[str] = []

    def read(self, address: int, count: int) -> list[int]:
        first = address - BASE
        if not 0 <= first <= first + count <= len(self.registers):
            raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
        power = clock_of(self.now_us)
        self.registers[self._status + offset(701, "W")] = power & 0xFFFF
        self.registers[self._status + offset(701, "Var")] = reactive_of(power) & 0xFFFF
        self.registers[self._storage] = self.now_us // 10_000_000 % SOC_PERIOD
        return self.registers[first : first + count]

    def write(self, address: int, words: list[int]) -> None:
        first = address - BASE
        if not 0 <= first <= first + len(words) <= len(self.registers):
            raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
        self.registers[first : first + len(words)] = words
        if first <= self._setpoint < first + len(words):
            high, low = self.registers[self._setpoint : self._setpoint + 2]
            self._obey(struct.unpack(">i", struct.pack(">HH", high, low))[0])

    def _obey(self, setpoint: int) -> None:
        self.setpoints += 1
        if setpoint == 0:
            self.zeros += 1
            return
        step = (setpoint - self.last) % WRAP
        if not 1 <= setpoint <= WRAP:
            self.errors.append(f"{self.now_us / 1e6:.3f} s: {setpoint} W was never asked for")
        elif step > WRAP // 2:
            self.errors.append(f"{self.now_us / 1e6:.3f} s: {setpoint} W after {self.last} W")
        self.last = setpoint


class MeterBank:
    """Input registers of an SDM230."""

    def __init__(self) -> None:
        self.now_us = 0

    def read(self, address: int, count: int) -> list[int]:
        if address + count > 90:
            raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
        values = {0: 230.0, 12: float(clock_of(self.now_us)), 70: 50.0}
        words = []
        for register in range(address, address + count):
            raw = struct.pack(">f", values.get(register & ~1, 0.0))
            words.append(int.from_bytes(raw[2 * (register & 1) : 2 * (register & 1) + 2], "big"))
        return words

    def write(self, address: int, words: list[int]) -> None:
        raise modbus.ModbusError(modbus.ILLEGAL_FUNCTION)


class Devices:
    """Both on one line."""

    def __init__(self) -> None:
        self.inverter = Inverter()
        self.meter = MeterBank()
        self._banks = {1: self.inverter, 2: self.meter}

    def __call__(self, unit: int, pdu: bytes, t_us: int) -> bytes | None:
        bank = self._banks.get(unit)
        if bank is None:
            return None
        bank.now_us = t_us
        return modbus.answer(bank, pdu)
