# SPDX-License-Identifier: MIT
"""Duty <-> current, every permille and every 50 mA."""

from evse.decide.duty import OFF, current_for_duty, duty_for_current, is_digital


def test_points_of_the_standard():
    for duty, current_ma in (
        (100, 6000),
        (167, 10020),
        (267, 16020),
        (533, 31980),
        (850, 51000),
        (900, 65000),
        (960, 80000),
    ):
        assert current_for_duty(duty) == current_ma, duty
    for duty in (0, 29, 50, 70, 79, 971, 1000):
        assert current_for_duty(duty) == 0, duty
    assert current_for_duty(80) == 6000
    assert current_for_duty(99) == 6000
    assert current_for_duty(965) == 80000
    assert current_for_duty(970) == 80000


def test_never_offers_more_than_asked():
    for current_ma in range(0, 90001, 50):
        duty = duty_for_current(current_ma)
        offered_ma = current_for_duty(duty)
        assert offered_ma <= current_ma, current_ma
        if current_ma < 6000:
            assert duty == OFF
        elif current_ma <= 51000:
            assert current_ma - offered_ma < 60, current_ma
        elif current_ma < 52750:
            assert offered_ma == 51000
        elif current_ma <= 80000:
            assert current_ma - offered_ma < 250, current_ma


def test_every_duty_comes_back():
    for duty in list(range(100, 851)) + list(range(851, 961)):
        assert duty_for_current(current_for_duty(duty)) == duty, duty


def test_digital_window():
    assert [is_digital(d) for d in (29, 30, 50, 70, 71)] == [False, True, True, True, False]
