# SPDX-License-Identifier: MIT
"""Grids that are ill but there: the active method must not decide in any of these."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hil.island.trial import Case, Event
from hil.plant.feeder import Feeder

AT_S = 0.2
Events = tuple[tuple[float, Event], ...]


def _jump(degrees: float) -> Event:
    return lambda feeder: feeder.grid.jump(degrees)


def _frequency(hz: float, ramp_s: float = 0.0) -> Event:
    return lambda feeder: feeder.grid.set(frequency_hz=hz, ramp_s=ramp_s)


def _voltage(share: float) -> Event:
    return lambda feeder: feeder.grid.set(voltage_v=share * feeder.config.nominal_v)


def _both(share: float, degrees: float) -> Event:
    def act(feeder: Feeder) -> None:
        feeder.grid.set(voltage_v=share * feeder.config.nominal_v)
        feeder.grid.jump(degrees)

    return act


def _power(share: float, rating_w: int) -> Event:
    def act(feeder: Feeder) -> None:
        for unit in feeder.fleet:
            unit.set(-share * rating_w)

    return act


def jumps() -> dict[str, Events]:
    """Return phase jumps of all phases; IEEE 1547 asks for 20 (three-phase) and 60 degrees (one phase)."""
    return {f"jump {d:+d} deg": ((AT_S, _jump(d)),) for d in (5, -5, 10, -10, 20, -20, 30, -30, 50, -50, 60, -60)}


def ramps(nominal_hz: float) -> dict[str, Events]:
    """Return frequency ramps and steps: G98/G99, IEEE 1547 categories, AS/NZS 4777.2 withstand."""
    rows = [(-1.0, 0.95, 2.1), (1.0, -0.95, 2.1), (-1.0, 2.0, 1.0), (1.0, -2.0, 1.0)]
    rows += [(-1.5, 3.0, 1.0), (1.5, -3.0, 1.0), (0.0, 4.0, 0.25), (0.0, -4.0, 0.25)]
    found: dict[str, Events] = {}
    for start, slope, lasting_s in rows:
        start_hz = nominal_hz + start
        ramp = _frequency(start_hz + slope * lasting_s, lasting_s)
        found[f"ramp {slope:+g} Hz/s"] = ((-1.5, _frequency(start_hz)), (AT_S, ramp))
    for step in (0.2, -0.2, 0.5, -0.5, 1.0, -1.0, 1.8, -2.8):
        found[f"step {step:+g} Hz"] = ((AT_S, _frequency(nominal_hz + step)),)
    for offset, degrees in ((-0.5, 50), (0.5, -50)):
        found[f"jump {degrees:+d} deg at {nominal_hz + offset:g} Hz"] = (
            (-1.5, _frequency(nominal_hz + offset)),
            (AT_S, _jump(degrees)),
        )
    return found


def voltages(rating_w: int) -> dict[str, Events]:
    """Return voltage steps, dips with and without phase jump, and own power steps."""
    found: dict[str, Events] = {f"voltage {v:g}": ((AT_S, _voltage(v)),) for v in (0.7, 0.8, 0.9, 1.1, 1.15)}
    for v in (0.5, 0.7):
        found[f"dip to {v:g}, 150 ms"] = ((AT_S, _voltage(v)), (AT_S + 0.15, _voltage(1.0)))
    for v, degrees in ((0.2, 60), (0.3, 40), (0.5, -30)):
        found[f"fault {v:g} with {degrees:+d} deg"] = ((AT_S, _both(v, degrees)), (AT_S + 0.15, _both(1.0, -degrees)))
    for p in (0.1, 0.5):
        found[f"own power to {p:g}"] = ((AT_S, _power(p, rating_w)),)
    return found


def cases(
    base: Case,
    ratios: tuple[float, ...] = (2.0, 5.0, 20.0),
    x_over_r: tuple[float, ...] = (0.3, 1.0, 3.0),
    seeds: int = 1,
) -> list[Case]:
    """Return every event on every grid, each with 1 % noise and 5 % THD."""
    events = {**jumps(), **ramps(base.nominal_hz), **voltages(base.rating_w)}
    found: list[Case] = []
    for ratio in ratios:
        for x in x_over_r:
            for name, what in events.items():
                for seed in range(seeds):
                    found.append(
                        replace(
                            base,
                            name=name,
                            island=False,
                            short_circuit_ratio=ratio,
                            x_over_r=x,
                            noise=0.01,
                            thd=0.05,
                            events=what,
                            seed=len(found) + 5000 * seed + 1,
                        )
                    )
    return found


def wave_case(base: Case, name: str, samples: np.ndarray, rate_hz: float) -> Case:
    """Return a recorded voltage, scaled to nominal by its first five cycles, behind the grid impedance."""
    first = samples[: int(5 * rate_hz / base.nominal_hz)]
    wave = samples * (base.nominal_v / math.sqrt(float(np.mean((first - first.mean()) ** 2))))

    def play(feeder: Feeder) -> None:
        feeder.grid.play_wave(wave, rate_hz)

    return replace(base, name=name, island=False, watch_s=(len(wave) - 1) / rate_hz, events=((0.0, play),))


def series_case(base: Case, name: str, rows: list[tuple[float, float, float]]) -> Case:
    """Return a recorded series of (s, phase voltage V, Hz or NaN), joined by straight lines."""
    nominal_v = rows[0][1]
    events: list[tuple[float, Event]] = []
    for (t0, _v0, _f0), (t1, v1, f1) in zip(rows, rows[1:], strict=False):
        events.append((t0 - rows[0][0], _line(v1 / nominal_v, f1, t1 - t0)))
    return replace(base, name=name, island=False, watch_s=rows[-1][0] - rows[0][0], events=tuple(events))


def _line(share: float, hz: float, ramp_s: float) -> Event:
    def act(feeder: Feeder) -> None:
        volts = share * feeder.config.nominal_v
        feeder.grid.set(voltage_v=volts, frequency_hz=hz if math.isfinite(hz) else None, ramp_s=ramp_s)

    return act
