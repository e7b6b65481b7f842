# SPDX-License-Identifier: MIT
"""The whole firmware while its grid front end browns out, freezes or is disturbed under power.

BACKFEED_BUS_HOURS runs them all, else one: a brown-out.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from charger import Charger

from hil.plant.config import StationConfig
from hil.plant.station import Station
from hil.virtual_board.faults import SPI_BROWN_OUT, SPI_NOISE, SPI_OK, SPI_STUCK_HIGH, SPI_STUCK_LOW

FAULT_S = 45.0
ESP32, STM32 = "esp32s3_ref", "stm32h743_ref"
DARK_MS = 60  # from the fault to no power: one rule for whatever makes the grid unknown


class Watch:
    """What the world saw from the fault on."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.open_ms = 0.0  # until the contactor's main contacts were open, or the gate down
        self.dark_ms = 0.0  # until no power flowed
        self.start_us = round(FAULT_S * 1e6)

    def __call__(self, t_us, outputs, inputs) -> None:
        if t_us < self.start_us:
            return
        after_ms = (t_us - self.start_us) / 1000
        if abs(self.station.unit(0).power_w) > 50 and after_ms < 1000:
            self.dark_ms = after_ms
        if not inputs.contactor_open and after_ms < 1000:
            self.open_ms = after_ms


def exporting(charger: Charger) -> None:
    charger.run(30)
    charger.ask("unlock user")
    assert charger.ask("setpoint -3000 600")[-1].startswith("OK")
    charger.run(10)
    assert charger.number("grid_w") == pytest.approx(-3000, abs=150)


def energy_wh(charger: Charger) -> tuple[int, int]:
    found = charger.get("energy_import_wh", "energy_export_wh")
    return int(found["energy_import_wh"]), int(found["energy_export_wh"])


CASES = [
    pytest.param(SPI_BROWN_OUT, 0.02, 3, STM32, id="brown-out, three phases, cycle in a hard timer"),
    pytest.param(SPI_BROWN_OUT, 0.02, 1, ESP32, id="brown-out of two cycles"),
    pytest.param(SPI_BROWN_OUT, 2.0, 1, ESP32, id="brown-out of two seconds"),
    pytest.param(SPI_STUCK_LOW, 1.0, 1, ESP32, id="MISO stuck low"),
    pytest.param(SPI_STUCK_HIGH, 1.0, 1, ESP32, id="MISO stuck high"),
    pytest.param(SPI_NOISE, 1.0, 1, ESP32, id="a bit wrong in every frame"),
    pytest.param(None, 3.0, 1, ESP32, id="frozen"),
]


@pytest.mark.parametrize(
    ("fault", "seconds", "phases", "name"), CASES if os.environ.get("BACKFEED_BUS_HOURS") else CASES[:1]
)
def test_the_export_ends_in_time_and_comes_back_alone(
    tmp_path: Path, fault: int | None, seconds: float, phases: int, name: str
) -> None:
    station = Station(StationConfig(phases=phases))
    station.vehicle.plug(cable_a=32)
    watch = Watch(station)
    with Charger(tmp_path, station, {"charge_w": 3000, "phases": phases}, board=name) as charger:
        board = charger.board
        board.hooks.append(watch)
        exporting(charger)
        trips = charger.ask("trips")
        before = energy_wh(charger)
        where, on, off = ("spi", fault, SPI_OK) if fault is not None else ("afe_frozen", True, False)
        station.at(watch.start_us, setattr, board.faults, where, on)
        station.at(watch.start_us + round(seconds * 1e6), setattr, board.faults, where, off)
        charger.run(FAULT_S + 1 - board.now_us / 1e6)
        assert watch.dark_ms <= DARK_MS, watch.dark_ms
        assert charger.ask("trips") == trips, "it is the front end that failed, not the grid"
        charger.run(seconds + 50)
        assert charger.get("contactor", "fault_count") == {"contactor": "1", "fault_count": "0"}
        assert charger.number("grid_w") == pytest.approx(-3000, abs=150), "back without a person"
        after = energy_wh(charger)
        exported_wh = station.world["ac_export_wh"].item()
        shown = charger.ask("bringup afe")
    print(f"no power {watch.dark_ms:.0f} ms, contacts open {watch.open_ms:.0f} ms after the fault")
    assert after[0] == before[0], "nothing was imported meanwhile: a reset is no energy"
    assert before[1] < after[1] <= exported_wh + 1, "it only counts up, and never more than flowed"
    assert after[1] >= exported_wh - 2, "what a reset costs: 240 ms of energy at most"
    restarts = next(row for row in shown if row.startswith("restarts="))
    assert (int(restarts.partition("=")[2]) > 0) == (fault is not None or seconds > 1), shown
