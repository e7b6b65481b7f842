# SPDX-License-Identifier: MIT
"""Session state machine: one table, the same for import and export. Every cycle.

What matters about the world is gathered as a set of bits, then the first row of the state's table
whose bits agree names the next state. The pilot stands before everything but faults and trips:
a vehicle that leaves C or D, or goes, opens the contactor in this very cycle.
Writes request.session_state, close_contactor, stop, duty_permille and reason.
"""

from evse.decide.duty import DIGITAL, OFF, UNAVAILABLE
from evse.faults import (
    AUTO,
    EVENT_SESSION,
    EVENT_WAKE_UP,
    FAULT_PILOT_STOP_IGNORED,
    FAULTS,
    PILOT_B,
    PILOT_C,
    PILOT_D,
    REASON_BOOT,
    REASON_CABLE,
    REASON_CONTACTOR_OPEN,
    REASON_ENTER_SERVICE,
    REASON_FAULT,
    REASON_INVERTER_STALE,
    REASON_LOCKED,
    REASON_NO_VEHICLE,
    REASON_NONE,
    REASON_SELFTEST,
    REASON_STOPPING,
    REASON_TRIP,
    REASON_USER_STOP,
    REASON_VEHICLE_NOT_READY,
    REASON_VENTILATION,
    SESSION_BOOT,
    SESSION_CLOSING,
    SESSION_ENERGISED,
    SESSION_FAULT,
    SESSION_IDLE,
    SESSION_PLUGGED,
    SESSION_READY,
    SESSION_STOPPING,
    SESSION_TRIPPED,
)

STOP_RAMP_MS = 4000  # a normal stop reaches zero within this; the offer stands so long, or the vehicle opens under load
STOP_LIMIT_MS = 10000  # open under load: 6 s after PWM stopped (IEC 61851-1 table A.6, seq. 10.2)
PWM_LEAD_MS = 50  # PWM on and diode seen this long before closing
WAKE_AFTER_MS = 30000  # B2 without C: the vehicle may be asleep
WAKE_MS = 4000  # B1 for this long, then B2 again, wakes it
NO_CURRENT_W = 200  # below this the contactor opens without wear
NO_CURRENT_MS = 100

# What matters, one bit each.
TESTED, PLUGGED, ASKS, PERMIT, HOLD, CLOSED, NO_CURRENT, FAULT, TRIP, LATE, PWM = (1 << n for n in range(11))

# For each state, rows of (bits that matter, their value, next state); the first that agrees wins.
_STOPPED_BY = ((FAULT, FAULT, SESSION_FAULT), (TRIP, TRIP, SESSION_TRIPPED))
_LEFT = ((PLUGGED, 0, SESSION_IDLE), (ASKS, 0, SESSION_PLUGGED))
TABLE = (
    ((FAULT | TESTED, FAULT | TESTED, SESSION_FAULT), (TESTED, TESTED, SESSION_IDLE)),  # boot
    _STOPPED_BY + ((PLUGGED, PLUGGED, SESSION_PLUGGED),),  # idle
    _STOPPED_BY + ((PLUGGED, 0, SESSION_IDLE), (ASKS, ASKS, SESSION_READY)),  # plugged
    _STOPPED_BY + _LEFT + ((PERMIT | HOLD | PWM, PERMIT | PWM, SESSION_CLOSING),),  # ready
    _STOPPED_BY  # closing
    + _LEFT
    + ((PERMIT, 0, SESSION_READY), (HOLD, HOLD, SESSION_READY), (CLOSED, CLOSED, SESSION_ENERGISED)),
    _STOPPED_BY  # energised
    + _LEFT
    + ((PERMIT, 0, SESSION_READY), (CLOSED, 0, SESSION_READY), (HOLD, HOLD, SESSION_STOPPING)),
    _STOPPED_BY  # stopping
    + _LEFT
    + (
        (PERMIT, 0, SESSION_PLUGGED),
        (CLOSED, 0, SESSION_PLUGGED),
        (NO_CURRENT, NO_CURRENT, SESSION_PLUGGED),
        (LATE, LATE, SESSION_FAULT),
    ),
    ((FAULT, FAULT, SESSION_FAULT), (TRIP, 0, SESSION_IDLE)),  # tripped
    ((FAULT, 0, SESSION_IDLE),),  # fault
)
CLOSES = (0, 0, 0, 0, 1, 1, 1, 0, 0)  # contactor wanted, by state
OFFERS = (0, 0, 1, 1, 1, 1, 0, 0, 0)  # PWM wanted, by state; while stopping see _command
REASONS = (
    REASON_BOOT,
    REASON_NO_VEHICLE,
    REASON_VEHICLE_NOT_READY,
    REASON_ENTER_SERVICE,
    REASON_CONTACTOR_OPEN,
    REASON_NONE,
    REASON_STOPPING,
    REASON_TRIP,
    REASON_FAULT,
)


