# SPDX-License-Identifier: MIT
"""The vehicle as a test drives it: plug, unplug, want power, battery state."""

from __future__ import annotations

import math

from hil.plant.config import VehicleConfig

# Coding resistor of the cable, IEC 61851-1 Annex B; A: ohm.
CABLE_OHM = {13: 1500.0, 20: 680.0, 32: 220.0, 63: 100.0}
# SAE J1772 inlet, latched and unlatched.


def vehicle_values(config: VehicleConfig) -> dict:
    """Return the world's fields for a vehicle that is not plugged in."""
    return dict(
        capacity_wh=config.capacity_wh,
        soc_wh=config.soc * config.capacity_wh,
        efficiency=config.efficiency,
        charge_max_w=config.charge_max_w,
        discharge_max_w=config.discharge_max_w,
        taper_soc=config.taper_soc,
        floor_soc=config.floor_soc,
        dc_v_empty=config.dc_v_empty,
        dc_v_full=config.dc_v_full,
        battery_heating_c=8.0,
        battery_tau_s=3600.0,
        ev_r_b=config.r_b_ohm,
        ev_r_c=config.r_c_ohm,
        ev_r_d=config.r_d_ohm,
        diode_v=config.diode_v,
        ev_answer_us=int(config.answer_ms * 1000),
        ev_stop_us=int(config.stop_ms * 1000),
        cable_ohm=math.inf,
        proximity_ohm=math.inf,
        proximity_fault_ohm=-1.0,
        pilot_supply_v=12.0,
        pilot_duty=-1.0,
        pilot_high_v=12.0,
        pilot_low_v=12.0,
    )


class Vehicle:
    """Handle on the vehicle's part of the world."""

    def __init__(self, feeder):
        self._feeder = feeder
        self._world = feeder.world

    def plug(self, cable_a: int = 32, ready: bool = True) -> None:
        """Plug in with a cable coded for cable_a (13, 20, 32, 63 A); ready: it wants power at once."""
        if cable_a not in CABLE_OHM:
            raise ValueError(f"cable_a {cable_a}: one of {sorted(CABLE_OHM)}")
        self._world["cable_ohm"][0] = CABLE_OHM[cable_a]
        self._world["plugged"][0] = 1
        self.ready(ready)

    def unplug(self) -> None:
        """Pull the plug."""
        self._world["plugged"][0] = 0
        self._world["cable_ohm"][0] = math.inf

    def ready(self, wants: bool = True, ventilation: bool = False) -> None:
        """Want power (state C, or D with ventilation, once a PWM is there) or not (state B)."""
        self._world["ev_wants"][0] = int(wants)
        self._world["ev_wants_d"][0] = int(ventilation)

    @property
    def soc(self) -> float:
        """Charge of the battery, 0..1."""
        return self._world["soc_wh"][0].item() / self._world["capacity_wh"][0].item()

    @soc.setter
    def soc(self, share: float) -> None:
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"soc {share}: must be 0..1")
        self._world["soc_wh"][0] = share * self._world["capacity_wh"][0]

    @property
    def battery_c(self) -> float:
        """Temperature of the battery, degrees C."""
        return self._world["battery_c"][0].item()

    @battery_c.setter
    def battery_c(self, celsius: float) -> None:
        self._world["battery_c"][0] = celsius

    @property
    def state(self) -> str:
        """State the vehicle shows on the pilot: A, B, C, D."""
        return "ABCDE"[self._world["ev_state"][0]]
