# SPDX-License-Identifier: MIT
"""Compiled: an ADE9000's measured registers from a row of SI values, once a tick of the virtual board."""

from __future__ import annotations

from hil.plant.compiled import compiled
from hil.plant.state import OUT_EXPORT, OUT_I, OUT_IMPORT, OUT_P, OUT_PERIOD, OUT_Q, OUT_SEQUENCE, OUT_V

_PHASE_BYTES = 76
_PERIODS = 244
_SEQUENCE = 260
_LINES = 264
_ENERGY = 272
_PERIOD_HZ = 524_288_000.0  # f = 8000 * 2^16 / (xPERIOD + 1)


@compiled
def _big(block, at, value):
    """Store 32 bits, most significant byte first, as the part sends them."""
    for i in range(4):
        block[at + i] = value >> (24 - 8 * i) & 0xFF


@compiled
def _little(block, at, value, count):
    for i in range(count):
        block[at + i] = value >> (8 * i) & 0xFF


@compiled
def _phase(block, at, volts, amps, watts, vars_, codes):
    """Write one phase's 19 registers from 0x680 on; those of harmonics and filters show the same as the total."""
    ma = int(amps * codes[1] + 0.5)
    mv = int(volts * codes[0] + 0.5)
    w = int(watts * codes[2])
    va = int(volts * amps * codes[3])
    var = int(vars_ * codes[2])
    for k in (2, 13, 15, 17):
        _big(block, at + 4 * k, ma)
        _big(block, at + 4 * k + 4, mv)
    _big(block, at + 16, w)
    _big(block, at + 20, va)
    _big(block, at + 24, var)
    _big(block, at + 28, var)
    _big(block, at + 44, w)
    _big(block, at + 48, va)


@compiled
def encode_registers(row, codes, nominal_period, block):
    """Fill block from row (state.OUT_*). codes: per phase, codes per V, A, W, VA and Wh."""
    lines = 0
    for k in range(3):
        _phase(block, k * _PHASE_BYTES, row[OUT_V + k], row[OUT_I + k], row[OUT_P + k], row[OUT_Q + k], codes[k])
        period_s = row[OUT_PERIOD + k]
        period = nominal_period
        # Outside 40..70 Hz, or without zero crossings, the part shows the nominal period.
        if 1.0 / 70.0 <= period_s <= 1.0 / 40.0:
            period = int(period_s * _PERIOD_HZ + 0.5) - 1
            lines |= 1 << k
        _big(block, _PERIODS + 4 * k, period)
        if k == 0:
            _big(block, _PERIODS + 12, period)  # of the sum of the phases
        _little(block, _ENERGY + 16 * k, int(row[OUT_IMPORT + k] * codes[k, 4]), 8)
        _little(block, _ENERGY + 16 * k + 8, int(row[OUT_EXPORT + k] * codes[k, 4]), 8)
    _little(block, _SEQUENCE, int(row[OUT_SEQUENCE]), 4)
    _little(block, _LINES, lines, 4)
