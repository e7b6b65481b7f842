# SPDX-License-Identifier: MIT
"""The whole firmware reads a site meter: on the inverter's own line, over TCP, or fed by MQTT.

BACKFEED_BUS_HOURS tries every wrong wiring on every kind, else two.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from charger import Charger
from paho.mqtt.publish import single

from backfeed.broker import Broker
from hil.plant import infypower, meter
from hil.plant.config import StationConfig
from hil.plant.station import Station
from hil.plant.tcp_port import TcpPort
from hil.virtual_board import wire

FAST = {"ramp_up_permille_min": 60000, "ramp_down_permille_min": 60000}
LONG = os.environ.get("BACKFEED_BUS_HOURS")


@pytest.mark.parametrize(
    "kind", sorted(meter.KINDS) if LONG else ("sdm230", "sunspec_202", "sunspec_204", "sunspec_211")
)
def test_each_kind_reads_the_same_site(kind: str, tmp_path: Path) -> None:
    """Another address than the usual one, and every phase it has."""
    station = Station()
    measured, _port = meter.attach(station, kind, address=7)
    measured.house_w = -1234.0
    settings = {"meter_kind": kind if kind.startswith("sdm") else "sunspec", "meter_address": 7}
    with Charger(tmp_path, station, settings) as charger:
        charger.run(3)
        assert charger.number("meter_w") == pytest.approx(-1234, abs=2)
        shown = [row for row in charger.ask("meter") if row.startswith("L")]
        charger.ask("bringup meter")
        text = str(charger.board.console.text)
    phases = meter.KINDS[kind]
    assert len(shown) == phases
    for row in shown:
        _name, volts, _mv, watts, _w = row.split()
        assert int(volts) == pytest.approx(230_000, abs=500) and int(watts) == pytest.approx(-1234 / phases, abs=2)
    assert "OK part=meter wrong=0" in text


def test_a_meter_that_is_not_where_the_settings_say_is_named(tmp_path: Path) -> None:
    station = Station()
    meter.attach(station, "sdm630", address=7)
    with Charger(tmp_path, station, {"meter_kind": "sdm630"}) as charger:
        charger.run(8)
        shown = "\n".join(charger.ask("bringup meter"))
        charger.run(1)
    assert "wrong: the meter gives no fresh power: meter 2 (sdm630), register 0: no answer" in shown
    assert "asked as sdm630 at address 2 of the RS-485 line" in shown


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda bank: bank.map.registers.__setitem__(0, 0x1234), "register 40000 reads 1234 6E53"),
        (
            lambda bank: bank.map.registers.__setitem__(bank.map.models[203], 64001),
            "no meter model (201-204, 211-214); it has 1 at 40002, 64001 at 40070",
        ),
    ],
    ids=("not SunSpec", "no meter model"),
)
def test_a_meter_that_cannot_be_one_is_named_with_its_register(tmp_path: Path, spoil, words: str) -> None:
    station = Station()
    _measured, port = meter.attach(station, "sunspec_203")
    spoil(port.bank)
    with Charger(tmp_path, station, {"meter_kind": "sunspec"}) as charger:
        charger.run(8)
        assert words in "\n".join(charger.ask("bringup meter"))


def turn(*phases: int):
    """These current transformers are the wrong way round."""

    def wire(measured: meter.Measured) -> None:
        for phase in phases:
            measured.currents[phase] = (phase, -1.0)

    return wire


def sit(*phases: int):
    """The current transformers sit on these phases."""

    def wire(measured: meter.Measured) -> None:
        measured.currents = [(phase, 1.0) for phase in phases]

    return wire


def all_moved(*phases: int):
    """Voltages and currents both are on these phases: consistent, and other than the charger's."""

    def wire(measured: meter.Measured) -> None:
        measured.voltages = list(phases)
        measured.currents = [(phase, 1.0) for phase in phases]

    return wire


