# SPDX-License-Identifier: MIT
"""Energy registers for life: import and export, total and per phase, in Wh; they never go back.

Fed from the front end's own counters (Wh since it started). Written at most once a second, in two slots; a power cut
loses what flowed since the last write. The total is the sum over the phases.
"""

import struct

from evse.store import layout
from evse.store.slots import TwoSlots

_BODY = "<6I"
REGISTERS = 6  # import L1..L3, export L1..L3
WH_MAX = 0xFFFFFFFF


class EnergyStore:
    """memory: FRAM driver. damaged: 1 when both slots were unreadable; the registers then start from zero."""

    def __init__(self, memory):
        self._slots = TwoSlots(memory, layout.ENERGY)
        self.registers_wh = [0] * REGISTERS
        self._seen = [0] * REGISTERS
        self._changed = 0
        body = self._slots.load()
        self.damaged = self._slots.damaged
        if body is not None and len(body) == struct.calcsize(_BODY):
            self.registers_wh = list(struct.unpack(_BODY, body))
        elif body is not None:
            self.damaged = 1

    @property
    def import_wh(self) -> int:
        """Energy from the grid, all phases."""
        return sum(self.registers_wh[:3])

    @property
    def export_wh(self) -> int:
        """Energy to the grid, all phases."""
        return sum(self.registers_wh[3:])

    def take(self, import_wh, export_wh) -> None:
        """Add what the front end's counters (three each, Wh since its start) gained since the last call."""
        for phase in range(3):
            self._add(phase, import_wh[phase])
            self._add(3 + phase, export_wh[phase])

    def _add(self, register: int, counter_wh: int) -> None:
        gained_wh = counter_wh - self._seen[register]
        self._seen[register] = counter_wh
        if gained_wh > 0:  # a counter that went back was started anew: nothing to add
            self.registers_wh[register] = min(self.registers_wh[register] + gained_wh, WH_MAX)
            self._changed = 1

    def save(self) -> int:
        """Write the registers if they changed; return 1 when something was written. On return it survives a cut."""
        if not self._changed:
            return 0
        self._slots.save(struct.pack(_BODY, *self.registers_wh))
        self._changed = 0
        return 1
