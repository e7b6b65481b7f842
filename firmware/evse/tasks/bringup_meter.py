# SPDX-License-Identifier: MIT
"""Bring-up of the site meter: is it there, is it plausible, and does it move the right way when the charger does.

`bringup meter` only reads. `bringup meter 500` needs user access and a running session: it holds 0 W, then 500 W, by a
lease like any other, and compares how far the grid front end and the meter moved, phase by phase where both know them.
"""

import asyncio

from evse.image import NEVER_MS
from evse.link.sunspec import NONE
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
PHASE_MIN_W = 100  # of a phase's movement, to be judged
TURNED, CROSSED = -700, -300  # permille: -1000 is a turned transformer, -500 one on another phase (cos 120 degrees)


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
        if error:
            _where(station.settings, found)
    elif error:
        found.wrong("the meter: %s" % error)
    if words and seen.meter_ok:
        await _move(session, found, _power(words[0]))
    elif not words and seen.meter_ok:
        found.note("its direction is not proven: `bringup meter 500` during a session moves it.")


def _where(settings, found) -> None:
    """Say where the meter was looked for."""
    line = settings.meter_host or "the RS-485 line"
    found.note("it was asked as %s at address %d of %s: check meter_kind, meter_address, wires, supply and speed."
               % (settings.meter_kind, settings.meter_address, line))  # fmt: skip


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
    charger = [moved[0][k] - idle[0][k] for k in range(len(idle[0]))]
    metered = [moved[1][k] - idle[1][k] for k in range(len(idle[1]))]
    _judge(found, power_w, charger[0], metered[0], charger[1:], metered[1:])


def _hold(session, power_w: int, duration_s: int = LEASE_S) -> None:
    arguments = {"power_w": power_w, "duration_s": duration_s}
    session.station.commands.run("setpoint", arguments, session.level, "host")


async def _stage(station):
    """Return mean powers of the grid front end and of the meter, W, once settled: each a total, then its phases."""
    await asyncio.sleep_ms(SETTLE_MS)
    grid = [0] * (1 + station.settings.phases)
    metered = [0] * (1 + len(_meter_phases(station)))
    for _ in range(AVERAGE):
        await asyncio.sleep_ms(READING_MS)
        inputs = station.image.inputs
        _add(grid, inputs.grid_w, inputs.phase_w)
        _add(metered, inputs.meter_w, _meter_phases(station))
    return [watts // AVERAGE for watts in grid], [watts // AVERAGE for watts in metered]


def _add(sums, total: int, phases) -> None:
    sums[0] += total
    for k in range(1, len(sums)):
        sums[k] += phases[k - 1]


def _meter_phases(station):
    """Return the power of each of the meter's phases in our sign; none where it has one phase, or does not say."""
    meter = getattr(task_of(station, "meter"), "meter", None)
    phases = meter.phase_w[: meter.phases] if meter is not None and meter.phases > 1 else []
    sign = -1 if station.settings.meter_reversed else 1
    return [] if NONE in phases else [sign * watts for watts in phases]


def _judge(found, power_w: int, charger_w: int, meter_w: int, charger_phases=(), meter_phases=()) -> None:
    found.value("charger_moved", charger_w, "W")
    found.value("meter_moved", meter_w, "W")
    for k in range(len(meter_phases)):
        found.value("meter_l%d_moved" % (k + 1), meter_phases[k], "W")
    if charger_w >= power_w // 2 and _wired_wrong(found, charger_phases, meter_phases):
        return
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


def _wired_wrong(found, charger, meter) -> bool:
    """Judge a meter of several phases; True when one of them errs, False when they agree or all err alike."""
    turned, crossed, lost = _sorted(charger, meter)
    found_lost = [_elsewhere(found, k, charger, meter) for k in lost]
    if crossed:
        found.wrong("the meter's %s moved against the charger by half: these current transformers sit on one another's "
                    "phase. Put each on the phase of its voltage." % _names(crossed))  # fmt: skip
    some_turned = 0 < len(turned) < len(meter)
    if some_turned:
        found.wrong("the meter's %s counts the other way than its other phases: turn that current transformer round."
                    % _names(turned))  # fmt: skip
    return bool(crossed) or some_turned or True in found_lost


def _sorted(charger, meter):
    """Return the phases that moved the other way, by half the other way, and not as far as the charger."""
    turned, crossed, lost = [], [], []
    for k in range(min(len(charger), len(meter))):
        if abs(charger[k]) < PHASE_MIN_W:
            continue
        share = meter[k] * 1000 // charger[k]
        if share <= TURNED:
            turned.append(k)
        elif share <= CROSSED:
            crossed.append(k)
        elif share < HALF:
            lost.append(k)
    return turned, crossed, lost


def _elsewhere(found, k: int, charger, meter) -> bool:
    """Look for the charger's phase k on another of the meter's."""
    for other in range(len(meter)):
        own = charger[other] if other < len(charger) else 0
        if abs(own) < PHASE_MIN_W and meter[other] * 1000 // charger[k] > HALF:
            found.wrong("the charger's L%d shows on the meter's L%d: the phases are exchanged between the two."
                        % (k + 1, other + 1))  # fmt: skip
            return True
    return False


def _names(phases) -> str:
    return " and ".join(["L%d" % (k + 1) for k in phases])
