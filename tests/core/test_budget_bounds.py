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
    assert image.budget.cycles_milli == 2 * 1000 // 60000


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


def test_the_day_ends_at_local_midnight_and_not_at_the_first_sight_of_the_clock():
    image, part = budget_of()
    image.budget.day_discharge_wh = 7
    image.request.minute_of_week = 1439
    for _ in range(10):
        pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 7
    image.request.minute_of_week = 1440
    for _ in range(9):
        pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 7, "looked at once a second"
    pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 0
    image.budget.day_discharge_wh = 5
    for _ in range(20):
        pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 5


def test_with_an_unknown_clock_a_day_is_24_hours_since_it_was_lost():
    image, part = budget_of()
    image.budget.day_discharge_wh = 7
    part._running_ms = 86400000 - 200
    pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 7
    pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 0
    image.budget.day_discharge_wh = 7
    pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 7, "and the next day has begun"
    image.request.minute_of_week = 100
    part._running_ms = 86400000 - 200
    pass_ms(image, part, 100)
    image.request.minute_of_week = -1
    for _ in range(20):
        pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 7, "what ran before does not count"


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
