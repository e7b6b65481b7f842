# SPDX-License-Identifier: MIT
"""Settings: every row of points.SETTINGS as an attribute, checked on the way in, kept in two copies in FRAM.

The cycle reads the attributes; the console, MQTT and the host tool write through `set` and `import_json`. A stored
key that this firmware does not know is kept, so that going back to an older version loses nothing.
"""

import json

from evse import points
from evse.store import layout
from evse.store.slots import TwoSlots

VERSION = 1  # of the stored form
MIGRATIONS = ()  # [0] turns the dict of version 1 into version 2, and so on

APPLIED, STAGED = 0, 1
JUDGED = ("profile", "profile_changes")


class SettingError(ValueError):
    """A setting was refused: one line that names it, the value, what is allowed and what to do. Nothing changed."""


def check(row, value):
    """Return value as the type of the setting `row`, or raise SettingError. Text from a console is taken too."""
    low = row[points.LOW]
    if isinstance(low, tuple):
        if value in low:
            return value
        shown = repr(value)[:40]
        raise SettingError("%s: %s is not one of %s; give one of these" % (row[points.NAME], shown, ", ".join(low)))
    if isinstance(row[points.DEFAULT], str):
        return _check_text(row, value)
    return _check_number(row, value)


def _check_text(row, value) -> str:
    name = row[points.NAME]
    low = row[points.LOW]
    high = row[points.HIGH]
    if not isinstance(value, str):
        raise SettingError("%s: %s is not text; give %d..%d characters" % (name, repr(value)[:40], low, high))
    shown = "the text" if row[points.UNIT] == "secret" else repr(value[:40])
    if not low <= len(value) <= high:
        raise SettingError("%s: %s has %d characters; give %d..%d" % (name, shown, len(value), low, high))
    for character in value:
        if not " " <= character <= "~":
            raise SettingError("%s: %s has a character outside printable ASCII; leave it out" % (name, shown))
    return value


