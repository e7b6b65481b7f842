# SPDX-License-Identifier: MIT
"""The first act of every start: outputs that could let power flow go low, then the watchdog runs. Same on all ports.

Imports nothing of ours, so that nothing of ours can fail before it.
"""

from machine import WDT, Pin

WATCHDOG_MS = 8000  # longer than importing everything from source takes
SAFE_LOW = ("gate_arm", "contactor", "gate_edge", "rcd_test", "inverter_de")


def make_safe(pins: dict) -> None:
    """Drive the safe level on every output of SAFE_LOW that the board has. pins: {signal: pin id}."""
    for signal in SAFE_LOW:
        if signal in pins:
            Pin(pins[signal], Pin.OUT, value=0)


def start_watchdog() -> None:
    """From here on a controller that hangs is reset, also while main.py is still being imported."""
    WDT(timeout=WATCHDOG_MS)
