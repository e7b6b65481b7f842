# SPDX-License-Identifier: MIT
"""10 ms ticker on ESP32: a soft timer, run by the scheduler between two bytecodes.

There is no hard timer on this port (Timer(hard=True) raises). A long C call delays the cycle, and more
than eight missed ticks are lost: the cycle measures its own lateness, and the hardware gate drops by itself.
"""

from machine import Timer

TICKER_ID = 0
SERVICE_ID = 1


class Ticker:
    """Calls callback(timer) every period_ms until stop()."""

    def __init__(self, period_ms: int = 10):
        self._period_ms = period_ms
        self._timer = None

    def start(self, callback) -> None:
        self.stop()
        self._timer = Timer(TICKER_ID)
        self._timer.init(mode=Timer.PERIODIC, period=self._period_ms, callback=callback)

    def stop(self) -> None:
        """Stop; callable any time."""
        if self._timer is not None:
            self._timer.deinit()
            self._timer = None


def every(period_ms: int, callback):
    """Start a slow timer for service; return it, so that it stays alive."""
    timer = Timer(SERVICE_ID)
    timer.init(mode=Timer.PERIODIC, period=period_ms, callback=callback)
    return timer
