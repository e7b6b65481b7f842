# SPDX-License-Identifier: MIT
"""The one place that sets and clears `status.fault`, by the rule of the faults table.

First part of Decide, each cycle. Whoever sees a cause writes `status.cause[code]` 1 or 0. A fault
starts with its cause; it ends by itself (AUTO), by a person's clear (PERSON) or an installer's
(REPAIR), and never before its cause is gone. A stage that writes `status.fault` itself is taken
for the cause, and cannot clear what a person has to clear.
"""

from evse.faults import AUTO, EVENT_FAULT_CLEARED, EVENT_FAULT_SET, FAULTS


class FaultLatch:
    """Latches, counts and reports faults."""

    def __init__(self, image):
        self._inputs = image.inputs
        self._status = image.status
        self._events = image.events
        self._rules = bytearray(len(FAULTS))
        for code in range(len(FAULTS)):
            self._rules[code] = FAULTS[code][2]
        self._seen_cause = bytearray(len(FAULTS))
        self._latched = bytearray(len(FAULTS))
        self._direct = bytearray(len(FAULTS))  # 1: set by a stage without a cause

    def run(self) -> None:
        """Do nothing while nothing changes: comparing two bytearrays is one memcmp."""
        status = self._status
        if status.clear_request or status.cause != self._seen_cause or status.fault != self._latched:
            self._update(status)

    def _update(self, status) -> None:
        count = 0
        for code in range(1, len(self._rules)):
            active = self._judge(status, code)
            if active != self._latched[code]:
                self._turn(code, active)
            status.fault[code] = active
            self._seen_cause[code] = status.cause[code]
            count += active
        status.fault_count = count
        status.clear_request = 0

    def _turn(self, code: int, active: int) -> None:
        self._latched[code] = active
        event = EVENT_FAULT_SET if active else EVENT_FAULT_CLEARED
        self._events.emit(self._inputs.now_ms, event, code)

    def _judge(self, status, code: int) -> int:
        """Return 1 when the fault is active after this cycle."""
        if status.cause[code]:
            self._direct[code] = 0
            return 1
        if not self._latched[code]:
            self._direct[code] = status.fault[code]
            return status.fault[code]
        rule = self._rules[code]
        if rule == AUTO:
            return status.fault[code] if self._direct[code] else 0
        return 0 if status.clear_request >= rule else 1
