# SPDX-License-Identifier: MIT
"""The whole firmware reads a site meter: on the inverter's own line, over TCP, or fed by MQTT."""

from __future__ import annotations

from pathlib import Path

import pytest
from charger import Charger

from hil.plant import meter
from hil.plant.station import Station
from hil.plant.tcp_port import TcpPort

KINDS = {"sdm230": "sdm230", "sdm630": "sdm630", "sunspec_203": "sunspec", "sunspec_213": "sunspec"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_meter_and_inverter_share_a_line(kind: str, tmp_path: Path) -> None:
    station = Station()
    measured, port = meter.attach(station, kind)
    measured.house_w = 1234.0
    with Charger(tmp_path, station, {"meter_kind": KINDS[kind]}) as charger:
        charger.run(8)
        assert charger.get("meter_ok")["meter_ok"] == "1"
        assert charger.number("meter_w") == pytest.approx(1234, abs=2)
        before, inverter_before = port.requests, station.inverter.requests
        charger.run(10)
        assert port.requests - before >= 9, "once a second"
        assert station.inverter.requests - inverter_before >= 150, "the inverter's 10 Hz of commands and of polls go on"
        shown = charger.ask("meter")
        assert any(row.startswith(("L1 229", "L1 230")) for row in shown), shown
        measured.house_w = -3000.0
        charger.run(2)
        assert charger.number("meter_w") == pytest.approx(-3000, abs=2)


def test_a_meter_that_falls_silent_is_stale_in_time_and_comes_back(tmp_path: Path) -> None:
    station = Station()
    _measured, port = meter.attach(station, "sdm230")
    with Charger(tmp_path, station, {"meter_kind": "sdm230"}) as charger:
        charger.run(8)
        port.silent = True
        charger.run(4)
        assert charger.get("meter_ok")["meter_ok"] == "1", "its last reading is not yet 5 s old"
        charger.run(3)
        assert charger.get("meter_ok")["meter_ok"] == "0"
        assert charger.get("fault_count")["fault_count"] == "0"
        charger.run(10)
        assert any("The meter is offline" in row for row in charger.ask("warnings"))
        port.silent = False
        charger.run(40)
        assert charger.get("meter_ok")["meter_ok"] == "1"
        assert charger.ask("warnings")[-1] == "OK warnings=0" or "meter" not in " ".join(charger.ask("warnings"))


def test_the_setting_turns_a_meter_round(tmp_path: Path) -> None:
    station = Station()
    measured, _port = meter.attach(station, "sdm630")
    measured.reversed = True
    with Charger(tmp_path, station, {"meter_kind": "sdm630", "meter_reversed": 1}) as charger:
        charger.run(8)
        assert charger.number("meter_w") == pytest.approx(500, abs=2)


def test_a_reversed_meter_is_found_out(tmp_path: Path) -> None:
    station = Station()
    measured, _port = meter.attach(station, "sdm630")
    measured.reversed = True
    station.vehicle.plug(cable_a=32)
    settings = {
        "meter_kind": "sdm630",
        "charge_w": 3000,
        "ramp_up_permille_min": 60000,
        "ramp_down_permille_min": 60000,
    }
    with Charger(tmp_path, station, settings) as charger:
        charger.run(35)
        assert charger.number("grid_w") == pytest.approx(3000, abs=150)
        charger.ask("unlock user")
        for power_w in (200, 3000, 200, 3000, 200):
            answer = charger.ask(f"setpoint {power_w} 60")
            assert answer[-1].startswith("OK"), answer
            charger.run(13)
        assert any("moved against the charger" in row for row in charger.ask("warnings"))


def test_a_meter_over_tcp(tmp_path: Path) -> None:
    station = Station()
    _measured, bank = meter.bank_of(station, "sdm630")
    station.tcp["192.168.1.70:1502"] = TcpPort(bank)
    with Charger(tmp_path, station, {"meter_kind": "sdm630", "meter_host": "192.168.1.70:1502"}) as charger:
        charger.run(8)
        assert charger.number("meter_w") == pytest.approx(500, abs=2)


def test_an_impossible_address_is_named(tmp_path: Path) -> None:
    with Charger(tmp_path, Station(), {"meter_kind": "sdm630", "meter_host": "meter.local"}) as charger:
        charger.run(5)
        assert any("meter_host=meter.local is no IPv4 address" in row for row in charger.ask("log 30"))
