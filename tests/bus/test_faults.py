# SPDX-License-Identifier: MIT
"""Random mixes of bus faults in virtual time: no wrong value is used, staleness comes in its limit, nobody has to help.

BACKFEED_BUS_HOURS=24 BACKFEED_BUS_SEED=1 run the whole campaign of each bus (an hour a run, seed by seed).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import campaign_afe  # noqa: E402
import campaign_memory  # noqa: E402
from faulty_line import KINDS  # noqa: E402
from faulty_tcp import TCP_KINDS  # noqa: E402
from truth_device import WRAP, Inverter  # noqa: E402

from campaign import RECOVERY_S, STALE_MS, figures, run  # noqa: E402

HOURS = int(os.environ.get("BACKFEED_BUS_HOURS", "0"))
SEED = int(os.environ.get("BACKFEED_BUS_SEED", "1"))


def runs(short_s: int) -> list[tuple[int, int]]:
    """Return (seconds, seed) of each run of one bus."""
    return [(3600, SEED + hour) for hour in range(HOURS)] or [(short_s, SEED)]


# A value may be as old, when it is stamped, as an answer may take: the master's patience (200 ms; 500 for a meter).
OLDEST_MS = 250
METER_OLDEST_MS = 550
LATE_MS = 20  # a look each 10 ms finds a value older than its limit at most this late
# The front end refreshes each 10 ms, sense bridges two bad readings (25 ms), and a cycle comes each 10 ms. One that
# froze while its bus was disturbed has to move before it is believed again.
AFE_OLDEST_MS = 45
AFE_RECOVERY_S = 1.5
MEMORY_RECOVERY_S = 2


def judge(found: dict) -> None:
    """The promises of the inverter's and the meter's bus."""
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


@pytest.mark.parametrize(("seconds", "seed"), runs(420))
def test_rtu_no_wrong_value_is_used_and_nobody_has_to_help(seconds: int, seed: int) -> None:
    found = figures(run(seconds, seed))
    judge(found)
    if HOURS:
        assert all(found["hits"][kind] for kind in KINDS), found["hits"]


@pytest.mark.parametrize(("seconds", "seed"), runs(200))
def test_tcp_no_wrong_value_is_used_and_nobody_has_to_help(seconds: int, seed: int) -> None:
    found = figures(run(seconds, seed, "tcp"))
    judge(found)
    if HOURS:
        assert all(found["hits"][kind] for kind in TCP_KINDS), found["hits"]


@pytest.mark.parametrize(("seconds", "seed"), runs(90))
def test_spi_no_wrong_reading_is_used_and_nobody_has_to_help(seconds: int, seed: int) -> None:
    found = campaign_afe.figures(campaign_afe.run(seconds, seed))
    print(found)
    assert found["torn"] == 0, "a reading that is not the grid's"
    assert found["wrong_frequency"] == 0
    assert found["oldest_ms"] <= AFE_OLDEST_MS
    assert found["energy_back"] == 0 and found["export_mwh"] == 0
    assert 0 < found["import_mwh"] <= seconds * 1000 + 2000, "energy that did not flow was counted"
    assert found["losses"] > 0
    assert found["longest_recovery_s"] <= AFE_RECOVERY_S  # without end for a calm in which it did not come back
    assert found["believed"] > found["looks"] // 4
    if HOURS:
        assert all(found["hits"][kind] for kind in campaign_afe.KINDS), found["hits"]


@pytest.mark.parametrize(("seconds", "seed"), runs(400))
def test_i2c_what_is_read_was_written_and_nobody_has_to_help(seconds: int, seed: int) -> None:
    found = campaign_memory.run(seconds, seed)
    print(found)
    assert found["wrong_energy"] == found["wrong_setting"] == found["wrong_journal"] == found["damaged"] == 0
    assert found["longest_recovery_s"] <= MEMORY_RECOVERY_S
    assert found["unrecovered"] == 0
    assert found["writes_refused"] > 0 and found["retried"] > 0 and found["recoveries"] > 0 and found["restarts"] > 0
    if HOURS:
        assert all(found["hits"].values()), found["hits"]
        assert found["reopened"] > 0


def test_late_answers_never_pass_for_later_ones() -> None:
    """Answers come up to 1.5 s late: without the probe (ModbusBus._first) each is taken for the next one's."""
    found = figures(run(120, 7, kinds=("delay",)))
    assert found["hits"]["delay"] > 20
    assert found["oldest_ms"] <= OLDEST_MS
    assert found["meter_oldest_ms"] <= METER_OLDEST_MS


def test_the_judge_sees_an_old_setpoint_after_a_new_one() -> None:
    """The campaign's own witness must be able to fail."""
    inverter = Inverter()
    for setpoint in (5, 6, 0, 7, 6, WRAP, 1):
        inverter._obey(setpoint)
    assert [error.partition(": ")[2] for error in inverter.errors] == ["6 W after 7 W", "4000 W after 6 W"]
