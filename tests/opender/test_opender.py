# SPDX-License-Identifier: MIT
"""OpenDER and Protect agree on seeded random trajectories; the full number is `compare.py 500`."""

from __future__ import annotations

import compare
import pytest
from compare import CATEGORIES, differences, logic, oracle_stages, product, seeds

from evse.profiles.loader import load

NUMBERED = [(name, seed) for name in CATEGORIES for seed in seeds(name, 16)]


@pytest.mark.parametrize(("name", "seed"), NUMBERED)
def test_trips_and_returns_agree_with_the_oracle(name, seed):
    assert logic(name, seed) == ""


@pytest.mark.parametrize(("name", "seed"), NUMBERED)
def test_the_product_opens_by_the_oracles_clearing_time(name, seed):
    assert product(name, seed) in ("", "margin")


@pytest.mark.parametrize(("late_ms", "compared"), [(600, logic), (600, product), (-600, logic), (-600, product)])
def test_a_profile_with_other_times_is_found(monkeypatch, late_ms, compared):
    """Every stage acts 0.6 s late or early: more than a step of most trajectories, and than the allowance."""

    def shifted(name):
        profile = load(name)
        for stage in profile.stages:
            stage.delay_ms = max(stage.delay_ms + late_ms, 0)
        return profile

    monkeypatch.setattr(compare, "load", shifted)
    assert any(compared("ieee1547_cat_3", seed) not in ("", "margin") for seed in seeds("ieee1547_cat_3", 8))


@pytest.mark.parametrize("name", CATEGORIES)
def test_the_oracle_has_the_stages_of_the_profile(name):
    theirs = sorted((stage.of_voltage, stage.over, stage.threshold, stage.clears_ms) for stage in oracle_stages(name))
    ours = sorted((row.threshold < 1_000_000, bool(row.over), row.threshold, row.delay_ms) for row in load(name).stages)
    assert [row[:2] for row in ours] == [row[:2] for row in theirs]
    assert [row[2:] for row in ours] == [pytest.approx(row[2:]) for row in theirs]


def test_the_comparison_can_fail():
    trip = [(1000, False), (7000, True)]
    assert differences(trip, trip, 50) == ""
    assert differences(trip, [(1050, False), (7000, True)], 50) == ""
    assert differences(trip, [(1100, False), (7000, True)], 50)
    assert differences(trip, trip[:1], 50)
    assert differences([], trip, 50)
