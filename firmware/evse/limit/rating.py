# SPDX-License-Identifier: MIT
"""Limiters from ratings: settings and board, cable and pilot, vehicle, inverter. Import and export apart."""

from evse.faults import (
    REASON_CABLE,
    REASON_EXPORT_DISABLED,
    REASON_INVERTER_LIMIT,
    REASON_RATING_EXPORT,
    REASON_RATING_IMPORT,
    REASON_VEHICLE_LIMIT,
)
from evse.limit.limiter import UNLIMITED_W, Limiter

LEAST_PILOT_MA = 6000  # a pilot cannot offer less


class Rating(Limiter):
    """The smaller of the installer's settings and the board's rating."""

    def __init__(self, settings, ratings):
        super().__init__(REASON_RATING_IMPORT, 0)
        self._settings = settings
        self._ratings = ratings
        self._changed = -1

    def run(self) -> None:
        settings = self._settings
        if settings.changed == self._changed:
            return
        self._changed = settings.changed
        self.import_w = min(settings.import_rating_w, self._ratings.import_w)
        self.export_w = min(settings.export_rating_w, self._ratings.export_w)
        self.export_reason = REASON_RATING_EXPORT if settings.export_rating_w else REASON_EXPORT_DISABLED


class Cable(Limiter):
    """What cable, connector and pilot carry, both ways. Writes limits.offer_ma for the pilot."""

    def __init__(self, image, settings, profile, ratings):
        super().__init__(REASON_CABLE, 0)
        self._inputs = image.inputs
        self._limits = image.limits
        self._settings = settings
        self._board_ma = ratings.current_ma
        self._nominal_v = profile.nominal_mv // 1000
        self._rating = ratings
        self._cable_ma = -1
        self._changed = -1

    def run(self) -> None:
        cable_ma = self._inputs.cable_ma
        if cable_ma == self._cable_ma and self._settings.changed == self._changed:
            return
        settings = self._settings
        self._cable_ma = cable_ma
        self._changed = settings.changed
        volts = self._nominal_v * settings.phases
        current_ma = min(cable_ma, self._board_ma)
        self.import_w = current_ma * volts // 1000
        self.export_w = self.import_w
        rated_w = min(settings.import_rating_w, self._rating.import_w)
        offer_ma = min(current_ma, rated_w * 1000 // volts)
        if settings.import_rating_w and current_ma >= LEAST_PILOT_MA and offer_ma < LEAST_PILOT_MA:
            offer_ma = LEAST_PILOT_MA  # the least a pilot can say; `allowed` stays at the rating
        self._limits.offer_ma = offer_ma


class Vehicle(Limiter):
    """What the vehicle states that it takes and gives; 0 = not stated, negative = none."""

    def __init__(self, image):
        super().__init__(REASON_VEHICLE_LIMIT)
        self._inputs = image.inputs

    def run(self) -> None:
        charge_w = self._inputs.vehicle_charge_w
        discharge_w = self._inputs.vehicle_discharge_w
        self.import_w = charge_w if charge_w > 0 else (0 if charge_w else UNLIMITED_W)
        self.export_w = discharge_w if discharge_w > 0 else (0 if discharge_w else UNLIMITED_W)


class Inverter(Limiter):
    """The inverter's own ratings, as it reports them; whether it is alive is Permission's business."""

    def __init__(self, image):
        super().__init__(REASON_INVERTER_LIMIT, 0)
        self._inputs = image.inputs

    def run(self) -> None:
        inputs = self._inputs
        self.import_w = max(0, inputs.inverter_charge_w)
        self.export_w = max(0, inputs.inverter_discharge_w)
