# SPDX-License-Identifier: MIT
"""Inverter measurements from their mailbox, with age. Rate: each cycle.

Reads: mail.inverter. Writes: inputs.inverter_*; FAULT_INVERTER_LOST, FAULT_INVERTER_ALARM.
Alarms that only say "the grid is away or out of bounds" are the grid's, not the inverter's: protect
records them (SunSpec 701 Alrm bits), and behind an open contactor they are what a healthy inverter reports.
An inverter that is supplied through the contactor (`inverter_wake_s`) is dark while that is open: its silence is then
no fault, and neither is the time it takes to boot. One that fails is left dark for PAUSE_MS before it may try again.
"""

from evse.faults import FAULT_INVERTER_ALARM, FAULT_INVERTER_LOST
from evse.mailbox import Reader

STATE_FAULT = 6  # SunSpec 701 InvSt
PAUSE_MS = 120000  # between two wakings of an inverter that failed: spares contactor and inverter
LONG_MS = 1000000  # timers stop here
GRID_ALARMS = 1 << 2 | 1 << 4 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11  # AC_DISC, GRID_DISC, OF, UF, AC OV, AC UV
OWN_ALARMS = 0x3FFFFFFF & ~GRID_ALARMS


class InverterMail:
    """Copies whole messages only, and lets them grow old."""

    def __init__(self, image, settings, profile, board):
        self._inputs = image.inputs
        self._outputs = image.outputs
        self._closed_ms = 0  # since the contactor closed
        self._answered = 0  # 1: it has spoken since then
        self._pause_ms = 0  # left until it may be woken again
        self._fault = image.status.fault
        self._box = image.mail.inverter
        self._reader = Reader(image.mail.inverter)
        self._settings = settings
        self._stale_ms = 0  # a device that may only be asked slowly says how long its word holds

    def run(self) -> None:
        """Take a new message, if any, and judge its age."""
        inputs = self._inputs
        reader = self._reader
        if reader.poll(inputs.now_ms, inputs.elapsed_ms):
            self._copy(inputs, self._box)
        age_ms = reader.age_ms
        inputs.inverter_age_ms = age_ms
        stale_ms = self._settings.inverter_stale_ms
        if self._stale_ms > stale_ms:
            stale_ms = self._stale_ms
        fresh = 1 if age_ms <= stale_ms else 0
        inputs.inverter_ok = fresh
        if self._settings.inverter_wake_s:
            self._wake(fresh, inputs.elapsed_ms)
        else:
            self._fault[FAULT_INVERTER_LOST] = 1 - fresh

    def _wake(self, fresh: int, elapsed_ms: int) -> None:
        """Judge an inverter that has power only through the contactor."""
        fault = self._fault
        if self._outputs.closed:
            if self._closed_ms < LONG_MS:
                self._closed_ms += elapsed_ms
            if fresh:
                self._answered = 1
            late = self._answered or self._closed_ms > self._settings.inverter_wake_s * 1000
            lost = 0 if fresh or not late else 1
            fault[FAULT_INVERTER_LOST] = lost
            self._pause_ms = PAUSE_MS if lost or fault[FAULT_INVERTER_ALARM] else 0
            return
        self._closed_ms = 0
        self._answered = 0
        if self._pause_ms > 0:  # it failed: the fault stands until the pause is over
            self._pause_ms -= elapsed_ms
        elif not fresh:
            fault[FAULT_INVERTER_LOST] = 0
            fault[FAULT_INVERTER_ALARM] = 0

    def _copy(self, inputs, box) -> None:
        inputs.inverter_state = box.state
        inputs.inverter_connected = box.connected
        inputs.inverter_w = box.power_w
        inputs.inverter_var = box.reactive_var
        inputs.inverter_mv = box.terminal_mv
        inputs.inverter_alarms = box.alarms
        inputs.inverter_charge_w = box.charge_w
        inputs.inverter_discharge_w = box.discharge_w
        inputs.inverter_response_ms = box.response_ms
        inputs.inverter_var_response_ms = box.var_response_ms
        self._stale_ms = box.stale_ms
        own = box.alarms & OWN_ALARMS or (box.state == STATE_FAULT and not box.alarms & GRID_ALARMS)
        self._fault[FAULT_INVERTER_ALARM] = 1 if own else 0
