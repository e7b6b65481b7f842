# SPDX-License-Identifier: MIT
"""A feeder in the time domain: grid, load and one or several inverters, always running.

`Feeder` is the plant without a board: its units are driven directly (`feeder.unit(3).set(...)`), as
tests of many units in one island need. `Station` adds the board's side.
"""

from __future__ import annotations

import math

import numpy as np

from hil.plant import kernel
from hil.plant.config import StationConfig
from hil.plant.grid import Grid
from hil.plant.interface import AfeReading
from hil.plant.network import COEFFICIENTS
from hil.plant.records import afe_record, fill, unit_values
from hil.plant.state import LINE, OUT_SIZE, UNIT, WORLD
from hil.plant.unit import Unit


class Feeder:
    """Grid, load and `config.units` inverters. Times are microseconds since start, never backwards."""

    def __init__(self, config: StationConfig | None = None):
        self.config = config = config or StationConfig()
        dt_s = config.step_us * 1e-6
        self.world = np.zeros(1, WORLD)
        self.lines = np.zeros(config.phases, LINE)
        self.units = np.zeros(config.units, UNIT)
        self.afe = afe_record(config.afe, dt_s, config.nominal_hz, config.phases, config.seed)
        self.net = np.zeros(config.phases * 2 * COEFFICIENTS)
        self.harmonics = np.zeros((24, 2))
        self.wave = np.zeros((1, config.phases))
        self.out = np.zeros(OUT_SIZE)
        self._set_world(config, dt_s)
        for n in range(config.units):
            fill(self.units[n], **unit_values(config.inverter, config))
        self.reading = AfeReading(self.out)
        self.grid = Grid(self)
        self.fleet = [Unit(self, n) for n in range(config.units)]

    def _set_world(self, config: StationConfig, dt_s: float) -> None:
        half = math.pi * config.nominal_hz * dt_s
        fill(
            self.world[0],
            dt_s=dt_s,
            step_us=config.step_us,
            phases=config.phases,
            units=config.units,
            nominal_v=config.nominal_v,
            nominal_hz=config.nominal_hz,
            f_hz=config.nominal_hz,
            zr=0.0,
            zi=-1.0,
            flicker_r=1.0,
            half_cos=math.cos(half),
            half_sin=math.sin(half),
            seed=config.seed * 1442695040888963407 % (1 << 62) + 7,
            grid_closed=1,
            slow_in=1000,
            island_us=-1,
            current_floor_a=0.01 * config.inverter.rated_w / config.phases / config.nominal_v * math.sqrt(2),
        )

    def unit(self, n: int = 0) -> Unit:
        """Return inverter n."""
        return self.fleet[n]

    @property
    def t_us(self) -> int:
        """Plant time, us."""
        return int(self.world["t_us"][0])

    def run(self, until_us: int) -> None:
        """Advance to until_us in whole steps."""
        kernel.advance(
            self.world,
            self.lines,
            self.net,
            self.harmonics,
            self.wave,
            self.afe,
            self.units,
            until_us,
            False,  # gate arm, edge, coil, test and duty: for a board's station only
            0,
            False,
            False,
            1.0,
            self.out,
        )

    def measure(self) -> AfeReading:
        """Return what the AFE shows now: voltages of the connection point, currents and powers of unit 0."""
        return self.reading
