# SPDX-License-Identifier: MIT
"""Ramps: exact against rational numbers, over 24 h, from 1 %/min to a step, each direction its own."""

from evse.limit.ramp import Ramp, Rate


def exact_floor(rating_w, permille_min, ms):
    """W after ms, from Python's own big integers."""
    return rating_w * permille_min * ms // 60000000


def test_24_hours_without_drift():
    for rating_w, permille_min in ((7360, 10), (22080, 10), (3680, 167), (11040, 1), (1, 10)):
        rate = Rate()
        rate.configure(rating_w, permille_min)
        total = 0
        cycles = 8640000
        step = 97  # odd steps of 10..100 ms, as late cycles would make them
        spent_ms = 0
        for n in range(cycles // step):
            elapsed_ms = 10 if n % 7 else 100
            total += rate.advance(elapsed_ms)
            spent_ms += elapsed_ms
        assert total == exact_floor(rating_w, permille_min, spent_ms), (rating_w, permille_min)


def test_every_rate_is_exact():
    for rating_w in (1, 999, 7360, 11040, 22080, 32767):
        for permille_min in (1, 10, 99, 999, 1000, 1001, 6000, 30000, 599999, 600000):
            rate = Rate()
            rate.configure(rating_w, permille_min)
            assert not rate.step
            total = 0
            for n in range(300):
                total += rate.advance(10)
                assert total == exact_floor(rating_w, permille_min, 10 * (n + 1))


def ramp(up=6000, export=3000, down=30000, rating_w=7360):
    made = Ramp()
    made.up_import.configure(rating_w, up)
    made.up_export.configure(rating_w, export)
    made.down.configure(rating_w, down)
    return made


def ms_to(made, target_w):
    spent_ms = 0
    while made.power_w != target_w:
        made.move(target_w, 10)
        spent_ms += 10
        assert spent_ms < 10000000
    return spent_ms


def test_each_direction_has_its_own_rate():
    made = ramp()
    assert ms_to(made, 7360) == 10000
    assert ms_to(made, 0) == 2000
    assert ms_to(made, -7360) == 20000
    assert ms_to(made, 0) == 2000


def test_one_percent_a_minute():
    made = ramp(up=10)
    assert ms_to(made, 7360) == 6000000
    for minute in range(100):
        assert exact_floor(7360, 10, minute * 60000) == 7360 * minute // 100


def test_through_zero_falls_first_and_then_rises():
    made = ramp()
    ms_to(made, 7360)
    assert ms_to(made, -7360) == 2000 + 20000


def test_steps():
    made = ramp(up=0, export=0, down=0)
    made.move(7360, 10)
    assert made.power_w == 7360
    made.move(-7360, 10)
    assert made.power_w == -7360
    made.move(0, 10)
    assert made.power_w == 0


def test_step_down_only():
    made = ramp(down=0)
    ms_to(made, 7360)
    made.move(-7360, 10)
    assert -10 < made.power_w <= 0


def test_never_beyond_the_target():
    made = ramp(up=600000)
    for target_w in (1, 5, 700, 699, -1, -7000, 3, 0):
        for _ in range(2000):
            before_w = made.power_w
            made.move(target_w, 10)
            assert min(before_w, target_w) <= made.power_w <= max(before_w, target_w)
        assert made.power_w == target_w


def test_a_late_cycle_ramps_as_far_as_100_ms():
    made = ramp()
    made.move(7360, 5000)
    assert made.power_w == exact_floor(7360, 6000, 100)


def test_no_carry_over_a_change_of_direction():
    made = ramp(up=10, down=10)
    for _ in range(1000):
        made.move(7360, 10)
        made.move(0, 10)
    assert made.power_w == 0, "half watts must not add up by going to and fro"