def _check_number(row, value) -> int:
    name = row[points.NAME]
    unit = row[points.UNIT]
    allowed = "%d..%d%s" % (row[points.LOW], row[points.HIGH], " " + unit if unit else "")
    if isinstance(value, str):
        value = _whole(value, value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise SettingError("%s: %s is not a whole number; give %s" % (name, repr(value)[:40], allowed))
    if not row[points.LOW] <= value <= row[points.HIGH]:
        shown = "%d" % value if -(10**12) < value < 10**12 else "the number"
        raise SettingError("%s: %s is out of range; give %s" % (name, shown, allowed))
    return value


def _whole(text: str, otherwise):
    digits = text[1:] if text[:1] in ("-", "+") else text
    if 0 < len(digits) <= 10 and all("0" <= digit <= "9" for digit in digits):
        return int(text)
    return otherwise


def check_together(values: dict) -> None:
    """Raise SettingError when settings that are each in range contradict one another."""
    resume = values["soc_floor_permille"] + values["soc_hysteresis_permille"]
    if resume >= values["soc_max_permille"]:
        raise SettingError(
            "soc_floor_permille + soc_hysteresis_permille is %d permille; keep it below soc_max_permille (%d)"
            % (resume, values["soc_max_permille"])
        )
    if values["inverter_stale_ms"] > values["inverter_lease_ms"]:
        raise SettingError(
            "inverter_stale_ms: %d ms is longer than the inverter's lease; keep it within inverter_lease_ms (%d)"
            % (values["inverter_stale_ms"], values["inverter_lease_ms"])
        )


class Settings:
    """All settings. memory: FRAM driver, or None to run on defaults (tests, replay).

    changed: counts up with every change, so that whoever derived something from settings can notice.
    damaged: 1 when something was stored but no copy could be read; defaults are in use.
    rejected: names of stored settings that were out of range and fell back to their default.
    energised: callable that says whether power can flow; while it does, installer settings are staged, not applied.
    judge: callable that takes {name: value} and raises ValueError when the grid code cannot be used so; None: unasked.
    """

    def __init__(self, memory=None):
        self._slots = TwoSlots(memory, layout.SETTINGS) if memory is not None else None
        self._unknown = {}
        self._staged = {}
        self.changed = 0
        self.damaged = 0
        self.rejected = []
        self.energised = None
        self.judge = None
        self._rows = {}
        for row in points.SETTINGS:
            self._rows[row[points.NAME]] = row
            setattr(self, row[points.NAME], row[points.DEFAULT])

    def load(self) -> int:
        """Read the newest valid copy; return 1 when there was one, 0 when defaults are in use."""
        body = self._slots.load() if self._slots else None
        self.damaged = 1 if self._slots and self._slots.damaged else 0
        if body is None:
            return 0
        try:
            document = json.loads(bytes(body).decode())
            version = document["version"]
            values = document["values"]
            if not isinstance(version, int) or version < 1 or not isinstance(values, dict):
                raise ValueError
        except (ValueError, KeyError, TypeError):  # UnicodeError is a ValueError
            self.damaged = 1
            return 0
        for step in range(version - 1, len(MIGRATIONS)):
            values = MIGRATIONS[step](values)
        self._take(values)
        return 1

    def _take(self, values: dict) -> None:
        accepted = self.as_dict()
        self.rejected = []
        self._unknown = {}
        for name, value in values.items():
            row = self._rows.get(name)
            if row is None:
                self._unknown[name] = value
                continue
            try:
                accepted[name] = check(row, value)
            except SettingError:
                self.rejected.append(name)
        try:
            check_together(accepted)
        except SettingError:
            for name in ("soc_floor_permille", "soc_hysteresis_permille", "soc_max_permille", "inverter_stale_ms"):
                accepted[name] = self._rows[name][points.DEFAULT]
                self.rejected.append(name)
            accepted["inverter_lease_ms"] = self._rows["inverter_lease_ms"][points.DEFAULT]
        self._apply(accepted)

    def save(self) -> None:
        """Write the settings to FRAM, over the older copy. On return they survive a power cut.

        What is staged is stored as it will be: after a restart no power flows, and it is in force.
        """
        if self._slots is None:
            return
        self._slots.save_pieces(self._stored)
        self.damaged = 0

    def _stored(self):
        """Yield the stored form, a piece a setting."""
        yield ('{"version": %d, "values": {' % VERSION).encode()
        comma = ""
        for name in self._rows:
            value = self._staged[name] if name in self._staged else getattr(self, name)
            yield ('%s"%s": %s' % (comma, name, json.dumps(value))).encode()
            comma = ", "
        for name, value in self._unknown.items():
            yield ("%s%s: %s" % (comma, json.dumps(name), json.dumps(value))).encode()
        yield b"}}"

    def as_dict(self) -> dict:
        """Return {name: value} of every setting in force."""
        return {name: getattr(self, name) for name in self._rows}

    def set(self, name: str, value, access: int = points.INSTALLER) -> int:
        """Change one setting; return APPLIED, or STAGED when it waits until no power can flow.

        access: who asks, points.USER or points.INSTALLER. Raises SettingError, nothing changed. Not saved yet.
        """
        row = self._row(name, access)
        value = check(row, value)
        values = self.as_dict()
        values.update(self._staged)
        values[name] = value
        self._check(values)
        return self._change({name: value})

    def _check(self, values: dict) -> None:
        check_together(values)
        if self.judge is not None and [name for name in JUDGED if values[name] != getattr(self, name)]:
            try:
                self.judge(values)
            except (ValueError, ImportError) as error:
                raise SettingError("profile_changes: %s" % error) from None

    def _row(self, name: str, access: int):
        row = self._rows.get(name)
        if row is None:
            raise SettingError("%s: no such setting; `points` lists them" % str(name)[:40])
        if access < row[points.WHO]:
            raise SettingError("%s: only the %s may change it; unlock first" % (name, points.ACCESS[row[points.WHO]]))
        return row

    def _change(self, values: dict) -> int:
        busy = self.energised is not None and self.energised()
        now = {}
        for name, value in values.items():
            if busy and self._rows[name][points.WHO] == points.INSTALLER and value != getattr(self, name):
                self._staged[name] = value
            else:
                now[name] = value
                self._staged.pop(name, None)
        self._apply(now)
        return STAGED if len(now) < len(values) else APPLIED

    def _apply(self, values: dict) -> None:
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
                self.changed += 1

    def staged(self) -> dict:
        """Return {name: value} of what waits for power to stop."""
        return dict(self._staged)

    def asked(self) -> dict:
        """Return {name: value} as it will be once what is staged is in force."""
        values = self.as_dict()
        values.update(self._staged)
        return values

    def reset(self) -> None:
        """Put every setting back to its default, whatever is staged; not saved yet. While no power can flow only."""
        self._staged = {}
        self._unknown = {}
        self._apply({name: row[points.DEFAULT] for name, row in self._rows.items()})

    def apply_staged(self) -> int:
        """Put what is staged in force, if no power can flow now; return how many."""
        if not self._staged or (self.energised is not None and self.energised()):
            return 0
        count = len(self._staged)
        self._apply(self._staged)
        self._staged = {}
        return count

    def export_lines(self):
        """Yield the JSON text of every setting but the secret and the firmware's own: a line each, in their order."""
        head = '{"version": %d, "values": {' % VERSION
        for row in points.SETTINGS:
            if row[points.UNIT] != "secret" and row[points.WHO] <= points.INSTALLER:
                yield '%s"%s": %s' % (head, row[points.NAME], json.dumps(getattr(self, row[points.NAME])))
                head = ","
        yield "}}"

    def export_json(self) -> str:
        """Return what export_lines yields as one text."""
        return "".join(self.export_lines())

    def import_json(self, text: str, access: int = points.INSTALLER):
        """Take settings from JSON text, all or none; return the list of errors, empty when it was taken."""
        try:
            document = json.loads(text)
        except (ValueError, RuntimeError) as error:  # RuntimeError: nested deeper than the VM's stack
            return ["settings: not JSON (%s); give what `export` printed" % error]
        values = document.get("values", document) if isinstance(document, dict) else None
        if not isinstance(values, dict):
            return ["settings: not an object of names and values; give what `export` printed"]
        errors = []
        taken = {}
        for name in values:
            if values is document and name == "version":
                continue
            try:
                taken[name] = check(self._row(name, access), values[name])
            except SettingError as error:
                errors.append(str(error))
        if not errors:
            errors = self._import_checked(taken)
        return errors

    def _import_checked(self, taken: dict):
        together = self.as_dict()
        together.update(self._staged)
        together.update(taken)
        try:
            self._check(together)
        except SettingError as error:
            return [str(error)]
        self._change(taken)
        return []
