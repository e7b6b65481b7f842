# SPDX-License-Identifier: MIT
"""Contactor sequence: residual-current test, gate, close, confirm; open and prove it. Every cycle.

Closing: no weld (mirror contact and, where the inverter tells it, voltage across), RCD self-test,
inverter alive and at zero, gate up, coil on, mirror confirms. Each step has a limit; together they stay below
the 3 s of IEC 61851-1.
Opening: coil and gate off in the same cycle, whatever asked for it; then the mirror must prove it.
`permitted` looks at trip, faults, AFE and pilot itself: the session is not believed alone.
"""

from evse.actuate.across import Across
from evse.faults import (
    EVENT_CONTACTOR_CLOSED,
    EVENT_CONTACTOR_OPENED,
    EVENT_CONTACTOR_RETRY,
    FAULT_CONTACTOR_BOUNCE,
    FAULT_CONTACTOR_DROPOUT,
    FAULT_CONTACTOR_NO_CLOSE,
    FAULT_CONTACTOR_WELD,
    FAULT_GATE_FEEDBACK,
    FAULT_RCD_TEST,
    FAULT_RCD_TRIP,
    PILOT_A,
    PILOT_C,
    PILOT_D,
)

OPEN, TEST, RELEASE, ARM, CLOSE, CLOSED, WAIT = range(7)
STEPS = ("open", "test", "release", "arm", "close", "closed", "wait")

RCD_TEST_MS = 400  # the sensor must answer its test within this
RCD_RELEASE_MS = 400  # and let go of it
ARM_MS = 300  # gate up after arming
CLOSE_MS = 200  # mirror contact after the coil
OPEN_MS = 150  # mirror contact after the coil is off: later is a weld
BOUNCE_SETTLE_MS = 60  # after closing a mirror contact may bounce
DROPOUT_MS = 20  # mirror says open while the coil is driven
BOUNCES = 3  # single openings within BOUNCE_WINDOW_MS
BOUNCE_WINDOW_MS = 10000
GATE_LOST_MS = 80
GATE_HELD_MS = 150  # the monostable holds 60 ms after the last edge
RETRIES = 2
WAIT_MS = 2000  # between attempts
AT_ZERO_W = 200
LONG_MS = 1000000  # timers stop here


