# SPDX-License-Identifier: MIT
"""Volt-var: reactive power from grid voltage along the profile's curve. Every cycle; nothing where it is off.

The highest phase decides on the right half of the curve as it does for volt-watt. The answer follows the curve as a
first-order lag that has covered 90 % a little before the profile's response time: codes measure the reactive power
itself, the link's time included. Shares are of the greater rating, + absorbed.
A remote lease that asks for reactive power itself goes before; what is possible is limit's business.
"""

from evse.fixed import interpolate, permille

SCALE_BITS = 12  # the lagged share is kept in 1/4096 permille, so that a slow answer still arrives
ROUND = 1 << (SCALE_BITS - 1)
TO_90_PERCENT = 24  # tenths; ln 10 = 2.30 would be exact
LONGEST_MS = 50


class VoltVar:
    """`reactive_var`: what the grid code asks for now, VAr, + absorbed."""

    def __init__(self, image, settings, profile):
        self._inputs = image.inputs
        self._settings = settings
        self._enabled = profile.volt_var[0]
        self._voltages_mv = profile.volt_var[1]
        self._shares = profile.volt_var[2]
        self._response_ms = max(100, profile.volt_response_ms) if self._enabled else 100
        self._lagged = 0
        self.reactive_var = 0

    def run(self) -> None:
        """Follow the voltage and read the curve."""
        if not self._enabled:
            return
        if not self._inputs.afe_ok:
            self.reactive_var = 0
            return
        phase_mv = self._inputs.phase_mv
        highest_mv = max(phase_mv[0], phase_mv[1], phase_mv[2])
        share = interpolate(highest_mv, self._voltages_mv, self._shares)
        share = self._follow(share)
        settings = self._settings
        rating_w = max(settings.import_rating_w, settings.export_rating_w)
        self.reactive_var = permille(rating_w, share) if share >= 0 else -permille(rating_w, -share)

    def _follow(self, share: int) -> int:
        """Let the lagged share follow the curve's for a cycle; return it, permille."""
        elapsed_ms = self._inputs.elapsed_ms if self._inputs.elapsed_ms < LONGEST_MS else LONGEST_MS
        away = (share << SCALE_BITS) - self._lagged
        self._lagged += away * TO_90_PERCENT // 10 * elapsed_ms // self._response_ms
        return (self._lagged + ROUND) >> SCALE_BITS
