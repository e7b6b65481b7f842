# SPDX-License-Identifier: MIT
"""Trips of the inverter's own interface protection, as its alarms tell them (SunSpec 701 Alrm).

Behind an open contactor the inverter rightly says that the grid is away. So only an alarm that comes
up while the contactor has been closed and the inverter connected counts.
"""

from evse.faults import ELEMENT_INVERTER_TRIP

# GRID_DISC, over-frequency, under-frequency, AC over-voltage, AC under-voltage
GRID_ALARMS = 1 << 4 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11


class InverterTrip:
    """Watches for a rising grid alarm of a connected inverter."""

    def __init__(self, image, latch):
        self._inputs = image.inputs
        self._outputs = image.outputs
        self._active = image.protection.element_active
        self._latch = latch
        self._quiet = 0  # 1: closed, connected and without a grid alarm

    def run(self) -> None:
        """Judge this cycle."""
        inputs = self._inputs
        alarms = inputs.inverter_alarms & GRID_ALARMS
        if not self._outputs.contactor or not inputs.inverter_ok:
            self._quiet = 0
            self._active[ELEMENT_INVERTER_TRIP] = 0
        elif not alarms:
            self._quiet = inputs.inverter_connected
            self._active[ELEMENT_INVERTER_TRIP] = 0
        elif self._quiet:
            self._quiet = 0
            self._active[ELEMENT_INVERTER_TRIP] = 1
            self._latch.trip(ELEMENT_INVERTER_TRIP, 0, alarms, 0)
