# SPDX-License-Identifier: MIT
"""The limiter that gives all or nothing: session, protection, momentary cessation, live inverter."""

from evse.faults import (
    PILOT_C,
    PILOT_D,
    REASON_CONTACTOR_OPEN,
    REASON_ENTER_SERVICE,
    REASON_FAULT,
    REASON_INVERTER_STALE,
    REASON_MOMENTARY_CESSATION,
    REASON_TRIP,
    REASON_VEHICLE_NOT_READY,
    SESSION_ENERGISED,
    SESSION_STOPPING,
)
from evse.limit.limiter import UNLIMITED_W, Limiter


class Permission(Limiter):
    """Power only with a closed contactor, a vehicle in C or D, no fault, no trip, a live inverter."""

    def __init__(self, image):
        super().__init__(REASON_CONTACTOR_OPEN, 0)
        self._inputs = image.inputs
        self._protection = image.protection
        self._request = image.request
        self._outputs = image.outputs
        self._status = image.status

    def run(self) -> None:
        reason = self._refusal()
        if reason:
            self.import_reason = reason
            self.export_reason = reason
            self.import_w = 0
            self.export_w = 0
        elif not self.import_w:
            self.import_w = UNLIMITED_W
            self.export_w = UNLIMITED_W

    def _refusal(self) -> int:
        """Return why nothing may flow, or 0."""
        protection = self._protection
        if self._status.fault_count:
            return REASON_FAULT
        if protection.trip:
            return REASON_TRIP
        if protection.inhibit or not self._inputs.afe_ok:
            return REASON_ENTER_SERVICE
        if protection.cessation:
            return REASON_MOMENTARY_CESSATION
        if not self._inputs.inverter_ok:
            return REASON_INVERTER_STALE
        pilot = self._inputs.pilot_state
        if pilot != PILOT_C and pilot != PILOT_D:
            return REASON_VEHICLE_NOT_READY
        state = self._request.session_state
        if self._outputs.closed and (state == SESSION_ENERGISED or state == SESSION_STOPPING):
            return 0
        return REASON_CONTACTOR_OPEN
