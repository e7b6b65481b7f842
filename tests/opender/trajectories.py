# SPDX-License-Identifier: MIT
"""Random trajectories for IEEE 1547: pieces of constant voltage and frequency, many near a stage's corner."""

from __future__ import annotations

import random
from dataclasses import dataclass

# step of both models and longest trajectory: fast stages, slow voltage stages, 300 s frequency stages
SCALES = ((10, 3_000), (50, 40_000), (250, 750_000))
NOMINAL_MV, NOMINAL_UHZ = 120_000, 60_000_000
CLEAR_MV, CLEAR_UHZ = 600, 30_000  # distance kept from thresholds: beyond the dropout hysteresis
DEAD_MV = 24_000  # 20 %: below, no frequency is believed


@dataclass
class Piece:
    """A stretch of constant line."""

    ms: int
    mv: int
    uhz: int


def trajectory(seed: int, stages) -> tuple[int, list[Piece]]:
    """Return (step in ms, pieces). stages: of the profile, in mV or uHz and ms."""
    source = random.Random(seed)
    step_ms, length_ms = SCALES[source.choices((0, 1, 2), (4, 5, 2))[0]]
    pieces = [Piece(step_ms * 5, NOMINAL_MV, NOMINAL_UHZ)]
    spent_ms = 0
    while spent_ms < length_ms:
        stage = source.choice(stages)
        ms = _duration(source, stage, length_ms, step_ms)
        mv, uhz = NOMINAL_MV, NOMINAL_UHZ
        kind = source.random()
        if kind < 0.55:
            mv, uhz = _near(source, stage)
        elif kind < 0.7:
            mv, uhz = _level(source, stages, 0), _level(source, stages, 1)
        if mv < DEAD_MV:
            uhz = NOMINAL_UHZ
        pieces.append(Piece(ms, mv, uhz))
        spent_ms += ms
    pieces.append(Piece(12_000 if step_ms == 50 else 60 * step_ms, NOMINAL_MV, NOMINAL_UHZ))
    return step_ms, pieces


def _duration(source: random.Random, stage, length_ms: int, step_ms: int) -> int:
    if source.random() < 0.6 and stage.delay_ms < length_ms:
        ms = stage.delay_ms * source.uniform(0.4, 1.6)
    else:
        ms = length_ms * source.uniform(0.01, 0.3)
    return max(step_ms, round(ms / step_ms) * step_ms)


def _near(source: random.Random, stage) -> tuple[int, int]:
    outward = 1 if stage.over else -1
    if source.random() < 0.3:
        outward = -outward
    if stage.threshold < 1_000_000:
        distance = source.choice((CLEAR_MV, 2_000, 8_000, 25_000))
        return max(0, stage.threshold + outward * (distance + source.randrange(400))), NOMINAL_UHZ
    distance = source.choice((CLEAR_UHZ, 100_000, 600_000))
    return NOMINAL_MV, stage.threshold + outward * (distance + source.randrange(9_000))


def _level(source: random.Random, stages, of_frequency: int) -> int:
    low, high, clear = (54_000_000, 64_000_000, CLEAR_UHZ) if of_frequency else (0, 168_000, CLEAR_MV)
    while True:
        value = source.randrange(low, high)
        corners = [stage.threshold for stage in stages if (stage.threshold > 1_000_000) == bool(of_frequency)]
        if all(abs(value - corner) > clear for corner in corners):
            return value
