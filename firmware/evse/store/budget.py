# SPDX-License-Identifier: MIT
"""The battery's energy as limit counts it: exported today, charged and discharged in its lifetime, in Wh.

What was exported today is restored after a restart, so that a reboot does not give the day's budget anew.
"""

import struct

from evse.store import layout
from evse.store.slots import TwoSlots

_BODY = "<IIIi"  # charged, discharged, of the day, local day number (-1: clock was unknown)
WH_MAX = (1 << 30) - 1  # what the cycle may count to


class BudgetStore:
    """memory: FRAM driver."""

    def __init__(self, memory):
        self._slots = TwoSlots(memory, layout.BUDGET)
        body = self._slots.load()
        whole = body is not None and len(body) == struct.calcsize(_BODY)
        self.row = struct.unpack(_BODY, body) if whole else (0, 0, 0, -1)

    def restore(self, budget) -> None:
        """Put what was stored into image.budget; before the first cycle."""
        budget.charged_wh = min(self.row[0], WH_MAX)
        budget.discharged_wh = min(self.row[1], WH_MAX)
        budget.day_discharge_wh = min(self.row[2], WH_MAX)

    def save(self, budget, day: int) -> int:
        """Write image.budget if it changed; return 1 when something was written. day: local day number or -1."""
        row = (budget.charged_wh, budget.discharged_wh, budget.day_discharge_wh, day)
        if row == self.row:
            return 0
        self._slots.save(struct.pack(_BODY, *row))
        self.row = row
        return 1
