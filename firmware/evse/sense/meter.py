# SPDX-License-Identifier: MIT
"""Site meter from its mailbox, with age. Rate: each cycle. Reads: mail.meter. Writes: inputs.meter_*.

A silent meter raises no fault: whoever uses its value must look at meter_ok.
"""

from evse.mailbox import Reader

STALE_MS = 5000


class MeterMail:
    """Copies whole messages only, and lets them grow old."""

    def __init__(self, image, settings, profile, board):
        self._inputs = image.inputs
        self._box = image.mail.meter
        self._reader = Reader(image.mail.meter)

    def run(self) -> None:
        """Take a new message, if any, and judge its age."""
        inputs = self._inputs
        reader = self._reader
        if reader.poll(inputs.now_ms, inputs.elapsed_ms):
            inputs.meter_w = self._box.power_w
        inputs.meter_age_ms = reader.age_ms
        inputs.meter_ok = 1 if reader.age_ms <= STALE_MS else 0
