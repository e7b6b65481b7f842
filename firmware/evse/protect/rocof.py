# SPDX-License-Identifier: MIT
"""ROCOF relay: |df/dt| beyond the setting, continuously, for its definite time; the timer starts again otherwise.

The slope is measured over 200 ms, so it passes the setting only some time after a ramp began and stays
there after it ended. Both are known: the fit's answer to a ramp that fills the share u of the window is
3u^2 - 2u^3 of its slope. So the start is dated back by the u at which this slope passed the setting, and
the end is seen by the slope over five line cycles falling to half. A ramp of 0.45 s then never trips and
one of 0.5 s does, whatever its slope; and no trip comes before the time has passed (docs/rocof.md).
"""

from evse.faults import ELEMENT_ROCOF, EVENT_HOLD, EVENT_PICKUP, EVENT_RESET
from evse.fixed import age, interpolate

WINDOW_MS = 200
# Half the distance between a ramp that must never (0.45 s) and one that must always (0.5 s) trip at 0.5 s.
EARLY_MS = 25
END_MS = 50  # half the short window: so long after its end a ramp is seen to have ended
# Inverse of 3u^2 - 2u^3, permille: share of the window after which a slope passes setting / slope.
SHARES = (0, 104, 216, 352, 500, 648, 784, 896, 952, 1000)
WINDOW_SHARES = (0, 196, 287, 392, 500, 608, 713, 804, 868, 1000)
RESET_PERMILLE = 950  # dropout of the long slope


class Rocof:
    """The ROCOF element. Does nothing where the profile has none."""

    def __init__(self, image, profile, latch):
        self._active = image.protection.element_active
        self._events = image.events
        self._latch = latch
        self.setting_mhz_s = profile.rocof_mhz_s
        self._reset_mhz_s = profile.rocof_mhz_s * RESET_PERMILLE // 1000
        self._hold_ms = profile.rocof_delay_ms - EARLY_MS + END_MS
        self.picked_up = 0
        self.due = 0
        self._sign = 1
        self._peak_mhz_s = 0
        self._since_ms = 0

    def run(self, inputs) -> None:
        """Take this cycle's slopes."""
        slope = inputs.rocof_mhz_s
        if self.picked_up:
            self._follow(inputs, slope * self._sign, inputs.rocof_fast_mhz_s * self._sign)
        elif slope > self.setting_mhz_s or slope < -self.setting_mhz_s:
            sign = 1 if slope > 0 else -1
            if inputs.rocof_ok and inputs.rocof_fast_mhz_s * sign * 2 > self.setting_mhz_s:
                self._pick_up(inputs.now_ms, sign, slope)

    def _pick_up(self, now_ms: int, sign: int, slope: int) -> None:
        self.picked_up = 1
        self._sign = sign
        self._peak_mhz_s = slope * sign
        self._since_ms = now_ms
        self._active[ELEMENT_ROCOF] = 1
        self._events.emit(now_ms, EVENT_PICKUP, ELEMENT_ROCOF, slope)

    def _follow(self, inputs, slope: int, fast: int) -> None:
        if slope > self._peak_mhz_s:
            self._peak_mhz_s = slope
        if not inputs.rocof_ok or slope < self._reset_mhz_s or fast * 2 < self._peak_mhz_s:
            self._end(inputs.now_ms)
        elif not self.due:
            share = interpolate(self.setting_mhz_s * 1000 // self._peak_mhz_s, SHARES, WINDOW_SHARES)
            began_ms = share * WINDOW_MS // 1000
            if age(inputs.now_ms, self._since_ms) >= self._hold_ms - began_ms:
                self.due = 1
                self._latch.trip(ELEMENT_ROCOF, 0, slope * self._sign, self.setting_mhz_s)

    def _end(self, now_ms: int) -> None:
        peak = self._peak_mhz_s * self._sign
        self._events.emit(now_ms, EVENT_RESET if self.due else EVENT_HOLD, ELEMENT_ROCOF, peak)
        self.picked_up = 0
        self.due = 0
        self._active[ELEMENT_ROCOF] = 0
