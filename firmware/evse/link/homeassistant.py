# SPDX-License-Identifier: MIT
"""Home Assistant MQTT discovery, one entity at a time, generated from points.py.

Keys, device classes and units are those of Home Assistant's MQTT sensor, binary_sensor, number, select,
switch and button integrations. A row of points.py becomes an entity by its kind and unit alone.
"""

from evse import faults
from evse.points import COMMAND, DEFAULT, HIGH, KIND, LOW, MEASUREMENT, NAME, POINTS, SETTING, UNIT, USER, WHO

MANUFACTURER = "backfeed"

# unit of a measurement -> (device class, unit of measurement, divisor, state class)
_UNITS = {
    "mV": ("voltage", "V", 1000, "measurement"),
    "mA": ("current", "A", 1000, "measurement"),
    "uHz": ("frequency", "Hz", 1000000, "measurement"),
    "W": ("power", "W", 1, "measurement"),
    "var": ("reactive_power", "var", 1, "measurement"),
    "Wh": ("energy", "Wh", 1, "total_increasing"),
    "ms": ("duration", "s", 1000, "measurement"),
    "us": ("duration", "µs", 1, "measurement"),
    "cdeg": ("temperature", "°C", 100, "measurement"),
    "permille": (None, "%", 10, "measurement"),
    "mHz/s": (None, "mHz/s", 1, "measurement"),
}

_CODES = {
    "fault": faults.FAULTS,
    "reason": faults.REASONS,
    "element": faults.ELEMENTS,
    "pilot_state": faults.PILOT_STATES,
    "session_state": faults.SESSION_STATES,
    "service": faults.SERVICES,
    "departure_state": faults.DEPARTURE_STATES,
}

# Points that describe the program, not the charger: shown under diagnostics.
_DIAGNOSTIC = ("cycles", "overruns", "late_worst_us", "fault_count", "rocof_mhz_s", "trip_element")

# Bits for which Home Assistant has a word: name -> device class of a binary_sensor.
_BITS = {"trip": "problem", "contactor": "power", "gate_up": "power", "soc_ok": "connectivity"}

_SETPOINT_S = 900  # lease of a power set by hand in Home Assistant


def entity(index: int, device_id: str, model: str):
    """Return (topic after the prefix, payload dict) of entity number `index`, None after the last.

    Points that make no entity are skipped, so indices run over entities without a gap.
    """
    count = 0
    for row in POINTS:
        kind = component(row)
        if kind is None:
            continue
        if count == index:
            return "%s/%s/%s/config" % (kind, device_id, row[NAME]), _payload(row, kind, device_id, model)
        count += 1
    return None


def component(row):
    """Return which Home Assistant component a point becomes, or None."""
    if row[KIND] == MEASUREMENT:
        return "binary_sensor" if _is_bit(row) else "sensor"
    if row[KIND] == COMMAND:
        return {"setpoint": "number", "stop": "switch", "lock": "switch", "clear": "button"}.get(row[NAME])
    is_text = isinstance(row[DEFAULT], str) and not isinstance(row[LOW], tuple)
    if row[WHO] > USER or row[UNIT] == "secret" or is_text:
        return None
    if isinstance(row[LOW], tuple):
        return "select"
    return "switch" if _is_bit(row) else "number"


def _is_bit(row) -> bool:
    return row[UNIT] == "" and row[LOW] == 0 and row[HIGH] == 1


def _payload(row, kind: str, device_id: str, model: str) -> dict:
    base = "backfeed/%s/" % device_id
    payload = {
        "name": _title(row),
        "unique_id": "%s_%s" % (device_id, row[NAME]),
        "availability_topic": base + "availability",
        "device": {
            "identifiers": ["backfeed_" + device_id],
            "name": device_id,
            "manufacturer": MANUFACTURER,
            "model": model,
        },
        "origin": {"name": "backfeed"},
    }
    if row[KIND] == MEASUREMENT:
        _measurement(payload, row, kind, base)
    elif row[KIND] == SETTING:
        _setting(payload, row, kind, base)
    else:
        _command(payload, row, kind, base)
    return payload


def _title(row) -> str:
    """Return a point's name without its unit, for people: `grid voltage` shows its own unit in Home Assistant."""
    name = row[NAME]
    suffix = "_" + row[UNIT].lower().replace("/", "_")
    if len(suffix) > 1 and name.endswith(suffix):
        name = name[: -len(suffix)]
    return name.replace("_", " ")


def _measurement(payload: dict, row, kind: str, base: str) -> None:
    unit = row[UNIT]
    name = row[NAME]
    payload["state_topic"] = base + "telemetry"
    payload["value_template"] = "{{ value_json.%s }}" % name
    if name in _DIAGNOSTIC:
        payload["entity_category"] = "diagnostic"
    if kind == "binary_sensor":
        payload["payload_on"] = "1"
        payload["payload_off"] = "0"
        if name in _BITS:
            payload["device_class"] = _BITS[name]
    elif unit in _CODES:
        payload["device_class"] = "enum"
        payload["options"] = [code if isinstance(code, str) else code[0] for code in _CODES[unit]]
    elif unit in _UNITS:
        _unit(payload, row)
    elif unit:
        payload["unit_of_measurement"] = unit


def _unit(payload: dict, row) -> None:
    device_class, unit, divisor, state_class = _UNITS[row[UNIT]]
    if device_class is None and row[NAME].startswith("soc"):
        device_class = "battery"
    if device_class is not None:
        payload["device_class"] = device_class
    payload["unit_of_measurement"] = unit
    payload["state_class"] = state_class
    if divisor > 1:
        payload["value_template"] = "{{ value_json.%s / %d }}" % (row[NAME], divisor)


def _setting(payload: dict, row, kind: str, base: str) -> None:
    payload["state_topic"] = base + "settings/" + row[NAME]
    payload["command_topic"] = base + "set/" + row[NAME]
    payload["entity_category"] = "config"
    if kind == "select":
        payload["options"] = list(row[LOW])
    elif kind == "switch":
        payload["payload_on"] = "1"
        payload["payload_off"] = "0"
    else:
        _number(payload, row)


def _number(payload: dict, row) -> None:
    payload["min"] = row[LOW]
    payload["max"] = row[HIGH]
    payload["step"] = 1
    payload["mode"] = "box"
    if row[UNIT]:
        payload["unit_of_measurement"] = row[UNIT]


def _command(payload: dict, row, kind: str, base: str) -> None:
    payload["command_topic"] = base + "command/" + row[NAME]
    if kind == "button":
        payload["payload_press"] = "{}"
    elif kind == "switch":
        payload["payload_on"] = '{"value":1}'
        payload["payload_off"] = '{"value":0}'
        payload["optimistic"] = True
    else:
        _number(payload, row)
        payload["command_template"] = '{"power_w":{{ value | int }},"duration_s":%d}' % _SETPOINT_S
        payload["optimistic"] = True
