# SPDX-License-Identifier: MIT
"""The one-off departure, so that an outage on the way keeps the promise: charge, minute of the week, Unix time."""

import struct

from evse.fixed import WEEK_MINUTES
from evse.store import layout
from evse.store.slots import TwoSlots

_BODY = "<HHI"
SOC_MAX_PERMILLE = 1000


class DepartureStore:
    """memory: FRAM driver. `row`: (soc_permille, minute_of_week, unix_s); soc_permille 0 = none."""

    def __init__(self, memory):
        self._slots = TwoSlots(memory, layout.DEPARTURE)
        body = self._slots.load()
        row = struct.unpack(_BODY, body) if body is not None and len(body) == struct.calcsize(_BODY) else (0, 0, 0)
        self.row = row if row[0] <= SOC_MAX_PERMILLE and row[1] < WEEK_MINUTES else (0, 0, 0)

    def save(self, soc_permille: int, minute_of_week: int, unix_s: int) -> None:
        """Write it; on return it survives a power cut. Writes nothing when nothing changed."""
        row = (soc_permille, minute_of_week, unix_s)
        if row != self.row:
            self._slots.save(struct.pack(_BODY, *row))
            self.row = row
