# SPDX-License-Identifier: MIT
"""The commands of points.COMMANDS, the same for console and MQTT: checked whole, then done whole.

A refusal is one line that names the input, its value, what is allowed and what to do.
"""

from time import ticks_ms

from evse.drivers.inverter import NO_TEMPERATURE_CDEG
from evse.faults import SERVICE_REMOTE
from evse.points import ACCESS, COMMAND, INSTALLER, KIND, WHO, find
from evse.tasks.devices import find as find_task


class Refused(ValueError):
    """A command that was not carried out; the text says why. Nothing has changed."""


def number(arguments: dict, name: str, low, high, unit: str) -> int:
    """Return arguments[name] as an int within low..high; Refused with one line otherwise."""
    if name not in arguments:
        raise Refused("%s is missing; give %d..%d%s" % (name, low, high, unit))
    value = arguments[name]
    if type(value) not in (int, float):
        raise Refused("%s=%s is not a number; give %d..%d%s" % (name, str(value)[:20], low, high, unit))
    if not low <= value <= high:
        raise Refused("%s=%s is out of range; give %d..%d%s" % (name, str(value)[:20], low, high, unit))
    return int(value)


def only(arguments: dict, allowed) -> None:
    """Refuse arguments that the command does not know: a typing error must not be half obeyed."""
    for name in arguments:
        if name not in allowed:
            raise Refused("'%s' is unknown here; allowed: %s" % (str(name)[:20], ", ".join(allowed)))


class Commands:
    """Carries out commands on the image's mailboxes."""

    def __init__(self, station):
        self._station = station
        self._verbs = {
            "setpoint": self._setpoint,
            "stop": self._stop,
            "lock": self._lock,
            "clear": self._clear,
            "soc": self._soc,
            "time": self._time,
        }

    def run(self, name: str, arguments: dict, access: int, source: str) -> None:
        """Carry out one command; Refused when it is unknown, not allowed or wrong.

        arguments: as from JSON, without id and ts. source: "host" or "mqtt".
        """
        row = find(name)
        if row is None or row[KIND] != COMMAND or name not in self._verbs:
            raise Refused("command '%s' is unknown; allowed: %s" % (name[:20], ", ".join(sorted(self._verbs))))
        if access < row[WHO]:
            raise Refused("%s needs %s access and you have %s" % (name, ACCESS[row[WHO]], ACCESS[access]))
        self._verbs[name](arguments, access, source)

    def _setpoint(self, arguments: dict, _access: int, _source: str) -> None:
        settings = self._station.settings
        only(arguments, ("power_w", "duration_s"))
        power_w = number(arguments, "power_w", -settings.export_rating_w, settings.import_rating_w, " W")
        number(arguments, "duration_s", 0, settings.lease_max_ms // 1000, " s")
        lease = self._station.image.mail.lease
        lease.begin()
        lease.power_w = power_w
        lease.reactive_var = 0
        lease.duration_ms = int(arguments["duration_s"] * 1000)
        lease.service = SERVICE_REMOTE
        lease.end(ticks_ms())

    def _stop(self, arguments: dict, _access: int, _source: str) -> None:
        only(arguments, ("value",))
        self._user("stop", number(arguments, "value", 0, 1, ""))

    def _lock(self, arguments: dict, access: int, _source: str) -> None:
        only(arguments, ("value",))
        value = number(arguments, "value", 0, 1, "")
        settings = self._station.settings
        settings.set("keep_locked", value, access)  # a lock outlives an outage
        settings.save()
        self._user("lock", value)

    def _user(self, field: str, value: int) -> None:
        box = self._station.image.mail.user
        box.begin()
        setattr(box, field, value)
        box.end(ticks_ms())

    def _clear(self, arguments: dict, access: int, _source: str) -> None:
        only(arguments, ("value",))
        self._station.image.status.clear_request = 2 if access >= INSTALLER else 1

    def _soc(self, arguments: dict, _access: int, _source: str) -> None:
        """Take a reading of the battery's charge, for an inverter that tells none; it grows old like any other."""
        only(arguments, ("soc_permille",))
        soc_permille = number(arguments, "soc_permille", 1, 1000, " permille")
        if self._station.settings.soc_source != "command":
            raise Refused("soc_source is inverter; set it to command where somebody else knows the charge")
        inverter = find_task(self._station, "inverter")
        driver = inverter.driver if inverter is not None else None
        box = self._station.image.mail.battery
        box.begin()
        box.soc_ok = 1
        box.soc_permille = soc_permille
        box.cdeg = driver.battery_cdeg if driver is not None else NO_TEMPERATURE_CDEG
        box.charge_w = box.discharge_w = 0  # not stated
        box.end(ticks_ms())

    def _time(self, arguments: dict, _access: int, source: str) -> None:
        only(arguments, ("unix_s",))
        value = arguments.get("unix_s")
        if type(value) is not int:
            raise Refused("unix_s=%s is not whole Unix seconds" % str(value)[:20])
        try:
            self._station.clock.set(value, source)
        except ValueError as error:
            raise Refused(str(error)) from None
