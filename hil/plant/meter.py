# SPDX-License-Identifier: MIT
"""Simulated site meters at the grid connection, on the inverter's RS-485 line or a line of their own.

`attach(station, "sdm630", address=2)` puts one beside the inverter: several devices on one pair of wires. The meter
counts the house (`house_w`, which a test may set) and the charger, + = import.

Eastron: floats in input registers, function 4, at most 80 registers a read, as in the SDM230 and SDM630 protocol
documents. SunSpec: models 1 and one of 201-204 and 211-214, placed from the public definitions.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

from hil.plant import modbus_server as modbus
from hil.plant.interface import SerialDevice
from hil.plant.sunspec_map import BASE, SunSpecMap

if TYPE_CHECKING:
    from hil.plant.station import Station

CHARACTER_BITS = 10
MIN_FRAME = 8
EASTRON_MOST = 80  # registers a read
EASTRON_END = 0x0180
PHASE_NAMES = "ABC"
KINDS = {"sdm230": 1, "sdm630": 3}  # phases
KINDS.update({f"sunspec_{series}{place}": min(place, 3) for series in (20, 21) for place in (1, 2, 3, 4)})


class Measured:
    """What every simulated meter measures, and how it is wired.

    reversed: all its current transformers are the wrong way round. voltages: the grid's phase, from 0, on each of its
    voltage inputs; currents: (phase, 1 or -1) under each of its transformers.
    """

    def __init__(self, station: Station, phases: int):
        self._station = station
        self.phases = phases
        self.house_w = 500.0  # all phases together
        self.reversed = False
        self.voltages = list(range(phases))
        self.currents = [(k, 1.0) for k in range(phases)]

    def _site_w(self) -> list[float]:
        """Power of each of the grid's phases; the house's is balanced, the charger's of one phase is on the first."""
        charger_w = self._station.unit(0).power_w
        shared = self._station.config.phases == self.phases
        shares = [1 / self.phases] * self.phases if shared else [1.0, *[0.0] * (self.phases - 1)]
        return [self.house_w / self.phases + share * charger_w for share in shares]

    def phase_w(self) -> list[float]:
        """Power that each of its phases shows, + = import; loads draw no reactive power."""
        site_w = self._site_w()
        turn = 2 * math.pi / self.phases
        sign = -1.0 if self.reversed else 1.0
        return [
            sign * way * site_w[phase] * math.cos(turn * (voltage - phase))
            for voltage, (phase, way) in zip(self.voltages, self.currents, strict=True)
        ]

    def phase_v(self) -> list[float]:
        """Voltage of each phase."""
        volts = self._station.reading.voltage_v
        return [volts[k] or volts[0] for k in range(self.phases)]

    def hertz(self) -> float:
        """Grid frequency as the front end sees it."""
        period_s = self._station.reading.line_period_s[0]
        return 1.0 / period_s if period_s else 0.0


class EastronBank:
    """Input registers of an SDM230 or SDM630."""

    def __init__(self, measured: Measured):
        self.measured = measured

    def read(self, address: int, count: int) -> list[int]:
        """Return registers; two a value."""
        if count > EASTRON_MOST:
            raise modbus.ModbusError(modbus.ILLEGAL_VALUE)
        if address + count > EASTRON_END:
            raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
        words = [0] * EASTRON_END
        for first, values in self._values().items():
            for k, value in enumerate(values):
                raw = struct.pack(">f", value)
                at = first + 2 * k
                words[at : at + 2] = [int.from_bytes(raw[:2], "big"), int.from_bytes(raw[2:], "big")]
        return words[address : address + count]

    def _values(self) -> dict[int, list[float]]:
        watts, volts = self.measured.phase_w(), self.measured.phase_v()
        amps = [abs(w) / v if v else 0.0 for w, v in zip(watts, volts, strict=True)]
        found = {0x00: volts, 0x06: amps, 0x0C: watts, 0x46: [self.measured.hertz()]}
        if self.measured.phases == 3:
            found[0x34] = [sum(watts)]
        return found

    def write(self, address: int, words: list[int]) -> None:
        """Nothing can be set here."""
        raise modbus.ModbusError(modbus.ILLEGAL_FUNCTION)


