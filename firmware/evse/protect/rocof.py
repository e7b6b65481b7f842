# SPDX-License-Identifier: MIT
"""ROCOF relay: |df/dt| beyond the setting, continuously, for its definite time; the timer starts again otherwise.

The slope is measured over 240 ms, so it passes the setting only some time after a ramp began and stays
there after it ended; and a line cycle is 20 ms long. Yet a ramp of 0.45 s must never trip and one of 0.5 s
always. Two measures of how long it has lasted decide together (docs/rocof.md):
- by time: the fit's answer to a ramp that fills the share u of the window is 3u^2 - 2u^3 of its slope, so
  the start is dated back by the u at which this slope passed the setting;
- by distance: what the frequency has moved since then, over the steepest slope. It stands still when the
  ramp ends, and knows no line cycles.
Where the delay is shorter than the window needs (Denmark: 80 ms), the five-cycle slope measures, time decides, and a
jump of the phase holds the element until it has left the window; the long window needs no such hold.
A slope that falls off may stay beyond the setting without covering the distance: time alone then decides,
a little later. That the ramp has ended is seen by the slope over five line cycles falling to half.
"""

from evse.faults import ELEMENT_ROCOF, EVENT_HOLD, EVENT_PICKUP, EVENT_RESET
from evse.fixed import age, interpolate

WINDOW_MS = 240  # of sense/frequency.py's long fit
QUICK_WINDOW_MS = 100  # of the short fit
QUICK_DELAY_MS = 300  # definite times below this are measured with the short fit
JUMP_MDEG = 5000  # a line cycle that is off by more is a jump of the phase, no ramp (35 Hz/s at 50 Hz)
JUMP_HOLD_MS = 140  # until the short window has forgotten it
DISTANCE_EARLY_MS = 25  # half way between a ramp that must never (0.45 s) and one that must always (0.5 s) trip
TIME_EARLY_MS = 10  # sensing is at least 20 ms late, so no trip comes before the delay
ALONE_MS = 30  # time alone decides so long after the delay: then the end of a ramp would have been seen
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
        self._quick = 1 if profile.rocof_delay_ms < QUICK_DELAY_MS else 0
        self._window_ms = QUICK_WINDOW_MS if self._quick else WINDOW_MS
        self._distance_ms = profile.rocof_delay_ms - DISTANCE_EARLY_MS
        self._time_ms = profile.rocof_delay_ms - TIME_EARLY_MS
        self._alone_ms = profile.rocof_delay_ms if self._quick else profile.rocof_delay_ms + ALONE_MS
        self.picked_up = 0
        self.due = 0
        self._sign = 1
        self._peak_mhz_s = 0
        self._since_ms = 0
        self._from_uhz = 0
        self._jumped = 0
        self._jump_ms = 0

    def run(self, inputs) -> None:
        """Take this cycle's slopes."""
        slope = inputs.rocof_mhz_s
        if self._quick:
            slope = 0 if self._holds(inputs) else inputs.rocof_fast_mhz_s
        if self.picked_up:
            self._follow(inputs, slope * self._sign, inputs.rocof_fast_mhz_s * self._sign)
        elif slope > self.setting_mhz_s or slope < -self.setting_mhz_s:
            sign = 1 if slope > 0 else -1
            if inputs.rocof_ok and inputs.rocof_fast_mhz_s * sign * 2 > self.setting_mhz_s:
                self._pick_up(inputs, sign, slope)

    def _holds(self, inputs) -> int:
        """Return 1 for a while after a phase jump."""
        if not -JUMP_MDEG < inputs.phase_jump_mdeg < JUMP_MDEG:
            self._jumped = 1
            self._jump_ms = inputs.now_ms
        elif self._jumped and age(inputs.now_ms, self._jump_ms) >= JUMP_HOLD_MS:
            self._jumped = 0
        return self._jumped

    def _pick_up(self, inputs, sign: int, slope: int) -> None:
        self.picked_up = 1
        self._sign = sign
        self._peak_mhz_s = slope * sign
        self._since_ms = inputs.now_ms
        self._from_uhz = inputs.rocof_from_uhz
        self._active[ELEMENT_ROCOF] = 1
        self._events.emit(inputs.now_ms, EVENT_PICKUP, ELEMENT_ROCOF, slope)

    def _follow(self, inputs, slope: int, fast: int) -> None:
        if slope > self._peak_mhz_s:
            self._peak_mhz_s = slope
        if not inputs.rocof_ok or slope < self._reset_mhz_s or fast * 2 < self._peak_mhz_s:
            self._end(inputs.now_ms)
        elif not self.due and self._lasted(inputs):
            self.due = 1
            self._latch.trip(ELEMENT_ROCOF, 0, slope * self._sign, self.setting_mhz_s)

    def _lasted(self, inputs) -> int:
        """Return 1 when the ramp has lasted for the delay."""
        peak = self._peak_mhz_s
        share = interpolate(self.setting_mhz_s * 1000 // peak, SHARES, WINDOW_SHARES)
        time_ms = age(inputs.now_ms, self._since_ms) + share * self._window_ms // 1000
        if time_ms < self._time_ms:
            return 0
        if time_ms >= self._alone_ms:
            return 1
        # uHz over mHz/s is ms.
        return 1 if (inputs.frequency_uhz - self._from_uhz) * self._sign // peak >= self._distance_ms else 0

    def _end(self, now_ms: int) -> None:
        peak = self._peak_mhz_s * self._sign
        self._events.emit(now_ms, EVENT_RESET if self.due else EVENT_HOLD, ELEMENT_ROCOF, peak)
        self.picked_up = 0
        self.due = 0
        self._active[ELEMENT_ROCOF] = 0
