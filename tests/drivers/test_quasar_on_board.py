# SPDX-License-Identifier: MIT
"""The whole firmware commands a simulated Wallbox Quasar over Modbus TCP, in virtual time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from charger import Charger

from hil.plant import quasar
from hil.plant.quasar import Quasar
from hil.plant.station import Station
from hil.plant.tcp_port import TcpPort

SETTINGS = {"inverter_kind": "quasar", "inverter_host": "192.168.1.60", "charge_w": 3000, "inverter_wake_s": 180}
QUICK_S = 2.0  # of booting, where it is not what is tried
PAUSE_S = 120  # between two wakings of one that failed
Rig = tuple[Charger, Station, Quasar, TcpPort]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    station = Station()
    device, port = quasar.install(station, boot_s=QUICK_S)
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, SETTINGS) as charger:
        yield charger, station, device, port


def charging(charger: Charger) -> None:
    """Run until 3 kW flow: 20 s of waiting for the grid, its boot, taking control, 22 s of its own."""
    charger.run(60)
    assert charger.number("grid_w") == pytest.approx(3000, abs=60)


def test_it_takes_over_charges_and_exports_at_the_devices_own_pace(rig: Rig) -> None:
    charger, station, device, _port = rig
    charging(charger)
    first = {register: value for _t, register, value in device.writes[:5]}
    assert first == {81: 1, 82: 0, 83: 1, 88: 10, 257: 2}, "control, no auto start, watts, lease; then a stop"
    started_us = next(t for t, register, value in device.writes if (register, value) == (257, 1))
    assert device.changes[0][0] - started_us == pytest.approx(21_900_000, abs=100_000)
    assert charger.get("soc_ok", "soc_permille") == {"soc_ok": "1", "soc_permille": "600"}
    charger.ask("unlock user")
    asked_us = charger.board.now_us
    assert charger.ask("setpoint -2000 120")[-1].startswith("OK")
    charger.run(30)
    assert charger.number("grid_w") == pytest.approx(-2000, abs=60)
    assert station.unit(0).power_w == pytest.approx(-2000, abs=60)
    reached_us = next(t for t, power_w in device.changes if power_w < 0)
    print(f"start 21.9 s; first export {(reached_us - asked_us) / 1e6:.1f} s after the setpoint")
    assert charger.get("fault_count")["fault_count"] == "0"


def test_fast_services_refuse_and_say_why(rig: Rig) -> None:
    charger, station, _device, _port = rig
    charging(charger)
    assert charger.get("droop_refused")["droop_refused"] == "too_slow"
    station.grid.set(frequency_hz=50.8)  # LFSM-O would ask for more
    charger.run(3)
    assert charger.number("wanted_w") == 3000, "the service does not move the power"
    station.grid.set(frequency_hz=50.0)
    charger.ask("unlock user")
    charger.ask("setpoint -2000 120")
    charger.run(25)
    assert charger.get("islanding_refused")["islanding_refused"] == "no_reactive"
    shown = "\n".join(charger.ask("inverter"))
    assert "cannot: frequency response: too slow: 6-22 s" in shown
    assert "cannot: active anti-islanding:" in shown


def test_its_charge_of_0_and_1_is_never_believed(rig: Rig) -> None:
    charger, _station, _device, _port = rig
    charging(charger)
    for _ in range(20):
        charger.run(3)
        assert charger.get("soc_permille")["soc_permille"] == "600"
    charger.ask("unlock user")
    charger.ask("stop 1")
    charger.run(25)
    assert charger.get("soc_permille", "soc_ok") == {"soc_permille": "600", "soc_ok": "1"}, "held while it rests"


def test_it_is_dark_until_the_contactor_closes_and_is_woken_by_it(tmp_path: Path) -> None:
    """It has no supply but its AC terminals: the contactor closes before it can answer, and waits for it to boot."""
    station = Station()
    device, port = quasar.install(station)
    with Charger(tmp_path, station, SETTINGS) as charger:
        charger.run(15)
        assert not device.alive() and not port.listening and charger.get("fault_count")["fault_count"] == "0"
        station.vehicle.plug(cable_a=32)
        charger.run(25)
        assert charger.get("contactor", "allowed_w") == {"contactor": "1", "allowed_w": "0"}
        assert "inverter" in charger.ask("why")[0].lower()
        charger.run(110)
        assert charger.number("grid_w") == pytest.approx(3000, abs=60)
        charger.ask("unlock user")
        charger.ask("stop 1")
        charger.run(40)
        assert charger.get("contactor", "fault_count") == {"contactor": "0", "fault_count": "0"}
        assert not device.alive() and device.values[81] == 0, "dark again, and what was set is forgotten"


@pytest.mark.skipif(not os.environ.get("BACKFEED_BUS_HOURS"), reason="four virtual minutes: with BACKFEED_BUS_HOURS")
def test_one_that_does_not_wake_is_given_up_for_a_while(tmp_path: Path) -> None:
    station = Station()
    _device, port = quasar.install(station, boot_s=QUICK_S)
    port.listening = False
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, {**SETTINGS, "inverter_wake_s": 10}) as charger:
        charger.run(45)
        assert charger.get("contactor")["contactor"] == "0"
        assert "inverter_lost" in "\n".join(charger.ask("faults"))
        charger.run(60)
        assert charger.get("contactor")["contactor"] == "0", "left dark for two minutes"
        port.listening = True
        charger.run(PAUSE_S)
        assert charger.number("grid_w") == pytest.approx(3000, abs=60), "tried again without a person"


def test_it_is_refused_in_words_where_nobody_said_how_it_is_supplied(tmp_path: Path) -> None:
    station = Station()
    quasar.install(station)
    with Charger(tmp_path, station, {**SETTINGS, "inverter_wake_s": 0}) as charger:
        charger.run(4)
        shown = "\n".join(charger.ask("warnings"))
    assert "inverter_kind=quasar has its supply through the contactor: set inverter_wake_s" in shown


def test_a_dead_network_ends_power_and_it_comes_back_alone(rig: Rig) -> None:
    charger, station, device, port = rig
    charging(charger)
    boots = device.boots
    port.silent = True  # hears nothing any more
    charger.run(14)
    assert charger.get("contactor")["contactor"] == "0", "stale data open the contactor, and it is dark"
    assert station.unit(0).power_w == pytest.approx(0, abs=1)
    port.silent = False
    charger.run(PAUSE_S + 60)
    assert charger.get("inverter_w", "fault_count")["fault_count"] == "0"
    assert device.boots == boots + 1, "one pause, one waking"
    assert charger.number("grid_w") == pytest.approx(3000, abs=60), "back without a person"


def test_a_hand_on_its_app_is_noticed_and_control_taken_back_from_zero(rig: Rig) -> None:
    charger, _station, device, _port = rig
    charging(charger)
    device.give_back()
    charger.run(25)
    assert device.values[81] == 1 and device.values[88] == 10
    assert any("took control back" in row for row in charger.ask("log 40"))
    charger.run(60)
    assert charger.number("grid_w") == pytest.approx(3000, abs=60)


def test_its_errors_are_told_and_stop_power(rig: Rig) -> None:
    charger, _station, device, _port = rig
    charging(charger)
    device.errors[2] = 0x40
    charger.run(6)
    shown = "\n".join(charger.ask("warnings"))
    assert "error register 541 reads 0x0040" in shown
    assert "inverter_alarm     ACTIVE" in "\n".join(charger.ask("faults"))
    assert charger.get("contactor")["contactor"] == "0"


def test_an_impossible_rating_is_refused_by_register(tmp_path: Path) -> None:
    station = Station()
    device, _port = quasar.install(station, boot_s=QUICK_S)
    device.values[514] = 22000
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, SETTINGS) as charger:
        charger.run(30)
        shown = "\n".join(charger.ask("warnings"))
    assert "Quasar at 192.168.1.60, register 514: power of 22000 W is not 1380..7400 W" in shown


def test_two_runs_are_the_same(tmp_path: Path) -> None:
    found = []
    for number in range(2):
        station = Station()
        device, _port = quasar.install(station, boot_s=QUICK_S)
        station.vehicle.plug(cable_a=32)
        (tmp_path / str(number)).mkdir()
        with Charger(tmp_path / str(number), station, SETTINGS) as charger:
            charger.run(50)
        found.append((device.writes, device.changes))
    assert found[0] == found[1]
