# SPDX-License-Identifier: MIT
"""Least-squares slope over a sliding window, by two running sums: a push costs the same for any length.

The sums are exact integers, so nothing drifts. Why least squares and which length: docs/rocof.md.
"""

LIMIT = 800000  # samples are kept within +-8 Hz in units of 10 uHz: sums stay inside 30 bits


class Slope:
    """Slope of the last `length` samples (4..16)."""

    def __init__(self, length: int):
        self.length = length
        self._last = length - 1
        self._samples = [0] * length
        self._at = 0
        self._filled = 0
        self._sum = 0  # of the samples
        self._moment = 0  # of position * sample, oldest at position 0
        self.full = 0  # 1: the window holds only samples pushed since reset
        self.trend = 0  # 2 * sum((position - middle) * sample); the slope is 6 * trend / (length^3 - length)

    def reset(self) -> None:
        """Forget all samples."""
        self._filled = 0
        self.full = 0
        self.trend = 0

    def push(self, sample: int) -> None:
        """Take the next sample, -LIMIT..LIMIT; the first after a reset fills the whole window."""
        last = self._last
        if not self._filled:
            self._fill(sample)
        samples = self._samples
        at = self._at
        oldest = samples[at]
        samples[at] = sample
        self._at = at + 1 if at < last else 0
        rest = self._sum - oldest
        self._moment += last * sample - rest
        self._sum = rest + sample
        self.trend = 2 * self._moment - last * self._sum
        if not self.full:
            self._filled += 1
            if self._filled > last:
                self.full = 1

    def oldest(self) -> int:
        """Return the sample at the window's beginning."""
        return self._samples[self._at]

    def _fill(self, sample: int) -> None:
        samples = self._samples
        for i in range(self.length):
            samples[i] = sample
        self._sum = self.length * sample
        self._moment = sample * (self._last * self.length // 2)
