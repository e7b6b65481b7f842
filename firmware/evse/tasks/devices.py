# SPDX-License-Identifier: MIT
"""What inverter and meter are, can and cannot do, and what is wrong with them: for console and MQTT."""

import json

from evse.link.telemetry import dump
from evse.tasks.anti_islanding import ours, own

FRAME_BYTES = 64  # braces, names and the count


def find(station, name: str):
    """Return the task of that name, or None."""
    for task in station.tasks:
        if getattr(task, "name", "") == name:
            return task
    return None


def warnings(station):
    """Return every warning of inverter and meter, one sentence each."""
    found = []
    for name in ("inverter", "meter"):
        task = find(station, name)
        if task is not None:
            found += task.warnings()
    return found


def anti_islanding(station) -> str:
    """Return who looks for loss of mains actively: this controller and the inverter."""
    inverter = find(station, "inverter")
    driver = inverter.driver if inverter is not None and inverter.online else None
    if driver is None:
        return "no inverter"
    return "%s, inverter's own %s" % (ours(driver, station.settings), own(driver))


def capabilities(driver, settings) -> dict:
    """Return what an inverter can do; own_anti_islanding is its method, anti_islanding this controller's with it."""
    state = driver.own_anti_islanding
    return {
        "driver": driver.name,
        "maker": driver.maker,
        "model": driver.model,
        "serial": driver.serial,
        "charge_w": driver.charge_w,
        "discharge_w": driver.discharge_w,
        "reactive_var": driver.reactive_max_var if driver.takes_reactive else 0,
        "response_ms": driver.response_ms,
        "resolution_w": driver.resolution_w,
        "lease_s": driver.lease_s if driver.lease_zero else 0,
        "own_anti_islanding": None if state < 0 else state,
        "anti_islanding": ours(driver, settings),
    }


def text(station, most: int) -> bytes:
    """Return all of it as JSON of at most `most` bytes; what does not fit is counted in "more"."""
    inverter = find(station, "inverter")
    driver = inverter.driver if inverter is not None and inverter.online else None
    made = [b'"inverter":%s' % json.dumps(capabilities(driver, station.settings) if driver else None).encode()]
    room = most - len(made[0]) - FRAME_BYTES
    more = 0
    for key, lines in ((b"warnings", warnings(station)), (b"cannot", driver.cannot if driver else ())):
        kept = []
        for line in lines:
            quoted = dump(line)
            if len(quoted) < room:
                kept.append(quoted)
                room -= len(quoted) + 1
            else:
                more += 1
        made.append(b'"%s":[%s]' % (key, b",".join(kept)))
    made.append(b'"more":%d' % more)
    return b"{%s}" % b",".join(made)
