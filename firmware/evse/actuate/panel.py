# SPDX-License-Identifier: MIT
"""Cable lock and lamp: what the person at the charger feels and sees. Every 40 ms.

The plug is locked while a vehicle is in and power may come; it is released in state A, when the
user stops, and UNLOCK_MS after a fault has made the charger unavailable (state F), but never
while the main contacts are not proven open.
"""

from evse.faults import (
    SESSION_CLOSING,
    SESSION_ENERGISED,
    SESSION_FAULT,
    SESSION_IDLE,
    SESSION_STOPPING,
)

UNLOCK_MS = 5000
LAMP_OFF, LAMP_READY, LAMP_WAITING, LAMP_CHARGING, LAMP_DISCHARGING, LAMP_FAULT = range(6)

# By session state: boot, idle, plugged, ready, closing, energised, stopping, tripped, fault.
LAMPS = (
    LAMP_OFF,
    LAMP_READY,
    LAMP_WAITING,
    LAMP_WAITING,
    LAMP_WAITING,
    LAMP_CHARGING,
    LAMP_WAITING,
    LAMP_FAULT,
    LAMP_FAULT,
)


class Panel:
    """Writes outputs.lock and outputs.lamp."""

    def __init__(self, image):
        self._inputs = image.inputs
        self._request = image.request
        self._outputs = image.outputs
        self._fault_ms = 0

    def run(self, elapsed_ms: int) -> None:
        """Follow the session. elapsed_ms: since the last call."""
        outputs = self._outputs
        state = self._request.session_state
        if state == SESSION_FAULT:
            if self._fault_ms < UNLOCK_MS:
                self._fault_ms += elapsed_ms
        else:
            self._fault_ms = 0
        outputs.lock = self._lock(state)
        outputs.lamp = LAMPS[state]
        if state == SESSION_ENERGISED and outputs.inverter_w < 0:
            outputs.lamp = LAMP_DISCHARGING

    def _lock(self, state: int) -> int:
        outputs = self._outputs
        if outputs.contactor or not self._inputs.contactor_open_proven:
            return outputs.lock  # never unlock under power, never move the bolt by a fault alone
        if state == SESSION_IDLE or (state == SESSION_FAULT and self._fault_ms >= UNLOCK_MS):
            return 0
        if SESSION_CLOSING <= state <= SESSION_STOPPING:
            return 1
        return outputs.lock
