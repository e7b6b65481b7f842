# SPDX-License-Identifier: MIT
"""Control pilot front end: 1 kHz PWM through a +-12 V driver, both peaks back through peak-hold detectors.

duty() and read() run in the cycle.
"""

from machine import PWM

FREQUENCY_HZ = 1000  # IEC 61851-1 Annex A
DUTY_FULL = 65535


class Pilot:
    """pin: the PWM pin; high, low: millivolt readers of the two peak detectors; scales: SCALES of the board."""

    def __init__(self, pin, high, low, scales):
        self.high_mv = 0  # at the pilot pin, -15000..18000
        self.low_mv = 0
        self._high = high
        self._low = low
        self._zero_mv = scales["pilot_zero_mv"]
        self._gain_permille = scales["pilot_gain_permille"]
        self._permille = 1000
        self._pwm = PWM(pin, freq=FREQUENCY_HZ, duty_u16=DUTY_FULL)

    def duty(self, permille: int) -> None:
        """Share of the period at +12 V: 1000 = steady +12 V, 0 = steady -12 V."""
        if permille != self._permille:
            self._permille = permille
            self._pwm.duty_u16(permille * DUTY_FULL // 1000)

    def read(self) -> None:
        """Refresh high_mv and low_mv."""
        self.high_mv = (self._high.read() - self._zero_mv) * self._gain_permille // 1000
        self.low_mv = (self._low.read() - self._zero_mv) * self._gain_permille // 1000
