# SPDX-License-Identifier: MIT
"""Energy: the daily discharge budget, lifetime throughput, and the vehicle's V2X energy requests.

The budget's day ends when the local date is another than at its beginning AND 23 h of run time have passed (the
shortest day there is: summer time begins); with an unknown clock after 24 h of run time. A day in which nothing was
exported may end at any date. So whoever sets the clock, and however often, gets no second budget. Run time outlives a
restart; time without supply does not count, for nobody has watched it.
"""

from evse.faults import REASON_DAILY_BUDGET, REASON_V2X_ABOVE, REASON_V2X_REQUEST
from evse.fixed import DAY_MINUTES, INT_MAX, SHORTEST_DAY_MINUTES, age
from evse.limit.limiter import UNLIMITED_W, Limiter

WH_W_MS = 3600000  # one Wh in W ms
LONGEST_MS = 100  # a late cycle counts at most this: the products stay small
MINUTE_MS = 60000


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
        self._last_ms = 0
        self._running_ms = 0  # of the minute that goes on

    def run(self) -> None:
        inputs = self._inputs
        elapsed_ms = age(inputs.now_ms, self._last_ms)
        self._last_ms = inputs.now_ms
        elapsed_ms = min(elapsed_ms, LONGEST_MS) if elapsed_ms >= 0 else LONGEST_MS
        self._running_ms += elapsed_ms
        if self._running_ms >= MINUTE_MS:
            self._running_ms -= MINUTE_MS
            self._next_minute()
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

    def _next_minute(self) -> None:
        """Count the run time, and begin the next day where this one has truly passed."""
        budget = self._budget
        if budget.day_run_minutes < DAY_MINUTES:
            budget.day_run_minutes += 1
        minute = self._request.minute_of_week
        weekday = -1 if minute < 0 else minute // DAY_MINUTES
        if budget.weekday < 0:
            budget.weekday = weekday  # the clock became known: from here on the date counts
        if self._day_is_over(budget, weekday):
            budget.day_discharge_wh = 0
            budget.day_run_minutes = 0
            budget.weekday = weekday

    def _day_is_over(self, budget, weekday: int) -> int:
        """Whether the budget may be renewed; a day in which nothing was exported gives way to any other date."""
        if weekday < 0:
            return budget.day_run_minutes >= DAY_MINUTES
        if weekday == budget.weekday:
            return 0
        return budget.day_run_minutes >= SHORTEST_DAY_MINUTES or budget.day_discharge_wh == 0


class V2xRequest(Limiter):
    """ISO 15118-20: a positive minimum request forbids discharge, a negative maximum forbids charging."""

    def __init__(self, image):
        super().__init__(REASON_V2X_REQUEST)
        self.import_reason = REASON_V2X_ABOVE
        self._inputs = image.inputs

    def run(self) -> None:
        self.export_w = 0 if self._inputs.v2x_min_request_wh > 0 else UNLIMITED_W
        self.import_w = 0 if self._inputs.v2x_max_request_wh < 0 else UNLIMITED_W
