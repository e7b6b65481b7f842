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
    assert budget.cycles_milli == 16
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


def budget_at(image, made, minute, wh):
    image.request.minute_of_week = minute
    image.budget.day_discharge_wh = wh
    for _ in range(30):
        image.inputs.now_ms += 50
        made.run()
    return made.export_w


def test_budget_at_its_bound_and_at_midnight():
    image = Image()
    settings = Settings()
    made = DailyBudget(image, settings)
    assert budget_at(image, made, 1000, 99999) == UNLIMITED_W, "0 is no limit"
    settings.put(discharge_budget_wh=5000)
    assert budget_at(image, made, 1000, 4999) == UNLIMITED_W
    assert budget_at(image, made, 1439, 5000) == 0
    assert budget_at(image, made, 1440, 5000) == UNLIMITED_W and image.budget.day_discharge_wh == 0
    assert budget_at(image, made, 10079, 5000) == UNLIMITED_W
    assert budget_at(image, made, 10079, 5000) == 0
    assert budget_at(image, made, 0, 5000) == UNLIMITED_W
    assert made.import_w == UNLIMITED_W


def test_budget_without_a_clock_lasts_24_h_of_running():
    image = Image()
    settings = Settings()
    settings.put(discharge_budget_wh=100)
    made = DailyBudget(image, settings)
    image.budget.day_discharge_wh = 100
    for n in range(863999):
        image.inputs.now_ms = (n + 1) * 100 & 0x3FFFFFFF
        if n % 100000 == 0 or n > 863990:
            made.run()
            assert made.export_w == 0
        else:
            made._running_ms += 100
            made._last_ms = image.inputs.now_ms
    image.inputs.now_ms += 100
    made.run()
    image.inputs.now_ms += 100
    made.run()
    assert made.export_w == UNLIMITED_W and image.budget.day_discharge_wh == 0


def test_first_known_clock_does_not_reset_the_day():
    image = Image()
    settings = Settings()
    made = DailyBudget(image, settings)
    budget_at(image, made, 700, 300)
    assert image.budget.day_discharge_wh == 300
