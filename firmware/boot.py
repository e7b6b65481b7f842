# SPDX-License-Identifier: MIT
"""Runs first on every start: outputs safe, watchdog on. Nothing that could fail stands before that.

Every output that could let power flow goes low before any of our code is imported. From here on the
watchdog resets a controller that hangs, also while main.py is still being imported.
"""

from board.pins import PINS
from machine import WDT, Pin

WATCHDOG_MS = 8000
SAFE_LOW = ("gate_arm", "contactor", "gate_edge", "rcd_test", "inverter_de")

for signal in SAFE_LOW:
    if signal in PINS:
        Pin(PINS[signal], Pin.OUT, value=0)

WDT(timeout=WATCHDOG_MS)
