# SPDX-License-Identifier: MIT
"""State of charge: floor with hysteresis and taper, driver's reserve, maximum; unknown means no export.

The state follows from the charge itself, never from events: a restart finds the same answer,
except inside the hysteresis, where it starts blocked.
"""

from evse.faults import REASON_SOC_FLOOR, REASON_SOC_MAX, REASON_SOC_RESERVE, REASON_SOC_TAPER
from evse.limit.limiter import UNLIMITED_W, Limiter

TAPER_LEAST_W = 100  # a taper ends here instead of creeping towards nothing


class SocGuard(Limiter):
    """Room left by the battery's charge."""

    def __init__(self, image, settings):
        super().__init__(REASON_SOC_MAX, 0)
        self._inputs = image.inputs
        self._settings = settings
        self._soc = -1
        self._changed = -1
        self._export_blocked = 1
        self._import_blocked = 0

    def run(self) -> None:
        inputs = self._inputs
        if not inputs.soc_ok:
            self.export_w = 0
            self.export_reason = inputs.soc_reason
            self.import_w = UNLIMITED_W  # only a vehicle in C or D asks, see Permission
            self._soc = -1
        elif inputs.soc_permille != self._soc or self._settings.changed != self._changed:
            self._soc = inputs.soc_permille
            self._changed = self._settings.changed
            self._export(self._soc)
            self._import(self._soc)

    def _export(self, soc: int) -> None:
        settings = self._settings
        floor = settings.soc_floor_permille
        self.export_reason = REASON_SOC_FLOOR
        if settings.soc_reserve_permille > floor:
            floor = settings.soc_reserve_permille
            self.export_reason = REASON_SOC_RESERVE
        above = soc - floor
        if above <= 0:
            self._export_blocked = 1
        elif above >= settings.soc_hysteresis_permille:
            self._export_blocked = 0
        if self._export_blocked:
            self.export_w = 0
        elif above < settings.soc_taper_permille:
            self.export_reason = REASON_SOC_TAPER
            self.export_w = max(settings.export_rating_w * above // settings.soc_taper_permille, TAPER_LEAST_W)
        else:
            self.export_w = UNLIMITED_W

    def _import(self, soc: int) -> None:
        settings = self._settings
        if soc >= settings.soc_max_permille:
            self._import_blocked = 1
        elif soc <= settings.soc_max_permille - settings.soc_hysteresis_permille:
            self._import_blocked = 0
        self.import_w = 0 if self._import_blocked else UNLIMITED_W
