# SPDX-License-Identifier: MIT
"""10 ms ticker on STM32: a hard interrupt, so no task and no long C call delays the cycle.

A hardware timer through pyb where the build has it (NVIC priority above PendSV), else machine.Timer with
hard=True (MicroPython >= 1.27, PendSV). The heap is locked while the callback runs, and an exception
in it disables it: then the gate edges stop and the watchdog resets.
"""

from machine import Timer

try:
    from pyb import Timer as HardwareTimer
except ImportError:
    HardwareTimer = None

TICKER_TIMER = 7  # a basic timer: no pin uses it


class Ticker:
    """Calls callback(timer) every period_ms until stop()."""

    def __init__(self, period_ms: int = 10):
        self._period_ms = period_ms
        self._timer = None

    def start(self, callback) -> None:
        self.stop()
        if HardwareTimer is not None:
            self._timer = HardwareTimer(TICKER_TIMER, freq=1000 // self._period_ms, callback=callback)
        else:
            self._timer = Timer(-1)
            self._timer.init(mode=Timer.PERIODIC, period=self._period_ms, callback=callback, hard=True)

    def stop(self) -> None:
        """Stop; callable any time."""
        if self._timer is not None:
            self._timer.deinit()
            self._timer = None


def every(period_ms: int, callback):
    """Start a slow soft timer for service; return it, so that it stays alive."""
    timer = Timer(-1)
    timer.init(mode=Timer.PERIODIC, period=period_ms, callback=callback, hard=False)
    return timer
