# SPDX-License-Identifier: MIT
"""The one interface between a plant (the world) and the virtual board (the pins)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from hil.plant.state import OUT_EXPORT, OUT_I, OUT_IMPORT, OUT_P, OUT_PERIOD, OUT_Q, OUT_SEQUENCE, OUT_SIZE, OUT_V


@dataclass
class BoardOutputs:
    """What the board drives, held constant from one advance() to the next."""

    gate_arm: bool = False
    gate_edges: int = 0  # edges on the gate pin since boot
    gate_edge_us: int = -(10**9)  # plant time of the last edge
    contactor: bool = False  # coil drive
    rcd_test: bool = False
    cable_lock: bool = False
    lamp: int = 0
    pilot_duty: float = 1.0  # share of the period at +12 V; 1.0 = steady +12 V, 0.0 = steady -12 V
    pilot_frequency_hz: float = 1000.0


def _phases(at: int) -> property:
    """Return a property for the values of L1..L3 that stand at `at` in a reading's row."""

    def read(reading: AfeReading) -> np.ndarray:
        return reading.row[at : at + 3]

    def write(reading: AfeReading, values: Sequence[float]) -> None:
        reading.row[at : at + 3] = values

    return property(read, write)


class AfeReading:
    """What a three-phase metering front end has measured, in SI units, L1..L3.

    Powers: + = from grid into the charger. line_period_s is 0 where no zero crossing was seen.
    The AFE refreshes rms each half cycle and the period each line cycle; `sequence` counts
    refreshes, so a frozen AFE shows. All of it stands in `row` (state.OUT_*), which the compiled code reads and
    writes: what is taken from a reading is a view and changes with it.
    """

    def __init__(self, row: np.ndarray | None = None, **values: object) -> None:
        self.row = np.zeros(OUT_SIZE) if row is None else row
        self.lag_deg: tuple[float, float] = (120.0, 240.0)  # of the voltages of L2 and L3 behind L1
        for name, value in values.items():
            setattr(self, name, value)

    @property
    def sequence(self) -> int:
        return int(self.row[OUT_SEQUENCE])

    @sequence.setter
    def sequence(self, count: int) -> None:
        self.row[OUT_SEQUENCE] = count

    voltage_v = _phases(OUT_V)
    current_a = _phases(OUT_I)
    active_w = _phases(OUT_P)
    reactive_var = _phases(OUT_Q)
    import_wh = _phases(OUT_IMPORT)
    export_wh = _phases(OUT_EXPORT)
    line_period_s = _phases(OUT_PERIOD)


@dataclass
class BoardInputs:
    """What the board feels at its pins."""

    afe: AfeReading = field(default_factory=AfeReading)
    gate_up: bool = False
    contactor_open: bool = True  # mirror contact closed: main contacts proven open
    rcd_tripped: bool = False
    estop: bool = False
    pilot_high_v: float = 12.0  # peak-hold of the positive half, at the pilot
    pilot_low_v: float = -12.0  # peak-hold of the negative half
    proximity_ohm: float = float("inf")
    board_c: float = 25.0
    connector_c: float = 25.0


class SerialDevice(Protocol):
    """A device on one of the board's UARTs, byte-exact in time."""

    def receive(self, data: bytes, t_us: int) -> None:
        """Take bytes whose last stop bit ended at plant time t_us."""

    def transmit(self) -> list[tuple[int, bytes]]:
        """Return and forget (time of the last stop bit in us, bytes) sent since the last call."""


class CanNode(Protocol):
    """A node of the board's CAN bus, which knows arbitration, frame times and errors (virtual_board/can_line.py)."""

    def receive(self, identifier: int, data: bytes, t_us: int) -> None:
        """Take a frame of 29-bit identifier that ended at plant time t_us."""

    def transmit(self) -> list[tuple[int, int, bytes]]:
        """Return and forget (time from which it wants the bus in us, identifier, data) since the last call."""


class Timed(Protocol):
    """A device with timers of its own."""

    @property
    def due_us(self) -> int:
        """When something of its own happens next."""

    def tick(self, now_us: int) -> None:
        """Do what has come due until now_us."""


class Plant(Protocol):
    """The world outside the board's connectors."""

    serial: dict[str, SerialDevice]  # "inverter", "meter"

    def advance(self, t_us: int, outputs: BoardOutputs) -> BoardInputs:
        """Run the world to plant time t_us (never backwards) with the outputs held; return what the board feels."""
