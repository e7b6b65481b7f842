# SPDX-License-Identifier: MIT
"""Voltage across the open contacts: the inverter's own AC terminals must be dead behind them. Every cycle.

Second proof of open contacts beside the mirror contact, where the inverter tells its terminal voltage and the front
end sees a live grid. It sees a weld that lets current through (all poles of a circuit), whatever the mirror says; a
single welded pole only the mirror sees. Where the inverter tells nothing the mirror contact stands alone.
"""

from evse.faults import FAULT_CONTACTOR_VOLTAGE
from evse.image import PHASES

LIVE_SHARE = 4  # more than a quarter of the grid's voltage: one welded pole of three already gives a third
SETTLE_MS = 300  # terminals and the inverter's own averaging, after the coil is off
MORE_MS = 1000  # beyond the age of the oldest believed message, so that two messages must say it
LONG_MS = 1000000  # the timer stops here


class Across:
    """Writes outputs.across_doubt and the cause of FAULT_CONTACTOR_VOLTAGE."""

    def __init__(self, image, settings):
        self._inputs = image.inputs
        self._outputs = image.outputs
        self._cause = image.status.cause
        self._settings = settings
        self._off_ms = 0  # coil off for so long
        self._live_ms = 0  # terminals live for so long

    def run(self) -> None:
        """Judge the inverter's voltage while the coil is off."""
        outputs = self._outputs
        if outputs.contactor:
            self._off_ms = 0
            self._live_ms = 0
            return
        inputs = self._inputs
        if self._off_ms < LONG_MS:
            self._off_ms += inputs.elapsed_ms
        if not self._known():
            self._live_ms = 0
            outputs.across_doubt = 0
        elif inputs.inverter_age_ms + SETTLE_MS > self._off_ms:
            outputs.across_doubt = 1  # it told this before the contacts opened
        elif self._live():
            outputs.across_doubt = 1
            self._persist(inputs.elapsed_ms)
        else:
            self._live_ms = 0
            outputs.across_doubt = 0
            self._cause[FAULT_CONTACTOR_VOLTAGE] = 0

    def _known(self) -> bool:
        inputs = self._inputs
        told = inputs.inverter_ok and inputs.inverter_mv >= 0 and self._settings.weld_voltage_check
        return bool(told and inputs.afe_ok and inputs.voltage_live)

    def _live(self) -> bool:
        """Return whether the terminals carry more than a share of the grid's highest phase."""
        inputs = self._inputs
        highest_mv = 0
        for phase in range(PHASES):
            if inputs.phase_mv[phase] > highest_mv:
                highest_mv = inputs.phase_mv[phase]
        return inputs.inverter_mv * LIVE_SHARE > highest_mv

    def _persist(self, elapsed_ms: int) -> None:
        limit_ms = self._settings.inverter_stale_ms + MORE_MS
        self._live_ms += elapsed_ms
        if self._live_ms > limit_ms:
            self._live_ms = limit_ms
            self._cause[FAULT_CONTACTOR_VOLTAGE] = 1