class SunSpecBank:
    """A SunSpec meter: one of the models 201-204 (integers with scale factors), 211-214 (floats)."""

    def __init__(self, measured: Measured, model: int):
        self.measured = measured
        self.model = model
        live = {name: 0 for name in ("W", "Hz", *(f"{stem}{p}" for p in self._letters() for stem in ("PhVph", "Wph")))}
        factors = {"V_SF": -1, "W_SF": 0, "Hz_SF": -2} if model < 210 else {}
        self.map = SunSpecMap({1: dict(Mn="backfeed", Md="Simulated meter", DA=2), model: {**live, **factors}})

    def _letters(self) -> str:
        return PHASE_NAMES[: self.measured.phases]

    def read(self, address: int, count: int) -> list[int]:
        """Return registers as of now."""
        first = address - BASE
        if first < 0 or first + count > len(self.map.registers):
            raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
        self._put("W", sum(self.measured.phase_w()))
        self._put("Hz", self.measured.hertz())
        for letter, watts, volts in zip(self._letters(), self.measured.phase_w(), self.measured.phase_v(), strict=True):
            self._put(f"Wph{letter}", watts)
            self._put(f"PhVph{letter}", volts)
        return self.map.registers[first : first + count]

    def _put(self, name: str, value: float) -> None:
        path = f"{self.model}.{name}"
        if self.model < 210:
            self.map.set(path, value)
        else:
            self.map.set_raw(path, int.from_bytes(struct.pack(">f", value), "big"))

    def write(self, address: int, words: list[int]) -> None:
        """Nothing can be set here."""
        raise modbus.ModbusError(modbus.ILLEGAL_FUNCTION)


class RtuPort:
    """A register bank behind RS-485: answers what is for its address, `turnaround_ms` after its silence."""

    def __init__(self, bank: modbus.RegisterBank, address: int, baud: int, turnaround_ms: float = 20.0):
        self.bank = bank
        self.address = address
        self.turnaround_ms = turnaround_ms
        self.silent = False
        self.requests = 0
        self._silence_us = 1750 if baud > 19200 else round(3.5 * 11e6 / baud)
        self._character_us = CHARACTER_BITS * 1e6 / baud
        self._buffer = bytearray()
        self._last_us = 0
        self._queue: list[tuple[int, bytes]] = []

    def receive(self, data: bytes, t_us: int) -> None:
        """Take bytes whose last stop bit ended at plant time t_us."""
        if t_us - len(data) * self._character_us - self._last_us >= self._silence_us:
            self._buffer.clear()
        self._last_us = t_us
        self._buffer += data
        frame = bytes(self._buffer)
        if len(frame) < MIN_FRAME or modbus.crc16(frame) != 0:
            return
        self._buffer.clear()
        if frame[0] != self.address or self.silent:
            return
        self.requests += 1
        reply = modbus.sealed(frame[:1] + modbus.answer(self.bank, frame[1:-2]))
        start_us = t_us + self._silence_us + round(self.turnaround_ms * 1000)
        self._queue.append((start_us + round(len(reply) * self._character_us), reply))

    def transmit(self) -> list[tuple[int, bytes]]:
        """Return and forget (time of the last stop bit in us, bytes) sent since the last call."""
        queue, self._queue = self._queue, []
        return queue


class SharedLine:
    """Several devices on one pair of wires: all hear the board, each answers for itself."""

    def __init__(self, *devices: SerialDevice):
        self.devices = list(devices)

    def receive(self, data: bytes, t_us: int) -> None:
        """Let every device hear it."""
        for device in self.devices:
            device.receive(data, t_us)

    def transmit(self) -> list[tuple[int, bytes]]:
        """Collect what they said."""
        return [item for device in self.devices for item in device.transmit()]


def bank_of(station: Station, kind: str) -> tuple[Measured, modbus.RegisterBank]:
    """Return what a meter of that kind measures, and its registers."""
    if kind not in KINDS:
        raise ValueError(f"meter kind {kind!r} is not one of {', '.join(KINDS)}")
    measured = Measured(station, KINDS[kind])
    if kind.startswith("sdm"):
        return measured, EastronBank(measured)
    return measured, SunSpecBank(measured, int(kind[-3:]))


def attach(station: Station, kind: str, address: int = 2, baud: int = 0) -> tuple[Measured, RtuPort]:
    """Put a meter on the RS-485 line; return what it measures and its port.

    baud: 0 = the inverter's, which shares the line; else the inverter is elsewhere and the line is the meter's own.
    """
    measured, bank = bank_of(station, kind)
    port = RtuPort(bank, address, baud or station.inverter.baud)
    line = station.serial["inverter"]
    if baud:
        station.serial["inverter"] = port
    elif isinstance(line, SharedLine):
        line.devices.append(port)
    else:
        station.serial["inverter"] = SharedLine(line, port)
    return measured, port
