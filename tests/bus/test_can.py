# SPDX-License-Identifier: MIT
"""The CAN bus and the InfyPower driver against a simulated machine.CAN and module, on the VM, in virtual time."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "boards"))

from tiny import TinyPlant  # noqa: E402

from hil.virtual_board import VirtualBoard  # noqa: E402


@pytest.fixture(scope="module")
def report() -> dict:
    with VirtualBoard(TinyPlant(), board="stm32h743_ref", entry=HERE / "vm" / "can_runs.py") as board:
        board.run(120)
        text = str(board.console.text)
    line = next((line for line in text.splitlines() if line.startswith("report ")), None)
    assert line, text[-1500:]
    found: dict = json.loads(line[7:])
    print(found)
    return found


def test_connects_off_and_reads_what_it_can(report: dict) -> None:
    assert report["connect"] == ""
    assert report["ratings"] == [22000, 22000, 1, 1, 0]


def test_power_follows_both_ways(report: dict) -> None:
    assert report["charge"] == {"result": 0, "power_w": 5000, "on": 1, "sent_w": 5000}
    assert report["export"] == {"result": 0, "power_w": -3000, "on": 1, "sent_w": -3000}
    assert (report["charge_mv"], report["export_mv"]) == (450000, 300000), "the battery's upper and lower limit"
    assert "mode changed under load" not in report["log"]


def test_a_trip_takes_the_current_away_and_off_is_off(report: dict) -> None:
    assert report["trip"][:2] == [0, 0]
    assert report["off"]["on"] == 0
    assert report["off"]["power_w"] == 0


def test_a_stop_that_is_not_taken_is_followed_by_silence_until_the_module_stops_itself(report: dict) -> None:
    assert report["refused_stop"]["result"] != 0
    polled, spoken, current_ma, log = report["silent"]
    assert (polled, spoken, current_ma) == (0, 0, 0)
    assert "self-off" in log
    assert report["again"] == ["", 1000]


def test_faults_of_the_bus_are_survived_and_never_believed(report: dict) -> None:
    assert report["bus_off"] == [1000, 1]
    assert report["babble"][1] == 1000
    assert report["stranger"] == [1, 1000, 400000]
    assert report["deaf"] == [0, True]


def test_refusals_name_the_code(report: dict) -> None:
    assert report["refuses_deaf"] == "inverter group 1, CAN code 0x1010: no answer"
    assert report["refuses_error"] == "inverter group 1, CAN code 0x1010: in start processing"
    assert "voltage window (0..0 mV) is unknown" in report["refuses_window"]
    assert "gives 200000..1000000 mV; the battery needs 300000..1100000 mV" in report["refuses_too_high"]


def test_a_one_way_module_never_exports(report: dict) -> None:
    assert report["one_way"] == ["", 0, 0, 0]


def test_a_question_makes_no_object(report: dict) -> None:
    assert report["allocation"] == 0
