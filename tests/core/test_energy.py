# SPDX-License-Identifier: MIT
"""Energy counted to the Wh and the daily budget over days, with and without a clock."""

from vehicle_rig import Settings

from evse.image import Image
from evse.limit.energy import DailyBudget
from evse.limit.limiter import UNLIMITED_W


def test_energy_is_counted_to_the_wh():
    image = Image()
    settings = Settings()
    made = DailyBudget(image, settings)
    image.outputs.closed = 1
    image.inputs.afe_ok = 1
    image.inputs.grid_w = -3600
    made.run()
    for n in range(20000):  # 1000 s at 3600 W: 1000 Wh
        image.inputs.now_ms = (n + 1) * 50 & 0x3FFFFFFF
        made.run()
    budget = image.budget
    assert budget.discharged_wh == budget.day_discharge_wh == 1000 and budget.charged_wh == 0
    image.inputs.afe_ok = 0
    image.inputs.inverter_w = 3600
    for n in range(20000, 40000):
        image.inputs.now_ms = (n + 1) * 50 & 0x3FFFFFFF
        made.run()
    assert budget.charged_wh == 1000 and budget.discharged_wh == 1000
    image.outputs.closed = 0
    for n in range(40000, 50000):
        image.inputs.now_ms = (n + 1) * 50 & 0x3FFFFFFF
        made.run()
    assert budget.charged_wh == 1000, "nothing flows through an open contactor"


def test_a_late_cycle_counts_at_most_100_ms():
    image = Image()
    made = DailyBudget(image, Settings())
    image.outputs.closed = 1
    image.inputs.afe_ok = 1
    image.inputs.grid_w = 36000
    for n in range(1, 1001):
        image.inputs.now_ms = n * 5000
        made.run()
    assert image.budget.charged_wh == 1000


def after_minutes(image, made, minutes, minute_of_week):
    """Let run time pass, the clock showing a minute of the week; return the export that the budget leaves.

    Only the last 100 ms of each minute are run: nothing flows.
    """
    image.request.minute_of_week = minute_of_week
    for _ in range(minutes):
        made._running_ms = 59900
        image.inputs.now_ms += 100
        made.run()
    return made.export_w


def used_up(wh=5000):
    """Return an image whose budget is used up since Monday 00:00, and the limiter."""
    image = Image()
    settings = Settings()
    settings.put(discharge_budget_wh=wh)
    image.budget.day_discharge_wh = wh
    image.budget.weekday = 0
    return image, DailyBudget(image, settings)


def test_a_budget_of_0_is_no_limit():
    image, made = used_up()
    made._settings.put(discharge_budget_wh=0)
    made.run()
    assert made.export_w == UNLIMITED_W and made.import_w == UNLIMITED_W


def test_a_week_of_evenings_has_a_budget_each():
    image, made = used_up()
    for day in range(14):
        today = day % 7 * 1440
        assert image.budget.weekday == day % 7
        for minute in range(1, 1440):
            assert after_minutes(image, made, 1, today + minute) == 0, (day, minute)
        assert after_minutes(image, made, 1, (today + 1440) % 10080) == UNLIMITED_W
        image.budget.day_discharge_wh = 5000


def test_summer_time_moves_midnight_and_the_budget_with_it():
    for real_day_minutes in (1380, 1440, 1500):
        image, made = used_up()
        assert after_minutes(image, made, real_day_minutes, 1439) == 0
        assert after_minutes(image, made, 1, 1440) == UNLIMITED_W
        assert image.budget.day_run_minutes == 0 and image.budget.weekday == 1


def test_whoever_sets_the_clock_gets_no_second_budget():
    image, made = used_up()
    for jump in range(60):  # a day forward each minute
        assert after_minutes(image, made, 1, jump * 1440 % 10080) == 0
    assert after_minutes(image, made, 1318, 1500) == 0
    assert image.budget.day_run_minutes == 1378
    assert after_minutes(image, made, 2, 1500) == UNLIMITED_W, "another date, and 23 h have passed"
    image.budget.day_discharge_wh = 5000
    for minute_of_week in (0, 1440, -1, 2880, 1440):
        assert after_minutes(image, made, 1, minute_of_week) == 0


def test_a_clock_set_back_over_midnight_renews_once():
    image, made = used_up()
    image.budget.day_run_minutes = 1440
    assert after_minutes(image, made, 1, 1440) == UNLIMITED_W
    image.budget.day_discharge_wh = 5000
    for minute_of_week in (1439, 1440, 1439, 1440):
        assert after_minutes(image, made, 1, minute_of_week) == 0


def test_a_day_without_export_ends_at_any_date():
    image, made = used_up()
    image.budget.day_discharge_wh = 0
    after_minutes(image, made, 5, 10)
    assert image.budget.day_run_minutes == 5 and image.budget.weekday == 0, "not within its own day"
    after_minutes(image, made, 1, 1440)
    assert image.budget.day_run_minutes == 0 and image.budget.weekday == 1


def test_budget_without_a_clock_lasts_24_h_of_running():
    image, made = used_up()
    image.budget.weekday = -1
    assert after_minutes(image, made, 1439, -1) == 0
    assert after_minutes(image, made, 1, -1) == UNLIMITED_W and image.budget.day_discharge_wh == 0
    image.budget.day_discharge_wh = 5000
    assert after_minutes(image, made, 1439, -1) == 0
    assert after_minutes(image, made, 1, -1) == UNLIMITED_W


def test_a_clock_that_becomes_known_does_not_end_the_day():
    image, made = used_up()
    image.budget.weekday = -1
    image.budget.day_run_minutes = 1400
    assert after_minutes(image, made, 1, 700) == 0
    assert image.budget.weekday == 0 and image.budget.day_discharge_wh == 5000
    assert after_minutes(image, made, 1, 1440) == UNLIMITED_W
