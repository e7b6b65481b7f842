# SPDX-License-Identifier: MIT
"""The CAN bus and the InfyPower driver on both boards' own controllers against a simulated module, in virtual time."""

from __future__ import annotations

from pathlib import Path

import can_bench
import pytest

STORY = Path(__file__).parent / "vm" / "can_runs.py"
CURRENT, VOLTAGE, MODE = 0x1002, 0x1001, 0x2110
INVERTER = 0xA1
CARRIED = ("twice", "stranger", "noisy", "babble", "babble_full")  # every poll is good in spite of it
LOST = ("drop", "module_deaf", "error", "short", "stuck", "cut", "wrong_rate", "silent")


@pytest.fixture(scope="module", params=["virtual", "stm32h743_ref"])
def report(request: pytest.FixtureRequest) -> dict:
    """Run the story once a board: an MCP2515 on SPI, and machine.CAN."""
    found = can_bench.run(STORY, request.param)
    print({key: value for key, value in found.items() if key != "writes"})
    return found


def test_connects_off_and_reads_what_it_can(report: dict) -> None:
    assert report["connect"] == ""
    assert report["ratings"] == [22000, 22000, 1, 1, 0]


def test_power_follows_both_ways(report: dict) -> None:
    assert report["charge"] == {"result": 0, "power_w": 5000, "on": 1, "sent_w": 5000}
    assert report["export"] == {"result": 0, "power_w": -3000, "on": 1, "sent_w": -3000}
    limits = [value for _t, code, value in report["writes"] if code == VOLTAGE]
    assert set(limits) == {450000, 300000}, "the battery's upper limit to charge, its lower one to discharge"


def test_the_direction_changes_at_zero_only(report: dict) -> None:
    asked_ma = 0
    for _t, code, value in report["writes"]:
        if code == CURRENT:
            asked_ma = value
        assert code != MODE or asked_ma == 0, "the mode changed under load"


def test_a_trip_takes_the_current_away_and_off_is_off(report: dict) -> None:
    assert (report["trip"], report["tripped_w"]) == (0, 0)
    assert report["off"]["on"] == 0
    assert report["off"]["power_w"] == 0


def test_a_trip_overtakes_a_full_bus(report: dict) -> None:
    assert "trip_lost" not in report
    assert report["worst_trip_ms"] <= 12, "two frames of 1.2 ms on the bus, the module's 2 ms, our own two, looks"


def test_a_stop_that_is_not_taken_is_followed_by_silence_until_the_module_stops_itself(report: dict) -> None:
    assert report["refused_stop"]["result"] != 0
    assert report["silent"] == [0, 0]
    assert report["self_stops"] == 1
    assert report["again"] == ["", 1000]


@pytest.mark.parametrize("name", CARRIED)
def test_what_the_bus_carries_in_spite_of_it(report: dict, name: str) -> None:
    good, wrong, _worst_ms, _back_ms, later, later_wrong = report["faults"][name]
    assert (good, wrong, later, later_wrong) == (10, 0, 10, 0)


def test_answers_that_are_later_than_the_patience_are_not_believed(report: dict) -> None:
    """150 ms late, after 100 ms of waiting: only what was asked after a probe was answered counts."""
    _good, wrong, worst_ms, _back_ms, later, later_wrong = report["faults"]["late"]
    assert (wrong, later, later_wrong) == (0, 10, 0)
    assert worst_ms <= 250


@pytest.mark.parametrize("name", LOST)
def test_what_is_lost_is_not_believed_and_comes_back_by_itself(report: dict, name: str) -> None:
    good, wrong, worst_ms, back_ms, later, later_wrong = report["faults"][name]
    assert (good, wrong) == (0, 0), "nothing can have been answered"
    assert worst_ms <= 250, "two tries of 100 ms"
    assert back_ms <= 1100, "a second between two returns from bus-off"
    assert (later, later_wrong) == (10, 0)


def test_refusals_name_the_code(report: dict) -> None:
    assert report["refuses_deaf"] == "inverter group 1, CAN code 0x1010: no answer"
    assert report["refuses_error"] == "inverter group 1, CAN code 0x1010: in start processing"
    assert report["refuses_window"].startswith("battery_least_mv=0, battery_most_mv=0 is no voltage window")
    assert "gives 200000..1000000 mV; the battery needs 300000..1100000 mV" in report["refuses_too_high"]


def test_a_one_way_module_never_exports(report: dict) -> None:
    assert report["one_way"] == ["", 0, 0, 0]
