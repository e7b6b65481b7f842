# SPDX-License-Identifier: MIT
"""Ramps: how fast wanted power may change. Exact in integers, so a day of ramping drifts by nothing.

A rate is rating * permille per minute, kept in mixed radix: whole W, 1/60000 W and 1/60000000 W
per ms. What a cycle leaves of a watt is carried to the next.
"""

RADIX_HIGH = 60000
RADIX_LOW = 1000
LONGEST_MS = 100  # a late cycle ramps no further than this


class Rate:
    """One ramp. permille per minute of rating; 0 = step."""

    def __init__(self):
        self.step = 1  # 1: no ramp at all
        self._w = 0
        self._high = 0
        self._low = 0
        self._rest_high = 0
        self._rest_low = 0

    def configure(self, rating_w: int, permille_min: int) -> None:
        """Set the rate. rating_w: 0..32767, permille_min: 0..600000."""
        self.step = 1 if permille_min == 0 else 0
        thousands = permille_min // 1000
        high = rating_w * thousands
        low = rating_w * (permille_min - thousands * 1000)
        high += low // RADIX_LOW
        self._low = low % RADIX_LOW
        self._w = high // RADIX_HIGH
        self._high = high % RADIX_HIGH
        self.rest()

    def rest(self) -> None:
        """Forget the carry: the ramp has stopped."""
        self._rest_high = 0
        self._rest_low = 0

    def advance(self, elapsed_ms: int) -> int:
        """Return the W this ramp moves in elapsed_ms (0..100), carrying the remainder."""
        low = self._rest_low + self._low * elapsed_ms
        high = self._rest_high + self._high * elapsed_ms + low // RADIX_LOW
        self._rest_low = low % RADIX_LOW
        self._rest_high = high % RADIX_HIGH
        return self._w * elapsed_ms + high // RADIX_HIGH


class Ramp:
    """The base power on its way to the wanted one: rises of import and export and falls to zero apart."""

    def __init__(self):
        self.power_w = 0
        self.up_import = Rate()
        self.up_export = Rate()
        self.down = Rate()
        self._moving = None  # the rate in use: a change of direction starts without carry

    def move(self, target_w: int, elapsed_ms: int) -> None:
        """Move power_w towards target_w for elapsed_ms."""
        power_w = self.power_w
        if target_w == power_w:
            self._moving = None
            return
        elapsed_ms = min(elapsed_ms, LONGEST_MS)
        if (power_w > 0 and target_w < power_w) or (power_w < 0 and target_w > power_w):
            power_w = self._fall(power_w, target_w, elapsed_ms)
            if power_w or not self.down.step:
                self.power_w = power_w
                return
        if target_w > power_w:
            power_w += self._step(self.up_import, target_w - power_w, elapsed_ms)
        elif target_w < power_w:
            power_w -= self._step(self.up_export, power_w - target_w, elapsed_ms)
        self.power_w = power_w

    def _fall(self, power_w: int, target_w: int, elapsed_ms: int) -> int:
        """Return power_w nearer to zero, but not beyond target_w or zero."""
        if power_w > 0:
            target_w = max(target_w, 0)
            return power_w - self._step(self.down, power_w - target_w, elapsed_ms)
        target_w = min(target_w, 0)
        return power_w + self._step(self.down, target_w - power_w, elapsed_ms)

    def _step(self, rate, distance_w: int, elapsed_ms: int) -> int:
        """Return how far to go: at most distance_w (> 0)."""
        if rate is not self._moving:
            self._moving = rate
            rate.rest()
        if rate.step:
            return distance_w
        return min(rate.advance(elapsed_ms), distance_w)
