# SPDX-License-Identifier: MIT
"""The soak: its file holds and what is wrong is found; hours of it with BACKFEED_SOAK_H=<hours>."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import pytest

from backfeed.bench.tally import Tally
from backfeed.errors import InputError, PartError
from hil.campaign.soak import SOAK, load, run_soak

LINE = {
    "world_ms": 1000,
    "heap": 800_000,
    "heap_free": 1_200_000,
    "uptime_ms": 940,
    "unix_ms": 1_792_764_000_000,
    "journal": 10,
    "events": 4,
    "waiting": 0,
    "lost": 0,
    "restarts": 0,
}
SPAN = ("world_ms", "uptime_ms", "unix_ms")


def tally_of(**last: int) -> Tally:
    """Return a tally of two lines an hour apart, in which `last` differs from a faultless end."""
    later = {**LINE, **{name: LINE[name] + 3_600_000 for name in SPAN}, "journal": 16, "events": 10, **last}
    return Tally([LINE, later], broker_restarts=1, sent=3, events=[*range(10), 9], accepted=3)


@pytest.mark.parametrize(
    ("last", "complaint"),
    [
        ({}, None),
        ({"waiting": 1}, None),
        ({"unix_ms": LINE["unix_ms"] + 3_600_001}, None),
        ({"unix_ms": LINE["unix_ms"] + 3_600_002}, "unix_ms drifted by 2 ms"),
        ({"uptime_ms": LINE["uptime_ms"] + 3_599_998}, "uptime_ms drifted by -2 ms"),
        ({"events": 11, "journal": 17}, "1 events never reached a broker"),
        ({"lost": 2}, "2 lost on the board"),
        ({"journal": 17}, "not told the same number"),
        ({"restarts": 1}, "1 restarts of tasks"),
    ],
)
def test_a_tally_finds_what_is_wrong(last: dict[str, int], complaint: str | None) -> None:
    found = tally_of(**last).complaints()
    assert len(found) == (complaint is not None), found
    assert complaint is None or complaint in found[0]


def test_a_tally_counts_doubled_events_and_commands_without_an_answer() -> None:
    tally = tally_of()
    tally.events.append(8)
    tally.accepted = 2
    assert tally.complaints() == ["2 events came twice, more than one a restart", "3 commands, 2 accepted"]


def test_the_heap_grows_from_lowest_to_lowest() -> None:
    tally = Tally(
        [{**LINE, "heap": heap} for heap in (9, 9, 100, 140, 150, 105, 150, 108, 150, 160, 112, 190, 180, 115)]
    )
    assert tally.growth_bytes() == 115 - 100


def test_lines_that_are_missing_are_an_error() -> None:
    with pytest.raises(PartError, match="1 lines of 2"):
        Tally().read('told {"heap": 1}\r\n', 2)


def test_every_trouble_of_the_soak_can_be_taken_back(tmp_path: Path) -> None:
    assert len(load().troubles) > 20
    path = tmp_path / "soak.toml"
    for wrong in ("power_cut", "stall_80", "no_such_fault"):
        path.write_text(SOAK.read_text().replace('"estop"', f'"{wrong}"'))
        with pytest.raises(InputError, match=f"trouble '{wrong}' is no row of cases.toml that can be taken back"):
            load(path)


def test_a_charger_that_does_not_get_going_is_found() -> None:
    steps: tuple[dict[str, Any], ...] = ({"do": "plug"}, {"until": "power", "above": 2000, "within_s": 3})
    result = run_soak(15 / 3600, soak=dataclasses.replace(load(), visit=steps))
    assert result.visits == 1 and not result.passed and not result.violations
    assert len(result.failed) == 1
    assert re.match(
        r"visit 1, estop: power did not pass 2000 within 3 s; Waiting \d+ s more for the grid", result.failed[0]
    )
    assert result.telemetry > 60 and result.board_restarts == 0 and result.heap_floor_bytes > 500_000


@pytest.mark.skipif("BACKFEED_SOAK_H" not in os.environ, reason="virtual hours; BACKFEED_SOAK_H=4 runs so many")
def test_hours_of_visits() -> None:
    result = run_soak(float(os.environ["BACKFEED_SOAK_H"]))
    assert result.passed, (result.failed, result.violations)
