# SPDX-License-Identifier: MIT
"""A simulated InfyPower-style bidirectional AC/DC module on CAN, in place of the station's inverter.

Written from the public EVerest drivers' description of the protocol, not from our driver. What is not known from there
is marked "assumed". Positive currents both ways; the direction is a mode. A battery of fixed voltage stands behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.plant.state import FOREVER_US

if TYPE_CHECKING:
    from hil.plant.station import Station

CONTROLLER = 0xF0
GET, SET = 0x23, 0x24
VOLTAGE, CURRENT, COUNT, STATUS, MODE_STATUS, MODE = 0x1001, 0x1002, 0x1010, 0x1110, 0x1111, 0x2110
HIGHEST_MV, LOWEST_MV, MOST_MA, RATED_MW = 0x1130, 0x1131, 0x1132, 0x1133
ON, OFF = 0xA0, 0xA1
RECTIFIER, INVERTER = 0xA0, 0xA1
OFF_BIT, FAULT_BIT = 1 << 8, 1 << 9
SILENCE_US = 10_000_000  # without a message it switches itself off
ANSWER_US = 2000  # assumed
BAD_COMMAND, BAD_DATA, STARTING = 2, 3, 7


class InfyPower:
    """One module, group 1, wired to unit 0 of a station: a node of the CAN bus, and `timed`.

    Faults: deaf, one_way, refuse (an error code for every write), broken (reports a fault).
    """

    def __init__(self, station: Station, group: int = 1, address: int = 5, battery_mv: int = 400_000) -> None:
        self._unit = station.unit(0)
        self.group = group
        self.address = address
        self.battery_mv = battery_mv
        self.on = False
        self.mode = RECTIFIER
        self.set_ma = 0
        self.set_mv = 0
        self.deaf = False
        self.one_way = False
        self.broken = False
        self.refuse = 0
        self.self_stops = 0
        self.writes: list[tuple[int, int, int]] = []  # time, code, value
        self._silence_us = FOREVER_US
        self._queue: list[tuple[int, int, bytes]] = []
        self._power_w = 0.0
        self._unit["started"] = 1

    @property
    def due_us(self) -> int:
        """When something of its own happens next."""
        return self._silence_us

    def tick(self, now_us: int) -> None:
        """Switch itself off when nobody has spoken for too long."""
        if now_us >= self._silence_us:
            at_us, self._silence_us = self._silence_us, FOREVER_US
            self.self_stops += self.on
            self.on = False
            self._apply(at_us)

    # --- the bus ---

    def receive(self, identifier: int, data: bytes, t_us: int) -> None:
        """Take a frame; answer what is for our group."""
        if self.deaf or len(data) != 8 or identifier >> 22 & 15 != 11 or identifier >> 8 & 0xFF != self.group:
            return
        self.tick(t_us)
        self._silence_us = t_us + SILENCE_US
        command, code = identifier >> 16 & 0x3F, int.from_bytes(data[:2], "big")
        value = int.from_bytes(data[4:], "big", signed=True)
        error = BAD_COMMAND
        if command == GET:
            error, value = self._get(code)
        elif command == SET:
            error = self._set(code, value, t_us)
        answer = error << 26 | 11 << 22 | command << 16 | (identifier & 0xFF) << 8 | self.address
        payload = data[:4] + value.to_bytes(4, "big", signed=True)
        self._queue.append((t_us + ANSWER_US, answer, payload))

    def transmit(self) -> list[tuple[int, int, bytes]]:
        """Return and forget what it wants to send."""
        queue, self._queue = self._queue, []
        return queue

    # --- values ---

    def current_ma(self) -> int:
        """Return the DC current now, positive both ways."""
        return round(abs(self._unit.power_w) * 1e6 / self.battery_mv)

    def _get(self, code: int) -> tuple[int, int]:
        values = {
            VOLTAGE: self.battery_mv,
            CURRENT: self.current_ma(),
            COUNT: 1,
            STATUS: (0 if self.on else OFF_BIT) | (FAULT_BIT if self.broken else 0),
            MODE_STATUS: int(self.mode == INVERTER),
            HIGHEST_MV: 1_000_000,
            LOWEST_MV: 200_000,
            MOST_MA: 73_300,
            RATED_MW: 22_000_000,
        }
        return (0, values[code]) if code in values else (BAD_DATA, 0)

    def _set(self, code: int, value: int, t_us: int) -> int:
        self.writes.append((t_us, code, value))
        if self.refuse:
            return self.refuse
        if code == CURRENT and 0 <= value <= 73_300:
            self.set_ma = value
        elif code == VOLTAGE and 200_000 <= value <= 1_000_000:
            self.set_mv = value
        elif code == STATUS and value in (ON, OFF):
            self.on = value == ON
        elif code == MODE and value in (RECTIFIER, INVERTER) and not (self.one_way and value == INVERTER):
            self.mode = value
        else:
            return BAD_DATA
        self._apply(t_us)
        return 0

    def _apply(self, at_us: int) -> None:
        """Let the power stage follow; without loss (assumed)."""
        # A rectifier charges up to its voltage limit, an inverter discharges down to it.
        reachable = self.set_mv >= self.battery_mv if self.mode == RECTIFIER else self.set_mv <= self.battery_mv
        watts = self.set_ma * self.battery_mv / 1e6 if self.on and reachable else 0.0
        power_w = -watts if self.mode == INVERTER else watts
        if power_w != self._power_w:
            self._power_w = power_w
            self._unit.set(power_w=power_w, reactive_var=0.0, at_us=at_us)


def install(station: Station) -> InfyPower:
    """Put a module in place of the station's inverter, on the board's CAN bus."""
    module = InfyPower(station)
    station.can.append(module)
    station.timed.append(module)
    return module
