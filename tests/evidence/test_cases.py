# SPDX-License-Identifier: MIT
"""The cases generated from the profiles: complete, consistent with the profile, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backfeed.checkout import ROOT
from backfeed.tables import points
from hil.evidence import catalogue, coverage, curves, droop, reconnect, service, stages
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


def test_every_family_of_the_test_procedures_has_cases_or_a_reason(facts: Facts) -> None:
    for family, row in coverage.table({facts.name: catalogue.sessions(facts.name)}):
        count, why = row[facts.name]
        assert bool(count) != bool(why), (family.code, count, why)


def test_the_document_has_the_table_of_coverage() -> None:
    table = coverage.table({name: catalogue.sessions(name) for name in points.PROFILE_NAMES})
    told = (ROOT / "docs" / "grid-protection.md").read_text(encoding="utf-8").splitlines()
    for family, row in table:
        counts = [count for count, _why in row.values() if count]
        assert f"| {family.code} | {family.what} | {len(counts)} | {sum(counts)} |" in told


def test_a_case_of_no_family_is_refused(facts: Facts) -> None:
    session = catalogue.sessions(facts.name)[0]
    stray = replace(session, cases=(replace(session.cases[0], name="T-X-1"),))
    with pytest.raises(ValueError, match="case T-X-1: of no family"):
        coverage.counted([stray])


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
    for changes in {session.changes for session in catalogue.sessions(facts.name)}:
        changed = Facts(facts.name, changes).profile  # the loader refuses what the code fixes
        assert sorted(changed.changed) == sorted(part.split("=")[0] for part in changes.split(",") if part)


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


def test_what_frequency_asks_for_is_worked_out_from_the_profile() -> None:
    uk = Facts("uk_g98")
    for base, hertz, share in ((-1.0, 50.35, -1.0), (-0.85, 50.7, -0.79), (-0.2, 51.85, 0.09), (0.6, 47.15, 0.0)):
        assert droop.expected(uk, base, hertz) == pytest.approx(share)
    assert droop.expected(uk, -0.2, 47.15) == -0.2, "low frequency only takes import away there"
    australia = Facts("as4777_a")
    assert droop.expected(australia, 0.6, 48.0) == pytest.approx(-0.4)
    assert droop.expected(australia, 0.6, 47.15) == pytest.approx(-0.886, abs=0.001)
    assert droop.expected(australia, -0.66, 47.15) == -1.0


def test_a_curve_is_read_off_between_its_points() -> None:
    curve = (1, (207000, 220000, 240000, 258000), (-440, 0, 0, 600))
    for volts, share in ((200.0, -0.44), (213.5, -0.22), (230.0, 0.0), (249.0, 0.3), (258.0, 0.6), (262.0, 0.6)):
        assert curves.read_off(curve, volts) == pytest.approx(share)


def test_the_ends_of_ranges_stop_short_of_a_quicker_neighbour() -> None:
    found = {row.name: row.changes for row in catalogue.sessions("ieee1547_cat_3") if row.kind == "ranges"}
    assert "ov1.delay_ms=1000," in found["ov1-lowest"] and "ov1.threshold=132000" in found["ov1-lowest"]
    assert "ov1.delay_ms=13000" in found["ov1-highest"]
    highest = int(found["ov1-highest"].split("ov1.threshold=")[1].split(",")[0])
    assert 138000 < highest < 144000 - 3000, "below ov2, by three margins"


def test_picking_a_case_keeps_what_leads_there() -> None:
    picked = catalogue.pick(catalogue.sessions("uk_g98"), "T-N-1")
    assert [session.name for session in picked] == ["reconnect"]
    assert picked[0].cases[0].name == "T-N-trip" and picked[0].cases[-1].name == "T-N-1"


# Of sandialabs/svp_1547.1 and ua-kxie/UL1741SB: from, to (pu or Hz), wait, random part and ramp in s.
ENTER_1547_1 = {
    "1": (0.897, 0.937, 300, 0, 300),
    "2": (59.48, 59.52, 0, 300, 300),
    "3": (1.08, 1.04, 600, 0, 1000),
    "4": (61.02, 60.98, 0, 0, 1000),
    "5": (0.86, 0.90, 0, 0, 1),
    "6": (58.98, 59.92, 20, 0, 20),
}


@pytest.mark.parametrize("name", coverage.IEEE)
def test_from_the_profile_of_ieee_1547_the_numbers_of_its_own_form_come(name: str) -> None:
    for session in service.sessions(Facts(name)):
        at = Facts(name, session.changes)
        row = next(row for row in service.listed() if f"enter-{row['name']}" == session.name)
        scale = at.nominal_v if row["edge"].endswith("_mv") else 1.0
        outside, inside = service.places(at, row)
        p = at.profile
        found = (outside / scale, inside / scale, p.enter_wait_ms / 1000, p.enter_random_ms / 1000)
        assert (*found, 60_000 / p.enter_ramp_permille_min) == pytest.approx(ENTER_1547_1[row["name"]])
        assert [case.name for case in session.cases][1:] == [f"ES-{row['name']}-wait", f"ES-{row['name']}-ramp"]


def test_enter_service_of_other_codes_stays_within_what_they_let_an_installer_set() -> None:
    found = {session.name: session for session in service.sessions(Facts("en50549_1"))}
    assert found["enter-1"].changes == "first_wait_ms=10000"
    assert found["enter-3"].changes == "first_wait_ms=10000,enter_wait_ms=600000"
    assert [case.name for case in found["enter-3"].cases] == ["T-N-trip", "ES-3-wait"], "its ramp is that of the first"
    fixed = Facts("vde_4105_2018")
    assert [session.changes for session in service.sessions(fixed)] == [""] * 4
    assert [bool(service.why_not(fixed, row)) for row in service.listed()] == [False] * 4 + [True] * 2
    wait = service.sessions(fixed)[0].cases[1]
    assert (wait.low, wait.high, wait.since_s) == (59_100, 64_000, 18.08), "from the excursion at a quarter of 60 s"
