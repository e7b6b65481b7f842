# SPDX-License-Identifier: MIT
"""Console verbs that only show: help, status, why, limits, faults, log, profile, selftest, version, tasks."""

import gc
import sys
from time import ticks_diff, ticks_ms

from evse.decide.why import shown as quantity
from evse.faults import ELEMENTS, EVENT_TEXT, FAULTS, SELFTEST_STATES
from evse.link import telemetry
from evse.points import ACCESS, UNIT, find
from evse.store.journal import TEXT_MAX
from evse.tasks.clock import utc_text
from evse.tasks.devices import anti_islanding
from evse.tasks.station import VERSION
from evse.tasks.verbs import ARGUMENTS, HELP, NAME, VERBS, WHO, VerbError
from evse.tasks.verbs import find as find_verb

_STATUS = (
    "session_state",
    "pilot_state",
    "contactor",
    "gate_up",
    "voltage_l1_mv",
    "frequency_uhz",
    "grid_w",
    "inverter_w",
    "wanted_w",
    "allowed_w",
    "owner",
    "reason",
    "soc_permille",
    "soc_ok",
    "lease_ms",
    "wait_ms",
    "trip",
    "fault_count",
)

LOG_DEFAULT = 16
LOG_MAX = 64
HELP_AT = 30  # column of what a verb does


def shown(session, name: str) -> str:
    """Return `name=value unit` of a measurement; a code shows its name and needs no unit."""
    value = session.station.reader.value(name)
    unit = find(name)[UNIT]
    if telemetry.is_code(unit):
        unit = ""
    return "%s=%s%s" % (name, value, " " + unit if unit else "")


async def help_(session, words) -> str:
    if words:
        row = find_verb(words[0])
        if row is None:
            raise VerbError("unknown", "verb '%s'; `help` lists them" % words[0][:20])
        await session.line("%s %s" % (row[NAME], row[ARGUMENTS]))
        await session.line("%s Needs %s access." % (row[HELP], ACCESS[row[WHO]]))
        return ""
    for row in VERBS:
        left = "%s %s" % (row[NAME], row[ARGUMENTS])
        if len(left) > HELP_AT - 1:
            await session.line(left)
            left = ""
        await session.line("%-*s%s" % (HELP_AT, left, row[HELP]))
    return "access=%s" % ACCESS[session.level]


async def status(session, _words) -> str:
    station = session.station
    for name in _STATUS:
        await session.line(shown(session, name))
    for task in station.tasks:
        state = getattr(task, "state", None)
        if state:
            await session.line("%s=%s" % (task.name, state))
    await session.line("anti_islanding=%s" % anti_islanding(station))
    await session.line("uptime=%s s" % station.clock.seconds_text(ticks_ms()))
    gc.collect()
    return "heap_free=%d B" % (gc.mem_free() if hasattr(gc, "mem_free") else 0)


async def why(session, _words) -> str:
    from evse.decide.why import why as sentence

    await session.line(sentence(session.station.image, session.station.settings))
    return shown(session, "reason")


async def limits(session, _words) -> str:
    station = session.station
    limited = station.image.limits
    for way, room_w, code in (
        ("import", limited.import_w, limited.import_reason),
        ("export", limited.export_w, limited.export_reason),
    ):
        await session.line("%-8s %6d W  %s" % (way, room_w, telemetry.sentence("reason", code)))
    ratings, settings = station.board.ratings, station.settings
    await session.line(
        "board    %6d W import, %d W export, %d mA a phase" % (ratings.import_w, ratings.export_w, ratings.current_ma)
    )
    await session.line("settings %6d W import, %d W export" % (settings.import_rating_w, settings.export_rating_w))
    return "%s %s" % (shown(session, "allowed_w"), shown(session, "reason"))


async def faults(session, words) -> str:
    flags = session.station.image.status.fault
    count = 0
    for code in range(1, len(FAULTS)):
        if flags[code] or words:
            await session.line("%-18s %s%s" % (FAULTS[code][0], "ACTIVE " if flags[code] else "", FAULTS[code][3]))
        count += flags[code]
    return "active=%d" % count


