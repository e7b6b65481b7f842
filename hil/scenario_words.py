# SPDX-License-Identifier: MIT
"""The words of a scenario, as data: actions, measures, signals, and what each parameter may be."""

from __future__ import annotations

from typing import Any

# action -> its parameters, True where it must be there
ACTIONS: dict[str, dict[str, bool]] = {
    "plug": {"cable_a": False, "ready": False},
    "unplug": {},
    "vehicle_ready": {"wants": True},
    "soc": {"share": True},
    "grid": {"voltage_v": False, "frequency_hz": False, "ramp_s": False, "phase": False},
    "open_mains": {},
    "close_mains": {},
    "island_load": {"quality": False, "dp": False, "dq": False},
    "load": {"power_w": True, "reactive_var": False},
    "play": {"file": True, "from_s": False, "to_s": False, "otherwise": False, "otherwise_from_s": False},
    "fault": {"name": True, "value": False},
    "clear_fault": {"name": True},
    "mqtt": {"topic": True, "payload": True},
    "console": {"line": True},
    "note": {},
}
# measure -> its parameters, True where it must be there
MEASURES: dict[str, dict[str, bool]] = {
    "delay": {"since": True, "signal": True, "above": False, "below": False, "within_s": False},
    "min": {"signal": True, "since": True, "for_s": True},
    "max": {"signal": True, "since": True, "for_s": True},
    "mean": {"signal": True, "since": True, "for_s": True},
    "at": {"signal": True, "since": True},
    "events": {"event": True, "element": False, "since": True, "for_s": True},
}
# signal of the plant's truth -> unit
TRUTH = {
    "voltage": "V",
    "frequency": "Hz",
    "power": "W",
    "soc": "%",
    "contactor": "",
    "gate": "",
    "current": "",
    "mains": "",
    "coil": "",
}
# signals that the firmware itself says, in its telemetry
SAID = (
    *("wanted_w", "allowed_w", "grid_w", "inverter_w", "soc_permille", "voltage_l1_mv", "frequency_uhz", "lease_ms"),
    *("wait_ms", "service", "trip", "pilot_state", "session_state", "reason", "owner"),
)

NUMBER, NUMBERS, FLAG, TEXT, TEXTS = (
    "a number",
    "a number or one a phase",
    "true or false",
    "a text",
    "a text or a list",
)
# What a parameter may be, wherever it stands; one that is not here (payload, value, since) may be anything.
KINDS = {
    **dict.fromkeys(("cable_a", "share", "frequency_hz", "ramp_s", "phase", "quality", "dp", "dq"), NUMBER),
    **dict.fromkeys(("power_w", "reactive_var", "from_s", "to_s", "otherwise_from_s"), NUMBER),
    **dict.fromkeys(("above", "below", "within_s", "for_s", "low", "high", "after_s", "at_s"), NUMBER),
    **dict.fromkeys(("file", "otherwise", "name", "topic", "line", "signal", "event", "say", "text", "unit"), TEXT),
    "ready": FLAG,
    "wants": FLAG,
    "voltage_v": NUMBERS,
    "element": TEXTS,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def fits(kind: str, value: Any) -> bool:
    """Whether a value is what a parameter of this kind may be."""
    if kind in (NUMBERS, TEXTS) and isinstance(value, list):
        return bool(value) and all(fits(NUMBER if kind == NUMBERS else TEXT, one) for one in value)
    if kind in (NUMBER, NUMBERS):
        return _is_number(value)
    return isinstance(value, bool if kind == FLAG else str)
