# SPDX-License-Identifier: MIT
"""Who looks for loss of mains, in words: this controller's active method, and the inverter's own certified one."""

from evse.image import NEVER_MS
from evse.reactive import SLOWEST_MS

OWN = ("off", "on")  # 704 AntiIslEna


def own(driver) -> str:
    """Return what the inverter says of its own method."""
    state = driver.own_anti_islanding
    return OWN[state] if state >= 0 else "not told"


def ours(driver, settings) -> str:
    """Return whether this controller's method works with this inverter while it exports: on, off, or cannot and why."""
    if not settings.islanding_enable:
        return "off (islanding_enable)"
    if not settings.export_rating_w:
        return "off (no export)"
    why = hindrance(driver)
    return "cannot: %s" % why if why else "on"


def hindrance(driver) -> str:
    """Return why an inverter cannot be asked, or ""."""
    response_ms = driver.var_response_ms
    if response_ms >= NEVER_MS:
        return "the inverter takes no reactive power on command"
    if response_ms > SLOWEST_MS:
        return "the inverter's reactive power takes %d ms, at most %d ms may" % (response_ms, SLOWEST_MS)
    return ""


def lacking(driver, settings):
    """Return the warning that the active method does not work though export is allowed; none where it does."""
    if not settings.export_rating_w or not driver.can_export:
        return []
    why = hindrance(driver) if settings.islanding_enable else "it is switched off (islanding_enable)"
    if not why:
        return []
    return [
        "No active anti-islanding by this controller: %s. Loss of mains rests on passive protection (voltage, "
        "frequency, ROCOF) and on the inverter's own method (%s)." % (why, own(driver))
    ]
