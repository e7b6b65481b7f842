# SPDX-License-Identifier: MIT
"""Voltages at the ADC pins from what the world feels, by the board's own SCALES."""

from __future__ import annotations

import math
from struct import Struct

from hil.plant.interface import BoardInputs

_UV = Struct("<5I")


class Analog:
    """Pilot dividers, proximity pull-up, thermistors. A pin clamps at its supply and at ground."""

    def __init__(self, scales: dict[str, int]) -> None:
        self._zero_uv = scales["pilot_zero_mv"] * 1000
        self._pilot_uv_per_v = 1e9 / scales["pilot_gain_permille"]
        self._scales = scales
        self._felt: tuple[float, ...] = ()

    def encode(self, inputs: BoardInputs, message: bytearray, at: int) -> None:
        """Write the five inputs in uV, in the order of wire.ANALOG_IN, where they have changed."""
        felt = (inputs.pilot_high_v, inputs.pilot_low_v, inputs.proximity_ohm, inputs.board_c, inputs.connector_c)
        if felt == self._felt:
            return
        self._felt = felt
        _UV.pack_into(
            message,
            at,
            self._pilot_uv(felt[0]),
            self._pilot_uv(felt[1]),
            self._proximity_uv(felt[2]),
            self._ntc_uv(felt[3]),
            self._ntc_uv(felt[4]),
        )

    def _pilot_uv(self, volts: float) -> int:
        return int(min(3.3e6, max(0.0, self._zero_uv + volts * self._pilot_uv_per_v)))

    def _proximity_uv(self, ohm: float) -> int:
        supply_uv = self._scales["proximity_supply_mv"] * 1000
        if math.isinf(ohm):
            return supply_uv
        return int(supply_uv * ohm / (ohm + self._scales["proximity_pullup_ohm"]))

    def _ntc_uv(self, celsius: float) -> int:
        scales = self._scales
        ohm = scales["ntc_r25_ohm"] * math.exp(scales["ntc_beta_k"] * (1 / (celsius + 273.15) - 1 / 298.15))
        return int(scales["ntc_supply_mv"] * 1000 * ohm / (ohm + scales["ntc_pullup_ohm"]))
