# SPDX-License-Identifier: MIT
"""Site meter from its mailbox, with age. Rate: each cycle. Reads: mail.meter. Writes: inputs.meter_*.

A silent meter raises no fault: whoever uses its value must look at meter_ok.
"""

from evse.fixed import age
from evse.image import NEVER_MS

STALE_MS = 5000


class MeterMail:
    """Copies whole messages only, and lets them grow old."""

    def __init__(self, image, settings, profile, board):
        self._inputs = image.inputs
        self._box = image.mail.meter
        self._sequence = -1
        self._fresh = 0

    def run(self) -> None:
        """Take a new message, if any, and judge its age."""
        inputs = self._inputs
        box = self._box
        sequence = box.sequence
        if sequence != self._sequence and not sequence & 1 and box.received:
            self._sequence = sequence
            self._fresh = 1
            inputs.meter_w = box.power_w
        age_ms = NEVER_MS
        if self._fresh:
            age_ms = age(inputs.now_ms, box.stamp_ms)
            if not -1000 <= age_ms <= STALE_MS:
                self._fresh = 0  # an age must not wrap round to fresh
        inputs.meter_age_ms = age_ms
        inputs.meter_ok = self._fresh