def _journal_text(session, sequence: int, record) -> str:
    """Return one line of a journal record; an earlier start of the controller shows as `boot N`."""
    journal = session.station.journal
    utc_s, uptime_ms, boot, code, subject, value, phase = record
    if utc_s:
        when = utc_text(utc_s)
    elif boot == journal.boot:
        when = "%d.%03d" % (uptime_ms // 1000, uptime_ms % 1000)
    else:
        when = "boot %d" % boot
    row = (0, code, subject, value, phase)
    length = min(telemetry.text_length(row), TEXT_MAX)
    return telemetry.event_text(row, when, journal.text(sequence, length) if length else None)


async def _journal(session, most: int) -> int:
    """Write the last records of the FRAM journal; return its newest number."""
    journal = session.station.journal
    if journal is None:
        return 0
    first = journal.newest + 1
    while most and first > journal.oldest:
        first -= 1
        record = journal.read(first)
        most -= record is not None and record[3] != EVENT_TEXT
    for sequence in range(first, journal.newest + 1):
        record = journal.read(sequence)
        if record is not None and record[3] != EVENT_TEXT:
            await session.line("%4d %s" % (sequence, _journal_text(session, sequence, record)))
    return journal.newest


async def log(session, words) -> str:
    if words and not words[0].isdigit():
        raise VerbError("usage", "count '%s' is not a number; give 1..%d" % (words[0][:20], LOG_MAX))
    most = min(int(words[0][:4]), LOG_MAX) if words else LOG_DEFAULT
    newest = await _journal(session, most)
    clock = session.station.clock
    for ticks, who, text in session.station.notes.latest(most):
        await session.line("%s %s: %s" % (clock.seconds_text(ticks), who, text))
    return "events=%d notes=%d" % (newest, session.station.notes.count)


async def profile(session, _words) -> str:
    chosen = session.station.profile
    if chosen is None:
        raise VerbError("state", "no profile is in force: see `faults` and `log`")
    await session.line("%s, %s" % (chosen.title, chosen.edition))
    for stage in chosen.stages:
        name, device, unit = ELEMENTS[stage.element]
        way = "above" if stage.over else "below"
        delay = stage.delay_ms, "to clear" if stage.clearing else "delay"
        await session.line(
            "%-8s %-5s %s %11s %7d ms %s" % ((name, device, way, quantity(stage.threshold, unit)) + delay)
        )
    for name, value, unit in (
        ("rocof", chosen.rocof_mhz_s, "mHz/s"),
        ("ov_mean", chosen.mean_mv, "mV"),
        ("vector_shift", chosen.vector_shift_mdeg, "mdeg"),
    ):
        if value:
            await session.line("%-14s above %11s" % (name, quantity(value, unit)))
    if chosen.unverified:
        await session.line("not verified against the standard: %s" % ", ".join(chosen.unverified))
    if chosen.changed:
        await session.line("changed by profile_changes: %s" % ", ".join(chosen.changed))
    return "profile=%s hash=%s unverified=%d" % (chosen.name, chosen.hash, len(chosen.unverified))


async def selftest(session, _words) -> str:
    """Result of the test at boot, and what it looks at as it is now."""
    image = session.station.image
    inputs = image.inputs
    boot = SELFTEST_STATES[image.status.selftest]
    for name, good, fine, wrong in (
        ("main contacts", inputs.contactor_open_proven, "open", "not proven open: mirror contact, its wiring, a weld"),
        ("safety gate", not inputs.gate_up, "down", "up: it must be down without edges"),
        ("residual current", not inputs.rcd_tripped, "none", "tripped: leakage, or the sensor's wire is broken"),
    ):
        mark = "" if good or image.outputs.contactor else "wrong: "
        await session.line("%-17s %s%s" % (name, mark, fine if good else wrong if mark else "in use"))
    if boot == "failed":
        await session.line("Put right what is wrong, then `clear`: the test runs again.")
    return "selftest=%s" % boot


async def version(session, _words) -> str:
    board = session.station.board
    await session.line(sys.version)
    return "version=%s board=%s port=%s reset=%s" % (VERSION, board.name, board.port, board.reset_cause)


async def tasks(session, _words) -> str:
    now_ms = ticks_ms()
    for keeper in session.station.keepers:
        age_ms = max(0, ticks_diff(now_ms, keeper.task.beat_ms))  # our own beats while we print
        waiting = " waiting" if keeper.waiting else ""
        await session.line("%-12s age=%d ms restarts=%d%s" % (keeper.name, age_ms, keeper.restarts, waiting))
    return "tasks=%d" % len(session.station.keepers)
