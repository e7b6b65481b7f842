# SPDX-License-Identifier: MIT
"""How fast the plant runs, in CPU time: `python -m hil.plant.speed`."""

from __future__ import annotations

from time import process_time

from hil.plant.config import StationConfig
from hil.plant.feeder import Feeder
from hil.plant.interface import BoardOutputs
from hil.plant.station import Station

_CYCLE_US = 10_000


def island_x_realtime(phases: int = 1, seconds: float = 20.0) -> float:
    """Return simulated over CPU time of a balanced island, one unit, advanced in 10 ms cycles."""
    feeder = Feeder(StationConfig(phases=phases))
    feeder.unit().set(power_w=-7400.0)
    feeder.grid.island_load(7400.0)
    feeder.run(1_000_000)
    feeder.grid.open()
    end_us = feeder.t_us + round(seconds * 1e6)
    start = process_time()
    for t_us in range(feeder.t_us + _CYCLE_US, end_us + 1, _CYCLE_US):
        feeder.run(t_us)
    return seconds / (process_time() - start)


def advance_us(phases: int = 1, cycles: int = 2000) -> float:
    """Return the cost of one 10 ms Station.advance with the inverter exporting, us (best of five)."""
    station = Station(StationConfig(phases=phases))
    outputs = BoardOutputs(gate_arm=True, contactor=True, pilot_duty=0.5)
    station.vehicle.plug()
    station.unit().set(power_w=-5000.0)
    best, t_us = float("inf"), 0
    for _ in range(5):
        start = process_time()
        for _ in range(cycles // 5):
            outputs.gate_edge_us = t_us
            t_us += _CYCLE_US
            station.advance(t_us, outputs)
        best = min(best, (process_time() - start) / (cycles // 5))
    return best * 1e6


def main() -> None:
    """Print the figures."""
    for phases in (1, 3):
        print(f"advance 10 ms, {phases}-phase: {advance_us(phases):.1f} us")
        print(f"island solver, {phases}-phase: {island_x_realtime(phases):.0f} x real time")


if __name__ == "__main__":
    main()
