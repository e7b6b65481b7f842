# SPDX-License-Identifier: MIT
"""Console verbs on points and settings: points, get, set, watch, export, import."""

from evse.link import telemetry
from evse.points import (
    ACCESS,
    COMMAND,
    DEFAULT,
    HIGH,
    KIND,
    KINDS,
    LOW,
    MEASUREMENT,
    NAME,
    POINTS,
    SETTING,
    TEXT,
    UNIT,
    WHO,
    find,
)
from evse.store.settings import STAGED, SettingError
from evse.tasks.line_editor import LEAVE
from evse.tasks.verbs import VerbError

WATCH_MAX = 8  # points in one line
WATCH_DEFAULT_MS = 1000
IMPORT_MAX = 6000  # characters


def _range(row) -> str:
    low = row[LOW]
    if isinstance(low, tuple):
        return "one of %s" % ", ".join(low)
    if isinstance(row[DEFAULT], str):
        return "%d..%d characters" % (low, row[HIGH])
    if telemetry.is_code(row[UNIT]):
        return "a name"
    return "%s..%s" % (low, row[HIGH])


async def points(session, words) -> str:
    count = 0
    for row in POINTS:
        if words and words[0] not in row[NAME]:
            continue
        kind = KINDS[row[KIND]] if row[KIND] == MEASUREMENT else "%s, %s" % (KINDS[row[KIND]], ACCESS[row[WHO]])
        unit = " " + row[UNIT] if row[UNIT] and not telemetry.is_code(row[UNIT]) else ""
        await session.line("%-32s %s, %s%s" % (row[NAME], kind, _range(row), unit))
        await session.line("    " + row[TEXT])
        count += 1
    if not count:
        raise VerbError("unknown", "no point has '%s' in its name; `points` lists them all" % words[0][:40])
    return "points=%d" % count


def value_text(session, name: str) -> str:
    """Return `name=value unit`; VerbError when there is no such point to read."""
    row = find(name)
    if row is None or row[KIND] == COMMAND:
        raise VerbError("unknown", "point '%s'; `points` lists them" % name[:40])
    unit = row[UNIT]
    if row[KIND] == SETTING:
        value = "(secret)" if unit == "secret" else getattr(session.station.settings, name)
    else:
        value = session.station.reader.value(name)
    if telemetry.is_code(unit) or unit == "secret":
        unit = ""
    return "%s=%s%s" % (name, value, " " + unit if unit else "")


def _staged_text(session, name: str) -> str:
    """Return ` staged=value` of a setting that waits for power to stop."""
    staged = session.station.settings.staged()
    if name not in staged:
        return ""
    return " staged=%s" % ("(secret)" if find(name)[UNIT] == "secret" else staged[name])


async def get(session, words) -> str:
    if not words:
        raise VerbError("usage", "give `get name...`; `points` lists the names")
    return " ".join([value_text(session, name) + _staged_text(session, name) for name in words])


async def set_(session, words) -> str:
    if len(words) < 2:
        raise VerbError("usage", "give `set name value`; `points` lists the names")
    station = session.station
    settings = station.settings
    before = settings.asked()
    value = " ".join(words[1:])
    try:
        result = settings.set(words[0], "" if value == '""' else value, session.level)
    except SettingError as error:
        raise VerbError("refused", str(error)) from None
    settings.save()
    station.settings_changed(before, "console")
    row = find(words[0])
    shown = "(secret)" if row[UNIT] == "secret" else "%s" % settings.asked()[words[0]]
    was = "(secret)" if row[UNIT] == "secret" else "%s" % before[words[0]]
    unit = " " + row[UNIT] if row[UNIT] and row[UNIT] != "secret" else ""
    later = " staged=until no power can flow" if result == STAGED else ""
    if row[TEXT].endswith("After reboot."):
        later += " effect=after reboot"
    return "%s=%s%s was=%s%s" % (words[0], shown, unit, was, later)


async def watch(session, words) -> str:
    period_ms = WATCH_DEFAULT_MS
    if words and words[-1].replace(".", "", 1).isdigit():
        period_ms = int(float(words.pop()[:8]) * 1000)
    if not 1 <= len(words) <= WATCH_MAX or not 100 <= period_ms <= 3600000:
        raise VerbError("usage", "give `watch` 1..%d names, then 0.1..3600 seconds" % WATCH_MAX)
    for name in words:
        value_text(session, name)  # refuse an unknown name before the first line
    widths = [0] * len(words)
    lines = 0
    while True:
        shown = [session.station.clock.seconds_text(session.now_ms())]
        for at in range(len(words)):
            text = value_text(session, words[at])
            widths[at] = max(widths[at], len(text))  # a column never gets narrower: numbers stay below one another
            shown.append(text + " " * (widths[at] - len(text)))
        await session.line("  ".join(shown).rstrip())
        lines += 1
        if await session.key_within(period_ms):
            return "lines=%d" % lines


async def export(session, _words) -> str:
    for line in session.station.settings.export_lines():
        await session.data(line)
    return ""


async def import_(session, _words) -> str:
    text = []
    size = 0
    while True:
        line = await session.next_line()
        if line is None:
            raise VerbError("refused", "import was given up; nothing has changed")
        if line in (".", LEAVE):
            break
        size += len(line)
        if size <= IMPORT_MAX:
            text.append(line)
    if size > IMPORT_MAX:
        raise VerbError("refused", "import of %d characters; at most %d" % (size, IMPORT_MAX))
    settings = session.station.settings
    before = settings.changed
    was = settings.asked()
    errors = settings.import_json("".join(text), session.level)
    for error in errors:
        await session.line(error)
    if errors:
        count = "1 error" if len(errors) == 1 else "%d errors" % len(errors)
        raise VerbError("refused", count + "; nothing has changed")
    settings.save()
    session.station.settings_changed(was, "console")
    return "changed=%d staged=%d" % (settings.changed - before, len(settings.staged()))
