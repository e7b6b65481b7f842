# SPDX-License-Identifier: MIT
"""Every fault the plant can have, as data: set and cleared by name, at any time.

`station.faults.set("contactor_weld")`, `.set("rcd_leakage", 80)`, `.clear("contactor_weld")`;
`station.at(t_us, station.faults.set, "afe_frozen")` schedules one. A fault is one value in one place
of the plant; `value` replaces the default strength where a fault has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.plant.state import ALARM_OVER_TEMP
from hil.plant.switch_core import WELD_UNSEEN

COLD_C = -300.0  # below absolute zero: "no override" for temperatures
BEFORE = object()  # clearing puts back what was there when the fault was set


@dataclass(frozen=True)
class Fault:
    """Where a fault acts (place, field), the value that sets it and the one that clears it."""

    text: str
    place: str  # world, afe, unit, inverter (its serial side)
    field: str
    on: Any
    off: Any
    unit: str = ""  # of `on`, where a strength may be given


FAULTS: dict[str, Fault] = {
    # Contactor and gate
    "contactor_weld": Fault("Main contacts are welded (bit a phase)", "world", "weld_mask", 1, 0, "mask"),
    "weld_unseen": Fault(
        "Main contacts are welded and the mirror contact follows the armature", "world", "weld_mask", 1 | WELD_UNSEEN, 0
    ),
    "neutral_weld": Fault("Neutral pole is welded", "world", "neutral_weld", 1, 0),
    "contactor_coil": Fault("Contactor coil is broken", "world", "contactor_fault_coil", 1, 0),
    "mirror_stuck_open": Fault("Mirror contact always reports open mains", "world", "mirror_fault", 1, 0),
    "mirror_broken": Fault("Mirror contact's wire is broken: never reports open mains", "world", "mirror_fault", -1, 0),
    "gate_stuck_up": Fault("Safety gate never drops", "world", "gate_fault", 1, 0),
    "gate_dead": Fault("Safety gate never comes up", "world", "gate_fault", -1, 0),
    # Residual current, emergency stop
    "rcd_leakage": Fault("Direct leakage current flows", "world", "leakage_ma", 60.0, 0.0, "mA"),
    "rcd_test_dead": Fault("RCD does not answer its test", "world", "rcd_test_dead", 1, 0),
    "rcd_stuck": Fault("RCD output is stuck at tripped", "world", "rcd_stuck", 1, 0),
    "estop": Fault("Emergency stop is pressed", "world", "estop", 1, 0),
    # Control pilot and cable
    "pilot_diode": Fault("Vehicle's pilot diode is missing", "world", "ev_diode_missing", 1, 0),
    "pilot_short": Fault("Pilot is shorted to earth", "world", "ev_short", 1, 0),
    "pe_lost": Fault("Protective earth is lost", "world", "ev_pe_lost", 1, 0),
    "pilot_resistance": Fault("Vehicle's pilot resistance is off", "world", "ev_r_extra", 1000.0, 0.0, "ohm"),
    "pilot_supply": Fault("Pilot generator's supply is off", "world", "pilot_supply_v", 10.0, BEFORE, "V"),
    "vehicle_ignores_stop": Fault("Vehicle stays in C without PWM", "world", "ev_ignores_stop", 1, 0),
    "proximity": Fault("Cable coding resistor is wrong", "world", "proximity_fault_ohm", 40.0, -1.0, "ohm"),
    # Temperatures
    "board_hot": Fault("Board sensor reads this", "world", "board_c_fault", 95.0, COLD_C, "C"),
    "connector_hot": Fault("Connector sensor reads this", "world", "connector_c_fault", 95.0, COLD_C, "C"),
    # Grid front end
    "afe_frozen": Fault("AFE stops refreshing its registers", "world", "afe_frozen", 1, 0),
    "afe_gain_v": Fault("AFE voltage gain is wrong", "afe", "gain_v", 1.1, 1.0, "factor"),
    "afe_gain_i": Fault("AFE current gain is wrong", "afe", "gain_i", 1.1, 1.0, "factor"),
    "afe_no_voltage": Fault("AFE sees no voltage", "afe", "gain_v", 0.0, 1.0),
    "afe_false_period": Fault("One line period is false", "afe", "period_override_s", 1 / 65, 0.0, "s"),
    "afe_noise_v": Fault("AFE voltage channel is noisy", "afe", "noise_v", 2.0, BEFORE, "V"),
    # Inverter, power side
    "inverter_trip": Fault("Inverter's own protection trips (GRID_DISC)", "unit", "self_trip", 1, 0),
    "inverter_over_temperature": Fault(
        "Inverter reports over-temperature", "unit", "alarm", ALARM_OVER_TEMP, 0, "mask"
    ),
    "inverter_ignores_setpoint": Fault("Inverter does not follow setpoints", "unit", "ignore_setpoint", 1, 0),
    "inverter_gain": Fault("Inverter's power is off by this share", "unit", "gain_error", 0.3, 0.0, "share"),
    "inverter_off": Fault("Inverter is switched off", "unit", "started", 0, 1),
    # Inverter, Modbus side
    "modbus_silent": Fault("Inverter does not answer", "inverter", "silent", True, False),
    "modbus_slow": Fault("Inverter answers late", "inverter", "extra_ms", 400.0, 0.0, "ms"),
    "modbus_crc": Fault("Inverter answers with a wrong CRC", "inverter", "wrong_crc", True, False),
    "modbus_unit": Fault("Inverter answers with a wrong unit id", "inverter", "wrong_unit", True, False),
    "modbus_exception": Fault("Inverter answers with an exception", "inverter", "exception", 4, 0, "code"),
    "modbus_half": Fault("Inverter's answers break off half way", "inverter", "half_frame", True, False),
    "modbus_noise": Fault("Line noise puts stray bytes before each answer", "inverter", "noise", b"\xff\x00", b""),
    "modbus_frozen": Fault("Inverter's registers are frozen", "inverter", "frozen", True, False),
    "modbus_ignores_lease": Fault("Inverter's reversion timer does not work", "inverter", "lease_dead", True, False),
    "soc_missing": Fault("SOC is reported as not implemented", "inverter", "soc_missing", True, False),
    "soc_frozen": Fault("SOC no longer changes", "inverter", "soc_frozen", True, False),
    "soc_value": Fault("SOC reads this", "inverter", "soc_value", 0.0, None, "share"),
}


class FaultBoard:
    """Sets and clears faults of one station."""

    def __init__(self, places: dict[str, Any]):
        self._places = places
        self.active: dict[str, Any] = {}
        self._before: dict[str, Any] = {}

    def _put(self, fault: Fault, value: Any) -> None:
        place = self._places[fault.place]
        if fault.place == "inverter":
            setattr(place, fault.field, value)
        else:
            place[fault.field][0] = value
        if fault.place == "afe" and fault.field == "noise_v":
            place["noise_on"][0] = 1

    def set(self, name: str, value: Any = None) -> None:
        """Set a fault; value replaces its default strength (see FAULTS[name].unit)."""
        fault = self._find(name)
        strength = fault.on if value is None else value
        if fault.off is BEFORE and name not in self.active:
            self._before[name] = self._places[fault.place][fault.field][0].item()
        self._put(fault, strength)
        self.active[name] = strength

    def clear(self, name: str) -> None:
        """Clear a fault; the plant stays as the fault left it (a tripped inverter stays tripped)."""
        fault = self._find(name)
        if fault.off is not BEFORE:
            self._put(fault, fault.off)
        elif name in self._before:
            self._put(fault, self._before.pop(name))
        self.active.pop(name, None)

    def clear_all(self) -> None:
        """Clear every active fault."""
        for name in list(self.active):
            self.clear(name)

    @staticmethod
    def _find(name: str) -> Fault:
        if name not in FAULTS:
            raise ValueError(f"fault {name!r}: unknown; one of {', '.join(sorted(FAULTS))}")
        return FAULTS[name]
