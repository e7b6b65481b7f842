# SPDX-License-Identifier: MIT
"""A station and a driver that works it as a healthy board would."""

from __future__ import annotations

import pytest

from hil.plant.config import StationConfig
from hil.plant.interface import BoardInputs, BoardOutputs
from hil.plant.station import Station


class Bench:
    """Drives a station every 10 ms: gate edges each cycle while `edges`, other outputs as set."""

    def __init__(self, config: StationConfig | None = None, baud: int = 115200):
        self.station = Station(config, baud=baud)
        self.outputs = BoardOutputs(gate_arm=True)
        self.edges = True
        self.t_us = 0
        self.inputs = BoardInputs()

    def run(self, ms: float, step_us: int = 10_000) -> BoardInputs:
        """Let ms milliseconds pass."""
        end_us = self.t_us + round(ms * 1000)
        while self.t_us < end_us:
            if self.edges:
                self.outputs.gate_edge_us = self.t_us
                self.outputs.gate_edges += 1
            self.t_us = min(self.t_us + step_us, end_us)
            self.inputs = self.station.advance(self.t_us, self.outputs)
        return self.inputs

    def energise(self, power_w: float = 0.0) -> None:
        """Plug in, go to C, close, wait until the inverter runs at power_w (+ = charging)."""
        self.station.vehicle.plug()
        self.outputs.pilot_duty = 0.5
        self.run(1000)
        self.outputs.contactor = True
        self.run(1000)
        self.station.unit().set(power_w=power_w)
        self.run(500)


@pytest.fixture
def bench() -> Bench:
    """A single-phase 230 V station."""
    return Bench()


@pytest.fixture
def make_bench():
    """Make a bench of another configuration."""
    return Bench
