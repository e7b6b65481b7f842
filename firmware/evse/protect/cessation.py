# SPDX-License-Identifier: MIT
"""Momentary cessation: outside these voltages the current goes to zero at once, the contactor stays closed."""

HYSTERESIS_PERMILLE = 10  # of nominal, on the way back


class Cessation:
    """Writes image.protection.cessation. Does nothing where the profile has no such region."""

    def __init__(self, image, profile):
        self._protection = image.protection
        self._low_mv = profile.cessation_low_mv
        self._high_mv = profile.cessation_high_mv
        self._hysteresis_mv = profile.nominal_mv * HYSTERESIS_PERMILLE // 1000
        self.used = 1 if profile.cessation_low_mv or profile.cessation_high_mv else 0

    def run(self, v_min_mv: int, v_max_mv: int) -> None:
        """Judge this cycle's lowest and highest phase."""
        margin_mv = self._hysteresis_mv if self._protection.cessation else 0
        outside = v_min_mv < self._low_mv + margin_mv and self._low_mv
        if self._high_mv and v_max_mv > self._high_mv - margin_mv:
            outside = 1
        self._protection.cessation = 1 if outside else 0
