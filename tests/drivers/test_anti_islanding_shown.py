# SPDX-License-Identifier: MIT
"""Who looks for loss of mains is shown: this controller's method and the inverter's certified one (704 AntiIslEna)."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from charger import Charger
from paho.mqtt.subscribe import simple

from backfeed.broker import Broker
from evse.drivers.inverter_infypower import InverterInfypower
from evse.drivers.inverter_quasar import InverterQuasar
from evse.link.homeassistant import entities
from evse.tasks.anti_islanding import lacking
from hil.plant import sunspec_old
from hil.plant.station import Station

OWN = "704.AntiIslEna"
POINT = "inverter_islanding"
RESTS = (
    "Loss of mains rests on passive protection (voltage, frequency, ROCOF) and on the inverter's own method (not told)."
)


def shown(charger: Charger) -> tuple[str, str, str]:
    """Return what status says in its line, what inverter says of its own method, and what of this controller's."""
    status = next(row for row in charger.ask("status") if row.startswith("anti_islanding="))
    lines = charger.ask("inverter")
    own = next(row for row in lines if row.startswith("own_anti_islanding="))
    return status, own, next(row for row in lines if row.startswith("anti_islanding="))


def test_both_methods_are_shown_and_the_inverters_own_as_it_is_now(tmp_path: Path) -> None:
    station = Station()
    station.inverter.map.set_raw(OWN, 1)
    with Broker() as broker, Charger(tmp_path, station, {}, broker) as charger:
        charger.run(20)
        assert shown(charger) == (
            "anti_islanding=on, inverter's own on",
            "own_anti_islanding=1",
            "anti_islanding=on",
        )
        station.inverter.map.set_raw(OWN, 0)  # somebody at the inverter's own panel
        charger.run(8)
        assert shown(charger)[:2] == ("anti_islanding=on, inverter's own off", "own_anti_islanding=0")
        assert "The inverter's own anti-islanding is switched off (704 AntiIslEna)." in charger.ask("warnings")
        charger.run(20)
        told = json.loads(simple("backfeed/backfeed/devices", hostname=broker.host, port=broker.port).payload)
    assert (told["inverter"]["own_anti_islanding"], told["inverter"]["anti_islanding"]) == (0, "on")


def test_the_inverters_own_method_is_a_point(tmp_path: Path) -> None:
    """On, off, unknown where the inverter does not tell, and nothing of one that is lost."""
    station = Station()
    station.inverter.map.set_raw(OWN, 1)
    with Charger(tmp_path, station, {}) as charger:
        for raw, word in ((1, "on"), (0, "off"), (0xFFFF, "unknown"), (1, "on")):
            station.inverter.map.set_raw(OWN, raw)
            charger.run(8)
            assert charger.get(POINT) == {POINT: word}, raw
        station.faults.set("modbus_silent")
        charger.run(8)
        assert charger.get(POINT) == {POINT: "unknown"}
    sensor = {payload["unique_id"]: payload for _, payload in entities("unit", "model")}[f"unit_{POINT}"]
    assert (sensor["device_class"], sensor["options"]) == ("enum", ["unknown", "off", "on"])


def test_a_method_that_is_switched_off_here_is_a_warning(tmp_path: Path) -> None:
    station = Station()
    station.inverter.map.set_raw(OWN, 1)
    with Charger(tmp_path, station, {"islanding_enable": 0}) as charger:
        charger.run(6)
        assert shown(charger)[0] == "anti_islanding=off (islanding_enable), inverter's own on"
        found = [row for row in charger.ask("warnings") if "No active anti-islanding" in row]
        assert len(found) == 1 and "switched off (islanding_enable)" in found[0] and "own method (on)" in found[0]


def test_an_inverter_that_cannot_be_asked_is_told_to_a_person(tmp_path: Path) -> None:
    station = Station()
    sunspec_old.install(station)
    with Charger(tmp_path, station, {}) as charger:
        charger.run(12)
        why = "cannot: the inverter takes no reactive power on command"
        assert shown(charger) == (
            f"anti_islanding={why}, inverter's own not told",
            "own_anti_islanding=unknown",
            f"anti_islanding={why}",
        )
        found = [row for row in charger.ask("warnings") if "No active anti-islanding" in row]
    assert len(found) == 1 and RESTS in found[0]


@pytest.mark.parametrize("driver", [InverterQuasar, InverterInfypower])
def test_every_driver_that_cannot_be_asked_has_the_warning_once_it_may_export(driver: type) -> None:
    settings = SimpleNamespace(export_rating_w=7360, islanding_enable=1)
    device = driver(None, 1, 4000)
    assert lacking(device, settings) == [], "no export, nothing to look for"
    device.can_export = 1
    assert len(lacking(device, settings)) == 1 and RESTS in lacking(device, settings)[0]
    assert lacking(device, SimpleNamespace(export_rating_w=0, islanding_enable=1)) == []


def test_a_slow_answer_is_named_with_the_most_that_may_be() -> None:
    settings = SimpleNamespace(export_rating_w=7360, islanding_enable=1)
    device = SimpleNamespace(var_response_ms=115, own_anti_islanding=1, can_export=1)
    assert lacking(device, settings) == []
    device.var_response_ms = 116
    assert "reactive power takes 116 ms, at most 115 ms may" in lacking(device, settings)[0]
    assert "(on)" in lacking(device, settings)[0]
