# SPDX-License-Identifier: MIT
"""The demo, timed: virtual speed, and the time from loss of mains to open contactor; and the demo's inputs, kept."""

from __future__ import annotations

from functools import cache

from backfeed.bench.inputs import ROWS, InputRows
from backfeed.checkout import BUILD
from backfeed.demo import SCENARIO, write_reports
from backfeed.errors import PartError
from backfeed.scenario_run import Outcome, run_scenario
from hil.scenario import load

LOM_CHECK = "lom_contactor_ms"


@cache
def outcome() -> Outcome:
    """Run the demo once for all benches that need it."""
    scenario = load(SCENARIO)
    timed = run_scenario(scenario)
    write_reports(timed, BUILD / scenario.name)
    return timed


def record_inputs() -> None:
    """Write the demo's inputs to ROWS."""
    scenario = load(SCENARIO)
    kept: list[InputRows] = []

    def hook(station: object) -> InputRows:
        kept.append(InputRows(scenario, station))
        return kept[-1]

    run_scenario(scenario, extra_hook=hook)
    kept[0].write(ROWS)


def measure(name: str) -> float:
    """Return the speed, or the demo's time to open in ms."""
    done = outcome()
    if name == "closed_loop_vs_realtime_x":
        return done.speed
    check = next(check for check in done.run.checks if check.name == LOM_CHECK)
    if check.value is None:
        raise PartError(f"the demo has no {LOM_CHECK}: {check.why}")
    return check.value
