# SPDX-License-Identifier: MIT
"""NTC thermistor to ground with a pull-up: mV at the ADC to hundredths of a degree.

The table is worked out once at start (floats); reading it in the cycle is integer interpolation.
"""

from math import exp

from evse.fixed import interpolate

COLDEST_C = -30
HOTTEST_C = 130
STEP_C = 10
OPEN_MV = 3050  # a broken sensor or wire reads the supply
SHORT_MV = 60
FAILED_CDEG = 20000  # what a failed sensor reads: hotter than anything may be, so it stops power
KELVIN = 273.15
ROOM_K = 298.15


class Thermistor:
    """scales: ntc_supply_mv, ntc_pullup_ohm, ntc_r25_ohm, ntc_beta_k."""

    def __init__(self, scales):
        self._mv = []
        self._cdeg = []
        for celsius in range(HOTTEST_C, COLDEST_C - 1, -STEP_C):
            ohm = scales["ntc_r25_ohm"] * exp(scales["ntc_beta_k"] * (1 / (celsius + KELVIN) - 1 / ROOM_K))
            self._mv.append(int(scales["ntc_supply_mv"] * ohm / (ohm + scales["ntc_pullup_ohm"])))
            self._cdeg.append(celsius * 100)

    def cdeg(self, mv: int) -> int:
        """Return the temperature for mv at the ADC; FAILED_CDEG for an open or shorted sensor."""
        if mv > OPEN_MV or mv < SHORT_MV:
            return FAILED_CDEG
        return interpolate(mv, self._mv, self._cdeg)
