# SPDX-License-Identifier: MIT
"""Control pilot (IEC 61851-1 Annex A, SAE J1772): state A-F from both peak detectors.

Every cycle. Reads board.pilot, writes inputs.pilot_*, the pilot causes and an event on change.

A window must hold for DEBOUNCE_MS; a voltage between windows keeps the last state for GAP_MS and
then is a fault; no steady window at all for CHATTER_MS likewise. With the 10 ms scan and a 20 ms
contactor the slowest of these opens within 90 ms of the change: the limit is 100 ms.
"""

from evse.faults import (
    EVENT_PILOT,
    FAULT_PILOT_DIODE,
    FAULT_PILOT_GENERATOR,
    FAULT_PILOT_INVALID,
    FAULT_PILOT_SHORT,
    PILOT_A,
    PILOT_B,
    PILOT_C,
    PILOT_D,
    PILOT_E,
    PILOT_F,
    PILOT_UNKNOWN,
)

DEBOUNCE_MS = 20  # after the first sample in the new window: the third sample decides
GAP_MS = 40  # grid-codes 4.2: keep the last state 30-50 ms in a gap
CHATTER_MS = 50
SETTLE_MS = 30  # peak detectors after a change of duty
DIODE_MS = 20  # missing low half for this long is no diode
GENERATOR_MS = 1000

# High level at the pilot, mV: state, lowest, highest (grid-codes 4.2; windows +-1 V).
WINDOWS = (
    (PILOT_A, 11000, 13000),
    (PILOT_B, 8000, 10000),
    (PILOT_C, 5000, 7000),
    (PILOT_D, 2000, 4000),
    (PILOT_E, -1000, 1000),
    (PILOT_F, -13000, -11000),
)
LOW_MV = -13000  # low half of a PWM with a diode in the vehicle: -12 V +-1 V
HIGH_LOW_MV = -11000
SUPPLY_MV = 12000  # generator, open circuit: +-0.6 V, and 0.2 V for our own measurement
SUPPLY_TOLERANCE_MV = 800


def classify(high_mv: int) -> int:
    """Return the state whose window holds high_mv, or PILOT_UNKNOWN in a gap."""
    for row in WINDOWS:
        if row[1] <= high_mv <= row[2]:
            return row[0]
    return PILOT_UNKNOWN


