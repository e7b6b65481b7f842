# SPDX-License-Identifier: MIT
"""Limiters from the grid: volt-watt and the ramp after enter service."""

from evse.faults import REASON_ENTER_RAMP, REASON_VOLT_WATT
from evse.fixed import interpolate, permille
from evse.limit.limiter import UNLIMITED_W, Limiter


class VoltWatt(Limiter):
    """Export falls as the highest phase voltage rises, along the profile's curve; off where it is not enabled."""

    def __init__(self, image, settings, profile):
        super().__init__(REASON_VOLT_WATT)
        self._phase_mv = image.inputs.phase_mv
        self._settings = settings
        self._enabled = profile.volt_watt[0]
        self._voltages_mv = profile.volt_watt[1]
        self._shares = profile.volt_watt[2]

    def run(self) -> None:
        if not self._enabled:
            return
        phase_mv = self._phase_mv
        share = interpolate(max(phase_mv[0], phase_mv[1], phase_mv[2]), self._voltages_mv, self._shares)
        if share >= 1000:
            self.export_w = UNLIMITED_W
        else:
            self.export_w = permille(self._settings.export_rating_w, max(0, share))


class EnterRamp(Limiter):
    """After reconnection protect lets the share of rating grow; both ways."""

    def __init__(self, image, settings):
        super().__init__(REASON_ENTER_RAMP, 0)
        self._protection = image.protection
        self._settings = settings

    def run(self) -> None:
        share = self._protection.ramp_permille
        if share >= 1000:
            self.import_w = UNLIMITED_W
            self.export_w = UNLIMITED_W
        else:
            share = max(0, share)
            self.import_w = permille(self._settings.import_rating_w, share)
            self.export_w = permille(self._settings.export_rating_w, share)
