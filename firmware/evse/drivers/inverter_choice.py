# SPDX-License-Identifier: MIT
"""From the setting inverter_kind to a driver; and from a SunSpec device's models to the driver that fits it."""

from evse.drivers.inverter_sunspec import InverterSunSpec
from evse.drivers.modbus_tcp import PORT, ModbusTcp

SUNSPEC_RTU, SUNSPEC_TCP, QUASAR, INFYPOWER = "sunspec_rtu", "sunspec_tcp", "quasar", "infypower"
KINDS = (SUNSPEC_RTU, SUNSPEC_TCP, QUASAR, INFYPOWER)


class HostError(ValueError):
    """A setting that cannot be used here: one line with the setting, its value and what to do."""


def host_port(setting: str, text: str, port: int = PORT):
    """Return (host, port) of "192.168.1.20" or "192.168.1.20:1502"; HostError otherwise. Numeric: DNS could stall."""
    host, colon, given = text.partition(":")
    parts = host.split(".")
    good = len(parts) == 4 and all([part.isdigit() and len(part) <= 3 and int(part) <= 255 for part in parts])
    if good and colon:
        good = given.isdigit() and len(given) <= 5 and 1 <= int(given) <= 65535
    if not good:
        raise HostError("%s=%s is no IPv4 address; give four numbers, with :port if not %d" % (setting, text, port))
    return host, int(given) if given else port


def open_tcp(setting: str, text: str) -> ModbusTcp:
    """Return a Modbus TCP master for the address in a setting."""
    host, port = host_port(setting, text)
    return ModbusTcp(host, port)


def open_inverter(settings, lines):
    """Return the driver that the settings name. lines: makes the masters of the RS-485 line and of the CAN bus."""
    kind = settings.inverter_kind
    if kind == SUNSPEC_RTU:
        return InverterSunSpec(lines.serial(), settings.inverter_address, settings.inverter_lease_ms)
    if kind == INFYPOWER:
        return _open_infypower(settings, lines)
    bus = open_tcp("inverter_host", settings.inverter_host)
    if kind == SUNSPEC_TCP:
        return InverterSunSpec(bus, settings.inverter_address, settings.inverter_lease_ms)
    from evse.drivers.inverter_quasar import InverterQuasar  # its memory only where it is wanted

    return InverterQuasar(bus, settings.inverter_address, settings.inverter_lease_ms)


def _open_infypower(settings, lines):
    from evse.drivers import inverter_infypower as infypower

    bus = lines.can(infypower.BIT_RATE, infypower.OURS, infypower.OURS_MASK)
    if bus is None:
        raise HostError("inverter_kind=infypower needs a CAN bus, which this board lacks; choose another kind")
    window_mv = (settings.battery_least_mv, settings.battery_most_mv)
    return infypower.InverterInfypower(bus, settings.inverter_address, settings.inverter_lease_ms, window_mv)


async def connect(driver):
    """Connect a driver and return it, or the one that fits the SunSpec device better."""
    if getattr(driver, "device", None) is None:
        await driver.connect()
        return driver
    device = driver.device
    await device.discover()
    models = device.models
    old = 704 not in models and (101 in models or 102 in models or 103 in models)
    if old != (driver.name == "sunspec_old"):
        kind = InverterSunSpec
        if old:
            from evse.drivers.inverter_sunspec_old import InverterSunSpecOld

            kind = InverterSunSpecOld
        driver = kind(driver.bus, driver.unit, driver.lease_s * 1000, device)
    await driver.prepare()
    return driver
