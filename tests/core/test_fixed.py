# SPDX-License-Identifier: MIT
"""fixed.py at every bound, on CPython and on MicroPython."""

from evse.fixed import INT_MAX, age, clamp, interpolate, later, line_period_to_uhz, mul_div, permille, ratio, slew

EDGES = (0, 1, 2, 999, 1000, 1001, 32766, 32767, 32768, 65535, 65536, INT_MAX - 1, INT_MAX)
FACTORS = (1, 2, 3, 999, 1000, 16384, 32766, 32767)


def test_int_max_is_the_largest_31_bit_small_int():
    assert INT_MAX == 2**30 - 1


def test_clamp_holds_both_ends():
    for value, expected in ((-6, -5), (-5, -5), (-4, -4), (0, 0), (6, 6), (7, 7), (8, 7)):
        assert clamp(value, -5, 7) == expected
    assert clamp(INT_MAX, -INT_MAX, INT_MAX) == INT_MAX
    assert clamp(-INT_MAX, -INT_MAX, INT_MAX) == -INT_MAX
    assert clamp(3, 4, 4) == 4


def test_slew_moves_at_most_a_step_and_lands_on_target():
    assert slew(0, 100, 30) == 30
    assert slew(0, -100, 30) == -30
    assert slew(80, 100, 20) == 100
    assert slew(81, 100, 20) == 100
    assert slew(79, 100, 20) == 99
    assert slew(-80, -100, 20) == -100
    assert slew(-79, -100, 20) == -99
    assert slew(5, 100, 0) == 5
    assert slew(5, 5, 0) == 5


def test_slew_reaches_zero_through_zero():
    value = 7360
    steps = 0
    while value != -7360:
        value = slew(value, -7360, 736)
        steps += 1
    assert steps == 20


def test_mul_div_is_exact_and_truncates_towards_zero():
    for value in EDGES:
        for numerator in (0,) + FACTORS:
            for denominator in FACTORS:
                exact = value * numerator // denominator
                if exact > INT_MAX:
                    exact = INT_MAX
                assert mul_div(value, numerator, denominator) == exact
                assert mul_div(-value, numerator, denominator) == -exact


def test_mul_div_saturates_both_ways():
    assert mul_div(INT_MAX, 2, 1) == INT_MAX
    assert mul_div(-INT_MAX, 2, 1) == -INT_MAX
    assert mul_div(INT_MAX, 32767, 1) == INT_MAX
    assert mul_div(INT_MAX, 32767, 32767) == INT_MAX
    assert mul_div(INT_MAX, 32766, 32767) == INT_MAX * 32766 // 32767


def test_permille_of_power():
    assert permille(7360, 1000) == 7360
    assert permille(7360, 0) == 0
    assert permille(-7360, 500) == -3680
    assert permille(999, 1) == 0
    assert permille(1000, 1) == 1
    assert permille(-1999, 1) == -1


def test_ratio_is_exact_for_30_bits():
    denominators = (1, 2, 1000, 65536, 2**29 - 1, 2**29)
    for value in EDGES:
        for numerator in EDGES:
            for denominator in denominators:
                exact = value * numerator // denominator
                if exact > INT_MAX:
                    exact = INT_MAX
                assert ratio(value, numerator, denominator) == exact


def test_interpolate_at_knots_between_and_beyond():
    xs = (-10, 0, 10, 30)
    ys = (100, 0, 50, 50)
    for x, y in ((-999, 100), (-10, 100), (-9, 90), (-5, 50), (0, 0), (1, 5), (10, 50), (11, 50), (30, 50), (999, 50)):
        assert interpolate(x, xs, ys) == y


def test_interpolate_single_knot_is_flat():
    assert interpolate(-1, (0,), (7,)) == 7
    assert interpolate(1, (0,), (7,)) == 7


def test_line_period_at_the_data_sheets_figures():
    # ADE9000 data sheet: 50 Hz reads 0x00A00000, 60 Hz reads 0x00855554.
    assert abs(line_period_to_uhz(0x00A00000) - 50000000) <= 10
    assert abs(line_period_to_uhz(0x00855554) - 60000000) <= 10


def test_line_period_is_exact_against_big_ints():
    for period in (4194303, 4194304, 5000000, 8738131, 8738132, 10485758, 10485759, 10485760, 16777213, 16777214):
        assert line_period_to_uhz(period) == 8000 * 65536 * 1000000 // (period + 1)


def test_line_period_outside_its_range_is_no_frequency():
    for period in (0, 1, 4194302, 16777215, 16777216, INT_MAX - 1):
        assert line_period_to_uhz(period) == 0


def test_age_survives_the_wrap():
    period = 1 << 30
    for then in (0, 1, 5, period // 2 - 1, period // 2, period - 2, period - 1):
        for elapsed in (0, 1, 10, 29999, (1 << 29) - 1):
            assert age((then + elapsed) % period, then) == elapsed
        assert age((then - 1) % period, then) == -1
        assert age((then - (1 << 29)) % period, then) == -(1 << 29)


def test_later_wraps_as_age_expects():
    for then in (0, 1, 12345, (1 << 29) - 1, 1 << 29, INT_MAX - 150, INT_MAX - 1, INT_MAX):
        for delay in (0, 1, 20, 150, 300000, (1 << 29) - 1):
            ticks = later(then, delay)
            assert 0 <= ticks <= INT_MAX
            assert age(ticks, then) == delay