class Pilot:
    """The vehicle's side of the pilot, debounced, and the health of pilot and generator."""

    def __init__(self, image, settings, profile, board):
        self._inputs = image.inputs
        self._outputs = image.outputs
        self._cause = image.status.cause
        self._events = image.events
        self._pins = board.pilot
        self._window_low = 1  # an empty window: the first sample is always looked at
        self._window_high = 0
        self._candidate = PILOT_UNKNOWN
        self._candidate_ms = 0
        self._other_ms = 0
        self._lost = 0  # 1: no state is believed until a window holds again
        self._duty = -1
        self._duty_ms = 0
        self._bad_diode_ms = 0
        self._bad_supply_ms = 0
        self._doubt = 0  # 1: the generator's levels were wrong in the last cycle

    def run(self) -> None:
        """Read both peaks and judge them."""
        inputs = self._inputs
        pins = self._pins
        pins.read()
        high_mv = pins.high_mv
        inputs.pilot_high_mv = high_mv
        inputs.pilot_low_mv = pins.low_mv
        elapsed_ms = inputs.elapsed_ms
        duty = self._outputs.duty_permille
        if duty != self._duty:
            self._duty = duty
            self._duty_ms = 0
            inputs.pilot_diode_ok = 0
        elif self._duty_ms < 60000:
            self._duty_ms += elapsed_ms
        if duty == 0:
            self._unavailable(inputs)
        elif self._window_low <= high_mv <= self._window_high:
            self._other_ms = 0
            self._candidate = PILOT_UNKNOWN
        else:
            self._moving(inputs, high_mv, elapsed_ms)
        if self._duty_ms >= SETTLE_MS:
            self._check(inputs, duty, elapsed_ms)

    def _moving(self, inputs, high_mv: int, elapsed_ms: int) -> None:
        """The level has left the window of the present state."""
        raw = classify(high_mv)
        if self._other_ms == 0:
            self._other_ms = 1  # the clock starts with this sample, not before it
            self._candidate_ms = 0
        else:
            self._other_ms += elapsed_ms
            self._candidate_ms += elapsed_ms
        if raw != self._candidate:
            self._candidate = raw
            self._candidate_ms = 0
        if raw != PILOT_UNKNOWN and self._candidate_ms >= DEBOUNCE_MS:
            self._enter(inputs, raw)
        elif self._lost:
            return
        elif self._other_ms >= CHATTER_MS or (raw == PILOT_UNKNOWN and self._candidate_ms >= GAP_MS):
            self._lost = 1
            self._enter(inputs, PILOT_UNKNOWN)
            self._cause[FAULT_PILOT_INVALID] = 1

    def _enter(self, inputs, state: int) -> None:
        if state == PILOT_UNKNOWN:
            self._window_low = 1
            self._window_high = 0
        else:
            row = WINDOWS[state - 1]
            self._window_low = row[1]
            self._window_high = row[2]
            self._other_ms = 0
            self._lost = 0
            self._cause[FAULT_PILOT_INVALID] = 0
        self._candidate = PILOT_UNKNOWN
        if inputs.pilot_state == state:
            return
        inputs.pilot_state = state
        inputs.pilot_diode_ok = 0
        self._bad_supply_ms = 0
        self._cause[FAULT_PILOT_SHORT] = 1 if state == PILOT_E else 0
        if state == PILOT_A:
            self._cause[FAULT_PILOT_DIODE] = 0  # only unplugging proves that another vehicle is there
        self._events.emit(inputs.now_ms, EVENT_PILOT, state, inputs.pilot_high_mv)

    def _unavailable(self, inputs) -> None:
        """We hold the pilot at -12 V (state F): the vehicle cannot be seen, only the generator."""
        if self._duty_ms < SETTLE_MS:
            return
        if inputs.pilot_state != PILOT_F:
            self._enter(inputs, PILOT_F)

    def _check(self, inputs, duty: int, elapsed_ms: int) -> None:
        """Diode in every PWM state, and the generator's own levels, once the detectors have settled."""
        low_mv = inputs.pilot_low_mv
        if 0 < duty < 1000 and PILOT_B <= inputs.pilot_state <= PILOT_D:
            if LOW_MV <= low_mv <= HIGH_LOW_MV and not self._doubt:
                inputs.pilot_diode_ok = 1
                self._bad_diode_ms = 0
                return
            self._check_diode(inputs, low_mv, elapsed_ms)
        supply_ok = self._supply_ok(inputs, duty)
        self._judge_supply(supply_ok, elapsed_ms)

    def _supply_ok(self, inputs, duty: int) -> int:
        """Return 1 when the generator's levels are what they have to be in this state."""
        state = inputs.pilot_state
        low_mv = inputs.pilot_low_mv
        if 0 < duty < 1000:
            if low_mv < LOW_MV or (state == PILOT_A and low_mv > SUPPLY_TOLERANCE_MV - SUPPLY_MV):
                return 0
        elif duty == 0 and not LOW_MV <= low_mv <= HIGH_LOW_MV:
            return 0
        if state == PILOT_A:
            over_mv = inputs.pilot_high_mv - SUPPLY_MV
            return 1 if -SUPPLY_TOLERANCE_MV <= over_mv <= SUPPLY_TOLERANCE_MV else 0
        return 0 if state == PILOT_F and duty != 0 else 1  # nobody asked for -12 V

    def _judge_supply(self, supply_ok: int, elapsed_ms: int) -> None:
        """A generator that is wrong for GENERATOR_MS is a fault."""
        self._doubt = 1 - supply_ok
        if supply_ok:
            self._bad_supply_ms = 0
            self._cause[FAULT_PILOT_GENERATOR] = 0
            return
        self._bad_supply_ms += elapsed_ms
        if self._bad_supply_ms >= GENERATOR_MS:
            self._cause[FAULT_PILOT_GENERATOR] = 1
            self._bad_supply_ms = GENERATOR_MS

    def _check_diode(self, inputs, low_mv: int, elapsed_ms: int) -> None:
        if low_mv > HIGH_LOW_MV:
            inputs.pilot_diode_ok = 0
            self._bad_diode_ms += elapsed_ms
            if self._bad_diode_ms > DIODE_MS:
                self._cause[FAULT_PILOT_DIODE] = 1
                self._bad_diode_ms = DIODE_MS
        else:
            self._bad_diode_ms = 0
            inputs.pilot_diode_ok = 1
