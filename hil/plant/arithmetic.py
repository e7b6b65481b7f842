# SPDX-License-Identifier: MIT
"""Small compiled arithmetic: rotation without trigonometry, noise without a library."""

from __future__ import annotations

from hil.plant.compiled import pasted

# Sum of four uniform 16-bit numbers has this standard deviation: 65536 * sqrt(4 / 12).
_NOISE_SIGMA = 37837.227


@pasted
def rotation(angle_rad: float) -> tuple[float, float]:
    """Return cos, sin of a small angle (|angle| < 0.1 rad: error below 1e-13)."""
    square = angle_rad * angle_rad
    cosine = 1.0 - square * (0.5 - square * (1.0 / 24.0 - square / 720.0))
    sine = angle_rad * (1.0 - square * (1.0 / 6.0 - square * (1.0 / 120.0 - square / 5040.0)))
    return cosine, sine


@pasted
def settled(value: float) -> float:
    """Return value, or 0 once it has decayed below 1e-12: subnormal numbers cost a hundred times the time."""
    return value if value > 1e-12 or value < -1e-12 else 0.0


@pasted
def xorshift(seed: int) -> int:
    """Return the next state of Marsaglia's 64-bit xorshift (13, 7, 17); never 0."""
    seed ^= seed << 13
    seed ^= (seed >> 7) & 0x01FFFFFFFFFFFFFF
    seed ^= seed << 17
    return seed


@pasted
def gaussian(seed: int) -> float:
    """Return a number of mean 0 and standard deviation 1 (sum of four uniforms, within +-3.5)."""
    total = (seed & 0xFFFF) + ((seed >> 16) & 0xFFFF) + ((seed >> 32) & 0xFFFF) + ((seed >> 48) & 0xFFFF)
    return (total - 131070.0) / _NOISE_SIGMA
