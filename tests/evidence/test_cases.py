# SPDX-License-Identifier: MIT
"""The cases generated from the profiles: complete, consistent with the profile, and nothing else."""

from __future__ import annotations

import pytest

from backfeed.tables import points
from hil.evidence import catalogue, reconnect, stages
from hil.evidence.judge import BEGINS_CLOSED, JUDGES
from hil.evidence.model import Facts


@pytest.fixture(params=points.PROFILE_NAMES)
def facts(request: pytest.FixtureRequest) -> Facts:
    return Facts(request.param)


def test_every_stage_is_tried_by_time_on_both_sides(facts: Facts) -> None:
    names = [case.name for session in catalogue.sessions(facts.name) for case in session.cases]
    for stage in facts.stages:
        assert stages.code(stage, "trip") in names
        assert stages.code(stage, "time") in names
    levels = sum(stages.code(stage, "level") in names for stage in facts.stages)
    assert levels >= len(facts.stages) - 1, "a level hold is left out only where a neighbour leaves no time for it"


def test_every_kind_of_case_is_there(facts: Facts) -> None:
    sessions = catalogue.sessions(facts.name)
    assert {session.kind for session in sessions} >= {"stages", "rates", "reconnect", "phases"}
    names = {case.name for session in sessions for case in session.cases}
    assert {"T-N-1", "T-N-off-dead-bus", "T-V-L1-lost", "T-R-4-+50"} <= names
    assert bool(facts.profile.rocof_mhz_s) == ("T-R-5" in names)
    assert bool(facts.profile.mean_mv) == ("T-V-ov_mean-trip" in names)
    assert bool(facts.profile.enter_ramp_permille_min) == ("T-N-2" in names)
    assert bool(facts.profile.cessation_low_mv) == ("MC-low" in names)


def test_names_are_unique_and_moves_lie_inside_their_case(facts: Facts) -> None:
    sessions = catalogue.sessions(facts.name)
    assert len({session.name for session in sessions}) == len(sessions)
    for session in sessions:
        assert len({case.name for case in session.cases}) == len(session.cases)
        for case in session.cases:
            assert case.judge in JUDGES and case.judge in BEGINS_CLOSED
            assert case.low is not None or case.high is not None or case.judge in ("stays", "off")
            assert all(0 <= move.at_s <= case.duration_s for move in case.moves), case.name
            assert case.since_s <= case.duration_s


def test_changes_stay_inside_the_codes_own_ranges(facts: Facts) -> None:
    for session in catalogue.sessions(facts.name):
        changed = Facts(session.profile, session.changes).profile  # the loader refuses what the code fixes
        assert sorted(changed.changed) == sorted(part.split("=")[0] for part in session.changes.split(",") if part)


def test_a_trip_is_expected_between_the_delay_and_100_ms_more(facts: Facts) -> None:
    for session in catalogue.sessions(facts.name):
        for case in session.cases:
            if case.judge == "opens" and case.delay_ms:
                assert case.low == case.delay_ms
                assert case.high is not None and case.low < case.high <= case.delay_ms + 100


def test_a_clearing_time_is_the_limit_itself() -> None:
    facts = Facts("ieee1547_cat_3")
    ov2 = next(stage for stage in facts.stages if stage.element == "ov2")
    assert (ov2.relay_ms, ov2.latest_ms) == (70.0, 160.0)


def test_waits_are_shortened_only_where_the_code_lets_them() -> None:
    assert reconnect.shortened(Facts("uk_g98")) == "", "20 s is the least there"
    assert reconnect.shortened(Facts("vde_4105_2018")) == "", "this code fixes its wait"
    assert reconnect.shortened(Facts("ieee1547_cat_1")) == "enter_wait_ms=20000,first_wait_ms=20000"


def test_a_neighbour_that_acts_sooner_is_moved_aside() -> None:
    facts = Facts("cei_0_21")
    of2 = next(stage for stage in facts.stages if stage.element == "of2")
    assert stages.neighbours_changed(facts, of2) == "of1.delay_ms=1000"


def test_picking_a_case_keeps_what_leads_there() -> None:
    picked = catalogue.pick(catalogue.sessions("uk_g98"), "T-N-1")
    assert [session.name for session in picked] == ["reconnect"]
    assert picked[0].cases[0].name == "T-N-trip" and picked[0].cases[-1].name == "T-N-1"
