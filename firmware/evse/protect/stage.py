# SPDX-License-Identifier: MIT
"""One definite-time stage: pickup beyond a threshold, trip when it stayed beyond for the whole delay.

The timer starts with the first value beyond the threshold and starts again from zero after a dropout.
Dropout needs the value to come back by the stage's hysteresis. Events: pickup; hold (came back in time,
with the worst value); trip; reset (came back after the delay had run out).
"""

from evse.faults import ELEMENTS, EVENT_HOLD, EVENT_PICKUP, EVENT_RESET
from evse.fixed import age

# What lies between the grid's step and the relay's timer, and between the trip and open contacts:
# median-of-three frequency 60 ms (one-cycle RMS needs 30 ms), the next cycle 10 ms, contactor 20 ms. IEEE
# 1547 gives clearing times, so the delay of a `clearing` stage is its time less this.
CLEARING_ALLOWANCE_MS = 90


class Stage:
    """A row of the profile at work. Values and thresholds in mV or uHz, times in ms."""

    def __init__(self, image, latch, row):
        self._active = image.protection.element_active
        self._events = image.events
        self._latch = latch
        self.element = row.element
        self.over = row.over
        self.threshold = row.threshold
        self._dropout = row.threshold - row.reset if row.over else row.threshold + row.reset
        self.delay_ms = row.delay_ms - CLEARING_ALLOWANCE_MS if row.clearing else row.delay_ms
        self.picked_up = 0
        self.due = 0  # 1: beyond for the whole delay
        self._since_ms = 0
        self._worst = 0

    def run(self, value: int, phase: int, now_ms: int) -> None:
        """Take this cycle's value; phase 1..3 says where it was measured, 0 = none."""
        if self.picked_up:
            self._follow(value, phase, now_ms)
        elif value > self.threshold if self.over else value < self.threshold:
            self.picked_up = 1
            self._since_ms = now_ms
            self._worst = value
            self._active[self.element] = 1
            self._events.emit(now_ms, EVENT_PICKUP, self.element, value, phase)

    def drop(self, now_ms: int) -> None:
        """Start from zero: the value is not known any more."""
        if self.picked_up:
            self._end(0, now_ms)

    def _follow(self, value: int, phase: int, now_ms: int) -> None:
        if self.over:
            if value < self._dropout:
                self._end(phase, now_ms)
                return
            if value > self._worst:
                self._worst = value
        else:
            if value > self._dropout:
                self._end(phase, now_ms)
                return
            if value < self._worst:
                self._worst = value
        if not self.due and age(now_ms, self._since_ms) >= self.delay_ms:
            self.due = 1
            self._latch.trip(self.element, phase, value, self.threshold)

    def _end(self, phase: int, now_ms: int) -> None:
        self._events.emit(now_ms, EVENT_RESET if self.due else EVENT_HOLD, self.element, self._worst, phase)
        self.picked_up = 0
        self.due = 0
        self._active[self.element] = 0


def deepest_mv(profile) -> int:
    """Return the lowest under-voltage threshold of a profile in mV: nothing above it may trip before its own stage."""
    lowest_mv = profile.nominal_mv
    for row in profile.stages:
        if not row.over and ELEMENTS[row.element][2] == "mV" and row.threshold < lowest_mv:
            lowest_mv = row.threshold
    return lowest_mv
