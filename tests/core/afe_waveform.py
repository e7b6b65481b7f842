# SPDX-License-Identifier: MIT
"""A line voltage as samples, and the line periods an ADE9000 makes of it: for studies and tests on CPython.

Independent of hil/plant, on purpose. The part low-passes the 8 kS/s voltage and interpolates its positive-to-
negative zero crossings between two samples; a period is 1 / (8000 * 65536) s a count.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

RATE_HZ = 8000
COUNT_S = 1 / (RATE_HZ * 65536)
LPF_HZ = 84.0
# 5 % in all, the share a domestic feeder may have of each
HARMONICS = ((3, 0.030), (5, 0.035), (7, 0.015), (9, 0.008), (11, 0.008))


def crossings(
    frequency_hz: Callable[[float], float],
    duration_s: float,
    *,
    thd: float = 0.05,
    noise: float = 0.002,
    seed: int = 1,
    jump_deg: Callable[[float], float] = lambda t: 0.0,
) -> list[tuple[float, int]]:
    """Return (time of the crossing in s, line period in counts). noise: RMS per sample, share of the RMS voltage."""
    source = random.Random(seed)
    share = math.sqrt(sum(part * part for _, part in HARMONICS))
    lines = [(order, part * thd / share, source.uniform(0, 2 * math.pi)) for order, part in HARMONICS]
    step = 1 - math.exp(-2 * math.pi * LPF_HZ / RATE_HZ)
    sigma = noise / math.sqrt(2)  # of a sine of peak 1
    phase, low, last_s, found = source.uniform(0, 2 * math.pi), 0.0, None, []
    for n in range(int(duration_s * RATE_HZ)):
        t = n / RATE_HZ
        phase += 2 * math.pi * frequency_hz(t) / RATE_HZ
        angle = phase + math.radians(jump_deg(t))
        volt = math.sin(angle)
        for order, part, offset in lines:
            if part:
                volt += part * math.sin(order * angle + offset)
        if sigma:
            volt += source.gauss(0, sigma)
        before, low = low, low + step * (volt - low)
        if before >= 0 > low and n > RATE_HZ // 10:
            cross_s = t - (1 - before / (before - low)) / RATE_HZ
            if last_s is not None and cross_s - last_s > 0.005:
                found.append((cross_s, round((cross_s - last_s) / COUNT_S) - 1))
            last_s = cross_s
    return found


def registers(found: list[tuple[float, int]], duration_s: float, first_s: float, cycle_s: float = 0.010):
    """Yield (time in ms, period register) as a firmware cycle sees it."""
    at, counts, n = 0, 0, 0
    while (t := first_s + n * cycle_s) < duration_s:
        while at < len(found) and found[at][0] <= t:
            counts = found[at][1]
            at += 1
        yield round(t * 1000), counts
        n += 1
