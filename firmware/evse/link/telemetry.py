# SPDX-License-Identifier: MIT
"""The one place where points and events become names, units and JSON.

`Reader` resolves the `path` of every measurement once; `event` turns a row of the event ring into
{t_s, event, element, phase, value, unit} for console, MQTT and host. No I/O.
"""

import json

from evse import faults
from evse.link.crc import modbus
from evse.points import ACCESS, DEFAULT, LOW, MEASUREMENTS, NAME, PATH, SETTINGS, UNIT

ROWS_A_PIECE = 8  # of telemetry written without a turn for anybody else

# A point whose unit is one of these carries a code of that table and is shown by its name.
_TABLES = {
    "fault": faults.FAULTS,
    "reason": faults.REASONS,
    "element": faults.ELEMENTS,
    "pilot_state": faults.PILOT_STATES,
    "session_state": faults.SESSION_STATES,
    "service": faults.SERVICES,
    "departure_state": faults.DEPARTURE_STATES,
    "inverter_islanding": faults.INVERTER_ISLANDING_STATES,
    "session_end": faults.SESSION_ENDS,
    "broker_refusal": faults.BROKER_REFUSALS,
    "access": ACCESS,
}


def code_name(table: str, code: int):
    """Return the name of a code (fault, reason, element, pilot_state ...), the number itself when unknown."""
    rows = _TABLES.get(table)
    if rows is None or not 0 <= code < len(rows):
        return code
    row = rows[code]
    return row if isinstance(row, str) else row[0]


def code_names(table: str):
    """Return all names of a table, in the order of their codes."""
    return [row if isinstance(row, str) else row[0] for row in _TABLES[table]]


def is_code(unit: str) -> bool:
    """Whether a point of this unit carries a code that has a name."""
    return unit in _TABLES


class Reader:
    """Values of the measurements of points.py in one image.

    JSON is made as bytes, ROWS_A_PIECE points by one format each: a str made at run time is looked up among all names
    of the program, which costs more than everything else.
    """

    def __init__(self, image):
        self._places = {}
        for row in MEASUREMENTS:
            parts = row[PATH].split(".")
            index = int(parts[2]) if len(parts) == 3 else -1
            self._places[row[NAME]] = (getattr(image, parts[0]), parts[1], index, row[UNIT])
        names = [row[NAME] for row in MEASUREMENTS]
        groups = [names[at : at + ROWS_A_PIECE] for at in range(0, len(names), ROWS_A_PIECE)]
        self._pieces = [(self._format(group), [self._places[name] for name in group]) for group in groups]
        self.pieces = len(groups)

    def _format(self, names) -> bytes:
        return b"".join([(',"%s":' % name).encode() + self._kind(name) for name in names])

    def _kind(self, name: str) -> bytes:
        return b'"%s"' if self._places[name][3] in _TABLES else b"%d"

    def value(self, name: str):
        """Return a measurement: an int in its unit, or the name of its code. KeyError when unknown."""
        return _value(self._places[name])

    def names(self):
        """Return the names of all measurements, in no order."""
        return self._places.keys()

    def write_head(self, buffer, head: bytes) -> int:
        """Begin a JSON object at the start of buffer with head, such as b'"time":null'; return its length in bytes."""
        return _put(buffer, 0, b"{" + head)

    def write_piece(self, buffer, at: int, number: int) -> int:
        """Write piece `number` (0 up to `pieces`) of the measurements at `at`; return where it ends.

        The last one ends the object. ValueError when the buffer is too small.
        """
        form, places = self._pieces[number]
        values = []
        for place in places:
            value = _value(place)
            if place[3] in _TABLES:
                value = value.encode() if isinstance(value, str) else b"%d" % value
            values.append(value)
        at = _put(buffer, at, form % tuple(values))
        return _put(buffer, at, b"}") if number == self.pieces - 1 else at


def _value(place):
    holder, attribute, index, unit = place
    value = getattr(holder, attribute)
    if index >= 0:
        value = value[index]
    return code_name(unit, value) if unit in _TABLES else value


def members(values: dict, names) -> bytes:
    """Return the named members of a dict as JSON without braces; a plain text or number without a str in between."""
    return b",".join([b'"%s":%s' % (name.encode(), dump(values[name])) for name in names])


def dump(value) -> bytes:
    """Return value as JSON; a list is one of names."""
    if type(value) is int:
        return b"%d" % value
    if isinstance(value, str) and '"' not in value and "\\" not in value:
        return b'"%s"' % value.encode()
    if isinstance(value, list):  # of names
        return b'["%s"]' % b'","'.join([name.encode() for name in value]) if value else b"[]"
    return json.dumps(value).encode()


