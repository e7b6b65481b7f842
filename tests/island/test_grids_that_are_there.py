# SPDX-License-Identifier: MIT
"""The active method never decides on a grid that is there, however weak, and costs next to nothing (a sample)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from backfeed.bench.lom_measure import recordings as recorded_cases
from hil.island import stability, suites
from hil.island.trial import run


@pytest.mark.parametrize(("profile", "ratio"), [("uk_g98", 2.0), ("uk_g98", 20.0), ("ieee1547_cat_3", 2.0)])
def test_ramps_steps_jumps_and_dips(profile: str, ratio: float) -> None:
    cases = stability.cases(suites.profile_case(profile), ratios=(ratio,), x_over_r=(1.0,))
    assert len(cases) > 35
    assert [case.name for case in cases if run(case).false_ms is not None] == []


@pytest.mark.parametrize("ratio", [2.0, 5.0, 20.0])
def test_it_is_quiet_on_a_noisy_grid_of_any_strength(ratio: float) -> None:
    base = suites.profile_case("uk_g98")
    case = replace(base, island=False, short_circuit_ratio=ratio, noise=0.01, thd=0.05, settle_s=10.0, watch_s=10.0)
    result = run(case)
    assert result.false_ms is None and 0.5 < result.q_rms_pct <= 2.0


@pytest.mark.parametrize("ratio", [2.0, 20.0])
def test_ten_units_on_one_feeder_are_quiet(ratio: float) -> None:
    base = suites.profile_case("uk_g98")
    case = replace(base, units=10, island=False, short_circuit_ratio=ratio, noise=0.01, settle_s=4.0, watch_s=4.0)
    result = run(case)
    assert result.false_ms is None and result.q_rms_pct <= 2.0 and result.probes <= 2


def test_charging_it_asks_nothing() -> None:
    base = suites.profile_case("uk_g98")
    case = replace(base, power=-1.0, island=False, settle_s=2.0, watch_s=2.0)
    result = run(case)
    assert result.q_rms_pct == 0.0 and result.probes == 0 and result.false_ms is None


def test_recorded_grids_are_ridden_through(recordings: Path) -> None:
    cases = recorded_cases(suites.profile_case("uk_g98"), recordings)
    assert len(cases) >= 4
    assert [case.name for case in cases if run(case).false_ms is not None] == []
