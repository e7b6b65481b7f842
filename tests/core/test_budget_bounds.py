# SPDX-License-Identifier: MIT
"""The daily budget alone: to the Wh, to the minute, with what really flows."""

from limit_rig import settings_of

from evse.image import Image
from evse.limit.energy import DailyBudget
from evse.limit.limiter import UNLIMITED_W


def budget_of(**values):
    image = Image()
    image.inputs.afe_ok = 1
    image.outputs.closed = 1
    part = DailyBudget(image, settings_of(**values))
    part.run()
    return image, part


def pass_ms(image, part, ms):
    image.inputs.now_ms += ms
    part.run()


def test_budget_counts_to_the_wh_and_stops_at_it():
    image, part = budget_of(discharge_budget_wh=2)
    image.inputs.grid_w = -36000
    for _ in range(9):
        pass_ms(image, part, 10)
    assert image.budget.day_discharge_wh == 0 and part.export_w == UNLIMITED_W
    pass_ms(image, part, 10)
    assert image.budget.day_discharge_wh == 1 and image.budget.discharged_wh == 1 and part.export_w == UNLIMITED_W
    for _ in range(10):
        pass_ms(image, part, 10)
    assert image.budget.day_discharge_wh == 2 and part.export_w == 0
    image.inputs.grid_w = 36000
    for _ in range(25):
        pass_ms(image, part, 10)
    assert image.budget.charged_wh == 2 and image.budget.day_discharge_wh == 2


def test_budget_counts_only_what_flows_and_a_late_cycle_as_100_ms():
    image, part = budget_of()
    image.inputs.grid_w = -36000
    pass_ms(image, part, 5000)
    assert image.budget.discharged_wh == 1
    image.outputs.closed = 0
    pass_ms(image, part, 100)
    assert image.budget.discharged_wh == 1
    image.outputs.closed = 1
    image.inputs.afe_ok = 0
    image.inputs.inverter_w = -72000
    pass_ms(image, part, 100)
    assert image.budget.discharged_wh == 3
    image.inputs.now_ms -= 50
    part.run()
    assert image.budget.discharged_wh == 5, "time that runs backwards counts as the longest"


def minute_passes(image, part, minute_of_week, run_minutes, wh=7):
    """Let the budget's day of `run_minutes` end its next minute; return what it then holds."""
    image.request.minute_of_week = minute_of_week
    image.budget.day_run_minutes = run_minutes
    image.budget.day_discharge_wh = wh
    for _ in range(599):
        pass_ms(image, part, 100)
    assert image.budget.day_run_minutes == run_minutes, "looked at once a minute"
    pass_ms(image, part, 100)
    return image.budget.day_discharge_wh, image.budget.day_run_minutes, image.budget.weekday


def test_another_date_needs_23_hours_of_run_time():
    image, part = budget_of()
    image.budget.weekday = 0
    assert minute_passes(image, part, 1440, 1378) == (7, 1379, 0)
    assert minute_passes(image, part, 1439, 1379) == (7, 1380, 0), "the same date"
    assert minute_passes(image, part, 1440, 1379) == (0, 0, 1)
    assert minute_passes(image, part, 10079, 1440) == (0, 0, 6)
    assert minute_passes(image, part, 0, 1380) == (0, 0, 0)


def test_a_day_with_a_single_wh_is_a_day():
    image, part = budget_of()
    image.budget.weekday = 3
    assert minute_passes(image, part, 0, 10, wh=1) == (1, 11, 3)
    assert minute_passes(image, part, 3 * 1440, 10, wh=0) == (0, 11, 3), "the same date"
    assert minute_passes(image, part, 0, 10, wh=0) == (0, 0, 0)


def test_without_a_clock_a_day_has_24_hours():
    image, part = budget_of()
    image.budget.weekday = 2
    assert minute_passes(image, part, -1, 1438) == (7, 1439, 2)
    assert minute_passes(image, part, -1, 1438, wh=0) == (0, 1439, 2)
    assert minute_passes(image, part, -1, 1439) == (0, 0, -1)
    assert minute_passes(image, part, 0, 1379) == (7, 1380, 0), "the clock became known"


def test_run_time_is_counted_to_24_hours_and_keeps_the_rest_of_a_minute():
    image, part = budget_of()
    image.budget.weekday = 0
    assert minute_passes(image, part, 0, 1440) == (7, 1440, 0)
    for _ in range(1199):  # in steps of 70 ms: 60.06 s are a minute and 60 ms
        pass_ms(image, part, 70)
    image.budget.day_run_minutes = 5
    for _ in range(516):
        pass_ms(image, part, 70)
    assert image.budget.day_run_minutes == 6, "1715 times 70 ms: two minutes and 50 ms"


def test_what_is_left_of_a_charged_wh_is_no_discharge():
    image, part = budget_of()
    image.inputs.grid_w = 50000
    for _ in range(8):
        pass_ms(image, part, 10)
    assert (image.budget.charged_wh, image.budget.discharged_wh, image.budget.day_discharge_wh) == (1, 0, 0)
    image.inputs.grid_w = -50000
    for _ in range(9):
        pass_ms(image, part, 10)
    assert (image.budget.charged_wh, image.budget.discharged_wh) == (1, 1)