def _put(buffer, at: int, text: bytes) -> int:
    end = at + len(text)
    if end > len(buffer):
        raise ValueError("JSON of more than %d bytes does not fit its buffer" % len(buffer))
    buffer[at:end] = text
    return end


def event(row, t_s) -> dict:
    """Return an event row (ticks_ms, code, subject, value, phase) as a dict; t_s: its time in s, or None."""
    code, subject, value, phase = row[1], row[2], row[3], row[4]
    known = 0 <= code < len(faults.EVENTS)
    name, table, unit = faults.EVENTS[code] if known else ("event_%d" % code, "", "")
    element = code_name(table, subject) if table else ""
    if code == faults.EVENT_SETTING or code == faults.EVENT_SETTING_WAS:
        return _setting_event(name, subject << 8 | phase, value, t_s)
    if code == faults.EVENT_SELFTEST and 0 <= value < len(faults.SELFTEST_STATES):
        unit = faults.SELFTEST_STATES[value]
    if unit == "element":
        unit = faults.ELEMENTS[subject][2] if 0 <= subject < len(faults.ELEMENTS) else ""
    return {"t_s": t_s, "event": name, "element": element, "phase": phase, "value": value, "unit": unit}


def setting_key(name: str) -> int:
    """Return the 16 bits that stand for a setting in the journal: they do not move when the table grows."""
    return modbus(name.encode(), 0, len(name))


def setting_value(row, value) -> int:
    """Return a setting's value for the journal: a number, a choice's place, a text's length; 0 for a secret."""
    if row[UNIT] == "secret":
        return 0
    if isinstance(row[LOW], tuple):
        return row[LOW].index(value) if value in row[LOW] else -1
    return len(value) if isinstance(value, str) else value


def _setting_row(key: int):
    for row in SETTINGS:
        if setting_key(row[NAME]) == key:
            return row
    return None


def _setting_event(event_name: str, key: int, value: int, t_s) -> dict:
    row = _setting_row(key)
    name, unit = (row[NAME], row[UNIT]) if row is not None else ("setting_%d" % key, "")
    if row is not None and isinstance(row[LOW], tuple) and 0 <= value < len(row[LOW]):
        unit = row[LOW][value]
    elif row is not None and is_text(row):
        unit = "characters"
    return {"t_s": t_s, "event": event_name, "element": name, "phase": 0, "value": value, "unit": unit}


def is_text(row) -> bool:
    """Whether a setting is a text that may be shown."""
    return isinstance(row[DEFAULT], str) and not isinstance(row[LOW], tuple) and row[UNIT] != "secret"


def text_length(event_row) -> int:
    """Return how long the text is that a journal record of a setting stands for; 0 for any other record."""
    if event_row[1] not in (faults.EVENT_SETTING, faults.EVENT_SETTING_WAS):
        return 0
    row = _setting_row(event_row[2] << 8 | event_row[4])
    return event_row[3] if row is not None and is_text(row) and event_row[3] > 0 else 0


def event_text(row, t_s, text=None) -> str:
    """Return one line for a person: time, event, element, phase, value with unit. text: a text setting's, if kept."""
    e = event(row, t_s)
    phase = " L%d" % e["phase"] if e["phase"] else ""
    value = " %d %s" % (e["value"], e["unit"]) if e["unit"] or e["value"] else ""
    if row[1] in (faults.EVENT_SETTING, faults.EVENT_SETTING_WAS):
        value = _setting_text(row[2] << 8 | row[4], e, text)
    element = " %s" % e["element"] if e["element"] != "" else ""
    return "%s %s%s%s%s" % (e["t_s"], e["event"], element, phase, value.rstrip())


def _setting_text(key: int, e: dict, text) -> str:
    row = _setting_row(key)
    if row is None:
        return " %d" % e["value"]
    if row[UNIT] == "secret":
        return " (secret)"
    if isinstance(row[LOW], tuple):
        return " %s" % e["unit"]
    if is_text(row) and (text is not None or not e["value"]):
        return ' "%s"' % (text or "")
    return " %d %s" % (e["value"], e["unit"])


def sentence(table: str, code: int) -> str:
    """Return the sentence of a fault or reason."""
    rows = faults.FAULTS if table == "fault" else faults.REASONS
    return rows[code][-1] if 0 <= code < len(rows) else "Unknown code %d." % code


def active_faults(status):
    """Return the names of the active faults."""
    return [faults.FAULTS[code][0] for code in range(len(faults.FAULTS)) if status.fault[code]]
