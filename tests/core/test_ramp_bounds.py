# SPDX-License-Identifier: MIT
"""Rate and ramp alone: exact over an hour, each way by its own rate, what is carried."""

from evse.limit.ramp import Ramp, Rate


def rate_of(rating_w, permille_min):
    rate = Rate()
    rate.configure(rating_w, permille_min)
    return rate


def test_rate_is_exact_over_an_hour_for_odd_numbers():
    for rating_w, permille_min in ((7360, 10), (22080, 12345), (7361, 999), (1, 600000), (32767, 1)):
        rate = rate_of(rating_w, permille_min)
        total = sum(rate.advance(10) for _ in range(60000))
        assert total == rating_w * permille_min * 10 // 1000, (rating_w, permille_min)
    rate.configure(32767, 0)
    assert rate.step == 1


def test_a_configured_rate_forgets_its_carry():
    rate = rate_of(7360, 10)
    for _ in range(70):
        rate.advance(10)
    rate.configure(7360, 10)
    assert [rate.advance(10) for _ in range(82)] == [0] * 81 + [1]
    for _ in range(71):
        rate.advance(7)
    assert rate._rest_high and rate._rest_low
    rate.rest()
    assert (rate._rest_high, rate._rest_low) == (0, 0)


def ramp_of(up=6000, export=6000, down=6000):
    ramp = Ramp()
    ramp.up_import.configure(10000, up)
    ramp.up_export.configure(10000, export)
    ramp.down.configure(10000, down)
    return ramp


def test_ramp_each_way_by_its_own_rate():
    ramp = ramp_of(up=6000, export=12000, down=24000)
    ramp.move(5000, 10)
    assert ramp.power_w == 10
    ramp.power_w = 0
    ramp.move(-5000, 10)
    assert ramp.power_w == -20
    for start, target, after in (
        (100, 0, 60),
        (100, 90, 90),
        (-100, 0, -60),
        (-100, -90, -90),
        (30, 0, 0),
        (-30, 0, 0),
        (30, -500, 0),
        (-30, 500, 0),
        (1, -500, 0),
        (-1, 500, 0),
        (0, 7, 7),
        (0, -7, -7),
        (0, 1, 1),
        (0, -1, -1),
        (100, 105, 105),
        (-100, -105, -105),
        (1, 2, 2),
        (-1, -2, -2),
        (2, 1, 1),
        (-2, -1, -1),
    ):
        ramp.power_w = start
        ramp.move(target, 10)
        assert ramp.power_w == after, (start, target, ramp.power_w)


def test_ramp_goes_no_further_in_a_late_cycle_and_steps_where_it_has_no_rate():
    ramp = ramp_of()
    ramp.move(9000, 5000)
    assert ramp.power_w == 100
    ramp.move(9000, 100)
    assert ramp.power_w == 200
    ramp = ramp_of(up=0, export=0, down=0)
    ramp.move(9000, 10)
    assert ramp.power_w == 9000
    ramp.move(-8000, 10)
    assert ramp.power_w == -8000
    ramp.move(-1, 10)
    assert ramp.power_w == -1
    ramp = ramp_of(up=6000, export=6000, down=0)
    ramp.power_w = 500
    ramp.move(-9000, 10)
    assert ramp.power_w == -10, "a free fall, then the export's own rate"


def test_a_change_of_direction_or_a_halt_starts_without_carry():
    ramp = ramp_of(up=7, export=7, down=7)
    for _ in range(80):
        ramp.move(100, 10)
    assert ramp.power_w == 0
    ramp.move(0, 10)
    for _ in range(85):
        ramp.move(100, 10)
        assert ramp.power_w == 0
    ramp.move(100, 10)
    assert ramp.power_w == 1
