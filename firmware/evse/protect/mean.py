# SPDX-License-Identifier: MIT
"""10-minute mean voltage: EN 50549-1 and others trip when it passes a limit (ANSI 59AVG).

The window moves every 2.5 s (EN 50549-1 asks for 3 s or less): 240 slots of 2.5 s a phase. The mean is
the RMS of the slots (IEC 61000-4-30), worked out as mean + variance / (2 mean), which is within 15 mV of
it for +-15 %. At boot the window is taken as full of nominal voltage: nothing else is known.
"""

from array import array

from evse.faults import ELEMENT_OV_MEAN, EVENT_PICKUP, EVENT_RESET
from evse.fixed import age, clamp

SLOT_MS = 2500
SLOTS = 240
CLIP_MV = 200000  # a slot's distance from nominal is kept within this, so that sums stay inside 30 bits
DECI = 100  # mV in a decivolt: squares are summed in decivolt^2


class MeanVoltage:
    """Means of up to three phases, and the element that watches them. Does nothing where the profile has none."""

    def __init__(self, image, settings, profile, latch):
        self._inputs = image.inputs
        self._protection = image.protection
        self._events = image.events
        self._latch = latch
        self._phases = settings.phases if profile.mean_mv else 0
        self._nominal_mv = profile.nominal_mv
        self.limit_mv = profile.mean_mv
        self._slots = [array("i", [0] * SLOTS) for _ in range(self._phases)]  # distance from nominal, mV
        self._sums = [0, 0, 0]  # mV
        self._squares = [0, 0, 0]  # decivolt^2
        self._gathered = [0, 0, 0]  # mV above nominal in this slot
        self._count = 0
        self._at = 0
        self._started = 0
        self._since_ms = 0
        for phase in range(self._phases):
            self._protection.mean_mv[phase] = profile.nominal_mv

    def run(self, inputs) -> None:
        """Gather this cycle's voltages; at the end of a slot move the window and judge."""
        if not self._phases:
            return
        gathered = self._gathered
        for phase in range(self._phases):
            gathered[phase] = gathered[phase] + inputs.phase_mv[phase] - self._nominal_mv
        self._count += 1
        if not 0 <= age(inputs.now_ms, self._since_ms) < SLOT_MS or self._count > 2000:
            self._since_ms = inputs.now_ms
            if self._started:
                self._close()
            self._started = 1

    def _close(self) -> None:
        for phase in range(self._phases):
            self._move(phase)
            self._protection.mean_mv[phase] = self._mean_mv(phase)
        self._count = 0
        self._at = self._at + 1 if self._at + 1 < SLOTS else 0
        self._judge()

    def _move(self, phase: int) -> None:
        new_mv = clamp(self._gathered[phase] // self._count, -CLIP_MV, CLIP_MV)
        self._gathered[phase] = 0
        slots = self._slots[phase]
        old_mv = slots[self._at]
        slots[self._at] = new_mv
        self._sums[phase] += new_mv - old_mv
        self._squares[phase] += squared(new_mv) - squared(old_mv)

    def _mean_mv(self, phase: int) -> int:
        """Return the RMS of a phase's slots."""
        mean_mv = self._sums[phase] // SLOTS
        variance = self._squares[phase] // SLOTS - squared(mean_mv)
        absolute_mv = self._nominal_mv + mean_mv
        if variance > 0 and absolute_mv > CLIP_MV // 10:
            absolute_mv += variance * DECI // (2 * absolute_mv // DECI)
        return absolute_mv

    def _judge(self) -> None:
        worst = 0
        for phase in range(1, self._phases):
            if self._protection.mean_mv[phase] > self._protection.mean_mv[worst]:
                worst = phase
        active = self._protection.element_active
        if self._protection.mean_mv[worst] <= self.limit_mv:
            if active[ELEMENT_OV_MEAN]:
                active[ELEMENT_OV_MEAN] = 0
                self._report(EVENT_RESET, worst)
        elif not active[ELEMENT_OV_MEAN]:
            active[ELEMENT_OV_MEAN] = 1
            self._report(EVENT_PICKUP, worst)
            self._latch.trip(ELEMENT_OV_MEAN, worst + 1, self._protection.mean_mv[worst], self.limit_mv)

    def _report(self, event: int, phase: int) -> None:
        self._events.emit(self._inputs.now_ms, event, ELEMENT_OV_MEAN, self._protection.mean_mv[phase], phase + 1)


def squared(distance_mv: int) -> int:
    """Return the square of a distance of up to CLIP_MV, in decivolt^2."""
    return (distance_mv // DECI) * (distance_mv // DECI)
