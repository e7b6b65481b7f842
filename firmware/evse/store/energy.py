# SPDX-License-Identifier: MIT
"""Energy registers for life: import and export of each phase, in mWh; they never go back.

Fed from the front end's own counters (mWh since it started), twice a second, in two slots. A power cut loses what
flowed since the last write. The total is the sum over the phases.
"""

import struct

from evse.store import layout
from evse.store.slots import TwoSlots

_BODY = "<6Q"
_BODY_WH = "<6I"  # the form before registers counted in mWh
REGISTERS = 6  # import L1..L3, export L1..L3
MWH_MAX = (1 << 63) - 1


class EnergyStore:
    """memory: FRAM driver. damaged: 1 when both slots were unreadable; the registers then start from zero."""

    def __init__(self, memory):
        self._slots = TwoSlots(memory, layout.ENERGY)
        self._seen = [0] * REGISTERS
        self._changed = 0
        body = self._slots.load()
        self.damaged = self._slots.damaged
        self.registers_mwh = [0] * REGISTERS
        if body is not None:
            self._restore(body)

    def _restore(self, body) -> None:
        if len(body) == struct.calcsize(_BODY):
            self.registers_mwh = list(struct.unpack(_BODY, body))
        elif len(body) == struct.calcsize(_BODY_WH):
            self.registers_mwh = [register_wh * 1000 for register_wh in struct.unpack(_BODY_WH, body)]
        else:
            self.damaged = 1

    @property
    def import_mwh(self) -> int:
        """Energy from the grid, all phases."""
        return sum(self.registers_mwh[:3])

    @property
    def export_mwh(self) -> int:
        """Energy to the grid, all phases."""
        return sum(self.registers_mwh[3:])

    def take(self, import_mwh, export_mwh) -> None:
        """Add what the front end's counters (three each, mWh since its start) gained since the last call."""
        for phase in range(3):
            self._add(phase, import_mwh[phase])
            self._add(3 + phase, export_mwh[phase])

    def _add(self, register: int, counter_mwh: int) -> None:
        gained_mwh = counter_mwh - self._seen[register]
        self._seen[register] = counter_mwh
        if gained_mwh > 0:  # a counter that went back was started anew: nothing to add
            self.registers_mwh[register] = min(self.registers_mwh[register] + gained_mwh, MWH_MAX)
            self._changed = 1

    def save(self) -> int:
        """Write the registers if they changed; return 1 when something was written. On return it survives a cut."""
        if not self._changed:
            return 0
        self._slots.save(struct.pack(_BODY, *self.registers_mwh))
        self._changed = 0
        return 1
