# SPDX-License-Identifier: MIT
"""Temperatures: the charger's own derate and then stop; the battery's has a window.

A sensor outside the physical range (open or shorted) counts as too hot: unknown is never cool.
"""

from evse.faults import FAULT_OVER_TEMPERATURE, REASON_BATTERY_TEMPERATURE, REASON_TEMPERATURE
from evse.fixed import permille
from evse.limit.limiter import UNLIMITED_W, Limiter

SENSOR_LOW_CDEG = -5000
SENSOR_HIGH_CDEG = 15000
HYSTERESIS_CDEG = 200


def share_permille(cdeg: int, derate_cdeg: int, stop_cdeg: int) -> int:
    """Return the share of power allowed at a temperature: 1000 up to derate, falling to 0 at stop."""
    if cdeg >= stop_cdeg or cdeg < SENSOR_LOW_CDEG or cdeg > SENSOR_HIGH_CDEG:
        return 0
    if cdeg <= derate_cdeg:
        return 1000
    return (stop_cdeg - cdeg) * 1000 // (stop_cdeg - derate_cdeg)


class Temperature(Limiter):
    """Board and connector: power falls from `derate` to `stop`; at stop it is a fault until cool again."""

    def __init__(self, image, settings):
        super().__init__(REASON_TEMPERATURE, 0)
        self._inputs = image.inputs
        self._cause = image.status.cause
        self._settings = settings
        self._board_cdeg = 0
        self._connector_cdeg = 0
        self._changed = -1

    def run(self) -> None:
        inputs = self._inputs
        if (
            inputs.board_cdeg != self._board_cdeg
            or inputs.connector_cdeg != self._connector_cdeg
            or self._settings.changed != self._changed
        ):
            self._board_cdeg = inputs.board_cdeg
            self._connector_cdeg = inputs.connector_cdeg
            self._changed = self._settings.changed
            self._judge()

    def _judge(self) -> None:
        settings = self._settings
        share = min(
            share_permille(self._board_cdeg, settings.board_derate_cdeg, settings.board_stop_cdeg),
            share_permille(self._connector_cdeg, settings.connector_derate_cdeg, settings.connector_stop_cdeg),
        )
        if share == 0:
            self._cause[FAULT_OVER_TEMPERATURE] = 1
        elif share == 1000:
            self._cause[FAULT_OVER_TEMPERATURE] = 0
        if self._cause[FAULT_OVER_TEMPERATURE]:
            share = 0
        if share == 1000:
            self.import_w = UNLIMITED_W
            self.export_w = UNLIMITED_W
        else:
            self.import_w = permille(settings.import_rating_w, share)
            self.export_w = permille(settings.export_rating_w, share)


UNKNOWN_CDEG = -27315  # the inverter does not tell the battery's temperature (docs/contracts.md)


class BatteryTemperature(Limiter):
    """No power outside the battery's window, both ways; back inside by 2 degrees before it returns."""

    def __init__(self, image, settings):
        super().__init__(REASON_BATTERY_TEMPERATURE)
        self._inputs = image.inputs
        self._settings = settings
        self._outside = 0

    def run(self) -> None:
        inputs = self._inputs
        if not inputs.battery_ok or inputs.battery_cdeg <= UNKNOWN_CDEG:
            return  # nothing known: the vehicle guards its battery, and without a charge the SOC guard forbids export
        cdeg = inputs.battery_cdeg
        cold = self._settings.battery_cold_cdeg
        hot = self._settings.battery_hot_cdeg
        if cdeg < cold or cdeg > hot:
            self._outside = 1
        elif cold + HYSTERESIS_CDEG <= cdeg <= hot - HYSTERESIS_CDEG:
            self._outside = 0
        room_w = 0 if self._outside else UNLIMITED_W
        self.import_w = room_w
        self.export_w = room_w
