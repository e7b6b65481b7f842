# SPDX-License-Identifier: MIT
"""Inverter command image: what the inverter task sends at 10 Hz, and when it must send at once.

Every cycle. The lease may be renewed only while the contactor is closed and everything agrees.
`urgent` counts up on a stop, on any step too large to wait 100 ms and on the first change after a
steady time: frequency response and setpoints reach the inverter within one cycle and one write.
"""

from evse.faults import FAULT_INVERTER_READBACK

URGENT_PERMILLE = 20  # of the rating
STEADY_MS = 1000  # after so long without a change the next one goes out at once; a slow ramp's steps are closer
READBACK_PERMILLE = 100
READBACK_LEAST_W = 500
READBACK_MS = 11000  # beyond the 10 s that a stop may take (decide/session.py)


class InverterImage:
    """Writes outputs.inverter_*, lease_ok and urgent; compares the read-back."""

    def __init__(self, image, settings):
        self._inputs = image.inputs
        self._limits = image.limits
        self._outputs = image.outputs
        self._cause = image.status.cause
        self._settings = settings
        self._changed = -1
        self._urgent_w = 0
        self._tolerance_w = 0
        self._sent_w = 0  # the command at the last urgent write
        self._steady_ms = 0  # since the command last changed
        self._wrong_ms = 0

    def run(self) -> None:
        """Write the command image, and wake its sender when that cannot wait."""
        outputs = self._outputs
        urgent = outputs.urgent
        var = outputs.inverter_var
        self._write(outputs)
        if outputs.wake and (outputs.urgent != urgent or outputs.inverter_var != var):
            outputs.wake()

    def _write(self, outputs) -> None:
        if self._settings.changed != self._changed:
            self._configure()
        if not outputs.closed:
            self._release(outputs)
            return
        power_w = self._limits.allowed_w
        if self._begins(outputs.inverter_w, power_w) or not outputs.inverter_enable:
            outputs.urgent = (outputs.urgent + 1) & 0x1FFFFFFF
            self._sent_w = power_w
        outputs.inverter_enable = 1
        outputs.inverter_w = power_w
        outputs.inverter_var = self._limits.allowed_var
        outputs.lease_ok = self._inputs.inverter_ok
        self._read_back(power_w)

    def _release(self, outputs) -> None:
        if outputs.inverter_enable:
            outputs.urgent = (outputs.urgent + 1) & 0x1FFFFFFF
        outputs.inverter_enable = 0
        outputs.inverter_w = 0
        outputs.inverter_var = 0
        outputs.lease_ok = 0
        self._sent_w = 0
        self._wrong_ms = 0
        self._cause[FAULT_INVERTER_READBACK] = 0

    def _begins(self, before_w: int, power_w: int) -> int:
        """Return 1 for a step too large to wait, and for the first change after a steady time.

        So a ramp starts at once.
        """
        steady = self._steady_ms >= STEADY_MS
        if power_w != before_w:
            self._steady_ms = 0
            if steady:
                return 1
        elif not steady:
            self._steady_ms += self._inputs.elapsed_ms
        return 0 if -self._urgent_w < power_w - self._sent_w < self._urgent_w else 1

    def _configure(self) -> None:
        settings = self._settings
        self._changed = settings.changed
        rating_w = max(settings.import_rating_w, settings.export_rating_w)
        self._urgent_w = rating_w * URGENT_PERMILLE // 1000 + 1
        self._tolerance_w = max(READBACK_LEAST_W, rating_w * READBACK_PERMILLE // 1000)

    def _read_back(self, power_w: int) -> None:
        """More than was ever commanded of late, or the wrong direction, is dangerous; less is not."""
        inputs = self._inputs
        actual_w = inputs.inverter_w
        most_w = power_w if power_w > 0 else 0
        least_w = power_w if power_w < 0 else 0
        if not inputs.inverter_ok or least_w - self._tolerance_w <= actual_w <= most_w + self._tolerance_w:
            self._wrong_ms = 0
            self._cause[FAULT_INVERTER_READBACK] = 0
            return
        self._wrong_ms += inputs.elapsed_ms
        limit_ms = READBACK_MS + inputs.inverter_response_ms
        if self._wrong_ms >= limit_ms:
            self._wrong_ms = limit_ms
            self._cause[FAULT_INVERTER_READBACK] = 1
