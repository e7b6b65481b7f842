# SPDX-License-Identifier: MIT
"""Charging sessions, one record each, written when the vehicle leaves: times, energy both ways, why it ended."""

import struct

from evse.store import layout
from evse.store.ring import Ring

_BODY = "<IIIIIHHHBB4s"
BODY_BYTES = 32
FIELDS = (
    "start_utc_s", "end_utc_s", "duration_s", "import_wh", "export_wh", "start_soc_permille", "end_soc_permille",
    "boot", "reason", "trips",
)  # fmt: skip
SOC_UNKNOWN = 0xFFFF


class SessionStore:
    """memory: FRAM driver."""

    def __init__(self, memory):
        self._ring = Ring(memory, layout.SESSIONS, BODY_BYTES)

    @property
    def newest(self) -> int:
        """Sequence of the last session, 0 when there was none."""
        return self._ring.newest

    @property
    def oldest(self) -> int:
        """Sequence of the first session that may still be there."""
        return self._ring.oldest

    def append(self, values: dict) -> int:
        """Record a session from {field: value}; missing fields are 0. Return its sequence.

        utc_s: 0 while the clock was unknown; soc: SOC_UNKNOWN; reason: REASON_* or FAULT_*, by the caller's rule.
        """
        row = [values.get(name, 0) for name in FIELDS]
        struct.pack_into(_BODY, self._ring.body, 0, *row, b"")
        return self._ring.append()

    def read(self, sequence: int):
        """Return {field: value} of a session, or None."""
        if not self._ring.read(sequence):
            return None
        return dict(zip(FIELDS, struct.unpack(_BODY, self._ring.body)))  # noqa: B905 (MicroPython)
