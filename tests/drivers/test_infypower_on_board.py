# SPDX-License-Identifier: MIT
"""The whole firmware charges and exports through a simulated InfyPower module on CAN, on both boards."""

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


FAST = {"ramp_up_permille_min": 600000, "ramp_down_permille_min": 600000, "soc_source": "command"}
STOP_MS = 40  # a trip waits for one frame and its answer, then goes out; off follows the current's answer


@pytest.mark.parametrize("board", ["esp32s3_ref", "stm32h743_ref"])
def test_it_exports_with_a_known_charge_and_a_trip_switches_it_off(board: str, tmp_path: Path) -> None:
    station = Station()
    module = infypower.install(station)
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, {**SETTINGS, **FAST}, board=board) as charger:
        charger.run(25)
        charger.ask("unlock user")
        charger.ask("setpoint -2000 300")
        charger.run(3)
        assert charger.get("allowed_w", "reason") == {"allowed_w": "0", "reason": "soc_unknown"}
        before_us = charger.board.now_us
        assert charger.ask("soc 600") == ["OK soc_permille=600"]
        charger.run(4)
        assert charger.number("grid_w") == pytest.approx(-2000, abs=40), "power flows back"
        assert module.mode == infypower.INVERTER and module.on and module.set_ma == pytest.approx(5000, abs=50)
        assert turned_without_current(module, before_us)
        charger.run(28)
        assert charger.get("allowed_w", "reason") == {"allowed_w": "0", "reason": "soc_stale"}
        charger.run(2)
        assert charger.number("grid_w") == pytest.approx(0, abs=30), "a charge that nobody tells any more"
        charger.ask("soc 598")
        charger.run(4)
        assert charger.number("grid_w") == pytest.approx(-2000, abs=40)
        station.grid.set(voltage_v=285.0)
        assert charger.board.run_while(lambda: charger.board.outputs.contactor, 3)
        opened_us = charger.board.now_us
        charger.run(0.2)
        told = [(at_us, code, value) for at_us, code, value in module.writes if at_us > opened_us - 1_000_000]
        zero_us = next(at_us for at_us, code, value in told if code == infypower.CURRENT and value == 0)
        off_us = next(at_us for at_us, code, value in told if code == infypower.STATUS and value == infypower.OFF)
        assert zero_us <= off_us <= opened_us + STOP_MS * 1000
        assert not module.on and module.set_ma == 0
        assert station.unit(0).power_w == pytest.approx(0, abs=1)
        assert charger.get("trip")["trip"] == "1"


def turned_without_current(module: infypower.InfyPower, from_us: int) -> bool:
    """Whether it was switched off at zero before it was turned round."""
    told = [(code, value) for at_us, code, value in module.writes if at_us >= from_us]
    turn = told.index((infypower.MODE, infypower.INVERTER))
    return told[turn - 2 : turn] == [(infypower.CURRENT, 0), (infypower.STATUS, infypower.OFF)]


def test_a_charge_is_taken_only_from_whom_the_installer_named(tmp_path: Path) -> None:
    station = Station()
    infypower.install(station)
    with Charger(tmp_path, station, SETTINGS) as charger:
        charger.run(3)
        charger.ask("unlock user")
        assert charger.ask("soc 600")[-1].startswith("ERR refused soc_source is inverter; set it to command")
        assert charger.ask("soc 0")[-1].startswith("ERR refused soc_permille=0 is out of range; give 1..1000 permille")
        assert charger.get("soc_ok")["soc_ok"] == "0"
    station = Station()  # its inverter would tell it
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, {"soc_source": "command"}) as charger:
        charger.run(6)
        charger.ask("unlock user")
        assert charger.get("soc_ok")["soc_ok"] == "0"
        charger.ask("soc 455")
        assert charger.get("soc_ok", "soc_permille") == {"soc_ok": "1", "soc_permille": "455"}
        charger.run(3)
        assert charger.get("soc_ok", "soc_permille") == {"soc_ok": "1", "soc_permille": "455"}


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
