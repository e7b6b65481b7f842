# SPDX-License-Identifier: MIT
"""Bring-up of the site meter: is it there, is it plausible, and does it move the right way when the charger does.

`bringup meter` only reads. `bringup meter 500` needs user access and a running session: it holds 0 W, then 500 W, by a
lease like any other, and compares how far the grid front end and the meter moved.
"""

import asyncio

from evse.image import NEVER_MS
from evse.points import USER
from evse.tasks.bringup_bus import task_of
from evse.tasks.commands import Refused
from evse.tasks.verbs import VerbError

SETTLE_MS = 8000  # inverter, ramp and the meter's own averaging
AVERAGE = 10  # readings of each stage
READING_MS = 200
LEASE_S = 30
POWER_MIN_W, POWER_MAX_W = 300, 3000
HALF, DOUBLE = 500, 2000  # permille of the charger's own step


async def meter(session, found, words) -> None:
    """Show and judge the meter; with a power, move it."""
    station = session.station
    seen = station.image.inputs
    task = task_of(station, "meter")
    found.value("meter_power", seen.meter_w, "W")
    if seen.meter_age_ms < NEVER_MS:
        found.value("age", seen.meter_age_ms, "ms")
    found.value("grid_power", seen.grid_w, "W")
    error = getattr(task, "error", "") if task else ""
    settings = station.settings
    needed = settings.meter_kind != "none" or settings.site_import_limit_w or settings.site_export_limit_w >= 0
    if not seen.meter_ok and not needed and not words:
        found.note("no meter is set up: `set meter_kind`, or site limits are not watched.")
    elif not seen.meter_ok:
        found.wrong("the meter gives no fresh power: %s" % (error or "none is set up, or nothing comes; see settings."))
    elif error:
        found.wrong("the meter: %s" % error)
    if words and seen.meter_ok:
        await _move(session, found, _power(words[0]))
    elif not words and seen.meter_ok:
        found.note("its direction is not proven: `bringup meter 500` during a session moves it.")


def _power(word: str) -> int:
    if not word.isdigit() or not POWER_MIN_W <= int(word[:6]) <= POWER_MAX_W:
        raise VerbError("usage", "power '%s'; give %d..%d W" % (word[:8], POWER_MIN_W, POWER_MAX_W))
    return int(word[:6])


async def _move(session, found, power_w: int) -> None:
    station = session.station
    if not station.image.outputs.contactor:
        raise VerbError("state", "the contactor is open; plug in a vehicle, wait for power, then ask again")
    try:
        _hold(session, 0)
        idle = await _stage(station)
        _hold(session, power_w)
        moved = await _stage(station)
    except Refused as error:
        raise VerbError("refused", str(error)) from None
    finally:
        if session.level >= USER:
            _hold(session, 0, 0)  # a lease of 0 s: back to the user's wish
    _judge(found, power_w, moved[0] - idle[0], moved[1] - idle[1])


def _hold(session, power_w: int, duration_s: int = LEASE_S) -> None:
    arguments = {"power_w": power_w, "duration_s": duration_s}
    session.station.commands.run("setpoint", arguments, session.level, "host")


async def _stage(station):
    """Return mean power of the grid front end and of the meter, W, once settled."""
    await asyncio.sleep_ms(SETTLE_MS)
    grid = metered = 0
    for _ in range(AVERAGE):
        await asyncio.sleep_ms(READING_MS)
        grid += station.image.inputs.grid_w
        metered += station.image.inputs.meter_w
    return grid // AVERAGE, metered // AVERAGE


def _judge(found, power_w: int, charger_w: int, meter_w: int) -> None:
    found.value("charger_moved", charger_w, "W")
    found.value("meter_moved", meter_w, "W")
    if charger_w < power_w // 2:
        found.wrong("the charger moved by %d W when %d W were asked for: see `why`; the meter is not judged."
                    % (charger_w, power_w))  # fmt: skip
        return
    share = meter_w * 1000 // charger_w
    if share <= -HALF:
        found.wrong("the meter moved by %d W while the charger took %d W more: it counts the other way. Turn its "
                    "current transformers round, or change meter_reversed." % (meter_w, charger_w))  # fmt: skip
    elif share < HALF:
        found.wrong("the meter moved by only %d W while the charger took %d W more: it does not see the "
                    "charger, or its current transformers are on other phases." % (meter_w, charger_w))  # fmt: skip
    elif share > DOUBLE:
        found.wrong("the meter moved by %d W while the charger took %d W more: wrong transformer ratio, or another "
                    "load was switched; ask again." % (meter_w, charger_w))  # fmt: skip
