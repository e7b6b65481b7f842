# SPDX-License-Identifier: MIT
"""The push: how much reactive power is asked for, which way, and since when.

A push is a share of the present export, because the frequency of an island answers dQ / P: the answer is then the
same at any export. Writes protection.perturb_var (+ absorbs), which limit adds to what others want.
"""

from evse.fixed import clamp, mul_div
from evse.reactive import most_reactive_permille

SAG_PERMILLE = 900  # of nominal: below it pushes shrink with the square of the voltage, as a weak grid demands


class Push:
    """A square of reactive power on top of the feedback's part; the sign is the square's."""

    def __init__(self, image, profile):
        self._inputs = image.inputs
        self._request = image.request
        self._protection = image.protection
        self._sag_mv = profile.nominal_mv * SAG_PERMILLE // 1000
        self._most_permille = most_reactive_permille(profile)  # what limit allows too
        self._rating_w = 1
        self.most_var = 0  # what all may ask for together
        self.sign = 1  # + = absorbs
        self.since_ms = 0  # since the last flip
        self.span_ms = 0  # until the next, at the latest
        self.feed_permille = 0  # the feedback's part of the share
        self._share = 0  # of the rating, permille: what a push is a share of
        self._var = 0

    def configure(self, settings) -> None:
        """Take the settings."""
        rating_w = settings.export_rating_w
        self._rating_w = rating_w if rating_w else 1
        self.most_var = rating_w * self._most_permille // 1000

    def flip(self) -> None:
        """Push the other way, from now on."""
        self.sign = -self.sign
        self.since_ms = 0

    def size(self, permille: int, floor_permille: int) -> None:
        """Fix the size of the push: permille of the present export, taken as floor_permille of the rating at least."""
        rating_w = self._rating_w
        share = clamp(-self._inputs.grid_w * 1000 // rating_w, floor_permille, 1000)
        mv = self._inputs.phase_mv[0]
        if mv < self._sag_mv:
            ratio = mv * 1000 // self._sag_mv
            share = share * ratio // 1000 * ratio // 1000
        self._share = share
        self._var = permille * share // 1000 * rating_w // 1000
        self.send()

    def send(self) -> None:
        """Ask for square and feedback, as far as there is room beside what others want."""
        feed_var = mul_div(mul_div(self._rating_w * self.feed_permille, self._share, 1000), 1, 1000)
        want_var = self._request.want_var
        push_var = self._var
        most_var = self.most_var
        # Where there is no room on one side, move the whole square: half a square would be half a question.
        middle_var = clamp(want_var + feed_var, push_var - most_var, most_var - push_var)
        self._protection.perturb_var = push_var * self.sign + middle_var - want_var

    def end(self) -> None:
        """Ask for nothing, until the next size; the feedback begins anew."""
        self._var = 0
        self.feed_permille = 0
        self._protection.perturb_var = 0
