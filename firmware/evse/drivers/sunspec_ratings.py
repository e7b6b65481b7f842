# SPDX-License-Identifier: MIT
"""Power ratings of SunSpec model 702: the smaller of nameplate and setting, and never beyond what is possible."""

from evse.drivers.inverter import POWER_MAX_W
from evse.link import sunspec


def smaller(data, rating: int, setting: int, factor: int) -> int:
    """Return the smaller of two registers, W; a setting counts alone where there is no nameplate. NONE without both."""
    nameplate = sunspec.scaled(sunspec.u16(data, rating), factor, 0)
    adjusted = sunspec.scaled(sunspec.u16(data, setting), factor, 0)
    if nameplate == sunspec.NONE or (adjusted != sunspec.NONE and adjusted < nameplate):
        return adjusted
    return nameplate


def power_rating(device, offset: int, value: int, most: int) -> int:
    """Return the rating of one direction, 0..POWER_MAX_W: `value`, or `most` where it is unknown or larger.

    0 when both are NONE. DeviceError names the register at `offset` when the rating is impossible.
    """
    if value == sunspec.NONE:
        value = most
    if value == sunspec.NONE:
        return 0
    if most != sunspec.NONE and value > most:
        value = most
    if not 0 <= value <= POWER_MAX_W:
        raise device.error(device.point(702, offset), "rating of %d W is impossible" % value)
    return value
