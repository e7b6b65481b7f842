# SPDX-License-Identifier: MIT
"""Frequency droop: LFSM-O / LFSM-U of the profile. Every cycle, answered in the same cycle.

P = base + droop. Above `over_start` the charger draws more, below `under_start` less and then
exports: a straight line through zero, as storage does; where the profile says `under_import_only`, low
frequency only takes import away, down to zero. Full rated power per `droop` of nominal frequency. The rating is the
export rating (registered capacity), or the import rating where export is switched off. The limits, not this service,
decide how much of it is possible.

An inverter that answers later than codes allow would push against a deviation that is over: then the service
refuses, with request.droop_refused as its reason.
"""

from evse.faults import REASON_NONE, REASON_TOO_SLOW

SLOWEST_MS = 2000  # what every code allows; a profile may allow more


class Droop:
    """`power_w`: what frequency adds to the base power."""

    def __init__(self, image, settings, profile):
        self._inputs = image.inputs
        self._protection = image.protection
        self._request = image.request
        self._slowest_ms = max(profile.droop_response_ms, SLOWEST_MS)
        self._settings = settings
        self._over_start_uhz = profile.over_start_uhz
        self._under_start_uhz = profile.under_start_uhz
        # Deviation that moves full power, in units of 100 uHz: 5 % of 50 Hz is 25000.
        self._over_span = profile.nominal_uhz // 100 * profile.over_droop_permille // 1000
        self._under_span = profile.nominal_uhz // 100 * profile.under_droop_permille // 1000
        self._import_only = profile.under_import_only
        self.power_w = 0

    def on(self, base_w: int) -> int:
        """Return what frequency adds to a base power of base_w, W."""
        if self.power_w < 0 and self._import_only:
            if base_w <= 0:
                return 0
            if self.power_w < -base_w:
                return -base_w
        return self.power_w

    def run(self) -> None:
        """Work out the droop power of this cycle's frequency."""
        inputs = self._inputs
        if self._protection.probing:
            return  # anti-islanding moves the frequency now, for 1 s at most: do not answer our own push
        self.power_w = 0
        if inputs.inverter_response_ms > self._slowest_ms:
            self._request.droop_refused = REASON_TOO_SLOW
            return
        self._request.droop_refused = REASON_NONE
        if not inputs.frequency_ok or not self._settings.droop_enable:
            return
        frequency_uhz = inputs.frequency_uhz
        if self._over_span and self._over_start_uhz and frequency_uhz > self._over_start_uhz:
            self.power_w = self._share(frequency_uhz - self._over_start_uhz, self._over_span)
        elif self._under_span and frequency_uhz < self._under_start_uhz:
            self.power_w = -self._share(self._under_start_uhz - frequency_uhz, self._under_span)

    def _share(self, deviation_uhz: int, span: int) -> int:
        """Return the W for a deviation, twice the rating at most: from full import to full export, or back."""
        settings = self._settings
        rating_w = settings.export_rating_w
        if rating_w == 0:
            rating_w = settings.import_rating_w
        deviation = deviation_uhz // 100
        whole_w = 0
        if deviation >= span:
            deviation -= span
            whole_w = rating_w
            if deviation >= span:
                return 2 * rating_w
        return whole_w + rating_w * (deviation * 10000 // span) // 10000  # stays below 2^30: span <= 72000
