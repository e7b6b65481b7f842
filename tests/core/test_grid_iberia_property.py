# SPDX-License-Identifier: MIT
"""The Iberian collapse of 2025-04-28 through Grid and Protect (CPython only): ridden, tripped, stays off."""

from __future__ import annotations

import csv
import math

import pytest
from grid_rig import Rig

NOMINAL_V = 27_600
FROM, TO = "12:25:00", "13:00:00"


def rows(path):
    """Yield (time of day, per-unit phase voltages, Hz or NaN)."""
    with path.open(newline="") as file:
        reader = csv.reader(file)
        next(reader)
        for row in reader:
            clock = row[4].split(" ")[-1]
            if FROM <= clock <= TO:
                values = [float(text) if text else math.nan for text in row[:4]]
                yield clock, values[:3], values[3]


@pytest.mark.parametrize("name", ["uk_g98", "vde_4105_2018", "en50549_1"])
def test_the_collapse_is_ridden_tripped_and_stays_off(recordings, name):
    rig = Rig(name, phases=3)
    rig.enter()
    before, dead_s, tripped_at = 0, 0, ""
    for clock, phases, hertz in rows(recordings / "iberia_20250428_toledo_2s.csv"):
        for i, volt in enumerate(phases):
            if not math.isnan(volt):  # a NaN row is a gap of the recorder: the line stays as it was
                rig.set(mv=int(volt / NOMINAL_V * 230_000), phase=i)
        if not math.isnan(hertz):
            rig.set(uhz=int(hertz * 1e6))
        rig.run(2000)
        if rig.image.protection.trip and not tripped_at:
            tripped_at = clock
        before += clock < "12:33:15" and rig.image.protection.trip
        dead_s += 2 * (not rig.image.inputs.voltage_live)
    assert not before, (tripped_at, rig.image.protection.trip_element, rig.image.protection.trip_value)
    assert "12:33:16" <= tripped_at <= "12:33:30"
    assert dead_s > 600
    assert rig.image.protection.trip and not rig.image.protection.service
