# SPDX-License-Identifier: MIT
"""ONE table of the console's verbs: name, arguments, access needed, module and function, help. Modules load when used.

A verb is `async def name(session, words)`: it writes lines with `await session.line(text)` and returns
what follows `OK`, or raises VerbError(code, text), shown as `ERR code text`.
"""

from evse.points import INSTALLER, USER, VIEW


class VerbError(Exception):
    """A verb that was not done. args: (code, text)."""


NAME, ARGUMENTS, WHO, MODULE, FUNCTION, HELP = range(6)

VERBS = (
    ("help", "[verb]", VIEW, "verbs_show", "help_", "List the verbs."),
    ("status", "", VIEW, "verbs_show", "status", "What the charger does now."),
    ("why", "", VIEW, "verbs_show", "why", "Why the power is what it is, in a sentence."),
    ("limits", "", VIEW, "verbs_show", "limits", "What limits import and export now."),
    ("faults", "[all]", VIEW, "verbs_show", "faults", "Active faults and what to do."),
    ("inverter", "", VIEW, "verbs_devices", "inverter", "What the inverter can, cannot and is set to."),
    ("meter", "", VIEW, "verbs_devices", "meter", "What the site meter reads."),
    ("warnings", "", VIEW, "verbs_devices", "warnings", "What is wrong with inverter and meter."),
    ("trips", "", VIEW, "verbs_records", "trips", "Last trips of the grid protection."),
    ("trip", "number [data]", VIEW, "verbs_records", "trip", "A trip, the grid around it; data: for backfeed."),
    ("energy", "", VIEW, "verbs_records", "energy", "Energy for life, each phase and total."),
    ("sessions", "[count]", VIEW, "verbs_records", "sessions", "Last sessions: energy both ways, why they ended."),
    ("bringup", "part [power_w]", VIEW, "bringup", "bringup", "Check a part; say in words what is wrong."),
    ("log", "[count]", VIEW, "verbs_show", "log", "Last events and notes."),
    ("profile", "", VIEW, "verbs_show", "profile", "Grid code in force."),
    ("selftest", "", VIEW, "verbs_show", "selftest", "Result of the self-test."),
    ("version", "", VIEW, "verbs_show", "version", "Firmware, board, MicroPython."),
    ("tasks", "", VIEW, "verbs_show", "tasks", "The program's parts, their age and restarts."),
    ("points", "[part of name]", VIEW, "verbs_points", "points", "Every point with unit and range."),
    ("get", "name...", VIEW, "verbs_points", "get", "Read points."),
    ("set", "name value", VIEW, "verbs_points", "set_", "Change a setting."),
    ("watch", "name... [seconds]", VIEW, "verbs_points", "watch", "Show points until a key is pressed."),
    ("export", "", VIEW, "verbs_points", "export", "All settings as JSON, no secrets."),
    ("import", "", INSTALLER, "verbs_points", "import_", "Take settings as JSON; a line of a dot ends it."),
    ("setpoint", "power_w duration_s", USER, "verbs_act", "setpoint", "Hold a power: + charges, - exports."),
    ("stop", "[0|1]", USER, "verbs_act", "stop", "Stop and open; `stop 0` carries on."),
    ("lock", "[0|1]", VIEW, "verbs_act", "lock", "End your access; 1: refuse all power, 0: allow."),
    ("soc", "permille", USER, "verbs_act", "soc", "Tell the battery's charge, where soc_source is command."),
    ("plan", "[soc_permille hh:mm|off]", USER, "verbs_plan", "plan", "Departures; order one or withdraw it."),
    ("clear", "", USER, "verbs_act", "clear", "Clear faults whose cause is gone."),
    ("time", "[UTC]", VIEW, "verbs_act", "time", "Show or set: Unix s or 2026-01-31T12:00:00Z."),
    ("unlock", "user|installer [pin]", VIEW, "verbs_act", "unlock", "Gain access."),
    ("pin", "user|installer [digits]", VIEW, "verbs_act", "pin", "Set a PIN of 4..8 digits."),
    ("calibrate", "voltage|current L1..3 value", INSTALLER, "verbs_calibrate", "calibrate", "Fit the front end."),
    ("factory", "yes", INSTALLER, "verbs_records", "factory", "Settings to default, PINs gone; records stay."),
    ("mode", "script|terminal", VIEW, "verbs_act", "mode", "script: no echo, no prompt."),
    ("reboot", "", USER, "verbs_act", "reboot", "Restart, while no power can flow."),
)


def find(name: str):
    """Return the row of a verb, or None."""
    for row in VERBS:
        if row[NAME] == name:
            return row
    return None


def load(row):
    """Return the function of a verb's row."""
    module = __import__("evse.tasks." + row[MODULE], None, None, (row[FUNCTION],))
    return getattr(module, row[FUNCTION])
