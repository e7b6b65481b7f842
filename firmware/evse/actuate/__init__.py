# SPDX-License-Identifier: MIT
"""Actuate: the only stage that drives pins. Last stage of the cycle.

Contactor sequence, inverter command image, pilot duty, lock and lamp. Pins are written when they
change, and one of them anew each cycle, so that a disturbed pin does not stay wrong.
"""

from evse.actuate.contactor import Contactor
from evse.actuate.inverter import InverterImage
from evse.actuate.panel import Panel
from evse.actuate.selftest import SelfTest

REFRESHED = 16  # cycles: six of them rewrite a pin


class Actuate:
    """The stage."""

    def __init__(self, image, settings, board):
        self._request = image.request
        self._outputs = image.outputs
        self._pins = board.outputs
        self._pilot = board.pilot
        self.selftest = SelfTest(image)
        self.contactor = Contactor(image)
        self.inverter = InverterImage(image, settings)
        self.panel = Panel(image)
        self._contactor = -1  # what the pins were last told
        self._gate_arm = -1
        self._rcd_test = -1
        self._lock = -1
        self._lamp = -1
        self._duty = -1
        self._turn = 0

    def run(self) -> None:
        """Run the stage once."""
        self.selftest.run()
        self.contactor.run()
        self.inverter.run()
        self.panel.run()
        self._outputs.duty_permille = self._request.duty_permille
        self._refresh()
        self._drive()

    def _refresh(self) -> None:
        """Forget what one pin was told, so that it is written again."""
        turn = self._turn
        self._turn = (turn + 1) % REFRESHED
        if turn == 0:
            self._contactor = -1
        elif turn == 1:
            self._gate_arm = -1
        elif turn == 2:
            self._rcd_test = -1
        elif turn == 3:
            self._lock = -1
        elif turn == 4:
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
