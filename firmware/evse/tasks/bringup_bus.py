# SPDX-License-Identifier: MIT
"""Bring-up of the inverter: is it there, is it the right kind, is the line good, does it do as it is told."""

import asyncio

from evse.tasks.inverter_check import not_compared

WATCH_MS = 1500  # some transactions at any speed
SETTINGS_MS = 6000  # most that its grid settings take to be read again
STEP_MS = 100
BAD_PERCENT = 5  # of transactions without a good answer
FIGURES = (
    ("power_w", "W"), ("charge_w", "W"), ("discharge_w", "W"), ("reactive_max_var", "var"),
    ("soc_permille", "permille"), ("response_ms", "ms"), ("readback_errors", ""), ("state", ""), ("connected", ""),
)  # fmt: skip


def task_of(station, name: str):
    """Return the running task of that name, or None."""
    for task in station.tasks:
        if task.name == name:
            return task
    return None


async def inverter(session, found, _words) -> None:
    """Judge the inverter through its task: the line is the task's."""
    station = session.station
    task = task_of(station, "inverter")
    if task is None:
        found.note("this board has no inverter line, or no cycle runs: see `log`.")
        return
    bus = task.bus
    before = _counts(bus)
    grid = task.driver.grid if task.online else None
    if grid:
        grid.hurry()
    await asyncio.sleep_ms(WATCH_MS)
    after = _counts(bus)
    for _ in range(0, SETTINGS_MS, STEP_MS):
        if not grid or not grid.left or not task.online:
            break
        await asyncio.sleep_ms(STEP_MS)
    made = [after[at] - before[at] for at in range(len(before))]
    if after:
        found.value("transactions_in_%d_ms" % WATCH_MS, made[0])
        found.value("without_answer", made[1])
        found.value("broken", made[2])
        found.value("exceptions", made[3])
    if task.online:
        _online(station, task, found)
        if made and made[0] and (made[1] + made[2]) * 100 > made[0] * BAD_PERCENT:
            found.wrong("%d of %d questions got no good answer: check termination, biasing, screen "
                        "and the other devices on the line." % (made[1] + made[2], made[0]))  # fmt: skip
    else:
        _offline(station, task, found, made if made and made[0] else after)  # between two tries: since boot


def _counts(bus):
    """Return transactions, timeouts, broken, exceptions and noise bytes of a bus; none without one."""
    if bus is None:
        return ()
    return [getattr(bus, name, 0) for name in ("transactions", "timeouts", "broken", "exceptions", "noise_bytes")]


def _online(station, task, found) -> None:
    driver = task.driver
    for name in ("maker", "model", "serial"):
        text = getattr(driver, name, "") or getattr(getattr(driver, "device", None), name, "")
        if text:
            found.value(name, text)
    for name, unit in FIGURES:
        if hasattr(driver, name):
            found.value(name, getattr(driver, name), unit)
    seen = station.image.inputs
    if not seen.inverter_ok:
        found.wrong("the inverter answers, and its power is not to be had or too old (%d ms)." % seen.inverter_age_ms)
    if not getattr(driver, "soc_ok", 1):
        found.note("the inverter gives no believable battery charge: no export.")
    if getattr(driver, "local", 0):
        found.wrong("the inverter is switched to local control and ignores setpoints: switch it to remote.")
    if getattr(driver, "readback_errors", 0):
        found.wrong("the inverter held another setpoint than it was told %d times: another master, or its own mode."
                    % driver.readback_errors)  # fmt: skip
    _settings(task, found)


def _settings(task, found) -> None:
    """Show what the inverter is set to, and where that differs from the profile."""
    driver = task.driver
    for row in driver.details():
        found.value("setting", row)
    for sentence in task.warnings() + not_compared(driver):
        found.note(sentence)


def _offline(station, task, found, made) -> None:
    if task.error:
        found.wrong("the inverter cannot be used: %s" % task.error)
    if not made:
        return
    where = task.bus.place(station.settings.inverter_address)
    if made[2] or made[4]:
        found.wrong("something answers and it is no whole frame for us (%s): %s." % (where, task.bus.SPOILED))
    elif made[1]:
        found.wrong("nothing answers at %s: check %s." % (where, task.bus.SILENT))
