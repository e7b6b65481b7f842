# SPDX-License-Identifier: MIT
"""The battery's energy as limit counts it, in Wh: of the budget's day, charged and discharged in its lifetime.

The day that goes on is restored too, with its run time and weekday, so that a restart does not renew the budget.
"""

import struct

from evse.fixed import DAY_MINUTES
from evse.store import layout
from evse.store.slots import TwoSlots

_BODY = "<IIIhH"  # charged, discharged, of the day, weekday (-1: clock was unknown), run time of the day in minutes
WH_MAX = (1 << 30) - 1  # what the cycle may count to
_NOTHING = (0, 0, 0, -1, 0)


class BudgetStore:
    """memory: FRAM driver."""

    def __init__(self, memory):
        self._slots = TwoSlots(memory, layout.BUDGET)
        body = self._slots.load()
        whole = body is not None and len(body) == struct.calcsize(_BODY)
        self.row = struct.unpack(_BODY, body) if whole else _NOTHING

    def restore(self, budget) -> None:
        """Put what was stored into image.budget; before the first cycle."""
        charged_wh, discharged_wh, day_discharge_wh, weekday, day_run_minutes = self.row
        budget.charged_wh = min(charged_wh, WH_MAX)
        budget.discharged_wh = min(discharged_wh, WH_MAX)
        budget.day_discharge_wh = min(day_discharge_wh, WH_MAX)
        budget.weekday = weekday if 0 <= weekday < 7 else -1
        budget.day_run_minutes = day_run_minutes if day_run_minutes <= DAY_MINUTES else 0

    def save(self, budget) -> int:
        """Write image.budget if it changed; return 1 when something was written."""
        row = (
            budget.charged_wh,
            budget.discharged_wh,
            budget.day_discharge_wh,
            budget.weekday,
            budget.day_run_minutes,
        )
        if row == self.row:
            return 0
        self._slots.save(struct.pack(_BODY, *row))
        self.row = row
        return 1
