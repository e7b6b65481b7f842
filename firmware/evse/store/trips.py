# SPDX-License-Identifier: MIT
"""The last trips of the grid protection, each with the grid as it was: element, phase, value and what was measured."""

import struct

from evse.store import layout
from evse.store.ring import RingStore

# utc_s, ticks_ms, boot, element, phase, profile hash, value, threshold, 3 x mV, 3 x mA, uHz, mHz/s, W, var, open_ms
_BODY = "<IiHBBIii3i3iiiiii"
BODY_BYTES = 68
FIELDS = (
    "utc_s", "ticks_ms", "boot", "element", "phase", "profile", "value", "threshold", "voltage_l1_mv",
    "voltage_l2_mv", "voltage_l3_mv", "current_l1_ma", "current_l2_ma", "current_l3_ma", "frequency_uhz",
    "rocof_mhz_s", "grid_w", "grid_var", "open_ms",
)  # fmt: skip


class TripStore(RingStore):
    """memory: FRAM driver."""

    def __init__(self, memory):
        super().__init__(memory, layout.TRIPS, BODY_BYTES)

    def append(self, image, utc_s: int = 0, boot: int = 0, profile: int = 0, open_ms: int = 0) -> int:
        """Record the trip that image.protection holds; return its sequence.

        open_ms: from the trip to the contactor proven open; 0 = not known.
        """
        inputs = image.inputs
        trip = image.protection
        mv = inputs.phase_mv
        ma = inputs.phase_ma
        struct.pack_into(
            _BODY, self._ring.body, 0, utc_s, trip.trip_ms, boot, trip.trip_element, trip.trip_phase, profile,
            trip.trip_value, trip.trip_threshold, mv[0], mv[1], mv[2], ma[0], ma[1], ma[2], inputs.frequency_uhz,
            inputs.rocof_mhz_s, inputs.grid_w, inputs.grid_var, open_ms,
        )  # fmt: skip
        return self._ring.append()

    def read(self, sequence: int):
        """Return {field: value} of a trip, or None."""
        if not self._ring.read(sequence):
            return None
        return dict(zip(FIELDS, struct.unpack(_BODY, self._ring.body)))  # noqa: B905 (MicroPython)
