# SPDX-License-Identifier: MIT
"""The whole firmware charges through a simulated InfyPower module on CAN, on both boards, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from charger import Charger

from hil.plant import infypower
from hil.plant.infypower import InfyPower
from hil.plant.station import Station

SETTINGS = {"inverter_kind": "infypower", "charge_w": 3000, "battery_least_mv": 300000, "battery_most_mv": 450000}
Rig = tuple[Charger, Station, InfyPower]


@pytest.fixture(params=["virtual", "stm32h743_ref"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    station = Station()
    module = infypower.install(station)
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, SETTINGS, board=request.param) as charger:
        yield charger, station, module


def test_it_charges_stops_and_survives_a_bus_held_low(rig: Rig) -> None:
    charger, station, module = rig
    charger.run(30)
    assert charger.number("grid_w") == pytest.approx(3000, abs=60)
    assert module.on and module.set_ma == 7500
    charger.board.can.stuck = True
    charger.run(3)
    assert "inverter_lost" in " ".join(charger.ask("faults"))
    assert station.unit(0).power_w == pytest.approx(0, abs=1), "the gate takes the enable line away"
    charger.run(9)
    assert module.self_stops == 1, "10 s without a message: the module's own lease"
    charger.board.can.stuck = False
    charger.run(60)
    assert charger.number("grid_w") == pytest.approx(3000, abs=60), "back by itself"
    charger.ask("unlock user")
    charger.ask("stop 1")
    charger.run(2)
    assert module.current_ma() == 0


def test_without_a_window_it_says_which_settings_are_missing(tmp_path: Path) -> None:
    station = Station()
    infypower.install(station)
    with Charger(tmp_path, station, {"inverter_kind": "infypower"}) as charger:
        charger.run(3)
        shown = "\n".join(charger.ask("warnings"))
    assert "battery_least_mv=0, battery_most_mv=0 is no voltage window; set both" in shown


def test_a_cut_wire_is_told_and_mends_by_itself(tmp_path: Path) -> None:
    """Nobody acknowledges what the board sends."""
    station = Station()
    module = infypower.install(station)
    with Charger(tmp_path, station, SETTINGS) as charger:
        charger.board.can.dead = True
        before = len(module.writes)
        charger.run(10)
        shown = "\n".join(charger.ask("warnings"))
        assert "CAN code 0x1010: no answer (nobody acknowledges on CAN or the bus is disturbed)" in shown
        charger.ask("bringup inverter")
        charger.run(3)
        assert "nothing answers at group 1 on CAN" in str(charger.board.console.text)
        assert len(module.writes) == before
        charger.board.can.dead = False
        charger.run(40)
        assert "offline" not in "\n".join(charger.ask("warnings"))
        assert len(module.writes) > before
