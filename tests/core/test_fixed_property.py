# SPDX-License-Identifier: MIT
"""fixed.py against Python's big ints, over all of 31 bits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evse.fixed import INT_MAX, age, clamp, interpolate, line_period_to_uhz, mul_div, ratio, slew

small = st.integers(-INT_MAX, INT_MAX)
magnitude = st.integers(0, INT_MAX)
factor = st.integers(0, 32767)
divisor = st.integers(1, 32767)


def truncated(value: int, numerator: int, denominator: int) -> int:
    """Return the exact quotient, truncated towards zero and saturated."""
    quotient = min(abs(value) * numerator // denominator, INT_MAX)
    return quotient if value >= 0 else -quotient


@given(small, factor, divisor)
def test_mul_div(value: int, numerator: int, denominator: int) -> None:
    assert mul_div(value, numerator, denominator) == truncated(value, numerator, denominator)


@given(magnitude, magnitude, st.integers(1, 1 << 29))
def test_ratio(value: int, numerator: int, denominator: int) -> None:
    assert ratio(value, numerator, denominator) == min(value * numerator // denominator, INT_MAX)


@given(small, small, small)
def test_clamp(value: int, one: int, other: int) -> None:
    low, high = min(one, other), max(one, other)
    assert clamp(value, low, high) == sorted((low, value, high))[1]


@given(st.integers(-(1 << 29), 1 << 29), st.integers(-(1 << 29), 1 << 29), st.integers(0, 1 << 29))
def test_slew(value: int, target: int, step: int) -> None:
    moved = slew(value, target, step)
    assert abs(moved - value) <= step
    assert abs(target - moved) == max(0, abs(target - value) - step)


@given(st.integers(0, (1 << 30) - 1), st.integers(-(1 << 29), (1 << 29) - 1))
def test_age(then: int, elapsed: int) -> None:
    assert age((then + elapsed) % (1 << 30), then) == elapsed


@given(st.integers(4194303, 16777214))
def test_line_period(period: int) -> None:
    assert line_period_to_uhz(period) == 8000 * 65536 * 1_000_000 // (period + 1)


@given(st.lists(st.integers(-30000, 30000), min_size=1, max_size=8, unique=True), st.data())
def test_interpolate_stays_between_its_neighbours(knots: list[int], data: st.DataObject) -> None:
    xs = sorted(knots)
    ys = data.draw(st.lists(st.integers(-8000, 8000), min_size=len(xs), max_size=len(xs)))
    x = data.draw(st.integers(-40000, 40000))
    y = interpolate(x, xs, ys)
    assert min(ys) <= y <= max(ys)
    for i in range(1, len(xs)):
        if xs[i - 1] <= x <= xs[i]:
            exact = ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / (xs[i] - xs[i - 1])
            assert abs(y - exact) < 1
