# SPDX-License-Identifier: MIT
"""The whole firmware on the MicroPython VM, Modbus and all, ends islands as its protection alone does on CPython."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from backfeed.checkout import HIL
from backfeed.errors import PartError
from backfeed.scenario_run import Outcome, run_scenario
from hil.island import suites
from hil.island.trial import run
from hil.scenario import load

# Power, dP, dQ of hil/scenarios/lom/islands.toml
SAME = ((1.0, 0.0, 0.0), (1.0, 0.05, -0.05), (0.543, 0.0, 0.02), (0.299, 0.0, 0.0), (0.1, 0.0, 0.0))


def _run(name: str) -> Outcome:
    try:
        return run_scenario(load(HIL / "scenarios" / "lom" / f"{name}.toml"), lambda _progress: None)
    except PartError as error:
        if "mosquitto" in error.message:
            pytest.skip(error.message)
        raise


def test_islands_end_in_time_and_as_the_trials_on_cpython_say() -> None:
    outcome = _run("islands")
    assert [check.text for check in outcome.run.checks if not check.passed] == []
    whole = [check.value for check in outcome.run.checks if check.unit == "ms" and check.value is not None]
    assert len(whole) == len(SAME)
    base = replace(suites.profile_case("uk_g98"), passive=True)
    alone = [
        run(replace(base, power=power, dp=dp, dq=dq, seed=seed)).run_on_ms
        for power, dp, dq in SAME
        for seed in range(1, 9)
    ]
    # Not the same moments of the quiet square, so not the same times: the same spread of times.
    assert min(alone) - 80 <= min(whole) and max(whole) <= max(alone) + 80
    assert abs(statistics.median(whole) - statistics.median(alone)) <= 80


def test_ramps_are_ridden_through() -> None:
    outcome = _run("ramps")
    assert [check.text for check in outcome.run.checks if not check.passed] == []
