# SPDX-License-Identifier: MIT
"""Console verbs on points and settings: points, get, set, watch, export, import."""

from evse.link import telemetry
from evse.points import ACCESS, COMMAND, HIGH, KIND, KINDS, LOW, NAME, POINTS, SETTING, TEXT, UNIT, WHO, find
from evse.store.settings import STAGED, SettingError
from evse.tasks.verbs import VerbError

WATCH_MAX = 8  # points in one line
WATCH_DEFAULT_MS = 1000
IMPORT_MAX = 6000  # characters


def _range(row) -> str:
    low = row[LOW]
    if isinstance(low, tuple):
        return "one of %s" % ", ".join(low)
    return "%s..%s" % (low, row[HIGH])


async def points(session, words) -> str:
    count = 0
    for row in POINTS:
        if words and words[0] not in row[NAME]:
            continue
        kind = KINDS[row[KIND]]
        access = " %s" % ACCESS[row[WHO]] if row[KIND] != 1 else ""
        await session.line("%s %s%s %s %s: %s" % (row[NAME], kind, access, _range(row), row[UNIT], row[TEXT]))
        count += 1
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


async def get(session, words) -> str:
    if not words:
        raise VerbError("usage", "get name...; `points` lists the names")
    return " ".join([value_text(session, name) for name in words])


async def set_(session, words) -> str:
    if len(words) < 2:
        raise VerbError("usage", "set name value")
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
    was = "(secret)" if find(words[0])[UNIT] == "secret" else before[words[0]]
    staged = " staged=until no power can flow" if result == STAGED else ""
    if words[0] == "profile":
        staged += " effect=after reboot"
    return "%s was=%s%s" % (value_text(session, words[0]), was, staged)


async def watch(session, words) -> str:
    period_ms = WATCH_DEFAULT_MS
    if words and words[-1].replace(".", "", 1).isdigit():
        period_ms = int(float(words.pop()[:8]) * 1000)
    if not 1 <= len(words) <= WATCH_MAX or not 100 <= period_ms <= 3600000:
        raise VerbError("usage", "watch 1..%d names, then 0.1..3600 seconds" % WATCH_MAX)
    for name in words:
        value_text(session, name)  # refuse an unknown name before the first line
    lines = 0
    while True:
        clock = session.station.clock.seconds_text(session.now_ms())
        await session.line(clock + " " + " ".join([value_text(session, name) for name in words]))
        lines += 1
        if await session.key_within(period_ms):
            return "lines=%d" % lines


async def export(session, _words) -> str:
    # Only separators between members match: inside a string a quote is escaped.
    for line in session.station.settings.export_json().split(', "'):
        await session.line(line if line.startswith("{") else ',"' + line)
    return ""


async def import_(session, _words) -> str:
    text = []
    size = 0
    while True:
        line = await session.next_line()
        if line is None:
            raise VerbError("refused", "import was given up; nothing has changed")
        if line == ".":
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
        raise VerbError("refused", "%d errors; nothing has changed" % len(errors))
    settings.save()
    session.station.settings_changed(was, "console")
    return "changed=%d staged=%d" % (settings.changed - before, len(settings.staged()))
