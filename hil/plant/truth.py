# SPDX-License-Identifier: MIT
"""What really happens in the plant, for reports: never seen by the board. Powers + = into the charger."""

from __future__ import annotations


class Truth:
    """Read-only view on the plant's state after the last advance."""

    def __init__(self, feeder):
        self._feeder = feeder
        self._w = feeder.world[0]
        self._unit = feeder.unit(0)
        # Read at every step of a run, so bound once; the arrays live as long as the plant.
        world = feeder.world
        self._mains_open = world["mains_open"].item
        self._gate_up = world["gate_up"].item
        self._island_us = world["island_us"].item
        self._last_current_us = world["last_current_us"].item

    @property
    def t_us(self) -> int:
        """Plant time, us."""
        return self._w["t_us"].item()

    @property
    def voltage_v(self) -> float:
        """One-cycle RMS voltage at the connection point, L1."""
        return self._feeder.lines["afe_v_rms"][0].item()

    @property
    def frequency_hz(self) -> float:
        """Frequency of the source while the mains are there, else that of the inverter's PLL."""
        return self.source_hz if self._w["grid_closed"] else self.inverter_hz

    @property
    def source_hz(self) -> float:
        """Frequency of the grid source."""
        return self._w["f_hz"].item()

    @property
    def inverter_hz(self) -> float:
        """Frequency of the inverter's PLL (integral part)."""
        return self._unit.frequency_hz

    @property
    def power_w(self) -> float:
        """Active power at the inverter's terminals, mean of the last instant's phasors."""
        return self._unit.power_w

    @property
    def reactive_var(self) -> float:
        """Reactive power at the inverter's terminals, + absorbed."""
        return self._unit.reactive_var

    @property
    def soc(self) -> float:
        """Charge of the battery, 0..1."""
        return self._w["soc_wh"].item() / self._w["capacity_wh"].item()

    @property
    def contactor_closed(self) -> bool:
        """True while the mains really conduct (a weld counts)."""
        return not self._mains_open()

    @property
    def contactor_opened_us(self) -> int:
        """When the mains last really opened; far in the past if never."""
        return self._w["contactor_opened_us"].item()

    @property
    def contactor_closed_us(self) -> int:
        """When the mains last really closed; far in the past if never."""
        return self._w["contactor_closed_us"].item()

    @property
    def gate_up(self) -> bool:
        """True while the safety gate is up."""
        return bool(self._gate_up())

    @property
    def gate_dropped_us(self) -> int:
        """When the safety gate last dropped."""
        return self._w["gate_dropped_us"].item()

    @property
    def current_end_us(self) -> int:
        """Last step at which more than 1 % of rated current flowed."""
        return int(self._last_current_us())

    @property
    def island_us(self) -> int:
        """When the mains were lost; -1 while they are there."""
        return int(self._island_us())

    @property
    def run_on_us(self) -> int:
        """How long current has flowed (or flowed) since the loss of mains, us; -1 without one."""
        if self.island_us < 0:
            return -1
        return max(self.current_end_us - self.island_us, 0)

    @property
    def energy_wh(self) -> dict[str, float]:
        """True energies at the AC terminals and at the battery, Wh."""
        names = ("ac_import_wh", "ac_export_wh", "dc_in_wh", "dc_out_wh")
        return {name: self._w[name].item() for name in names}
