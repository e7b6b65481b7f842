# SPDX-License-Identifier: MIT
"""Random mixes of bus faults in virtual time: no wrong value is used, staleness comes in its limit, nobody has to help.

BACKFEED_BUS_HOURS=24 BACKFEED_BUS_SEED=1 run the whole campaign (an hour a run, seed by seed).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faulty_line import KINDS  # noqa: E402
from truth_device import WRAP, Inverter  # noqa: E402

from campaign import RECOVERY_S, STALE_MS, figures, run  # noqa: E402

HOURS = int(os.environ.get("BACKFEED_BUS_HOURS", "0"))
SEED = int(os.environ.get("BACKFEED_BUS_SEED", "1"))
RUNS = [(3600, SEED + hour) for hour in range(HOURS)] or [(420, SEED)]
# A value may be as old, when it is stamped, as an answer may take: the master's patience (200 ms; 500 for a meter).
OLDEST_MS = 250
METER_OLDEST_MS = 550
LATE_MS = 20  # a look each 10 ms finds a value older than its limit at most this late


@pytest.mark.parametrize(("seconds", "seed"), RUNS)
def test_no_wrong_value_is_used_and_nobody_has_to_help(seconds: int, seed: int) -> None:
    outcome = run(seconds, seed, 115200)
    found = figures(outcome)
    print(found)
    assert found["torn"] == 0, "power and reactive power of different moments, or not the inverter's"
    assert found["bad_soc"] == 0
    assert found["meter_bad"] == 0
    assert found["oldest_ms"] <= OLDEST_MS, "an old answer passed for a new one"
    assert found["meter_oldest_ms"] <= METER_OLDEST_MS
    assert found["setpoint_errors"] == []
    assert found["late_lost_ms"] <= LATE_MS, f"believed longer than {STALE_MS} ms"
    assert found["losses"] > 0, "the line was never bad enough to lose the inverter"
    assert found["recoveries"] > 0
    assert found["longest_recovery_s"] <= RECOVERY_S
    assert found["believed"] > found["looks"] // 4, "the line was hardly ever good"
    assert found["zeros"] > 0
    if HOURS:
        assert all(found["hits"][kind] for kind in KINDS), found["hits"]


def test_late_answers_never_pass_for_later_ones() -> None:
    """Answers come up to 1.5 s late: without the probe (ModbusBus._first) each is taken for the next one's."""
    found = figures(run(120, 7, 115200, kinds=("delay",)))
    assert found["hits"]["delay"] > 20
    assert found["oldest_ms"] <= OLDEST_MS
    assert found["meter_oldest_ms"] <= METER_OLDEST_MS


def test_the_judge_sees_an_old_setpoint_after_a_new_one() -> None:
    """The campaign's own witness must be able to fail."""
    inverter = Inverter()
    for setpoint in (5, 6, 0, 7, 6, WRAP, 1):
        inverter._obey(setpoint)
    assert [error.partition(": ")[2] for error in inverter.errors] == ["6 W after 7 W", "4000 W after 6 W"]