WIRINGS = [
    pytest.param("sunspec_203", 3, sit(0, 2, 1), "the meter's L2 and L3 moved against the charger by half", id="203"),
    pytest.param("sdm630", 1, all_moved(1, 0, 2), "the charger's L1 shows on the meter's L2", id="another phase"),
    pytest.param("sunspec_213", 3, turn(1), "the meter's L2 counts the other way", id="213 one turned"),
    pytest.param("sdm630", 3, turn(0, 1, 2), "it counts the other way", id="all turned"),
    pytest.param("sunspec_204", 3, sit(1, 2, 0), "the meter's L1 and L2 and L3 moved against", id="204 rotated"),
    pytest.param("sunspec_214", 3, turn(0, 2), "the meter's L1 and L3 counts the other way", id="214 two turned"),
    pytest.param("sunspec_202", 1, turn(0), "the meter's L1 counts the other way", id="202 turned"),
    pytest.param("sunspec_212", 1, all_moved(1, 0), "the charger's L1 shows on the meter's L2", id="212 another leg"),
    pytest.param("sunspec_201", 1, turn(0), "it counts the other way", id="201 turned"),
    pytest.param("sunspec_211", 1, turn(0), "it counts the other way", id="211 turned"),
    pytest.param("sdm230", 1, turn(0), "it counts the other way", id="sdm230 turned"),
    pytest.param("sdm630", 3, sit(0, 1, 2), "", id="as it should be"),
]


@pytest.mark.parametrize(("kind", "phases", "wire", "sentence"), WIRINGS if LONG else WIRINGS[:2])
def test_moving_the_charger_finds_sign_and_phase(tmp_path: Path, kind: str, phases: int, wire, sentence: str) -> None:
    station = Station(StationConfig(phases=phases))
    measured, _port = meter.attach(station, kind)
    wire(measured)
    station.vehicle.plug(cable_a=32)
    fast = {"ramp_up_permille_min": 60000, "ramp_down_permille_min": 60000, "charge_w": 1000, "phases": phases}
    fast["meter_kind"] = kind if kind.startswith("sdm") else "sunspec"
    with Charger(tmp_path, station, fast) as charger:
        charger.run(28)
        charger.ask("unlock user")
        before = len(charger.board.console.text)
        charger.ask("bringup meter 1500")
        charger.run(22)
        shown = str(charger.board.console.text)[before:]
    wrong = [row for row in shown.splitlines() if row.startswith("wrong:")]
    assert "charger_moved=1" in shown, shown
    assert bool(wrong) == bool(sentence) and (not sentence or sentence in wrong[0]), shown


SHARED = {"sdm630": "sdm630", "sunspec_203": "sunspec"}


@pytest.mark.parametrize("kind", sorted(SHARED))
def test_meter_and_inverter_share_a_line(kind: str, tmp_path: Path) -> None:
    station = Station()
    measured, port = meter.attach(station, kind)
    measured.house_w = 1234.0
    with Charger(tmp_path, station, {"meter_kind": SHARED[kind]}) as charger:
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


OWN_LINES = [
    (inverter, board) for inverter in ("sunspec_tcp", "infypower") for board in ("esp32s3_ref", "stm32h743_ref")
]


@pytest.mark.parametrize(("inverter", "board"), OWN_LINES if LONG else OWN_LINES[::3])
def test_a_meter_on_a_line_of_its_own(inverter: str, board: str, tmp_path: Path) -> None:
    """The inverter is on TCP or CAN: the RS-485 line is the meter's, at its speed, and power flows beside it."""
    station = Station()
    measured, port = meter.attach(station, "sdm630", baud=19200)
    measured.house_w = 1234.0
    settings = {"inverter_kind": inverter, "charge_w": 3000, "meter_kind": "sdm630", "meter_baud": 19200, **FAST}
    if inverter == "sunspec_tcp":
        station.tcp["192.168.1.50:502"] = TcpPort(station.inverter, answer_ms=5)
        settings["inverter_host"] = "192.168.1.50"
    else:
        infypower.install(station)
        settings.update(battery_least_mv=300000, battery_most_mv=450000)
    station.vehicle.plug(cable_a=32)
    speeds = set()
    with Charger(tmp_path, station, settings, board=board) as charger:
        line = charger.board.line
        send = line.send
        line.send = lambda t_us, payload: (speeds.add(wire.UART_HEAD.unpack_from(payload)[1]), send(t_us, payload))
        charger.run(25)
        assert charger.number("grid_w") == pytest.approx(3000, abs=60)
        assert charger.number("meter_w") == pytest.approx(4234, abs=60)
        before = port.requests
        charger.run(10)
        assert port.requests - before == pytest.approx(20, abs=2), "two questions a second, and nobody else's"
        assert speeds == {19200}
        port.silent = True
        charger.run(8)
        assert charger.get("meter_ok", "fault_count") == {"meter_ok": "0", "fault_count": "0"}
        assert "asked as sdm630 at address 2 of the RS-485 line" in "\n".join(charger.ask("bringup meter"))
        port.silent = False
        charger.run(8)
        assert charger.get("meter_ok")["meter_ok"] == "1"
        assert charger.number("grid_w") == pytest.approx(3000, abs=60), "the inverter never heard of it"


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
