# SPDX-License-Identifier: MIT
"""The islanding tests of the standards as lists of cases, and how to widen a sweep while its run-on still rises."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from evse.points import PROFILE_NAMES
from evse.profiles import loader
from hil.island.trial import Case, Result, run

RING = (-0.10, -0.05, 0.0, 0.05, 0.10)
SWEEP = tuple(n / 100 for n in range(-5, 6))  # reactive load 95..105 %, 1 % steps
WIDEST = 0.15
LIMIT_MS = 2000.0


@dataclass(frozen=True)
class Outcome:
    """A case and what came of it."""

    case: Case
    result: Result

    @property
    def missed(self) -> bool:
        """Whether it was still on after the 2 s that every code allows."""
        return self.result.run_on_ms > LIMIT_MS


def profile_case(name: str) -> Case:
    """Return the balanced case at a profile's nominal voltage and frequency."""
    profile = loader.load(name)
    return Case(profile=name, nominal_v=profile.nominal_mv / 1000, nominal_hz=profile.nominal_uhz / 1e6)


def _seeded(cases: list[Case], seeds: int, base: int) -> list[Case]:
    return [replace(case, seed=base + 1000 * s + n) for s in range(seeds) for n, case in enumerate(cases)]


def iec_62116_a(base: Case, seeds: int = 1) -> list[Case]:
    """Return condition A: full power, balanced and both rings around it."""
    cases = [replace(base, name="62116 A", power=1.0, dp=dp, dq=dq) for dp in RING for dq in RING]
    return _seeded(cases, seeds, 1)


def _sweep(base: Case, name: str, **changes: Any) -> list[Case]:
    return [replace(base, name=name, dq=dq, **changes) for dq in SWEEP]


def iec_62116_b(base: Case, seeds: int = 1) -> list[Case]:
    """Return condition B: half power, reactive load in 1 % steps."""
    return _seeded(_sweep(base, "62116 B", power=0.55), seeds, 101)


def iec_62116_c(base: Case, seeds: int = 1) -> list[Case]:
    """Return condition C: a third of the power, reactive load in 1 % steps."""
    return _seeded(_sweep(base, "62116 C", power=0.30), seeds, 201)


def curve(points: tuple[tuple[float, float], ...]) -> Callable[[float], float]:
    """Return the polyline through points, flat beyond both ends."""

    def at(x: float) -> float:
        for (x0, y0), (x1, y1) in zip(points, points[1:], strict=False):
            if x <= x0:
                return y0
            if x <= x1:
                return y0 + (y1 - y0) * (x - x0) / (x1 - x0)
        return points[-1][1]

    return at


# IEEE 1547-2018 category B: share of nominal voltage -> share of rating fed in. Response time s.
VOLT_VAR_DEFAULT = curve(((0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44)))
VOLT_VAR_STEEP = curve(((0.98, 0.44), (1.0, 0.0), (1.02, -0.44)))
WATT_VAR_DEFAULT = curve(((0.2, 0.0), (0.5, 0.0), (1.0, -0.44)))
WATT_VAR_STEEP = curve(((0.2, 0.0), (0.5, -0.44), (1.0, -0.44)))

# IEEE 1547.1-2020 5.10: case -> power, reactive (+ fed in), follower (V, W) -> share, its response time s.
UI_CASES: dict[str, tuple[float, float, Callable[[float, float], float] | None, float]] = {
    "UI 1B": (1.0, 0.0, None, 0.0),
    "UI 2B": (0.5, 0.0, None, 0.0),
    "UI 3B": (0.9, -0.25, None, 0.0),
    "UI 4B": (0.9, 0.44, None, 0.0),
    "UI 5B": (0.9, 0.0, lambda v, _p: VOLT_VAR_STEEP(v), 1.0),
    "UI 6B": (0.9, 0.0, lambda v, _p: VOLT_VAR_DEFAULT(v), 5.0),
    "UI 7B": (0.9, -0.352, lambda _v, p: WATT_VAR_DEFAULT(p), 1.0),
    "UI 8B": (0.9, -0.44, lambda _v, p: WATT_VAR_STEEP(p), 1.0),
    "UI 9B": (0.5, -0.44, None, 0.0),
    "UI 10B": (0.5, 0.44, None, 0.0),
}


def ieee_1547_1(base: Case, name: str, seeds: int = 1) -> list[Case]:
    """Return one UI case with its reactive sweep."""
    power, reactive, follower, response_s = UI_CASES[name]
    cases = _sweep(base, name, power=power, reactive=reactive, var_follows=follower, var_response_s=response_s)
    return _seeded(cases, seeds, 301 + 20 * list(UI_CASES).index(name))


def uk_lom(base: Case, seeds: int = 1) -> list[Case]:
    """Return the G98/G99 loss-of-mains test: 10, 55, 100 % power against a load at 95 and 105 %, by P and by Q."""
    cases = [
        replace(base, name="G98 LOM", power=power, dp=dp, dq=dq, passive=True)
        for power in (0.1, 0.55, 1.0)
        for dp, dq in ((-0.05, 0.0), (0.05, 0.0), (0.0, -0.05), (0.0, 0.05), (-0.05, -0.05), (0.05, 0.05))
    ]
    return _seeded(cases, seeds, 501)


def run_all(cases: list[Case]) -> list[Outcome]:
    """Run every case."""
    return [Outcome(case, run(case)) for case in cases]


def run_swept(cases: list[Case]) -> list[Outcome]:
    """Run a sweep, then go on past an end in 1 % steps while the run-on there still rises (both standards)."""
    done = run_all(cases)
    for end in (min(case.dq for case in cases), max(case.dq for case in cases)):
        done += _widen(done, end)
    return done


def _widen(done: list[Outcome], end: float) -> Iterator[Outcome]:
    worst = max(outcome.result.run_on_ms for outcome in done)
    last = max(outcome.result.run_on_ms for outcome in done if outcome.case.dq == end)
    model = next(outcome.case for outcome in done if outcome.case.dq == end)
    step = math.copysign(0.01, end)
    dq = end
    while last >= worst and abs(dq + step) <= WIDEST + 1e-9:
        dq = round(dq + step, 2)
        outcome = Outcome(case := replace(model, dq=dq, seed=model.seed + 7000), run(case))
        yield outcome
        if outcome.result.run_on_ms < last:
            return
        worst = last = outcome.result.run_on_ms


def non_detection_map(base: Case, steps: int, seed: int = 1) -> dict[tuple[float, float], float]:
    """Return run-on, ms, over dP +-30 % (steps columns) and dQ +-15 % (steps rows); inf = not within the watch."""
    found = {}
    for i in range(steps):
        for j in range(steps):
            dp = round(-0.30 + 0.60 * i / (steps - 1), 4)
            dq = round(-0.15 + 0.30 * j / (steps - 1), 4)
            case = replace(base, name="map", dp=dp, dq=dq, seed=seed + 97 * i + j)
            found[dp, dq] = run(case).run_on_ms
    return found


def profiles() -> list[str]:
    """Return every profile's name."""
    return list(PROFILE_NAMES)
