# SPDX-License-Identifier: MIT
"""The whole firmware commands a simulated Wallbox Quasar over Modbus TCP, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from charger import Charger

from hil.plant import quasar
from hil.plant.quasar import Quasar
from hil.plant.station import Station
from hil.plant.tcp_port import TcpPort

SETTINGS = {"inverter_kind": "quasar", "inverter_host": "192.168.1.60", "charge_w": 3000}
Rig = tuple[Charger, Station, Quasar, TcpPort]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    station = Station()
    device, port = quasar.install(station)
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, SETTINGS) as charger:
        yield charger, station, device, port


def charging(charger: Charger) -> None:
    """Run until 3 kW flow: 20 s of waiting for the grid, 22 s of the Quasar's own."""
    charger.run(50)
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


def test_a_dead_network_ends_power_by_the_devices_own_timeout(rig: Rig) -> None:
    charger, station, device, port = rig
    charging(charger)
    port.silent = True  # hears nothing any more: its own lease must run out
    cut_us = charger.board.now_us
    charger.run(14)
    assert charger.get("contactor")["contactor"] == "0", "stale data open the contactor first"
    assert station.unit(0).power_w == pytest.approx(0, abs=1)
    charger.run(20)
    assert device.idle_stops == 1
    assert device.changes[-1][1] == 0
    print(
        f"its own stop {(device.changes[-1][0] - cut_us) / 1e6:.1f} s after the line went dead (10 s and 5.9..10.9 s)"
    )
    port.silent = False
    charger.run(90)
    assert charger.get("inverter_w", "fault_count")["fault_count"] == "0"
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
    device, _port = quasar.install(station)
    device.values[514] = 22000
    with Charger(tmp_path, station, SETTINGS) as charger:
        charger.run(6)
        shown = "\n".join(charger.ask("warnings"))
    assert "Quasar at 192.168.1.60, register 514: power of 22000 W is not 1380..7400 W" in shown


def test_two_runs_are_the_same(tmp_path: Path) -> None:
    found = []
    for number in range(2):
        station = Station()
        device, _port = quasar.install(station)
        station.vehicle.plug(cable_a=32)
        (tmp_path / str(number)).mkdir()
        with Charger(tmp_path / str(number), station, SETTINGS) as charger:
            charger.run(50)
        found.append((device.writes, device.changes))
    assert found[0] == found[1]
