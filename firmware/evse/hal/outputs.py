# SPDX-License-Identifier: MIT
"""Contactor, safety gate, RCD test, cable lock, lamp. All run in the cycle; all start low."""

from machine import Pin


class Outputs:
    """pins: PINS of the board."""

    def __init__(self, pins):
        self._edge = 0
        self._gate_edge = Pin(pins["gate_edge"], Pin.OUT, value=0)
        self._gate_arm = Pin(pins["gate_arm"], Pin.OUT, value=0)
        self._contactor = Pin(pins["contactor"], Pin.OUT, value=0)
        self._rcd_test = Pin(pins["rcd_test"], Pin.OUT, value=0)
        self._lock = Pin(pins["cable_lock"], Pin.OUT, value=0)
        self._lamp = Pin(pins["lamp"], Pin.OUT, value=0)

    def gate_edge(self) -> None:
        """Make one edge on the safety gate's trigger."""
        self._edge ^= 1
        self._gate_edge(self._edge)

    def gate_arm(self, level: int) -> None:
        self._gate_arm(level)

    def contactor(self, level: int) -> None:
        self._contactor(level)

    def rcd_test(self, level: int) -> None:
        self._rcd_test(level)

    def lock(self, level: int) -> None:
        self._lock(level)

    def lamp(self, level: int) -> None:
        """Show level; a single lamp is on for anything but 0."""
        self._lamp(level)
