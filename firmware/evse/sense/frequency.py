# SPDX-License-Identifier: MIT
"""Frequency, ROCOF and phase jump from the AFE's line periods. Called by grid, once per line cycle at most.

A period is new when its count changes; a count that stays is a steady grid and is taken again once a
line cycle. Spikes go out by the median of three, so one false sample never reaches a relay; the slope is
a least-squares fit over 240 ms, with a short one over five cycles to see when a ramp ends (docs/rocof.md).
"""

from evse.fixed import age, clamp, later, line_period_to_uhz
from evse.sense.slope import LIMIT, Slope

WINDOW_CYCLES = 12  # line cycles of 50 Hz: 240 ms
TREND_LIMIT = 12000000  # about 16 Hz/s; keeps the product with the frequency inside 30 bits
FAST_LENGTH = 5  # line cycles of the short window
REPEAT_MS = 25  # an unchanged count is taken again after this: longer than a line cycle of 45 Hz
MISSED_MS = 45  # a longer gap between two counts means that one was missed
LOST_MS = 90  # after a longer gap the windows start again
SETTLE = 2  # periods thrown away after the bus came back: they began while it was dead


class Frequency:
    """Turns period counts of one phase into frequency_uhz, cycle_uhz, the two slopes and phase_jump_mdeg of inputs."""

    def __init__(self, inputs, nominal_uhz: int):
        self._inputs = inputs
        self._nominal_uhz = nominal_uhz
        self._cycle_ms = (1000000000 + nominal_uhz // 2) // nominal_uhz
        length = nominal_uhz * WINDOW_CYCLES // 50000000  # 14 at 60 Hz
        self._slope = Slope(length)
        self._fast = Slope(FAST_LENGTH)
        # rocof [mHz/s] = slope [10 uHz / cycle] * f [Hz] / 100, with f in tenths and the trend in eighths
        self._scale = (length * length * length - length) * 125 // 6
        self._fast_scale = (FAST_LENGTH * FAST_LENGTH * FAST_LENGTH - FAST_LENGTH) * 125 // 6
        self._counts = 0
        self._stamp_ms = 0
        self._seen = 0  # periods since the bus came back, up to SETTLE + 3
        self._a_uhz = 0  # the last two raw frequencies, for the median
        self._b_uhz = 0

    def lose(self) -> None:
        """Believe nothing until enough new periods came in: dead bus or no zero crossings."""
        inputs = self._inputs
        self._seen = 0
        inputs.frequency_ok = 0
        inputs.frequency_uhz = 0
        inputs.cycle_uhz = 0
        inputs.rocof_ok = 0
        inputs.rocof_mhz_s = 0
        inputs.rocof_fast_mhz_s = 0
        inputs.phase_jump_mdeg = 0

    def update(self, counts: int, now_ms: int) -> None:
        """Take the period register of a live phase. counts: ADE9000 line period."""
        elapsed_ms = age(now_ms, self._stamp_ms)
        if counts == self._counts:
            if 0 <= elapsed_ms < REPEAT_MS and self._seen:
                return
            # Keep the steady grid's samples one line cycle apart, not one firmware cycle.
            if 0 <= elapsed_ms < LOST_MS:
                self._stamp_ms = later(self._stamp_ms, self._cycle_ms)
            else:
                self._stamp_ms = now_ms
        else:
            self._stamp_ms = now_ms
        raw_uhz = line_period_to_uhz(counts)
        if not raw_uhz:
            return
        if self._seen < SETTLE + 3:
            self._begin(counts, raw_uhz)
            return
        self._take(counts, raw_uhz, elapsed_ms)

    def _begin(self, counts: int, raw_uhz: int) -> None:
        self._counts = counts
        self._seen += 1
        if self._seen <= SETTLE:
            return
        self._a_uhz = self._b_uhz
        self._b_uhz = raw_uhz
        if self._seen == SETTLE + 3:
            self._slope.reset()
            self._fast.reset()
            self._inputs.frequency_uhz = raw_uhz
            self._inputs.cycle_uhz = raw_uhz
            self._inputs.frequency_ok = 1

    def _take(self, counts: int, raw_uhz: int, elapsed_ms: int) -> None:
        inputs = self._inputs
        inputs.phase_jump_mdeg = (self._counts - counts) * 100 // (self._counts // 3600)
        self._counts = counts
        median_uhz = self._median(raw_uhz)
        inputs.frequency_uhz = median_uhz
        inputs.cycle_uhz = raw_uhz
        sample = clamp((median_uhz - self._nominal_uhz) // 10, -LIMIT, LIMIT)
        self._push(sample, elapsed_ms)
        self._write_slopes(median_uhz // 100000)

    def _median(self, raw_uhz: int) -> int:
        """Return the median of the last three raw frequencies."""
        low = self._a_uhz
        high = self._b_uhz
        self._a_uhz = high
        self._b_uhz = raw_uhz
        if low > high:
            low, high = high, low
        if raw_uhz < low:
            return low
        return high if raw_uhz > high else raw_uhz

    def _push(self, sample: int, elapsed_ms: int) -> None:
        """Put a sample into both windows: twice for one that was missed, alone after a longer gap."""
        slope = self._slope
        fast = self._fast
        if not 0 <= elapsed_ms < MISSED_MS:
            if not 0 <= elapsed_ms < LOST_MS:
                slope.reset()
                fast.reset()
            slope.push(sample)
            fast.push(sample)
        slope.push(sample)
        fast.push(sample)

    def _write_slopes(self, tenths_hz: int) -> None:
        inputs = self._inputs
        slope = self._slope
        inputs.rocof_ok = slope.full
        inputs.rocof_from_uhz = self._nominal_uhz + slope.oldest() * 10
        inputs.rocof_mhz_s = (clamp(slope.trend, -TREND_LIMIT, TREND_LIMIT) >> 3) * tenths_hz // self._scale
        trend = self._fast.trend
        inputs.rocof_fast_mhz_s = (clamp(trend, -TREND_LIMIT, TREND_LIMIT) >> 3) * tenths_hz // self._fast_scale
