# SPDX-License-Identifier: MIT
"""The whole firmware reads a site meter: on the inverter's own line, over TCP, or fed by MQTT."""

from __future__ import annotations

from pathlib import Path

import pytest
from charger import Charger
from paho.mqtt.publish import single

from backfeed.broker import Broker
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
        assert station.inverter.requests - inverter_before >= 140, "10 Hz of commands and 5 Hz of polls go on"
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


def test_a_meter_fed_by_mqtt_ages_and_refuses_what_is_wrong(tmp_path: Path) -> None:
    with Broker() as broker, Charger(tmp_path, Station(), {"meter_kind": "mqtt"}, broker) as charger:
        charger.run(5)
        topic = "backfeed/backfeed/meter"
        for payload, expected in ((b'{"power_w": -1500}', -1500), (b"730", 730), (b'{"power_w": 12.7}', 12)):
            charger.board.publish(topic, payload)
            charger.run(1)
            assert charger.get("meter_w", "meter_ok") == {"meter_w": str(expected), "meter_ok": "1"}
        wrong = (b'{"power_w": 2e7}', b'{"power_w": "x"}', b'{"watts": 5}', b"nan", b"[1]", b'{"power_w": null}')
        for payload in wrong:
            charger.board.publish(topic, payload)
        charger.run(1)
        assert charger.get("meter_w")["meter_w"] == "12", "nothing that is wrong is taken"
        notes = "\n".join(charger.ask("log 40"))
        assert "power_w=20000000.0 is not -1000000..1000000 W" in notes and "'watts' is unknown" in notes
        charger.run(6)
        assert charger.get("meter_ok")["meter_ok"] == "0"


def test_a_retained_reading_has_no_age_and_is_refused(tmp_path: Path) -> None:
    with Broker() as broker:
        single("backfeed/backfeed/meter", b"5000", retain=True, hostname=broker.host, port=broker.port)
        with Charger(tmp_path, Station(), {"meter_kind": "mqtt"}, broker) as charger:
            charger.run(6)
            assert charger.get("meter_ok")["meter_ok"] == "0"
            assert "a retained reading has no age" in "\n".join(charger.ask("log 40"))


def test_mqtt_readings_need_the_setting(tmp_path: Path) -> None:
    with Broker() as broker, Charger(tmp_path, Station(), {}, broker) as charger:
        charger.run(5)
        charger.board.publish("backfeed/backfeed/meter", b"700")
        charger.run(1)
        assert charger.get("meter_ok")["meter_ok"] == "0"
        assert "no meter is set up" in "\n".join(charger.ask("log 40"))


def test_an_impossible_address_is_named(tmp_path: Path) -> None:
    with Charger(tmp_path, Station(), {"meter_kind": "sdm630", "meter_host": "meter.local"}) as charger:
        charger.run(5)
        assert any("meter_host=meter.local is no IPv4 address" in row for row in charger.ask("log 30"))
