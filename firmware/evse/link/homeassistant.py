# SPDX-License-Identifier: MIT
"""Home Assistant MQTT discovery, one entity at a time, generated from points.py.

Keys, device classes and units are those of Home Assistant's MQTT sensor, binary_sensor, number, select,
switch and button integrations. A row of points.py becomes an entity by its kind and unit alone.
"""

from evse.link.telemetry import code_names, is_code
from evse.points import COMMAND, DEFAULT, HIGH, KIND, LOW, MEASUREMENT, NAME, POINTS, SETTING, UNIT, USER, WHO

MANUFACTURER = "backfeed"

# unit of a measurement -> (device class, unit of measurement, divisor, decimals shown, state class)
_UNITS = {
    "mV": ("voltage", "V", 1000, 1, "measurement"),
    "mA": ("current", "A", 1000, 1, "measurement"),
    "uHz": ("frequency", "Hz", 1000000, 3, "measurement"),
    "W": ("power", "W", 1, 0, "measurement"),
    "var": ("reactive_power", "var", 1, 0, "measurement"),
    "Wh": ("energy", "Wh", 1, 0, "total_increasing"),
    "min": ("duration", "min", 1, 0, "measurement"),
    "s": ("duration", "s", 1, 0, "measurement"),
    "ms": ("duration", "s", 1000, 0, "measurement"),
    "us": ("duration", "ms", 1000, 2, "measurement"),  # microseconds are not in Home Assistant's list
    "cdeg": ("temperature", "°C", 100, 1, "measurement"),
    "permille": (None, "%", 10, 1, "measurement"),
    "mHz/s": (None, "mHz/s", 1, 0, "measurement"),
    "mHz": (None, "mHz", 1, 0, "measurement"),
    "": (None, None, 1, 0, "measurement"),
}

# Points of no unit that only count up.
_COUNTERS = ("cycles", "overruns", "battery_cycles_milli")

# Points that describe the program, not the charger: shown under diagnostics.
_DIAGNOSTIC = ("cycles", "overruns", "late_worst_us", "fault_count", "rocof_mhz_s", "trip_element")

# Bits for which Home Assistant has a word: name -> device class of a binary_sensor.
_BITS = {"trip": "problem", "contactor": "power", "gate_up": "power", "soc_ok": "connectivity"}

_SETPOINT_S = 900  # lease of a power set by hand in Home Assistant


class Discovery:
    """What Home Assistant is told of one charger, a row of points.POINTS at a time."""

    def __init__(self, device_id: str, model: str):
        self._id = device_id
        self._base = base = "backfeed/%s/" % device_id
        self._telemetry = base + "telemetry"
        self._shared = {
            "availability_topic": base + "availability",
            "device": {
                "identifiers": ["backfeed_" + device_id],
                "name": device_id,
                "manufacturer": MANUFACTURER,
                "model": model,
            },
            "origin": {"name": "backfeed"},
        }

    def at(self, number: int):
        """Return (topic after the prefix, payload dict) of row `number`, or None where it makes no entity.

        IndexError after the last row.
        """
        row = POINTS[number]
        kind = component(row)
        if kind is None:
            return None
        return "%s/%s/%s/config" % (kind, self._id, row[NAME]), self.payload(row, kind)

    def payload(self, row, kind: str) -> dict:
        """Return the payload of a row as this kind of component."""
        payload = dict(self._shared)
        payload["name"] = _title(row)
        payload["unique_id"] = "%s_%s" % (self._id, row[NAME])
        if row[KIND] == MEASUREMENT:
            payload["state_topic"] = self._telemetry
            _measurement(payload, row, kind)
        elif row[KIND] == SETTING:
            _setting(payload, row, kind, self._base)
        else:
            _command(payload, row, kind, self._base)
        return payload


def entities(device_id: str, model: str):
    """Yield (topic after the prefix, payload dict) of every entity."""
    discovery = Discovery(device_id, model)
    for number in range(len(POINTS)):
        entity = discovery.at(number)
        if entity is not None:
            yield entity


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


def _title(row) -> str:
    """Return a point's name without its unit, for people: `grid voltage` shows its own unit in Home Assistant."""
    name = row[NAME]
    suffix = "_" + row[UNIT].lower().replace("/", "_")
    if len(suffix) > 1 and name.endswith(suffix):
        name = name[: -len(suffix)]
    return name.replace("_", " ")


def _measurement(payload: dict, row, kind: str) -> None:
    name = row[NAME]
    payload["value_template"] = "{{ value_json.%s }}" % name
    if name in _DIAGNOSTIC:
        payload["entity_category"] = "diagnostic"
    if kind == "binary_sensor":
        payload["payload_on"] = "1"
        payload["payload_off"] = "0"
        if name in _BITS:
            payload["device_class"] = _BITS[name]
    elif is_code(row[UNIT]):
        payload["device_class"] = "enum"
        payload["options"] = code_names(row[UNIT])
    else:
        _unit(payload, row)


def _unit(payload: dict, row) -> None:
    name = row[NAME]
    device_class, unit, divisor, decimals, state_class = _UNITS[row[UNIT]]
    if device_class is None and name.startswith("soc"):
        device_class = "battery"
    if device_class is not None:
        payload["device_class"] = device_class
    if unit is not None:
        payload["unit_of_measurement"] = unit
    payload["state_class"] = "total_increasing" if name in _COUNTERS else state_class
    if name.endswith("_milli"):
        divisor, decimals = 1000, 1
    if divisor > 1:
        payload["value_template"] = "{{ value_json.%s / %d }}" % (name, divisor)
        payload["suggested_display_precision"] = decimals


def _setting(payload: dict, row, kind: str, base: str) -> None:
    payload["state_topic"] = base + "settings/" + row[NAME]
    payload["command_topic"] = base + "set/" + row[NAME]
    payload["entity_category"] = "config"
    if kind == "select":
        payload["options"] = list(row[LOW])
    elif kind == "switch":
        payload["payload_on"] = "1"
        payload["payload_off"] = "0"
    elif row[UNIT] == "permille":
        _percent(payload, row)
    else:
        _number(payload, row)


def _percent(payload: dict, row) -> None:
    """A share in permille, shown and set in percent."""
    payload["min"] = row[LOW] / 10
    payload["max"] = row[HIGH] / 10
    payload["step"] = 0.1
    payload["mode"] = "box"
    payload["unit_of_measurement"] = "%"
    payload["value_template"] = "{{ value | int / 10 }}"
    payload["command_template"] = "{{ (value * 10) | round | int }}"


def _number(payload: dict, row) -> None:
    payload["min"] = row[LOW]
    payload["max"] = row[HIGH]
    payload["step"] = 1
    payload["mode"] = "box"
    if row[UNIT]:
        payload["unit_of_measurement"] = row[UNIT]
    if row[UNIT] == "W":
        payload["device_class"] = "power"


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
