# SPDX-License-Identifier: MIT
"""The whole firmware with SunSpec inverters, new and old: what they are set to, can, cannot, and get wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from charger import Charger
from paho.mqtt.subscribe import simple
from sunspec2.modbus import client

from backfeed.broker import Broker
from hil.plant import sunspec_old
from hil.plant.config import StationConfig
from hil.plant.modbus_server import ModbusTcpServer
from hil.plant.station import Station
from hil.plant.sunspec_map import BASE
from hil.plant.tcp_port import TcpPort


def device_of(station: Station) -> client.SunSpecModbusClientDeviceTCP:
    """Read the simulated inverter with pysunspec2, which shares no code with firmware or plant."""
    with ModbusTcpServer(station.inverter) as server:
        device = client.SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=server.port)
        device.scan()
        for models in device.models.values():
            for model in models:
                model.read()
        device.disconnect()
    return device


def plain(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def test_it_shows_the_trip_settings_that_an_independent_reader_finds(tmp_path: Path) -> None:
    station = Station()
    with Charger(tmp_path, station, {}) as charger:
        charger.run(5)
        shown = charger.ask("inverter")
    device = device_of(station)
    for number, name, point in ((707, "under-voltage", "V"), (710, "over-frequency", "Hz")):
        model = device.models[number][0]
        curve = model.Crv[0].MustTrip
        unit = "% V" if point == "V" else "Hz"
        pairs = [
            f"{plain(curve.Pt[k].points[point].cvalue, 3)} {unit} {plain(curve.Pt[k].Tms.cvalue, 3)} s"
            for k in range(curve.ActPt.value)
        ]
        assert f"{number} {name} trip on: {', '.join(pairs)}" in shown
    droop = device.models[711][0].Ctl[0]
    line = next(row for row in shown if row.startswith("711 "))
    assert f"over +{plain(droop.DbOf.cvalue, 3)} Hz {plain(droop.KOf.cvalue * 100, 2)} %" in line


def test_every_mismatch_with_the_profile_is_a_sentence(tmp_path: Path) -> None:
    with Charger(tmp_path, Station(), {}) as charger:
        charger.run(5)
        shown = charger.ask("warnings")
        status = "\n".join(charger.ask("status"))
    for element in ("under-voltage", "over-voltage", "under-frequency", "over-frequency"):
        found = [row for row in shown if element in row]
        assert len(found) == 1 and "profile uk_g98 wants" in found[0] and "register" in found[0], shown
    assert any("own anti-islanding is switched off" in row for row in shown)
    assert f"{len(shown) - 1} warnings" in status


def test_mqtt_tells_what_the_inverter_can_and_what_is_wrong(tmp_path: Path) -> None:
    with Broker() as broker, Charger(tmp_path, Station(), {}, broker) as charger:
        charger.run(25)
        shown = charger.ask("warnings")[:-1]
        kept = simple("backfeed/backfeed/devices", hostname=broker.host, port=broker.port)
    told = json.loads(kept.payload)
    assert kept.retain
    assert told["inverter"]["driver"] == "sunspec" and told["inverter"]["own_anti_islanding"] == 0
    assert told["inverter"]["lease_s"] == 4 and told["inverter"]["response_ms"] == 200
    assert told["warnings"] == shown[: len(told["warnings"])] and len(told["warnings"]) >= 4
    assert len(told["warnings"]) + len(told["cannot"]) + told["more"] == len(shown)


def test_settings_that_agree_raise_no_warning(tmp_path: Path) -> None:
    station = Station()
    put = station.inverter.map
    for model, name, pairs in (
        (707, "V", ((80, 2.5),)),
        (708, "V", ((114, 1.0), (119, 0.5))),
        (709, "Hz", ((47.5, 20.0), (47.0, 0.5))),
        (710, "Hz", ((52.0, 0.5),)),
    ):
        put.set_raw(f"{model}.Crv[0].MustTrip.ActPt", len(pairs))
        for k, (level, time_s) in enumerate(pairs):
            put.set(f"{model}.Crv[0].MustTrip.Pt[{k}].{name}", level)
            put.set(f"{model}.Crv[0].MustTrip.Pt[{k}].Tms", time_s)
    put.set_raw("704.AntiIslEna", 1)
    with Charger(tmp_path, station, {}) as charger:
        charger.run(5)
        assert charger.ask("warnings") == ["OK warnings=0"]


def test_curves_that_no_profile_has_and_momentary_cessation_are_told(tmp_path: Path) -> None:
    station = Station()
    put = station.inverter.map
    put.set_raw("712.Ena", 1)
    for model, level in ((707, 50), (708, 115)):
        put.set_raw(f"{model}.Crv[0].MomCess.ActPt", 1)
        put.set(f"{model}.Crv[0].MomCess.Pt[0].V", level)
        put.set(f"{model}.Crv[0].MomCess.Pt[0].Tms", 0.08)
    put.set_raw("705.Ena", 1)
    put.set_raw("706.Ena", 1)
    put.set_raw("711.Ena", 1)
    with Charger(tmp_path, station, {}) as charger:
        charger.run(5)
        shown = "\n".join(charger.ask("inverter"))
        warned = "\n".join(charger.ask("warnings"))
    curve = device_of(station).models[712][0].Crv[0]
    pairs = [f"{plain(p.W.cvalue, 2)} % W -> {plain(p.Var.cvalue, 2)} %" for p in curve.Pt[: curve.ActPt.value]]
    assert f"712 watt-var on: {', '.join(pairs)}" in shown
    assert "707 momentary cessation at low voltage on: 50 % V 0.08 s" in shown
    register = BASE + station.inverter.map.points["712.Crv[0].Pt[0].W"].address
    assert f"watt-var (model 712, register {register}) is on; profile uk_g98 has none: switch it off." in warned
    for words in (
        "momentary cessation at low voltage (model 707",
        "momentary cessation at high voltage (model 708",
        "volt-var (model 705",
        "volt-watt (model 706",
        "answers frequency by itself (model 711",
    ):
        assert words in warned, words


OLD_GRID = {
    126: sunspec_old.curve(126, ((92, 44), (98, 0), (102, 0), (108, -44)), enabled=0),
    127: dict(WGra=20, HzStr=0.4, HzStop=0.2, HysEna=1, ModEna=1, WGra_SF=0, HzStrStop_SF=-2),
    128: dict(ArGraMod=0, ArGraSag=2, ArGraSwell=2, ModEna=1, ArGra_SF=0, VRefPct_SF=0),
    129: sunspec_old.curve(129, ((2.5, 0), (2.5, 80), (1000 * 0.6, 80))),  # a line round the step
    130: sunspec_old.curve(130, ((0.5, 150), (0.5, 119), (1.0, 119), (1.0, 114))),
    131: sunspec_old.curve(131, ((0, 1.0), (50, 1.0), (100, -0.95)), enabled=0),
    132: sunspec_old.curve(132, ((106, 100), (110, 20)), enabled=0),
    133: dict(ActSchd=1, ModEna=1, NSchd=1, NPts=10),
    134: sunspec_old.curve(134, ((50.2, 100), (52, 0)), enabled=0),
    135: sunspec_old.curve(135, ((20.0, 47.5), (0.5, 47.0))),  # a list of steps
    136: sunspec_old.curve(136, ((0.2, 51.5),)),
    137: sunspec_old.curve(137, ((2.0, 50),)),
    141: sunspec_old.curve(141, ((300.0, 47.5),)),
    145: dict(NomRmpUpRte=10, NomRmpDnRte=20, ConnRmpUpRte=1, Rmp_SF=0),
}


def test_an_older_inverters_curves_and_trips_are_read_shown_and_compared(tmp_path: Path) -> None:
    station = Station()
    old = sunspec_old.install(station, more=OLD_GRID)
    with Charger(tmp_path, station, {}) as charger:
        charger.run(6)
        shown = "\n".join(charger.ask("inverter"))
        warned = charger.ask("warnings")
        charger.ask("bringup inverter")
        charger.run(2)
        found = str(charger.board.console.text)
    for line in (
        "126 volt-var off: 92 % V -> 44 %, 98 % V -> 0 %, 102 % V -> 0 %, 108 % V -> -44 %",
        "127 frequency droop on: over +0.4 Hz 20 % for each Hz",
        "129 under-voltage trip on: 0 % V 2.5 s, 80 % V 2.5 s, 80 % V 600 s",
        "131 watt-power-factor off: 0 % W -> 1 cos, 50 % W -> 1 cos, 100 % W -> -0.95 cos",
        "134 frequency-watt curve off: 50.2 Hz -> 100 %, 52 Hz -> 0 %",
        "135 under-frequency trip on: 47.5 Hz 20 s, 47 Hz 0.5 s",
        "137 low-voltage ride-through on: 50 % V 2 s",
        "145 ramp rates off: up 10 %/s, down 20 %/s, on connecting 1 %/s",
    ):
        assert line in shown, line
    assert "show its trips" not in shown
    assert shown.count("is shown, not compared") == 3
    wrong = "\n".join(warned)
    register = BASE + old.map.points["136.curve.Tms1"].address
    assert (
        f"over-frequency trip (model 136, register {register}) is set to 51.5 Hz 0.2 s; profile uk_g98 wants" in wrong
    )
    assert "(model 127, register" in wrong and "both would add up. Switch one off." in wrong
    assert "dynamic reactive current (model 128" in wrong and "schedule of its own (model 133" in wrong
    for model in (126, 129, 130, 131, 132, 134, 135):
        assert f"model {model}" not in wrong, "it agrees, whichever way the curve is drawn"
    assert "setting=129 under-voltage trip on" in found


def test_a_broken_old_curve_is_named_and_the_inverter_still_usable(tmp_path: Path) -> None:
    station = Station()
    old = sunspec_old.install(station, more=OLD_GRID)
    old.map.set_raw("129.ActCrv", 7)
    old.map.set_raw("130.V_SF", 12)
    with Charger(tmp_path, station, {}) as charger:
        charger.run(6)
        warned = "\n".join(charger.ask("warnings"))
        assert charger.ask("inverter")[-1].startswith("OK power=")
    register = BASE + old.map.points["129.ActCrv"].address
    assert (
        f"under-voltage trip cannot be read: inverter 1, register {register}: model 129 has active curve 7 of 1"
        in warned
    )
    register = BASE + old.map.points["130.V_SF"].address
    assert f"register {register}: model 130: scale factor 0x000C is not -10..10" in warned


@pytest.mark.parametrize(
    ("point", "value", "words"),
    [
        ("701.W_SF", 11, "scale factor 0x000B is not -10..10"),
        ("704.WSet_SF", -9, "setpoint scale factor -9 is not -4..3"),
        ("702.W_SF", 5, "rating of 740000000 W is impossible"),
    ],
)
def test_the_impossible_is_named_with_its_register(tmp_path: Path, point: str, value: int, words: str) -> None:
    station = Station()
    station.inverter.map.set_raw(point, value)
    with Charger(tmp_path, station, {}) as charger:
        charger.run(5)
        shown = "\n".join(charger.ask("warnings"))
        assert charger.get("contactor")["contactor"] == "0"
    assert "inverter 1, register 40" in shown and words in shown


def test_a_broken_curve_is_named_and_the_inverter_still_usable(tmp_path: Path) -> None:
    station = Station()
    station.inverter.map.set_raw("707.NPt", 900)
    with Charger(tmp_path, station, {}) as charger:
        charger.run(5)
        shown = "\n".join(charger.ask("warnings"))
        assert charger.ask("inverter")[-1].startswith("OK power=")
    register = BASE + station.inverter.map.points["707.NPt"].address
    words = f"The inverter's under-voltage trip cannot be read: inverter 1, register {register}: model 707 has NPt 900"
    assert words in shown


def test_a_charge_that_is_not_one_is_named(tmp_path: Path) -> None:
    station = Station()
    station.inverter.map.set_raw("713.Pct_SF", 12)
    with Charger(tmp_path, station, {}) as charger:
        charger.run(6)
        assert charger.get("soc_ok")["soc_ok"] == "0"
        assert "(713 SoC) reads" in "\n".join(charger.ask("warnings"))


def test_sunspec_over_tcp_carries_power(tmp_path: Path) -> None:
    station = Station()
    station.tcp["192.168.1.50:502"] = TcpPort(station.inverter, answer_ms=5)
    station.serial.pop("inverter")
    station.vehicle.plug(cable_a=32)
    settings = {"inverter_kind": "sunspec_tcp", "inverter_host": "192.168.1.50", "charge_w": 3000}
    with Charger(tmp_path, station, settings) as charger:
        charger.run(35)
        assert charger.number("grid_w") == pytest.approx(3000, abs=60)


@pytest.mark.parametrize("phases", [1, 3])
def test_an_older_inverter_charges_and_exports(tmp_path: Path, phases: int) -> None:
    station = Station(StationConfig(phases=phases))
    old = sunspec_old.install(station)
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, {"charge_w": 3000, "phases": phases}) as charger:
        charger.run(35)
        assert charger.number("grid_w") == pytest.approx(3000, abs=60)
        assert charger.get("soc_ok", "soc_permille") == {"soc_ok": "1", "soc_permille": "600"}
        charger.ask("unlock user")
        charger.ask("setpoint -2000 60")
        charger.run(10)
        assert charger.number("grid_w") == pytest.approx(-2000, abs=60)
        assert charger.get("islanding_refused")["islanding_refused"] == "no_reactive"
        shown = "\n".join(charger.ask("inverter"))
        assert "cannot: go to zero by itself" in shown and "driver=sunspec_old" in shown and "lease_s=0" in shown
        charger.ask("stop 1")
        charger.run(6)
        assert station.unit(0).power_w == pytest.approx(0, abs=30)
        assert old.map.raw("124.InWRte") == 0 and old.map.raw("124.OutWRte") == 0
        assert charger.get("fault_count")["fault_count"] == "0"


def test_an_inverter_that_only_caps_its_export_says_so_and_never_charges(tmp_path: Path) -> None:
    station = Station()
    old = sunspec_old.install(station, storage=False)
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, {"charge_w": 3000}) as charger:
        charger.run(35)
        assert old.map.raw("123.WMaxLim_Ena") == 1 and old.map.raw("123.WMaxLimPct") == 0, "held at zero"
        assert station.unit(0).power_w == pytest.approx(0, abs=30)
        assert charger.get("allowed_w")["allowed_w"] == "0"
        shown = "\n".join(charger.ask("inverter"))
    assert "cannot: charge on command: it has no model 124" in shown


def test_a_grid_disconnect_alarm_of_the_inverter_is_a_trip(tmp_path: Path) -> None:
    station = Station()
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, {"charge_w": 3000}) as charger:
        charger.run(35)
        assert charger.get("contactor")["contactor"] == "1"
        station.faults.set("inverter_trip")
        charger.run(1)
        assert charger.get("trip", "trip_element") == {"trip": "1", "trip_element": "inverter_trip"}
        assert "grid disconnect" in "\n".join(charger.ask("warnings"))
