# SPDX-License-Identifier: MIT
"""Console verbs that act: setpoint, soc, stop, lock, clear, time, unlock, pin, mode, reboot."""

from evse.faults import EVENT_PIN_SET, EVENT_PIN_WRONG, EVENT_UNLOCKED
from evse.points import ACCESS, INSTALLER
from evse.tasks import access
from evse.tasks.clock import parse_utc, utc_text
from evse.tasks.commands import Refused
from evse.tasks.verbs import VerbError


def _number(text: str, name: str):
    """Return a whole or decimal number of a word; VerbError otherwise."""
    try:
        return float(text[:16]) if "." in text else int(text[:16])
    except ValueError:
        raise VerbError("usage", "%s '%s' is not a number" % (name, text[:16])) from None


def _run(session, name: str, arguments: dict) -> None:
    try:
        session.station.commands.run(name, arguments, session.level, "host")
    except Refused as error:
        raise VerbError("refused", str(error)) from None


async def setpoint(session, words) -> str:
    if len(words) != 2:
        raise VerbError("usage", "give `setpoint power_w duration_s`, such as `setpoint -2000 600`")
    power_w = _number(words[0], "power_w")
    duration_s = _number(words[1], "duration_s")
    _run(session, "setpoint", {"power_w": power_w, "duration_s": duration_s})
    return "power_w=%d W duration_s=%s s" % (power_w, duration_s)


async def soc(session, words) -> str:
    if len(words) != 1:
        raise VerbError("usage", "give `soc permille`, such as `soc 650`")
    soc_permille = _number(words[0], "permille")
    _run(session, "soc", {"soc_permille": soc_permille})
    return "soc_permille=%d" % soc_permille


def _switch(words, name: str) -> int:
    if words and words[0] not in ("0", "1"):
        raise VerbError("usage", "%s '%s'; give 0 or 1" % (name, words[0][:16]))
    return int(words[0]) if words else 1


async def stop(session, words) -> str:
    value = _switch(words, "stop")
    _run(session, "stop", {"value": value})
    return "stop=%d" % value


async def lock(session, words) -> str:
    if not words:
        session.level = session.access.base()
        return "access=%s" % ACCESS[session.level]
    value = _switch(words, "lock")
    _run(session, "lock", {"value": value})
    return "lock=%d" % value


async def clear(session, _words) -> str:
    _run(session, "clear", {})
    return "see=faults"


async def time(session, words) -> str:
    clock = session.station.clock
    if words:
        try:
            unix_s = parse_utc(words[0])
        except ValueError as error:
            raise VerbError("usage", str(error)) from None
        _run(session, "time", {"unix_s": unix_s})
    now_s = clock.now_s()
    if now_s is None:
        return "time=unknown"
    return "time=%s unix_s=%d source=%s" % (utc_text(now_s), now_s, clock.source)


async def unlock(session, words) -> str:
    if not 1 <= len(words) <= 2:
        raise VerbError("usage", "give `unlock user` or `unlock installer`")
    store, station = session.access, session.station
    failures = store.failures
    try:
        level = access.level_of(words[0])
        digits = words[1] if len(words) == 2 else ""
        if not digits and store.has_pin(level) and not store.locked_s():
            digits = await session.secret("PIN: ")
        await store.unlock(level, digits)
    except access.AccessError as error:
        if store.failures > failures:
            station.record(EVENT_PIN_WRONG, level, store.failures)
        raise VerbError("access", str(error)) from None
    session.level = max(level, store.base())
    station.record(EVENT_UNLOCKED, level)
    hint = "" if store.has_pin(level) else " warning=no PIN is set"
    return "access=%s%s" % (ACCESS[session.level], hint)


async def pin(session, words) -> str:
    if not 1 <= len(words) <= 2:
        raise VerbError("usage", "give `pin user` or `pin installer`")
    if session.level < INSTALLER:
        raise VerbError("access", "pin needs installer access; unlock first")
    try:
        level = access.level_of(words[0])
        digits = words[1] if len(words) == 2 else await _new_pin(session)
        await session.access.set_pin(level, digits)
    except access.AccessError as error:
        raise VerbError("refused", str(error)) from None
    session.station.record(EVENT_PIN_SET, level)
    return "pin=%s" % words[0]


async def _new_pin(session) -> str:
    """Return digits typed twice, unseen."""
    digits = await session.secret("new PIN: ")
    if digits != await session.secret("once more: "):
        raise VerbError("refused", "the two differ; nothing has changed")
    return digits


async def mode(session, words) -> str:
    if not words or words[0] not in ("script", "terminal"):
        raise VerbError("usage", "give `mode script` or `mode terminal`")
    session.editor.quiet = words[0] == "script"
    return "mode=%s" % words[0]


async def reboot(session, _words) -> str:
    if session.station.image.outputs.contactor:
        raise VerbError("state", "the contactor is closed; `stop` first")
    session.station.reboot = True
    return "reboot=now"
