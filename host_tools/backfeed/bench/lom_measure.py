# SPDX-License-Identifier: MIT
"""Loss-of-mains measurements: runs the trials of hil.island and keeps what the page and the figures need.

The firmware's sense and protect stages run on CPython against the compiled plant; tests/island compares a
sample with the whole firmware on a MicroPython VM.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from backfeed.checkout import ROOT
from backfeed.recording import Choice, load
from backfeed.recording.shape import even_rate
from backfeed.workers import workers
from hil.island import stability, suites
from hil.island.suites import LIMIT_MS, Outcome
from hil.island.trial import Case, run

RECORDINGS = ROOT.parent / "shared" / "recordings"
BASE = "uk_g98"
SIXTY = "ieee1547_cat_3"
MAP_STEPS = 13
SEEDS = 4  # repetitions on the base profile
TEN_CASES = 24
Progress = Callable[[str], None]


@dataclass
class Row:
    """Run-on of one group of cases, ms."""

    profile: str
    test: str
    method: str
    count: int
    missed: int
    median_ms: float
    worst_ms: float
    worst_case: str


@dataclass
class Stability:
    """Trials without loss of mains."""

    group: str
    count: int
    false_trips: list[str]
    q_rms_pct: float


@dataclass
class Lom:
    """Everything measured."""

    rows: list[Row] = field(default_factory=list)
    maps: dict[str, dict[tuple[float, float], float]] = field(default_factory=dict)
    stable: list[Stability] = field(default_factory=list)
    tolerance: list[Row] = field(default_factory=list)
    traces: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    solver_x: float = 0.0
    wall_s: float = 0.0
    skipped: list[str] = field(default_factory=list)

    def values(self) -> dict[str, float]:
        """Return the bench's figures."""
        alone = [row for row in self.rows if row.method == "active" and row.test.startswith("62116") and row.count]
        passive = [row for row in self.rows if row.method == "passive" and row.test.startswith("62116")]
        return {
            "lom_62116_worst_ms": max(row.worst_ms for row in alone),
            "lom_62116_median_ms": statistics.median(row.median_ms for row in alone),
            "lom_passive_missed_cases": float(sum(row.missed for row in passive if row.profile == BASE)),
            "lom_ndz_cells": float(sum(ms > LIMIT_MS for ms in self.maps["active"].values())),
            "lom_q_cost_pct_rms": max(row.q_rms_pct for row in self.stable if row.group.startswith("quiet")),
            "false_trips": float(sum(len(row.false_trips) for row in self.stable)),
            "island_solver_x_realtime": self.solver_x,
        }


def _row(profile: str, test: str, method: str, outcomes: list[Outcome]) -> Row:
    times = [outcome.result.run_on_ms for outcome in outcomes]
    worst = max(outcomes, key=lambda outcome: outcome.result.run_on_ms).case
    text = f"P {worst.power:.0%}, dP {worst.dp:+.0%}, dQ {worst.dq:+.0%}, seed {worst.seed}"
    missed = sum(outcome.missed for outcome in outcomes)
    return Row(profile, test, method, len(times), missed, statistics.median(times), max(times), text)


def _three(lom: Lom, profile: str, base: Case, seeds: int) -> None:
    for method in METHODS:
        case = _with(base, method)
        lom.rows.append(_row(profile, "62116 A", method, suites.run_all(suites.iec_62116_a(case, seeds))))
        lom.rows.append(_row(profile, "62116 B", method, _swept(suites.iec_62116_b(case, seeds), case.active)))
        lom.rows.append(_row(profile, "62116 C", method, _swept(suites.iec_62116_c(case, seeds), case.active)))


def _swept(cases: list[Case], widen: bool) -> list[Outcome]:
    return suites.run_swept(cases) if widen else suites.run_all(cases)


# method -> active method on, the profile's passive elements on
METHODS = {"active": (True, False), "both": (True, True), "passive": (False, True)}


def _with(base: Case, method: str) -> Case:
    active, passive = METHODS[method]
    return replace(base, active=active, passive=passive)


