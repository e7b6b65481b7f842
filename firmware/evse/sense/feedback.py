# SPDX-License-Identifier: MIT
"""Feedback inputs: mirror contact, gate, residual current, emergency stop, temperatures.

Every cycle, before Proximity, which uses the same reading. Fail-safe polarity: only an exact,
healthy value counts as healthy; anything else (a broken wire, a driver that has not read yet)
is the fault. The emergency stop is believed after two samples, all others at once.
"""

from evse.faults import FAULT_ESTOP

ESTOP_SAMPLES = 2


class Feedback:
    """Copies board.inputs into the image."""

    def __init__(self, image, settings, profile, board):
        self._inputs = image.inputs
        self._cause = image.status.cause
        self._pins = board.inputs
        self._estop_samples = 0

    def run(self) -> None:
        """Read every feedback pin once."""
        inputs = self._inputs
        pins = self._pins
        pins.read()
        inputs.contactor_open_proven = 1 if pins.contactor_open else 0
        inputs.gate_up = 1 if pins.gate_up else 0
        inputs.rcd_tripped = 0 if pins.rcd_tripped == 0 else 1
        inputs.board_cdeg = pins.board_cdeg
        inputs.connector_cdeg = pins.connector_cdeg
        if pins.estop == 0:
            self._estop_samples = 0
            inputs.estop = 0
            self._cause[FAULT_ESTOP] = 0
        elif self._estop_samples < ESTOP_SAMPLES - 1:
            self._estop_samples += 1
        else:
            inputs.estop = 1
            self._cause[FAULT_ESTOP] = 1
