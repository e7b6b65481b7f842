# SPDX-License-Identifier: MIT
"""Console verbs on the devices at the charger's lines: inverter, meter, warnings."""

from evse.link.sunspec import NONE
from evse.tasks.devices import capabilities, find
from evse.tasks.devices import warnings as all_warnings
from evse.tasks.inverter_check import not_compared
from evse.tasks.verbs import VerbError

UNITS = {"w": " W", "var": " var", "s": " s", "ms": " ms"}  # by the end of a capability's name


async def inverter(session, _words) -> str:
    """What the inverter is, can, cannot, and is set to."""
    task = find(session.station, "inverter")
    if task is None:
        raise VerbError("state", "no inverter task: see `log`")
    driver = task.driver
    if driver is None or not task.online:
        raise VerbError("state", task.state)
    told = capabilities(driver, session.station.settings)
    for name in sorted(told):
        unit = UNITS.get(name.split("_")[-1], "")
        await session.line("%s=%s" % (name, "unknown" if told[name] is None else "%s%s" % (told[name], unit)))
    for line in driver.details():
        await session.line(line)
    for line in driver.cannot:
        await session.line("cannot: %s" % line)
    for line in not_compared(driver):
        await session.line("note: %s" % line)
    for line in task.warnings():
        await session.line("warning: %s" % line)
    return "power=%d W errors=%d reconnects=%d" % (driver.power_w, task.errors, task.reconnects)


async def meter(session, _words) -> str:
    """What the site meter reads."""
    task = find(session.station, "meter")
    if task is None:
        raise VerbError("state", "no meter: `set meter_kind`, then reboot")
    await session.line(task.state)
    device = task.meter
    for phase in range(device.phases if device is not None else 0):
        volts, watts = device.phase_mv[phase], device.phase_w[phase]
        shown = ("?" if volts == NONE else "%d mV" % volts, "?" if watts == NONE else "%d W" % watts)
        await session.line("L%d %s %s" % ((phase + 1,) + shown))
    for line in task.warnings():
        await session.line("warning: %s" % line)
    inputs = session.station.image.inputs
    return "meter=%d W ok=%d age=%d ms" % (inputs.meter_w, inputs.meter_ok, inputs.meter_age_ms)


async def warnings(session, _words) -> str:
    """Everything that is wrong with the devices."""
    found = all_warnings(session.station)
    for line in found:
        await session.line(line)
    return "warnings=%d" % len(found)
