# SPDX-License-Identifier: MIT
"""One vehicle's visit, from plug to plug, followed by its events: when, how much energy, why power ended. No I/O."""

from evse.faults import (
    END_BY_EV,
    END_ESTOP,
    END_GRID,
    END_GROUND_FAULT,
    END_LOCAL,
    END_OTHER,
    END_UNPLUGGED,
    EVENT_FAULT_SET,
    EVENT_PILOT,
    EVENT_SESSION,
    EVENT_TRIP,
    FAULT_ESTOP,
    FAULT_RCD_TRIP,
    PILOT_A,
    PILOT_B,
    PILOT_D,
    SESSION_ENERGISED,
    SESSION_FAULT,
    SESSION_PLUGGED,
    SESSION_STOPPING,
    SESSION_TRIPPED,
)
from evse.store.sessions import SOC_UNKNOWN

# What the session's state was when it left `energised` -> why power ended. Anything else: the plug was pulled.
_ENDS = {SESSION_STOPPING: END_LOCAL, SESSION_TRIPPED: END_GRID, SESSION_FAULT: END_OTHER, SESSION_PLUGGED: END_BY_EV}


class SessionRecord:
    """Follows rows of the event ring. open: 1 while a vehicle is plugged in; ended: 1 until the record is taken."""

    def __init__(self):
        self.open = 0
        self.ended = 0
        self.trips = 0
        self.reason = END_UNPLUGGED
        self._state = 0
        self._fault_end = END_OTHER

    def event(self, row) -> None:
        """Take one event (ticks_ms, code, subject, value, phase)."""
        code, subject = row[1], row[2]
        if code == EVENT_PILOT:
            self._plug(subject)
        elif code == EVENT_SESSION:
            self._change(subject)
        elif code == EVENT_TRIP:
            self.trips += 1
        elif code == EVENT_FAULT_SET:
            self._fault_end = {FAULT_ESTOP: END_ESTOP, FAULT_RCD_TRIP: END_GROUND_FAULT}.get(subject, END_OTHER)

    def _plug(self, pilot: int) -> None:
        if pilot == PILOT_A and self.open:
            self.open = 0
            self.ended = 1
        elif PILOT_B <= pilot <= PILOT_D and not self.open and not self.ended:
            self.open = 1
            self.trips = 0
            self.reason = END_UNPLUGGED

    def _change(self, state: int) -> None:
        if state == SESSION_ENERGISED:
            self.reason = END_UNPLUGGED
        elif self._state == SESSION_ENERGISED and state in _ENDS:
            self.reason = self._fault_end if state == SESSION_FAULT else _ENDS[state]
        self._state = state


def soc_of(inputs) -> int:
    """Return the battery's charge in permille, SOC_UNKNOWN when it is not known."""
    return inputs.soc_permille if inputs.soc_ok else SOC_UNKNOWN