def measure(progress: Progress) -> Lom:
    """Run everything, one job a processor at a time; the figures do not depend on how many there are."""
    lom = Lom()
    started = time.perf_counter()
    names = jobs()
    with workers(os.cpu_count() or 1) as pool:
        for name, part in zip(names, pool.map(run_job, names), strict=True):
            progress(name)
            lom.rows += part.rows
            lom.maps.update(part.maps)
            lom.stable += part.stable
            lom.tolerance += part.tolerance
            lom.skipped += part.skipped
    base = suites.profile_case(BASE)
    for name, case in _pictures(base).items():
        lom.traces[name] = run(replace(case, trace=True)).trace
    lom.solver_x = _solver_speed(base)
    lom.wall_s = time.perf_counter() - started
    return lom


def jobs() -> list[str]:
    """Return the names of all jobs, the base profile's first."""
    others = [f"62116 {name}" for name in suites.profiles() if name != BASE]
    fixed = ["G98", *suites.UI_CASES, "map active", "map passive", "ten", "tolerance"]
    return [f"62116 {BASE}", *fixed, "events 50 Hz", "events 60 Hz", "quiet", "recordings", *others]


def run_job(name: str) -> Lom:
    """Run one job."""
    lom = Lom()
    base = suites.profile_case(BASE)
    kind, _, rest = name.partition(" ")
    if kind == "62116":
        _three(lom, rest, suites.profile_case(rest), SEEDS if rest == BASE else 1)
    elif kind == "UI":
        cases = suites.ieee_1547_1(suites.profile_case(SIXTY), name, 2)
        lom.rows.append(_row(SIXTY, name, "active", suites.run_swept(cases)))
    elif kind == "map":
        lom.maps[rest] = suites.non_detection_map(_with(base, rest), MAP_STEPS)
    elif kind == "events":
        _stable(lom, f"events, {rest}", stability.cases(base if rest == "50 Hz" else suites.profile_case(SIXTY)))
    else:
        {"G98": _uk, "ten": _ten, "tolerance": _tolerance, "quiet": _quiet, "recordings": _recorded}[kind](lom, base)
    return lom


def _uk(lom: Lom, base: Case) -> None:
    for method in ("both", "passive"):
        case = _with(base, method)
        cases = [replace(one, active=case.active) for one in suites.uk_lom(case, SEEDS)]
        lom.rows.append(_row(BASE, "G98 LOM", method, suites.run_all(cases)))


def _solver_speed(base: Case) -> float:
    """Return plant seconds a wall second of the island alone, no firmware."""
    from hil.island.trial import Trial

    feeder = Trial(base).feeder
    feeder.run(feeder.t_us + 1_000_000)
    began_us = feeder.t_us
    started = time.perf_counter()
    feeder.grid.open()
    feeder.run(feeder.t_us + 20_000_000)
    return (feeder.t_us - began_us) / 1e6 / (time.perf_counter() - started)


def _ten(lom: Lom, base: Case) -> None:
    rings = (-0.10, -0.03, 0.0, 0.03, 0.10)
    cases = [
        replace(
            base,
            name="ten units",
            units=10,
            power=(1.0, 1.0, 0.33)[n % 3],
            dp=(-0.1, 0.0, 0.1, 0.05)[n % 4],
            dq=rings[n % 5],
            seed=900 + n,
        )
        for n in range(TEN_CASES)
    ]
    lom.rows.append(_row(BASE, "ten units, all off", "active", suites.run_all(cases)))


