# SPDX-License-Identifier: MIT
"""The station: everything outside the board's connectors, behind the `Plant` interface.

station = Station(StationConfig())
station.vehicle.plug()
station.at(5_000_000, station.grid.open)          # loss of mains at 5 s
inputs = station.advance(t_us, outputs)           # called by the virtual board
station.truth.run_on_us                           # what really happened
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from hil.plant import kernel
from hil.plant.config import StationConfig
from hil.plant.faults import COLD_C, FaultBoard
from hil.plant.feeder import Feeder
from hil.plant.interface import BoardInputs, BoardOutputs, CanNode, SerialDevice, Timed
from hil.plant.inverter_port import InverterPort
from hil.plant.state import NEVER_US, OUT_GATE, OUT_SIZE
from hil.plant.truth import Truth
from hil.plant.vehicle import Vehicle, vehicle_values


class Station(Feeder):
    """A feeder whose unit 0 hangs behind a board's contactor and gate, with vehicle and Modbus."""

    def __init__(self, config: StationConfig | None = None, baud: int = 115200):
        super().__init__(config)
        self._set_board()
        self.vehicle = Vehicle(self)
        self.truth = Truth(self)
        self.inverter = InverterPort(self, baud=baud)
        self.serial: dict[str, SerialDevice] = {"inverter": self.inverter}
        self.can: list[CanNode] = []  # what else is on the board's CAN bus
        self.tcp: dict[str, SerialDevice] = {}  # "host:port" -> what answers there
        self.timed: list[Timed] = [self.inverter]  # whatever has timers of its own
        places = {"world": self.world, "afe": self.afe, "unit": self.units[:1], "inverter": self.inverter}
        self.faults = FaultBoard(places)
        self._inputs = BoardInputs(afe=self.reading)
        self._felt = self.out[OUT_GATE:OUT_SIZE]
        self._timeline: list[tuple[int, int, Callable, tuple, dict]] = []
        self._order = 0
        self._arrays = (self.world, self.lines, self.net, self.harmonics)

    def _set_board(self) -> None:
        config = self.config
        w = self.world[0]
        for name, value in vehicle_values(config.vehicle).items():
            w[name] = value
        for name in ("board_c", "connector_c", "battery_c", "ambient_c"):
            w[name] = config.ambient_c
        for name in ("coil_changed_us", "contactor_opened_us", "contactor_closed_us", "rcd_test_us", "gate_dropped_us"):
            w[name] = NEVER_US
        w["has_board"] = 1
        w["mains_open"] = 1
        w["gate_edge_us"] = NEVER_US
        w["last_current_us"] = NEVER_US
        w["pilot_pwm_us"] = NEVER_US
        w["gate_hold_us"] = int(config.gate_hold_ms * 1000)
        w["close_us"] = int(config.close_ms * 1000)
        w["open_us"] = int(config.open_ms * 1000)
        w["bounce_us"] = int(config.bounce_ms * 1000)
        w["rcd_dc_limit_ma"] = 6.0
        w["rated_a"] = config.inverter.rated_w / config.phases / config.nominal_v
        w["board_heating_c"] = 25.0
        w["connector_heating_c"] = 30.0
        w["thermal_tau_s"] = 600.0
        w["board_c_fault"] = w["connector_c_fault"] = COLD_C
        self.units[0]["connected"] = 0
        self.units[0]["enabled"] = 0

    def at(self, t_us: int, action: Callable, *args: object, **kwargs: object) -> None:
        """Schedule action(*args, **kwargs) at plant time t_us (a step's resolution), in order of entry."""
        self._order += 1
        heapq.heappush(self._timeline, (int(t_us), self._order, action, args, kwargs))

    def advance(self, t_us: int, outputs: BoardOutputs) -> BoardInputs:
        """Run the world to plant time t_us with the outputs held; return what the board feels.

        The returned object is the same each time, changed in place.
        """
        timeline = self._timeline
        while timeline and timeline[0][0] <= t_us:
            due_us, _, action, args, kwargs = heapq.heappop(timeline)
            self._step(due_us, outputs)
            action(*args, **kwargs)
        self._step(t_us, outputs)
        for device in self.timed:
            if device.due_us <= t_us:
                device.tick(t_us)
        return self._feel()

    def _step(self, t_us: int, outputs: BoardOutputs) -> None:
        kernel.advance(
            *self._arrays,
            self.wave,
            self.afe,
            self.units,
            t_us,
            bool(outputs.gate_arm),  # of one type each, or Numba would compile again
            int(outputs.gate_edge_us),
            bool(outputs.contactor),
            bool(outputs.rcd_test),
            float(outputs.pilot_duty),
            self.out,
        )

    def _feel(self) -> BoardInputs:
        inputs = self._inputs
        gate, mirror, rcd, estop, high, low, proximity, board_c, connector_c = self._felt.tolist()
        inputs.gate_up = gate > 0
        inputs.contactor_open = mirror > 0
        inputs.rcd_tripped = rcd > 0
        inputs.estop = estop > 0
        inputs.pilot_high_v = high
        inputs.pilot_low_v = low
        inputs.proximity_ohm = proximity
        inputs.board_c = board_c
        inputs.connector_c = connector_c
        return inputs
