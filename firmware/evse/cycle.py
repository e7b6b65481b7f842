# SPDX-License-Identifier: MIT
"""The scan: sense, protect, decide, limit, actuate; then the safety-gate edge, if in time.

Called every 10 ms by the port's ticker, from a hard timer interrupt on STM32 and a scheduled soft
timer on ESP32. Allocates nothing, raises nothing. Whoever wants to know how late it runs reads
`status`: lateness is measured here, never assumed.
"""

from time import ticks_diff, ticks_ms, ticks_us

from evse.faults import EVENT_CYCLE_OVERRUN, FAULT_CYCLE_LATE

PERIOD_MS = 10
BUDGET_US = 8000  # of the 10 ms; the rest belongs to the tasks
GATE_HOLD_MS = 60  # the hardware monostable drops after this without an edge


class Cycle:
    """One scan over an Image; `gate` is a callable that makes one edge on the safety-gate pin."""

    def __init__(self, image, sense, protect, decide, limit, actuate, gate):
        self._inputs = image.inputs
        self._status = image.status
        self._events = image.events
        self._sense = sense
        self._protect = protect
        self._decide = decide
        self._limit = limit
        self._actuate = actuate
        self._gate = gate
        self._started = 0
        self._last_us = 0

    def run(self, _timer=None) -> None:
        """Run one scan. The argument is the timer that some ports pass."""
        start_us = ticks_us()
        self._begin(start_us)
        self._sense.run()
        self._protect.run()
        self._decide.run()
        self._limit.run()
        self._actuate.run()
        self._end(start_us)

    def _begin(self, start_us: int) -> None:
        inputs = self._inputs
        status = self._status
        inputs.now_ms = ticks_ms()
        if self._started:
            elapsed_us = ticks_diff(start_us, self._last_us)
            inputs.elapsed_ms = (elapsed_us + 500) // 1000
            late_us = elapsed_us - PERIOD_MS * 1000
            if late_us > status.late_worst_us:
                status.late_worst_us = late_us
            if inputs.elapsed_ms >= GATE_HOLD_MS:
                status.fault[FAULT_CYCLE_LATE] = 1
        self._started = 1
        self._last_us = start_us

    def _end(self, start_us: int) -> None:
        status = self._status
        spent_us = ticks_diff(ticks_us(), start_us)
        status.duration_us = spent_us
        status.cycles = (status.cycles + 1) & 0x1FFFFFFF  # 2^30 would not fit before the mask
        if spent_us > status.duration_worst_us:
            status.duration_worst_us = spent_us
        if spent_us > BUDGET_US:
            status.overruns += 1
            self._events.emit(self._inputs.now_ms, EVENT_CYCLE_OVERRUN, 0, spent_us)
        else:
            self._gate()