def _tolerance(lom: Lom, base: Case) -> None:
    changes: dict[str, dict[str, Any]] = {"as built: 15 ms link, 15 ms latency, 30 ms lag, PLL 12 Hz, Qf 1": {}}
    for link_ms in (5.0, 30.0, 45.0, 60.0, 100.0):
        changes[f"link {link_ms:g} ms"] = {"link_ms": link_ms}
    for lag_ms in (10.0, 60.0, 100.0):
        changes[f"inverter lag {lag_ms:g} ms"] = {"inverter": replace(base.inverter, response_ms=lag_ms)}
    for pll_hz in (5.0, 20.0, 30.0):
        changes[f"PLL {pll_hz:g} Hz"] = {"inverter": replace(base.inverter, pll_hz=pll_hz)}
    for quality in (0.5, 2.0, 3.0):
        changes[f"Qf {quality:g}"] = {"quality": quality}
    changes["export 10 %"] = {"power": 0.10}
    changes["export 5 %"] = {"power": 0.05}
    changes["export 3 %"] = {"power": 0.03}
    changes["1 % noise, 5 % THD"] = {"noise": 0.01, "thd": 0.05}
    for name, change in changes.items():
        cases = [
            replace(case, **{"power": (1.0, 0.55, 0.3)[n % 3], **change})
            for n, case in enumerate(suites.iec_62116_a(base, 2))
        ]
        lom.tolerance.append(_row(BASE, name, "active", suites.run_all(cases)))


def _quiet(lom: Lom, base: Case) -> None:
    quiet = replace(base, name="quiet", island=False, noise=0.01, thd=0.05, settle_s=10.0, watch_s=20.0)
    for ratio in (2.0, 5.0, 20.0):
        _stable(lom, f"quiet, SCR {ratio:g}", [replace(quiet, short_circuit_ratio=ratio, seed=n) for n in (1, 2, 3)])
    for ratio in (2.0, 20.0):
        ten = replace(quiet, units=10, short_circuit_ratio=ratio)
        _stable(lom, f"quiet, ten units, SCR {ratio:g} of all ten", [ten])


def _recorded(lom: Lom, base: Case) -> None:
    recorded = recordings(base)
    if recorded:
        _stable(lom, "recordings", recorded)
    else:
        lom.skipped.append(f"recordings: no folder {RECORDINGS.parent.name}/{RECORDINGS.name} beside the checkout")


def _stable(lom: Lom, group: str, cases: list[Case]) -> None:
    results = [(case, run(case)) for case in cases]
    false = [
        f"{case.name}, SCR {case.short_circuit_ratio:g}" for case, result in results if result.false_ms is not None
    ]
    cost = max(result.q_rms_pct for _case, result in results)
    lom.stable.append(Stability(group, len(cases), false, cost))


def recordings(base: Case, folder: Path = RECORDINGS) -> list[Case]:
    """Return the recorded grids that must be ridden through; empty where the folder is absent."""
    if not folder.is_dir():
        return []
    fault = load(folder / "earth_fault_50hz_2400sps.cfg", Choice())
    rate_hz = even_rate(fault)
    found = [
        stability.wave_case(base, f"earth fault, phase {k + 1}", fault.voltage_v[:, k], rate_hz)
        for k in range(fault.phases)
    ]
    iberia = load(folder / "iberia_20250428_toledo_2s.csv", Choice())
    if iberia.frequency_hz is not None:
        collapse = _collapse_at(iberia.voltage_v[:, 0])
        rows = [
            (float(iberia.t_s[n]), float(iberia.voltage_v[n, 0]), float(iberia.frequency_hz[n]))
            for n in range(max(collapse - 90, 0), collapse)
            if math.isfinite(iberia.voltage_v[n, 0])
        ]
        found.append(stability.series_case(base, "Iberia, 3 minutes until the collapse", rows))
    return found


def _collapse_at(volts: Any) -> int:
    """Return the first row below 80 % of the first."""
    low = np.flatnonzero(volts < 0.8 * volts[0])
    return int(low[0]) if low.size else len(volts)


def _pictures(base: Case) -> dict[str, Case]:
    return {
        "balanced island, full power": replace(base, seed=11),
        "dQ +5 %, full power": replace(base, dq=0.05, seed=12),
        "healthy grid, SCR 2, jump of 50 degrees": replace(
            base,
            island=False,
            short_circuit_ratio=2.0,
            noise=0.01,
            thd=0.05,
            watch_s=1.0,
            events=stability.jumps()["jump +50 deg"],
        ),
        "same island, method off": replace(base, active=False, passive=True, watch_s=1.0, seed=11),
    }


def finite(ms: float) -> str:
    """Return a run-on as text."""
    return f"{ms:.0f}" if math.isfinite(ms) else "> 2500"
