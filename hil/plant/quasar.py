# SPDX-License-Identifier: MIT
"""A simulated Wallbox Quasar 1 in place of the station's inverter: its registers, its delays, its quirks.

Written from the public register list (V2G Liberty) and the delays a second public project measured; not from the
driver. What is known is simulated; what is not is marked "assumed".

- Nothing but register 81 can be set while control (81) is with the user; giving it back resets 82, 83 and 88.
- What was written reads back after 2.5 s.
- A change of power takes 5.9..10.9 s, from standstill 21.9 s; at its end the setpoint of that moment counts.
- Register 88: so many seconds without a message end (dis)charging, as slowly as any stop (assumed).
- Charge reads 0 while no power flows, and 1 now and then.
- It has no supply but its AC terminals: behind an open contactor it is dark, and BOOT_S after its supply came back
  (assumed) it answers again, with control at the user and everything that was set forgotten.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from hil.plant import modbus_server as modbus
from hil.plant.state import FOREVER_US
from hil.plant.tcp_port import TcpPort

if TYPE_CHECKING:
    from hil.plant.station import Station

CONTROL, AUTO_START, SETPOINT_TYPE, IDLE_S = 81, 82, 83, 88
LOCKED, ACTION, CURRENT_A, POWER_W, MOST_W = 256, 257, 258, 260, 514
ACTUAL_W, STATE, SOC, ERROR = 526, 537, 538, 539
USER = {CONTROL: 0, AUTO_START: 1, SETPOINT_TYPE: 0, IDLE_S: 0}
WRITABLE = {
    CONTROL: (0, 1),
    AUTO_START: (0, 1),
    SETPOINT_TYPE: (0, 1),
    IDLE_S: (0, 65535),
    LOCKED: (0, 1),
    ACTION: (1, 2),
    CURRENT_A: (-32, 32),
    POWER_W: (-7400, 7400),
    MOST_W: (1380, 7400),
}
READABLE = (*WRITABLE, ACTUAL_W, STATE, SOC, ERROR, ERROR + 1, ERROR + 2, ERROR + 3)
CHANGE_S, START_S = (5.9, 10.9), 21.9
BOOT_S = 60.0
HOLD_US = 20_000  # bouncing contacts are not a lost supply
SETTLE_US = 2_500_000
FLOWING_W = 50.0
HICCUP = 0.03  # share of charge readings that say 1


class Quasar:
    """Register bank wired to unit 0 of a station; serve it through a `TcpPort`, tick it through `station.timed`."""

    def __init__(self, station: Station, seed: int = 1, boot_s: float = BOOT_S):
        self._station = station
        self._boot_us = boot_s * 1e6
        self._unit = station.unit(0)
        self._random = random.Random(seed)
        self.values = {LOCKED: 0, ACTION: 2, CURRENT_A: 0, POWER_W: 0, MOST_W: 7400, **USER}
        self._settling: dict[int, tuple[int, int]] = {}  # register: (until, what it still shows)
        self.errors = [0, 0, 0, 0]
        self.applied_w = 0  # what the power stage follows
        self.now_us = 0
        self.idle_stops = 0
        self.writes: list[tuple[int, int, int]] = []  # time, register, value
        self.changes: list[tuple[int, int]] = []  # time, power: when a change took effect
        self._change_us = FOREVER_US
        self._idle_us = FOREVER_US
        self._dark_us = -1  # when its supply was lost, as far as it has been noticed
        self.boots = 0
        self._unit["started"] = 1

    def alive(self) -> bool:
        """Whether it has had its supply long enough to answer; a lost supply is noticed here."""
        truth = self._station.truth
        opened_us = truth.contactor_opened_us
        if opened_us > self._dark_us:
            self._dark_us = opened_us
            if truth.contactor_closed_us < opened_us or truth.contactor_closed_us - opened_us > HOLD_US:
                self._forget()
        closed_us = truth.contactor_closed_us
        return closed_us > truth.contactor_opened_us and self._station.t_us >= closed_us + self._boot_us

    def _forget(self) -> None:
        """The supply is gone: no power, and nothing that was set is kept."""
        self.boots += 1
        self.give_back()
        self.values.update({ACTION: 2, POWER_W: 0, CURRENT_A: 0})
        self.errors = [0, 0, 0, 0]
        self._settling.clear()
        self._change_us = FOREVER_US
        self.applied_w = 0
        self._unit.set(power_w=0.0, reactive_var=0.0, at_us=self._station.t_us, latency_ms=0.0)

    @property
    def due_us(self) -> int:
        """When something of its own happens next."""
        return min(self._change_us, self._idle_us)

    def tick(self, now_us: int) -> None:
        """Do what has come due."""
        self.now_us = max(self.now_us, now_us)
        if now_us >= self._idle_us:
            self._idle_us = FOREVER_US
            self.idle_stops += 1
            self.values[ACTION] = 2
            self._plan(now_us)
        if now_us >= self._change_us:
            at_us, self._change_us = self._change_us, FOREVER_US
            self._apply(at_us)

    def heard(self, t_us: int) -> None:
        """Any message re-arms the idle timeout."""
        self.tick(t_us)
        self._idle_us = t_us + self.values[IDLE_S] * 1_000_000 if self.values[IDLE_S] else FOREVER_US

    def give_back(self) -> None:
        """A hand on the app takes control."""
        self.values.update(USER)
        self.values[ACTION] = 2
        self._idle_us = FOREVER_US
        self._plan(self.now_us)

    def _wanted(self) -> int:
        started = self.values[ACTION] == 1 and self.values[SETPOINT_TYPE] == 1 and not any(self.errors)
        return self.values[POWER_W] if started else 0

    def _plan(self, now_us: int) -> None:
        if self._change_us == FOREVER_US and self._wanted() != self.applied_w:
            still = self.applied_w == 0 and abs(self._unit.power_w) < FLOWING_W
            delay_s = START_S if still else self._random.uniform(*CHANGE_S)
            self._change_us = now_us + round(delay_s * 1_000_000)

    def _apply(self, at_us: int) -> None:
        power_w = self._wanted()
        if power_w != self.applied_w:
            self.applied_w = power_w
            self.changes.append((at_us, power_w))
            self._unit.set(power_w=float(power_w), reactive_var=0.0, at_us=at_us, latency_ms=0.0)

    # Registers

    def read(self, address: int, count: int) -> list[int]:
        """Return registers; only those of the list exist."""
        words = []
        for register in range(address, address + count):
            if register not in READABLE:
                raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
            words.append(self._value(register) & 0xFFFF)
        return words

    def _value(self, register: int) -> int:
        if register in self._settling:
            until_us, shown = self._settling[register]
            if self.now_us < until_us:
                return shown
            del self._settling[register]
        if register in self.values:
            return self.values[register]
        if register >= ERROR:
            return self.errors[register - ERROR]
        power_w = self._unit.power_w
        if register == ACTUAL_W:
            return round(power_w)
        if register == STATE:
            return self._state(power_w)
        return self._charge(power_w)

    def _plugged(self) -> bool:
        return bool(self._station.world[0]["plugged"])

    def _state(self, power_w: float) -> int:
        if any(self.errors):
            return 7
        if not self._plugged():
            return 0
        if power_w > FLOWING_W:
            return 1
        if power_w < -FLOWING_W:
            return 11
        return 2 if self.values[ACTION] == 1 else 4

    def _charge(self, power_w: float) -> int:
        if not self._plugged() or abs(power_w) < FLOWING_W:
            return 0
        if self._random.random() < HICCUP:
            return 1
        return round(100 * self._station.vehicle.soc)

    def write(self, address: int, words: list[int]) -> None:
        """Take registers; all are checked before anything changes."""
        values = [word - 0x10000 if word & 0x8000 and address + k != IDLE_S else word for k, word in enumerate(words)]
        for k, value in enumerate(values):
            if address + k not in WRITABLE:
                raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
            low, high = WRITABLE[address + k]
            if not low <= value <= high:
                raise modbus.ModbusError(modbus.ILLEGAL_VALUE)
        for k, value in enumerate(values):
            self._set(address + k, value)
        self._plan(self.now_us)

    def _set(self, register: int, value: int) -> None:
        self.writes.append((self.now_us, register, value))
        if register != CONTROL and not self.values[CONTROL]:
            return  # heard and not obeyed
        if self.values[register] != value:
            self._settling[register] = (self.now_us + SETTLE_US, self._value(register))
        self.values[register] = value
        if register == CONTROL and not value:
            self.give_back()
        if register == IDLE_S:
            self.heard(self.now_us)


class QuasarPort(TcpPort):
    """Its network: gone while it is dark or boots."""

    bank: Quasar

    def __init__(self, quasar: Quasar):
        self._switched_on = True
        super().__init__(quasar)

    @property
    def listening(self) -> bool:
        """False: connections are refused."""
        return self._switched_on and self.bank.alive()

    @listening.setter
    def listening(self, on: bool) -> None:
        self._switched_on = on

    def _take(self, frame: bytes, t_us: int) -> None:
        if self.bank.alive():
            super()._take(frame, t_us)


def install(
    station: Station, address: str = "192.168.1.60:502", seed: int = 1, boot_s: float = BOOT_S
) -> tuple[Quasar, QuasarPort]:
    """Put a Quasar in place of the station's inverter; return it and its port."""
    quasar = Quasar(station, seed, boot_s)
    port = QuasarPort(quasar)
    station.tcp[address] = port
    station.timed.append(quasar)
    return quasar, port
