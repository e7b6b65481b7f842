# SPDX-License-Identifier: MIT
"""What a case of evidence is: moves of the grid, what is measured, and its bounds."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from typing import Any

from backfeed.checkout import FIRMWARE

VOLTAGE_MARGIN = 2.0 / 230.0  # of nominal, on either side of a threshold
FREQUENCY_MARGIN = 0.05 / 50.0
PHASE_A = 32  # rating of the virtual board's contactor and cable
QUICK_MS = 10_000
IEEE_1547 = "ieee1547"  # how the names of its profiles begin
OVERRUN_MS = 100.0  # sensing, cycle and contactor after a stage's delay


@dataclass(frozen=True)
class Move:
    """A change of the grid, at_s after the case's start. phase 1..3, None = all."""

    at_s: float
    voltage_v: float | None = None
    frequency_hz: float | None = None
    ramp_s: float = 0.0
    phase: int | None = None
    jump_deg: float | None = None
    thd: float | None = None
    noise: float | None = None
    island: tuple[float, float] | None = None  # a resonant load (Qf 1) takes the present export; dP, dQ as shares more
    opens: bool = False  # the grid switch: loss of mains


@dataclass(frozen=True)
class Recorded:
    """What the firmware's record of a trip must say, in V or Hz: the value to within a tolerance, and the limit."""

    value: float
    tolerance: float
    limit: float


@dataclass(frozen=True)
class Case:
    """One thing to prove. judge: a name of judge.JUDGES; since_s: the instant that times count from.

    setpoint: power asked for before the case begins, share of the rating, - = export; lead_s: how long before.
    """

    name: str
    text: str
    judge: str
    moves: tuple[Move, ...]
    duration_s: float
    since_s: float = 0.0
    low: float | None = None
    high: float | None = None
    element: str = ""  # the one that must have tripped; "" any
    phase: int = 0  # and the phase it must name; 0 any
    delay_ms: float = 0.0  # of the stage, for the overrun; of a level or an answer, how long it is watched
    setpoint: float | None = None
    lead_s: float = 0.0
    recorded: Recorded | None = None  # of a trip; None = not looked at


@dataclass(frozen=True)
class Session:
    """A board from power-up, and cases one after another. changes: profile_changes in force.

    rated_w: station and inverter are rated so and asked for all of it; 0 = as built, and a third of it.
    """

    profile: str
    name: str
    cases: tuple[Case, ...]
    phases: int = 1
    changes: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    kind: str = ""  # stages, ranges, rates, reconnect, ride, phases, droop, curves, islands
    rated_w: int = 0


def firmware(name: str) -> Any:
    """Import a data or loader module of the firmware."""
    if str(FIRMWARE) not in sys.path:
        sys.path.insert(0, str(FIRMWARE))
    return importlib.import_module(name)


class Facts:
    """A profile's numbers in V, Hz and ms, as the firmware's own loader gives them."""

    def __init__(self, name: str, changes: str = "") -> None:
        self.profile = firmware("evse.profiles.loader").load(name, changes)
        data = firmware(f"evse.profiles.{name}")
        self.name = name
        self.ranges: dict[str, tuple[int, int]] = data.RANGES
        self.regions: tuple[tuple[str, int, int, int, str], ...] = data.RIDE_THROUGH
        self.nominal_v = self.profile.nominal_mv / 1000
        self.nominal_hz = self.profile.nominal_uhz / 1e6
        self.margin_v = self.nominal_v * VOLTAGE_MARGIN
        self.margin_hz = self.nominal_hz * FREQUENCY_MARGIN
        self.rocof_hz_s = self.profile.rocof_mhz_s / 1000
        self.stages = [Stage(self, row) for row in self.profile.stages]

    @property
    def rated_w(self) -> int:
        """Most that one phase of this nominal voltage carries on the board's current rating, W."""
        return int(self.nominal_v) * PHASE_A

    @property
    def room_hz(self) -> tuple[float, float]:
        """Lowest and highest frequency at which no stage acts within QUICK_MS."""
        quick = [stage for stage in self.stages if not stage.of_voltage and stage.relay_ms < QUICK_MS]
        lows = [stage.threshold for stage in quick if not stage.over]
        highs = [stage.threshold for stage in quick if stage.over]
        return max(lows, default=self.nominal_hz - 4) + 0.15, min(highs, default=self.nominal_hz + 4) - 0.15

    @property
    def room_v(self) -> tuple[float, float]:
        """Lowest and highest voltage, V, that lie inside every stage by the test margin."""
        lows = [stage.threshold for stage in self.stages if stage.of_voltage and not stage.over]
        highs = [stage.threshold for stage in self.stages if stage.of_voltage and stage.over]
        return max(lows) + self.margin_v, min(highs) - self.margin_v

    @property
    def slow_hz_s(self) -> float:
        """Slope at which the frequency may be brought somewhere without anything answering."""
        return 0.4 * self.rocof_hz_s if self.rocof_hz_s else 5.0

    def reaching(self, value: float, of_voltage: bool) -> list[Stage]:
        """Return the stages beyond whose threshold a value lies."""
        return [stage for stage in self.stages if stage.of_voltage == of_voltage and stage.passed_by(value)]


def joined(*changes: str) -> str:
    """Return changes of a profile as one text; empty ones leave no trace."""
    return ",".join(part for part in changes if part)


def quick_ramp(facts: Facts) -> str:
    """Return the change that makes the ramp after connection as fast as the code lets it, for cases that need power."""
    key = "enter_ramp_permille_min"
    return f"{key}={facts.ranges[key][1]}" if key in facts.ranges and facts.profile.enter_ramp_permille_min else ""


class Stage:
    """A stage in V or Hz, its relay delay in ms (a clearing time less the allowance) and the latest opening."""

    def __init__(self, facts: Facts, row: Any) -> None:
        self.element: str = firmware("evse.faults").ELEMENTS[row.element][0]
        self.of_voltage = self.element[1] == "v"
        self.over = bool(row.over)
        self.threshold = row.threshold / (1000 if self.of_voltage else 1e6)
        self.margin = facts.margin_v if self.of_voltage else facts.margin_hz
        self.unit = "V" if self.of_voltage else "Hz"
        self.clearing = bool(row.clearing)
        allowance_ms = firmware("evse.protect.stage").CLEARING_ALLOWANCE_MS if self.clearing else 0
        self.relay_ms = float(row.delay_ms - allowance_ms)
        self.latest_ms = float(row.delay_ms) if self.clearing else row.delay_ms + OVERRUN_MS
        sign = 1 if self.over else -1
        self.beyond = self.threshold + sign * self.margin
        self.inside = self.threshold - sign * self.margin

    def recorded(self, value: float) -> Recorded:
        """Return what the record of this stage's trip must say of a value: half the test margin leaves it beyond."""
        return Recorded(value, self.margin / 2, self.threshold)

    def passed_by(self, value: float) -> bool:
        """Whether a value lies beyond the threshold."""
        return value > self.threshold if self.over else value < self.threshold