def next_state(state: int, facts: int) -> int:
    """Return the state that follows; the whole behaviour is in TABLE."""
    for row in TABLE[state]:
        if facts & row[0] == row[1]:
            return row[2]
    return state


class Session:
    """One vehicle's visit, from plug to plug. `offer_permille`: the duty that offers the current now."""

    def __init__(self, image, settings):
        self._image = image
        self._inputs = image.inputs
        self._protection = image.protection
        self._request = image.request
        self._outputs = image.outputs
        self._status = image.status
        self._settings = settings
        self._state_ms = 0  # in this state
        self._pwm_ms = 0  # PWM on without a break
        self._no_current_ms = 0
        self._wake_ms = 0  # left of a wake-up
        self._woken = 0
        self._facts_before = -1
        self._f_faults = bytes(1 if row[2] != AUTO else 0 for row in FAULTS)
        self.stop = 0  # user: 1 = stop
        self.offer_permille = OFF

    def offer(self, duty_permille: int) -> None:
        """Change the duty that offers the current."""
        self.offer_permille = duty_permille
        self._facts_before = -1

    def run(self) -> None:
        """Gather, step, command."""
        request = self._request
        elapsed_ms = self._inputs.elapsed_ms
        self._state_ms += elapsed_ms
        if self._state_ms > 1000000:
            self._state_ms = 1000000
        facts = self._facts(elapsed_ms)
        state = request.session_state
        if state == SESSION_STOPPING and facts & LATE and not facts & NO_CURRENT and facts & ASKS:
            self._status.cause[FAULT_PILOT_STOP_IGNORED] = 1
        elif not facts & ASKS:
            self._status.cause[FAULT_PILOT_STOP_IGNORED] = 0
        if facts == self._facts_before and (state == SESSION_ENERGISED or state == SESSION_IDLE):
            return  # nothing has changed, and these states keep no time: nothing to command
        self._facts_before = facts
        following = next_state(state, facts)
        if following != state:
            self._enter(following)
        self._command(following, facts, elapsed_ms)

    def _facts(self, elapsed_ms: int) -> int:
        inputs = self._inputs
        protection = self._protection
        status = self._status
        pilot = inputs.pilot_state
        facts = PLUGGED if PILOT_B <= pilot <= PILOT_D else 0
        if pilot == PILOT_C or (pilot == PILOT_D and self._settings.ventilation):
            facts = PLUGGED | ASKS
        if protection.service and not protection.inhibit and inputs.afe_ok and status.selftest == 1:
            facts |= PERMIT
        if self.stop or status.locked:
            facts |= HOLD
        if self._outputs.closed:
            facts |= CLOSED
        if status.fault_count:
            facts |= FAULT
        if protection.trip:
            facts |= TRIP
        if status.selftest:
            facts |= TESTED
        if self._pwm_ms >= PWM_LEAD_MS and inputs.pilot_diode_ok:
            facts |= PWM
        if self._request.session_state == SESSION_STOPPING:
            facts |= self._stopping_facts(elapsed_ms)
        return facts

    def _stopping_facts(self, elapsed_ms: int) -> int:
        inputs = self._inputs
        power_w = inputs.inverter_w
        if -NO_CURRENT_W < power_w < NO_CURRENT_W and -NO_CURRENT_W < inputs.grid_w < NO_CURRENT_W:
            self._no_current_ms += elapsed_ms
        else:
            self._no_current_ms = 0
        facts = 0
        if self._no_current_ms >= NO_CURRENT_MS and self._image.limits.allowed_w == 0:
            facts = NO_CURRENT
        limit_ms = STOP_LIMIT_MS
        if inputs.inverter_response_ms > STOP_LIMIT_MS:  # its own delay comes before the vehicle's
            limit_ms += inputs.inverter_response_ms
        if self._state_ms >= limit_ms:
            facts |= LATE
        return facts

    def _enter(self, state: int) -> None:
        self._request.session_state = state
        self._facts_before = -1  # a new state judges the same facts anew
        self._state_ms = 0
        self._no_current_ms = 0
        self._wake_ms = 0
        if state == SESSION_IDLE:
            self._woken = 0
        self._image.events.emit(self._inputs.now_ms, EVENT_SESSION, state, 0)

    def _command(self, state: int, facts: int, elapsed_ms: int) -> None:
        request = self._request
        request.close_contactor = CLOSES[state]
        request.stop = 1 if state == SESSION_STOPPING else 0
        request.reason = self._reason(state, facts) if state < SESSION_ENERGISED else REASONS[state]
        duty = OFF
        if OFFERS[state] and facts & (PERMIT | HOLD) == PERMIT:
            duty = DIGITAL if self._settings.pilot_digital else self.offer_permille
            if state == SESSION_PLUGGED:
                duty = self._wake(duty, elapsed_ms)
        elif state == SESSION_STOPPING and self._state_ms < STOP_RAMP_MS:
            duty = request.duty_permille  # first zero current, then no offer
        elif state == SESSION_FAULT and self._unavailable():
            duty = UNAVAILABLE
        if duty == OFF or duty == UNAVAILABLE:
            self._pwm_ms = 0
        elif self._pwm_ms < PWM_LEAD_MS:
            self._pwm_ms += elapsed_ms
        request.duty_permille = duty

    def _reason(self, state: int, facts: int) -> int:
        """Return why there is no power before the contactor is closed."""
        if state == SESSION_BOOT:
            return REASON_SELFTEST if self._inputs.afe_ok else REASON_BOOT
        if facts & PLUGGED:
            if facts & HOLD:
                return REASON_LOCKED if self._status.locked else REASON_USER_STOP
            if not facts & PERMIT:
                return REASON_ENTER_SERVICE if self._status.selftest == 1 else REASON_SELFTEST
            if state == SESSION_PLUGGED and self._inputs.pilot_state == PILOT_D:
                return REASON_VENTILATION
            if state == SESSION_READY:
                return REASON_CABLE if self.offer_permille == OFF else REASON_CONTACTOR_OPEN
            if state == SESSION_CLOSING and not self._inputs.inverter_ok:
                return REASON_INVERTER_STALE
        return REASONS[state]

    def _unavailable(self) -> bool:
        """Return whether a fault that a person must clear is active: the charger says state F."""
        fault = self._status.fault
        rules = self._f_faults
        for code in range(len(rules)):
            if fault[code] and rules[code]:
                return True
        return False

    def _wake(self, duty: int, elapsed_ms: int) -> int:
        """Return the duty in state plugged: once a visit, B1 for a while wakes a sleeping vehicle."""
        if self._wake_ms > 0:
            self._wake_ms -= elapsed_ms
            if self._wake_ms <= 0:
                self._state_ms = 0
            return OFF
        if not self._woken and self._state_ms >= WAKE_AFTER_MS and self._inputs.pilot_state == PILOT_B:
            self._woken = 1
            self._wake_ms = WAKE_MS
            self._image.events.emit(self._inputs.now_ms, EVENT_WAKE_UP)
            return OFF
        return duty
