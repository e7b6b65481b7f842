# SPDX-License-Identifier: MIT
"""A weld that the mirror contact hides, seen by what each kind of inverter tells of its terminals; one tells none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from charger import Charger

from hil.plant import sunspec_old
from hil.plant.station import Station

SETTINGS = {"charge_w": 3000, "cable_family": "iec"}


def newer(station: Station) -> None:
    """The station's own: models 701 and on."""


def silent(station: Station) -> None:
    """Models 701 and on, without a voltage."""
    put = station.inverter.map.set

    def keep(name: str, value: float) -> None:
        if name == "701.LNV":
            station.inverter.map.blank("701.LNV")
        else:
            put(name, value)

    station.inverter.map.set = keep  # type: ignore[method-assign]


@pytest.mark.parametrize(("install", "tells"), [(newer, True), (sunspec_old.install, True), (silent, False)])
def test_a_hidden_weld(tmp_path: Path, install: Callable[[Station], object], tells: bool) -> None:
    station = Station()
    install(station)
    station.vehicle.plug(cable_a=32)
    with Charger(tmp_path, station, SETTINGS) as charger:
        charger.run(35)
        assert charger.get("contactor", "fault_count") == {"contactor": "1", "fault_count": "0"}
        station.faults.set("weld_unseen")
        charger.ask("stop 1")
        charger.run(9)
        assert charger.get("contactor")["contactor"] == "0" and station.truth.contactor_closed
        assert any("contactor_voltage" in row for row in charger.ask("faults")) == tells
        charger.ask("stop 0")
        charger.run(3)
        if tells:
            assert charger.get("contactor")["contactor"] == "0", "an installer has to look first"
