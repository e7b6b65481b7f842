# SPDX-License-Identifier: MIT
"""OpenDER and Protect agree on seeded random trajectories; the full number is `compare.py 500`."""

from __future__ import annotations

import pytest
from compare import CATEGORIES, differences, logic, product, seeds

NUMBERED = [(name, seed) for name in CATEGORIES for seed in seeds(name, 16)]


@pytest.mark.parametrize(("name", "seed"), NUMBERED)
def test_trips_and_returns_agree_with_the_oracle(name, seed):
    assert logic(name, seed) == ""


@pytest.mark.parametrize(("name", "seed"), NUMBERED)
def test_the_product_opens_by_the_oracles_clearing_time(name, seed):
    assert product(name, seed) in ("", "margin")


def test_the_comparison_can_fail():
    trip = [(1000, False), (7000, True)]
    assert differences(trip, trip, 50) == ""
    assert differences(trip, [(1050, False), (7000, True)], 50) == ""
    assert differences(trip, [(1100, False), (7000, True)], 50)
    assert differences(trip, trip[:1], 50)
    assert differences([], trip, 50)
