# SPDX-License-Identifier: MIT
"""Independent watchdog. boot.py has started it already; opening it again keeps it running."""

from machine import WDT

TIMEOUT_MS = 8000


class Watchdog:
    """feed() only from the supervisor, and only while cycle and tasks are alive."""

    def __init__(self):
        self._wdt = WDT(timeout=TIMEOUT_MS)

    def feed(self, _timer=None) -> None:
        """Hold the reset off for TIMEOUT_MS more. The argument is the timer that some ports pass."""
        self._wdt.feed()
