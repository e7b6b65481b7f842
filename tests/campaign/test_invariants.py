# SPDX-License-Identifier: MIT
"""Each invariant of the campaign is found broken when it is, at its limit and not before; the world is set by hand."""

from __future__ import annotations

from typing import Any

import pytest

from hil.campaign.invariants import Watch
from hil.campaign.plan import Trouble
from hil.plant.interface import BoardOutputs
from hil.plant.state import EV_B, EV_C
from hil.plant.station import Station

STEP_US = 10_000
RATING_W = 7360
FLOOR = 0.2
LONG_AGO_US = -(10**9)


class Scene:
    """A plant whose state the test sets, step by step; the board's gate lives."""

    def __init__(self) -> None:
        self.station = Station()
        self.world, self.unit = self.station.world[0], self.station.units[0]
        self.watch = Watch(self.station, RATING_W, FLOOR)
        self.outputs = BoardOutputs(gate_arm=True)
        self.t_us = 0
        self.edges = True
        self.flows = False
        self.set(plugged=1, ev_state=EV_C, mains_open=1, gate_up=1, soc_wh=0.5 * self.world["capacity_wh"])

    def set(self, **values: Any) -> None:
        """Change the plant now; contacts note when they moved."""
        for name, value in values.items():
            self.world[name] = value
        if "mains_open" in values:
            self.world["contactor_opened_us" if values["mains_open"] else "contactor_closed_us"] = self.t_us
        if "ev_state" in values:
            self.world["ev_changed_us"] = self.t_us

    def run(self, ms: int) -> list[str]:
        """Let so much time pass; return what is broken so far."""
        for _ in range(ms * 1000 // STEP_US):
            self.t_us += STEP_US
            if self.edges:
                self.outputs.gate_edge_us = self.t_us
            if self.flows:
                self.world["last_current_us"] = self.t_us
            self.watch(self.t_us, self.outputs, None)
        return [what for _, what in self.watch.violations]


@pytest.fixture
def closed() -> Scene:
    """Closed, with a vehicle in C, for a second."""
    scene = Scene()
    assert scene.run(1000) == []
    scene.set(mains_open=0)
    assert scene.run(1000) == []
    return scene


def test_c_that_is_left_has_100_ms_for_contacts_and_current(closed: Scene) -> None:
    closed.flows = True
    closed.run(100)
    closed.set(ev_state=EV_B)
    assert closed.run(100) == []
    assert closed.run(10) == [
        "current flows 100 ms after C was left",
        "contacts closed 100 ms after C was left",
    ]


def test_contacts_that_open_in_time_are_measured(closed: Scene) -> None:
    closed.set(ev_state=EV_B)
    closed.run(50)
    closed.set(mains_open=1)
    assert closed.run(200) == []
    assert closed.watch.times.open_ms == 50


def test_contacts_that_weld_are_excused_only_where_the_fault_is_a_weld(closed: Scene) -> None:
    closed.watch.begin(Trouble("weld", "", (), excuses=("weld",)), closed.t_us)
    closed.set(ev_state=EV_B)
    assert closed.run(500) == []


def test_contacts_do_not_close_without_c() -> None:
    scene = Scene()
    scene.run(1000)
    scene.set(ev_state=EV_B)
    scene.run(200)
    scene.set(mains_open=0)
    assert scene.run(10) == ["contacts closed without a vehicle in C or D"]


def test_contacts_do_not_close_while_a_fault_that_shuts_them_lasts() -> None:
    scene = Scene()
    scene.run(1000)
    scene.watch.begin(Trouble("some_fault", "", (), shut=True), scene.t_us)
    scene.run(110)
    scene.set(mains_open=0)
    assert scene.run(10) == ["contacts closed while some_fault lasts"]
    scene = Scene()
    scene.run(1000)
    scene.watch.begin(Trouble("some_fault", "", (), shut=True), scene.t_us)
    scene.watch.end()
    scene.run(110)
    scene.set(mains_open=0)
    assert scene.run(10) == []


@pytest.mark.parametrize("cause", ["estop", "rcd_tripped"])
def test_a_stop_has_60_ms(closed: Scene, cause: str) -> None:
    closed.set(**{cause: 1})
    assert closed.run(70) == []
    assert closed.run(10) == ["contacts closed 60 ms after emergency stop or residual current"]


def test_our_own_test_of_the_rcd_is_no_residual_current(closed: Scene) -> None:
    closed.outputs.rcd_test = True
    closed.set(rcd_tripped=1)
    assert closed.run(500) == []


def test_a_gate_without_edges_falls_in_60_ms() -> None:
    scene = Scene()
    scene.run(100)
    scene.edges = False
    assert scene.run(70) == []
    assert scene.run(10) == ["gate up without edges"]


@pytest.mark.parametrize("sign", [1, -1])
def test_power_above_the_rating_is_bearable_for_a_moment(closed: Scene, sign: int) -> None:
    closed.unit["p_true_w"] = sign * RATING_W * 1.05
    assert closed.run(2000) == []
    closed.unit["p_true_w"] = sign * (RATING_W * 1.05 + 1)
    assert closed.run(510) == []
    assert closed.run(10) == [f"power {sign * (RATING_W * 1.05 + 1):.0f} W above the rating for more than 500 ms"]


def test_export_below_the_floor_has_a_second(closed: Scene) -> None:
    closed.set(soc_wh=0.197 * closed.world["capacity_wh"])
    closed.unit["p_true_w"] = -150
    assert closed.run(3000) == []
    closed.unit["p_true_w"] = -151
    assert closed.run(1010) == []
    assert closed.run(10) == ["export of 151 W with the battery at 0.197"]
    closed.watch.violations.clear()
    closed.set(soc_wh=0.1985 * closed.world["capacity_wh"])
    assert closed.run(3000) == [], "the SOC is told in whole permille"


def test_what_a_fault_has_to_end_ends_and_stays_away(closed: Scene) -> None:
    closed.flows = True
    closed.unit["p_true_w"] = -1000
    closed.run(100)
    closed.watch.begin(Trouble("some_fault", "", (), dark_ms=200, export_ms=300, lasts_ms=1000), closed.t_us)
    assert closed.run(200) == []
    assert closed.run(10) == ["current flows more than 200 ms after some_fault"]
    assert closed.run(90) == ["current flows more than 200 ms after some_fault"]
    assert closed.run(10)[1:] == ["export more than 300 ms after some_fault"]
    assert closed.watch.times.dark_ms == 310


def test_a_fault_that_is_over_ends_nothing(closed: Scene) -> None:
    closed.watch.begin(Trouble("some_fault", "", (), dark_ms=200, lasts_ms=500), closed.t_us)
    closed.run(600)
    closed.flows = True
    assert closed.run(1000) == []
