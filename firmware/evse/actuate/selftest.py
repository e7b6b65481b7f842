# SPDX-License-Identifier: MIT
"""Power-on self-test: what must be true before anything was switched. Every cycle until it is over.

For PERIOD_MS with everything off: main contacts proven open, gate down, no residual current.
The residual-current sensor and the gate itself are exercised before each closing. A failed test
is a fault that a person clears, which runs it again.
"""

from evse.faults import EVENT_SELFTEST, FAULT_SELFTEST

PERIOD_MS = 500
SETTLE_MS = 200  # inputs and the monostable may take this long after power-on
RUNNING, PASSED, FAILED = 0, 1, 2


class SelfTest:
    """Writes status.selftest and the cause of FAULT_SELFTEST."""

    def __init__(self, image):
        self._inputs = image.inputs
        self._status = image.status
        self._events = image.events
        self._run_ms = 0
        self._bad = 0
        self.passed = 0

    def run(self) -> None:
        """Watch while running; after a failure wait for the fault to be cleared."""
        status = self._status
        if status.selftest == FAILED:
            status.cause[FAULT_SELFTEST] = 0
            if not status.fault[FAULT_SELFTEST] and self._run_ms < 0:
                status.selftest = RUNNING
                self._run_ms = 0
                self._bad = 0
            else:
                self._run_ms = -1
            return
        inputs = self._inputs
        self._run_ms += inputs.elapsed_ms
        healthy = inputs.contactor_open_proven and not inputs.gate_up and not inputs.rcd_tripped
        if self._run_ms > SETTLE_MS and not healthy:
            self._bad = 1
        if self._run_ms >= PERIOD_MS:
            self._finish(status)

    def _finish(self, status) -> None:
        status.selftest = FAILED if self._bad else PASSED
        self.passed = 1 - self._bad
        status.cause[FAULT_SELFTEST] = self._bad
        self._run_ms = 0
        self._events.emit(self._inputs.now_ms, EVENT_SELFTEST, 0, status.selftest)
