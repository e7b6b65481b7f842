# SPDX-License-Identifier: MIT
"""Actuate: the only stage that drives pins. Last stage of the cycle.

Contactor sequence, inverter command image, pilot duty, lock and lamp. Pins are written when they
change, and all of them anew each REFRESH cycles, so that a disturbed pin does not stay wrong.
"""

from evse.actuate.contactor import Contactor
from evse.actuate.inverter import InverterImage
from evse.actuate.panel import Panel
from evse.actuate.selftest import SelfTest

REFRESH = 16  # cycles
PANEL_MS = 40


class Actuate:
    """The stage."""

    def __init__(self, image, settings, board):
        self._inputs = image.inputs
        self._request = image.request
        self._outputs = image.outputs
        self._pins = board.outputs
        self._pilot = board.pilot
        self.selftest = SelfTest(image)
        self.contactor = Contactor(image, settings)
        self.inverter = InverterImage(image, settings)
        self.panel = Panel(image)
        self._contactor = -1  # what the pins were last told
        self._gate_arm = -1
        self._rcd_test = -1
        self._lock = -1
        self._lamp = -1
        self._duty = -1
        self._turn = 0
        self._tested = 0
        self._panel_ms = PANEL_MS

    def run(self) -> None:
        """Run the stage once."""
        if not self._tested:
            self.selftest.run()
            self._tested = self.selftest.passed
        self.contactor.run()
        self.inverter.run()
        self._panel_ms += self._inputs.elapsed_ms
        if self._panel_ms >= PANEL_MS:
            self.panel.run(self._panel_ms)
            self._panel_ms = 0
        self._outputs.duty_permille = self._request.duty_permille
        self._turn += 1
        if self._turn >= REFRESH:
            self._refresh()
        self._drive()

    def _refresh(self) -> None:
        """Forget what the pins were told, so that they are written again."""
        self._turn = 0
        self._contactor = -1
        self._gate_arm = -1
        self._rcd_test = -1
        self._lock = -1
        self._lamp = -1

    def _drive(self) -> None:
        """Write what differs; the gate first, it is the fastest way to open."""
        outputs = self._outputs
        pins = self._pins
        if outputs.gate_arm != self._gate_arm:
            self._gate_arm = outputs.gate_arm
            pins.gate_arm(outputs.gate_arm)
        if outputs.contactor != self._contactor:
            self._contactor = outputs.contactor
            pins.contactor(outputs.contactor)
        if outputs.duty_permille != self._duty:
            self._duty = outputs.duty_permille
            self._pilot.duty(outputs.duty_permille)
        if outputs.rcd_test != self._rcd_test:
            self._rcd_test = outputs.rcd_test
            pins.rcd_test(outputs.rcd_test)
        if outputs.lock != self._lock:
            self._lock = outputs.lock
            pins.lock(outputs.lock)
        if outputs.lamp != self._lamp:
            self._lamp = outputs.lamp
            pins.lamp(outputs.lamp)
