# SPDX-License-Identifier: MIT
"""A reduced, seeded part of the evidence on the whole firmware; the full set is `make bench-grid`.

It is also shown that the evidence can fail: a limit that is moved, an element or phase that is another one, is found.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from backfeed import evidence
from backfeed.cli import main
from backfeed.tables import points
from hil.evidence import catalogue
from hil.evidence.run import play

SEED = 7
LONGEST_S = 60.0  # virtual
# One part of each kind from codes that differ: single and three phases, 50 and 60 Hz, delays and clearing times.
PARTS = (
    ("uk_g98", "of1"),
    ("uk_g98", "T-R-1-+1.05"),
    ("ieee1547_cat_3", "ov2"),
    ("ieee1547_cat_3", "cessation"),
    ("en50549_1", "3ph-sag"),
    ("uk_g98", "T-I-C"),
    ("ieee1547_cat_b", "enter-6"),
    ("en50549_1", "enter-5"),
)


def session(profile: str, name: str):
    return next(row for row in catalogue.sessions(profile, SEED) if row.name == name)


@pytest.mark.parametrize(("profile", "name"), PARTS)
def test_a_part_of_each_kind_holds(profile: str, name: str) -> None:
    result = play(session(profile, name), SEED)
    assert len(result.checks) == len(result.session.cases)
    assert [(check.name, check.value, check.why) for check in result.checks if not check.passed] == []
    assert len(result.hash) == 8


def test_a_seeded_draw_among_all_profiles_holds() -> None:
    everything = [row for name in points.PROFILE_NAMES for row in catalogue.sessions(name, SEED)]
    short = evidence.short(everything, LONGEST_S)
    drawn = catalogue.sample(short, 2, SEED, LONGEST_S)
    assert len(drawn) == 2
    for row in drawn:
        result = play(row, SEED)
        assert [(check.name, check.value, check.why) for check in result.checks if not check.passed] == []


def test_evidence_that_should_fail_does() -> None:
    whole = session("uk_g98", "ov2")
    trip = whole.cases[-1]
    early = replace(trip, name="early", low=trip.low - 100, high=trip.high - 100, delay_ms=trip.delay_ms - 100)
    check = play(replace(whole, cases=(early,)), SEED).checks[0]
    assert not check.passed and check.value is not None and check.value > early.high
    other = play(replace(whole, cases=(replace(trip, element="ov1"),)), SEED).checks[0]
    assert not other.passed and "by ov2, not by ov1" in other.why
    held = replace(trip, judge="stays", low=None, high=None)
    opened = play(replace(whole, cases=(held,)), SEED).checks[0]
    assert not opened.passed and opened.value == 1


def test_what_happens_between_two_cases_is_not_overlooked() -> None:
    """A trip just after a case's end counts against it; a contactor closed where it must be open fails the case."""
    whole = session("uk_g98", "ov2")
    trip = whole.cases[-1]
    off = replace(trip, name="off", judge="off", moves=(), low=None, high=0.0)
    until_s = trip.since_s + trip.delay_ms / 1000  # the contacts open some 50 ms after that
    late = replace(trip, name="late", judge="stays", duration_s=until_s, low=None, high=0.0)
    result = play(replace(whole, cases=(off, late, trip)), SEED)
    assert result.boards == 2, "the last case needs a closed contactor"
    assert [check.passed for check in result.checks] == [False, False, True]
    assert result.checks[0].why == "the contactor was closed before it began"
    assert result.checks[1].value == 1
    assert evidence.figures([result])["false_trips"] == 1


def test_a_board_that_does_not_come_into_service_fails_all_its_cases() -> None:
    whole = session("uk_g98", "ov2")
    result = play(replace(whole, settings={"export_rating_w": 0, "keep_locked": 1}), SEED)
    assert len(result.checks) == len(whole.cases) and not any(check.passed for check in result.checks)
    assert "the contactor did not close within" in result.checks[0].why


def test_a_level_that_should_fail_does() -> None:
    """Half of the code's slope is asked for."""
    whole = session("uk_g98", "droop")
    level = next(case for case in whole.cases if case.name == "G98-LFSM-O-50-3-51.15")
    slow = replace(level.moves[0], ramp_s=4.0)
    half = replace(level, moves=(slow,), duration_s=7.0, since_s=7.0, low=-43.5, high=-41.5)
    check = play(replace(whole, cases=(half,)), SEED).checks[0]
    assert not check.passed and check.value == pytest.approx(-35, abs=1)


def test_the_command_writes_page_json_and_junit(tmp_path: Path) -> None:
    arguments = ["evidence", "--profile", "uk_g98", "--case", "T-V-ov2", "--jobs", "1", "--out", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "evidence.json").read_text())
    trip = next(row for row in document["cases"] if row["case"] == "T-V-ov2-trip")
    assert trip["unit"] == "ms" and trip["low"] <= trip["value"] <= trip["high"]
    assert trip["margin"] == min(trip["value"] - trip["low"], trip["high"] - trip["value"])
    assert 0 < document["figures"]["stage_overrun_worst_ms"] <= 100
    assert document["figures"]["false_trips"] == 0
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert suite.get("failures") == "0" and int(suite.get("tests", "0")) == len(document["cases"])
    page = (tmp_path / "evidence.html").read_text()
    assert trip["hash"] in page and "T-V-ov2-trip" in page and "http" not in page
    assert "What is covered" in page and "<td class='left'>1/3</td>" in page, (
        "one of the three voltage trips was played"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--profile", "mars"], "--profile mars: unknown; choose uk_g98"),
        (["--profile", "uk_g98", "--case", "T-Q"], "--case T-Q: no case has that in its name"),
    ],
)
def test_bad_input_is_refused(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, ["evidence", *arguments])
    assert result.exit_code == 2 and message in result.output