class Contactor:
    """Drives outputs.contactor, gate_arm, rcd_test and closed; sets the causes it sees."""

    def __init__(self, image, settings):
        self.across = Across(image, settings)
        self._settings = settings
        self._inputs = image.inputs
        self._protection = image.protection
        self._request = image.request
        self._outputs = image.outputs
        self._status = image.status
        self._events = image.events
        self._cause = image.status.cause
        self.step = OPEN
        self._step_ms = 0
        self._attempts = 0
        self._not_open_ms = 0  # coil off, mirror not proving it
        self._opening = 0  # an opening is to be reported
        self._dropped_ms = 0
        self._bounces = 0
        self._bounce_ms = 0
        self._gate_ms = 0
        self._rcd_mask_ms = 0  # our own test may still hold the sensor tripped

    def permitted(self) -> bool:
        """Return whether the contactor may be closed at all in this cycle."""
        protection = self._protection
        if not self._request.close_contactor or protection.trip or protection.inhibit:
            return False
        status = self._status
        if status.fault_count or status.selftest != 1 or not self._inputs.afe_ok:
            return False
        pilot = self._inputs.pilot_state
        return pilot == PILOT_C or pilot == PILOT_D

    def run(self) -> None:
        """Move one step on, or open."""
        elapsed_ms = self._inputs.elapsed_ms
        if self._step_ms < LONG_MS:
            self._step_ms += elapsed_ms
        self.across.run()
        healthy = self._watch(elapsed_ms)
        step = self.step
        if not healthy or not self.permitted() or not (self._outputs.contactor or self._protection.may_close):
            if step != OPEN:
                self._to_open()
            self._opened(elapsed_ms)
        elif step == CLOSED:
            self._closed(elapsed_ms)
        elif step == OPEN:
            self._opened(elapsed_ms)
            self._start()
        elif step == TEST:
            self._test()
        elif step == RELEASE:
            self._release()
        elif step == ARM:
            self._arm()
        elif step == CLOSE:
            self._close()
        else:
            self._wait(elapsed_ms)

    def _go(self, step: int) -> None:
        self.step = step
        self._step_ms = 0

    def _to_open(self) -> None:
        """Everything off at once."""
        outputs = self._outputs
        if outputs.contactor:
            self._opening = 1
            self._not_open_ms = 0
        outputs.contactor = 0
        outputs.gate_arm = 0
        outputs.rcd_test = 0
        outputs.closed = 0
        self._go(OPEN)

    def _opened(self, elapsed_ms: int) -> None:
        """Coil off: the mirror has to prove open contacts in time, now and ever after."""
        cause = self._cause
        cause[FAULT_CONTACTOR_NO_CLOSE] = 0
        cause[FAULT_CONTACTOR_BOUNCE] = 0
        cause[FAULT_CONTACTOR_DROPOUT] = 0
        cause[FAULT_RCD_TEST] = 0
        if self._inputs.pilot_state == PILOT_A:
            self._attempts = 0
        if not self._inputs.contactor_open_proven:
            self._not_open_ms += elapsed_ms
            if self._not_open_ms > OPEN_MS:
                cause[FAULT_CONTACTOR_WELD] = 1
                self._not_open_ms = OPEN_MS
            return
        if self._opening:
            self._opening = 0
            self._events.emit(self._inputs.now_ms, EVENT_CONTACTOR_OPENED, 0, self._not_open_ms)
        self._not_open_ms = 0
        cause[FAULT_CONTACTOR_WELD] = 0

    def _start(self) -> None:
        """Begin only with contacts shown open by mirror and voltage, and an inverter that answers and stands at zero.

        One that has its supply through the contactor cannot answer before: it begins at zero, being dark.
        """
        inputs = self._inputs
        if not inputs.contactor_open_proven or self._outputs.across_doubt:
            return
        if not inputs.inverter_ok:
            ready = self._settings.inverter_wake_s > 0
        else:
            ready = -AT_ZERO_W < inputs.inverter_w < AT_ZERO_W
        if ready:
            self._outputs.rcd_test = 1
            self._go(TEST)

    def _test(self) -> None:
        if self._inputs.rcd_tripped:
            self._outputs.rcd_test = 0
            self._go(RELEASE)
        elif self._step_ms >= RCD_TEST_MS:
            self._fail(FAULT_RCD_TEST)

    def _release(self) -> None:
        if not self._inputs.rcd_tripped:
            self._rcd_mask_ms = 0
            self._outputs.gate_arm = 1
            self._go(ARM)
        elif self._step_ms >= RCD_RELEASE_MS:
            self._fail(FAULT_RCD_TEST)

    def _arm(self) -> None:
        """Coil on only while the contacts are still proven open: a gate that closes them alone is a fault."""
        inputs = self._inputs
        if inputs.gate_up and inputs.contactor_open_proven:
            self._outputs.contactor = 1
            self._go(CLOSE)
        elif self._step_ms >= ARM_MS:
            self._fail(FAULT_CONTACTOR_WELD if inputs.gate_up else FAULT_GATE_FEEDBACK)

    def _close(self) -> None:
        if not self._inputs.contactor_open_proven:
            self._outputs.closed = 1
            self._dropped_ms = 0
            self._bounces = 0
            self._bounce_ms = 0
            self._events.emit(self._inputs.now_ms, EVENT_CONTACTOR_CLOSED, 0, self._step_ms)
            self._go(CLOSED)
        elif self._step_ms >= CLOSE_MS:
            self._retry()

    def _retry(self) -> None:
        self._attempts += 1
        if self._attempts > RETRIES:
            self._attempts = 0
            self._fail(FAULT_CONTACTOR_NO_CLOSE)
            return
        self._events.emit(self._inputs.now_ms, EVENT_CONTACTOR_RETRY, 0, self._attempts)
        self._to_open()
        self._go(WAIT)

    def _wait(self, elapsed_ms: int) -> None:
        self._opened(elapsed_ms)
        if self._step_ms >= WAIT_MS:
            self._go(OPEN)

    def _closed(self, elapsed_ms: int) -> None:
        """Watch the mirror contact of a closed contactor."""
        self._bounce_ms += elapsed_ms
        if self._bounce_ms >= BOUNCE_WINDOW_MS:
            self._bounce_ms = 0
            self._bounces = 0
            self._attempts = 0
        if not self._inputs.contactor_open_proven:
            self._dropped_ms = 0
            return
        if self._step_ms <= BOUNCE_SETTLE_MS:
            return
        if self._dropped_ms == 0:
            self._bounces += 1
        self._dropped_ms += elapsed_ms
        if self._dropped_ms > DROPOUT_MS:
            self._fail(FAULT_CONTACTOR_DROPOUT if self._inputs.gate_up else FAULT_GATE_FEEDBACK)
        elif self._bounces > BOUNCES:
            self._fail(FAULT_CONTACTOR_BOUNCE)

    def _fail(self, fault: int) -> None:
        """Open at once; the latch makes it a fault in the next cycle and until it is cleared."""
        self._to_open()
        self._cause[fault] = 1

    def _watch(self, elapsed_ms: int) -> bool:
        """Judge residual current (unless we test it) and the gate, in every step; False = open now."""
        inputs = self._inputs
        outputs = self._outputs
        if outputs.rcd_test:
            self._rcd_mask_ms = RCD_RELEASE_MS + RCD_TEST_MS
        elif self._rcd_mask_ms > 0:
            self._rcd_mask_ms -= elapsed_ms
        leaking = 1 if inputs.rcd_tripped and self._rcd_mask_ms <= 0 else 0
        self._cause[FAULT_RCD_TRIP] = leaking
        if inputs.gate_up == outputs.gate_arm or self.step == ARM:
            self._gate_ms = 0
            self._cause[FAULT_GATE_FEEDBACK] = 0
            return not leaking
        self._gate_ms += elapsed_ms
        if self._gate_ms > (GATE_LOST_MS if outputs.gate_arm else GATE_HELD_MS):
            self._cause[FAULT_GATE_FEEDBACK] = 1
            self._gate_ms = GATE_HELD_MS
            return False
        return not leaking
