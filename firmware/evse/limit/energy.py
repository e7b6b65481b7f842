# SPDX-License-Identifier: MIT
"""Energy: the daily discharge budget, lifetime throughput, and the vehicle's V2X energy requests."""

from evse.faults import REASON_DAILY_BUDGET, REASON_V2X_ABOVE, REASON_V2X_REQUEST
from evse.fixed import INT_MAX, age, ratio
from evse.limit.limiter import UNLIMITED_W, Limiter

WH_W_MS = 3600000  # one Wh in W ms
LONGEST_MS = 100  # a late cycle counts at most this: the products stay small
DAY_MS = 86400000
DAY_MINUTES = 1440


class DailyBudget(Limiter):
    """Counts battery energy both ways and stops export once the day's budget is used. Every 50 ms."""

    def __init__(self, image, settings):
        super().__init__(REASON_DAILY_BUDGET)
        self._inputs = image.inputs
        self._request = image.request
        self._outputs = image.outputs
        self._budget = image.budget
        self._settings = settings
        self._rest = 0  # W ms not yet counted as a whole Wh
        self._day = -1
        self._last_ms = 0
        self._running_ms = 0  # since the last reset, while the clock is unknown

    def run(self) -> None:
        inputs = self._inputs
        elapsed_ms = age(inputs.now_ms, self._last_ms)
        self._last_ms = inputs.now_ms
        elapsed_ms = min(elapsed_ms, LONGEST_MS) if elapsed_ms >= 0 else LONGEST_MS
        self._running_ms += elapsed_ms
        if self._running_ms >= 1000:
            self._next_day()
        if self._outputs.closed:
            self._rest += (inputs.grid_w if inputs.afe_ok else inputs.inverter_w) * elapsed_ms
            if self._rest >= WH_W_MS or self._rest <= -WH_W_MS:
                self._count()
        budget_wh = self._settings.discharge_budget_wh
        self.export_w = 0 if budget_wh and self._budget.day_discharge_wh >= budget_wh else UNLIMITED_W

    def _count(self) -> None:
        """Turn whole Wh into counts; what is left of a Wh stays in the rest."""
        budget = self._budget
        if self._rest > 0:
            charged_wh = self._rest // WH_W_MS
            self._rest -= charged_wh * WH_W_MS
            budget.charged_wh = min(INT_MAX, budget.charged_wh + charged_wh)
            return
        discharged_wh = -self._rest // WH_W_MS
        self._rest += discharged_wh * WH_W_MS
        budget.day_discharge_wh = min(INT_MAX, budget.day_discharge_wh + discharged_wh)
        budget.discharged_wh = min(INT_MAX, budget.discharged_wh + discharged_wh)
        budget.cycles_milli = ratio(budget.discharged_wh, 1000, self._settings.battery_capacity_wh)

    def _next_day(self) -> None:
        """Reset at local midnight; with an unknown clock after 24 h of running."""
        minute = self._request.minute_of_week
        if minute < 0:
            if self._running_ms >= DAY_MS:
                self._running_ms = 0
                self._budget.day_discharge_wh = 0
            return
        self._running_ms = 0
        day = minute // DAY_MINUTES
        if day != self._day:
            if self._day >= 0:
                self._budget.day_discharge_wh = 0
            self._day = day


class V2xRequest(Limiter):
    """ISO 15118-20: a positive minimum request forbids discharge, a negative maximum forbids charging."""

    def __init__(self, image):
        super().__init__(REASON_V2X_REQUEST)
        self.import_reason = REASON_V2X_ABOVE
        self._inputs = image.inputs

    def run(self) -> None:
        self.export_w = 0 if self._inputs.v2x_min_request_wh > 0 else UNLIMITED_W
        self.import_w = 0 if self._inputs.v2x_max_request_wh < 0 else UNLIMITED_W
