# SPDX-License-Identifier: MIT
"""Charging sessions, one record each, written when the vehicle leaves: times, energy both ways, why it ended.

The session that goes on is kept beside them and written on as energy flows; after a power cut it is closed as
PowerLoss, so that a cut in the night costs no record. `reason` is a code of faults.SESSION_ENDS.
"""

import struct

from evse.store import layout
from evse.store.ring import RingStore
from evse.store.slots import TwoSlots

_BODY = "<IIIIIHHHBB4s"
BODY_BYTES = 32
_RUNNING = "<I"
FIELDS = (
    "start_utc_s", "end_utc_s", "duration_s", "import_wh", "export_wh", "start_soc_permille", "end_soc_permille",
    "boot", "reason", "trips",
)  # fmt: skip
SOC_UNKNOWN = 0xFFFF


class SessionStore(RingStore):
    """memory: FRAM driver."""

    def __init__(self, memory):
        super().__init__(memory, layout.SESSIONS, BODY_BYTES)
        self._running = TwoSlots(memory, layout.RUNNING)
        self._left = self._running.load()

    def append(self, values: dict) -> int:
        """Record a session from {field: value}; missing fields are 0. Return its sequence.

        utc_s: 0 while the clock was unknown; soc: SOC_UNKNOWN; reason: END_*.
        """
        self._pack(values)
        return self._ring.append()

    def _pack(self, values: dict) -> None:
        row = [values.get(name, 0) for name in FIELDS]
        struct.pack_into(_BODY, self._ring.body, 0, *row, b"")

    def read(self, sequence: int):
        """Return {field: value} of a session, or None."""
        if not self._ring.read(sequence):
            return None
        return dict(zip(FIELDS, struct.unpack(_BODY, self._ring.body)))  # noqa: B905 (MicroPython)

    def keep(self, values: dict) -> None:
        """Write on the session that goes on; a cut after this leaves it to `left`."""
        self._pack(values)
        self._running.save(struct.pack(_RUNNING, self.newest + 1) + bytes(self._ring.body))

    def left(self):
        """Return {field: value} of a session that a cut or a reboot ended, or None; it is not recorded yet."""
        body = self._left
        if body is None or len(body) != 4 + BODY_BYTES:
            return None
        if struct.unpack(_RUNNING, body[:4])[0] <= self.newest:
            return None  # its record was written before the cut
        return dict(zip(FIELDS, struct.unpack(_BODY, body[4:])))  # noqa: B905 (MicroPython)
