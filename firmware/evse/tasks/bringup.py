# SPDX-License-Identifier: MIT
"""Console verb `bringup PART`: live values of one part, and in words what is wrong with its wiring or setting.

It reads what the cycle and the tasks have, and asks only buses that tasks own, so it may be used at any time. The one
exception moves power on request: `bringup meter 500` (bringup_meter.py). Lines are `name=value unit`, `wrong: ...`
and `note: ...`; the answer ends with `wrong=COUNT`.
"""

from evse.faults import FAULTS
from evse.tasks import bringup_parts
from evse.tasks.verbs import VerbError

# part: (module, function, faults whose sentence belongs to it)
PARTS = {
    "afe": ("bringup_afe", "afe", ("afe_stale", "afe_implausible")),
    "inverter": ("bringup_bus", "inverter", ("inverter_lost", "inverter_alarm", "inverter_readback")),
    "meter": ("bringup_meter", "meter", ()),
    "memory": ("bringup_parts", "memory", ("settings",)),
    "pilot": (
        "bringup_parts", "pilot", ("pilot_diode", "pilot_short", "pilot_invalid", "pilot_generator", "proximity"),
    ),
    "inputs": ("bringup_parts", "inputs", ("estop", "rcd_trip", "rcd_test", "contactor_weld", "contactor_no_close")),
    "temperatures": ("bringup_parts", "temperatures", ("over_temperature",)),
    "gate": ("bringup_parts", "gate", ("gate_feedback", "cycle_late", "selftest")),
}  # fmt: skip


class Findings:
    """What one part's check has to say, in order."""

    def __init__(self):
        self.lines = []
        self.wrongs = 0

    def value(self, name: str, value, unit: str = "") -> None:
        """Show one live value."""
        self.lines.append("%s=%s%s" % (name, value, " " + unit if unit else ""))

    def wrong(self, sentence: str) -> None:
        """Say what is wrong and what to do."""
        self.wrongs += 1
        self.lines.append("wrong: " + sentence)

    def note(self, sentence: str) -> None:
        """Say what a person should know and need not change."""
        self.lines.append("note: " + sentence)


def _load(part: str):
    module, function, _faults = PARTS[part]
    if module == "bringup_parts":
        return getattr(bringup_parts, function)
    return getattr(__import__("evse.tasks." + module, None, None, (function,)), function)


async def bringup(session, words) -> str:
    """Check one part and show what was found."""
    if not words or words[0] not in PARTS:
        raise VerbError("usage", "give `bringup` and one of %s" % ", ".join(sorted(PARTS)))
    part = words[0]
    station = session.station
    found = Findings()
    await _load(part)(session, found, words[1:])
    for code in range(1, len(FAULTS)):
        if FAULTS[code][0] in PARTS[part][2] and station.image.status.fault[code]:
            found.note("fault %s is active: %s" % (FAULTS[code][0], FAULTS[code][3]))
    for line in found.lines:
        await session.line(line)
    return "part=%s wrong=%d" % (part, found.wrongs)
