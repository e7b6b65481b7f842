# SPDX-License-Identifier: MIT
"""Limiters that give all or nothing: session and protection, momentary cessation, live inverter."""

from evse.faults import (
    PILOT_C,
    PILOT_D,
    REASON_CONTACTOR_OPEN,
    REASON_ENTER_SERVICE,
    REASON_FAULT,
    REASON_INVERTER_LIMIT,
    REASON_INVERTER_STALE,
    REASON_MOMENTARY_CESSATION,
    REASON_TRIP,
    REASON_VEHICLE_NOT_READY,
    SESSION_ENERGISED,
    SESSION_STOPPING,
)
from evse.limit.limiter import UNLIMITED_W, Limiter


class Permission(Limiter):
    """Power only with a closed contactor, a vehicle in C or D, no fault, no trip, no inhibit, no cessation."""

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
            self.import_w = 0
            self.export_w = 0
            self.import_reason = reason
            self.export_reason = reason
        else:
            self.import_w = UNLIMITED_W
            self.export_w = UNLIMITED_W

    def _refusal(self) -> int:
        """Return why nothing may flow, or 0."""
        protection = self._protection
        state = self._request.session_state
        pilot = self._inputs.pilot_state
        if self._status.fault_count:
            return REASON_FAULT
        if protection.trip:
            return REASON_TRIP
        if protection.inhibit or not self._inputs.afe_ok:
            return REASON_ENTER_SERVICE
        if protection.cessation:
            return REASON_MOMENTARY_CESSATION
        if pilot != PILOT_C and pilot != PILOT_D:
            return REASON_VEHICLE_NOT_READY
        if not self._outputs.closed or (state != SESSION_ENERGISED and state != SESSION_STOPPING):
            return REASON_CONTACTOR_OPEN
        return 0


class Inverter(Limiter):
    """The inverter's own ratings while its data are fresh; nothing when they are not."""

    def __init__(self, image):
        super().__init__(REASON_INVERTER_STALE, 0)
        self._inputs = image.inputs

    def run(self) -> None:
        inputs = self._inputs
        if inputs.inverter_ok:
            self.import_w = inputs.inverter_charge_w if inputs.inverter_charge_w > 0 else 0
            self.export_w = inputs.inverter_discharge_w if inputs.inverter_discharge_w > 0 else 0
            self.import_reason = REASON_INVERTER_LIMIT
            self.export_reason = REASON_INVERTER_LIMIT
        else:
            self.import_w = 0
            self.export_w = 0
            self.import_reason = REASON_INVERTER_STALE
            self.export_reason = REASON_INVERTER_STALE
