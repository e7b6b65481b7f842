# SPDX-License-Identifier: MIT
"""Console verbs that only show: help, status, why, limits, faults, log, profile, selftest, version, tasks."""

import gc
import sys
from time import ticks_diff, ticks_ms

from evse.faults import FAULTS
from evse.link import telemetry
from evse.points import ACCESS, UNIT, find
from evse.tasks.clock import utc_text
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
        await session.line("%-9s %-29s %s" % (row[NAME], row[ARGUMENTS], row[HELP]))
    return "access=%s" % ACCESS[session.level]


async def status(session, _words) -> str:
    station = session.station
    for name in _STATUS:
        await session.line(shown(session, name))
    for task in station.tasks:
        state = getattr(task, "state", None)
        if state:
            await session.line("%s=%s" % (task.name, state))
    await session.line("uptime_s=%s" % station.clock.seconds_text(ticks_ms()))
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
        await session.line("%s_w=%d W: %s" % (way, room_w, telemetry.sentence("reason", code)))
    ratings = station.board.ratings
    await session.line(
        "board: import %d W, export %d W, %d mA" % (ratings.import_w, ratings.export_w, ratings.current_ma)
    )
    return "%s %s" % (shown(session, "allowed_w"), shown(session, "reason"))


async def faults(session, words) -> str:
    flags = session.station.image.status.fault
    count = 0
    for code in range(1, len(FAULTS)):
        if flags[code] or words:
            await session.line("%s%s: %s" % (FAULTS[code][0], " (active)" if flags[code] else "", FAULTS[code][3]))
        count += flags[code]
    return "active=%d" % count


def _journal_text(session, record) -> str:
    """Return one line of a journal record; an earlier start of the controller shows as `boot N`."""
    utc_s, ticks, boot, code, subject, value, phase = record
    if utc_s:
        when = utc_text(utc_s)
    elif boot == session.station.journal.boot:
        when = session.station.clock.seconds_text(ticks)
    else:
        when = "boot %d" % boot
    return telemetry.event_text((ticks, code, subject, value, phase), when)


async def _journal(session, most: int) -> int:
    """Write the last records of the FRAM journal; return its newest number."""
    journal = session.station.journal
    if journal is None:
        return 0
    for sequence in range(max(journal.oldest, journal.newest - most + 1), journal.newest + 1):
        record = journal.read(sequence)
        if record is not None:
            await session.line("%d %s" % (sequence, _journal_text(session, record)))
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
        element = telemetry.code_name("element", stage.element)
        await session.line(
            "%s %s %d, delay %d ms" % (element, "above" if stage.over else "below", stage.threshold, stage.delay_ms)
        )
    for key in chosen.unverified:
        await session.line("not verified against the standard: %s" % key)
    return "profile=%s hash=%s" % (chosen.name, chosen.hash)


async def selftest(session, _words) -> str:
    result = session.station.image.status.selftest
    return "selftest=%s" % ("running", "passed", "failed")[result]


async def version(session, _words) -> str:
    board = session.station.board
    await session.line(sys.version)
    cause = session.station.reset_cause
    return "version=%s board=%s port=%s reset=%s" % (VERSION, board.name, board.port, cause)


async def tasks(session, _words) -> str:
    now_ms = ticks_ms()
    for keeper in session.station.keepers:
        age_ms = ticks_diff(now_ms, keeper.task.beat_ms)
        waiting = " waiting" if keeper.waiting else ""
        await session.line("%s age=%d ms restarts=%d%s" % (keeper.name, age_ms, keeper.restarts, waiting))
    return "tasks=%d" % len(session.station.keepers)
