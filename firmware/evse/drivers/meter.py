# SPDX-License-Identifier: MIT
"""What every meter driver shows: the contract of the kind "meter", and how a float register becomes an int."""

import struct

from evse.link.sunspec import NONE

POWER_MAX_W = 1000000
VOLTAGE_MAX_MV = 1000000
FREQUENCY_MIN_UHZ, FREQUENCY_MAX_UHZ = 40000000, 70000000


def float_point(data, register: int, scale: int, limit: int) -> int:
    """Return an IEEE 754 single x scale as an int; NONE for NaN, infinity or a magnitude above limit (< 2^30)."""
    (value,) = struct.unpack_from(">f", data, 2 * register)
    if not -limit <= value * scale <= limit:  # false for NaN too
        return NONE
    return int(value * scale + (0.5 if value >= 0 else -0.5))


class Meter:
    """A meter at the grid connection. + = import, in every attribute; NONE where the meter does not say.

    sign: 1, or -1 when the meter (or its current transformers) counts the other way: found at commissioning, since
    makers do not agree. ok: 1 when the last reading was whole and its power possible.
    """

    name = "meter"
    response_ms = 1000  # how old a reading may be that the meter gives, declared

    def __init__(self, bus, unit: int, sign: int = 1):
        if sign not in (1, -1):
            raise ValueError("meter sign %r is not 1 or -1" % (sign,))
        self.bus = bus
        self.unit = unit
        self.sign = sign
        self.phases = 0
        self.ok = 0
        self.power_w = 0
        self.phase_w = [NONE, NONE, NONE]
        self.phase_mv = [NONE, NONE, NONE]
        self.frequency_uhz = NONE
        self.stamp_ms = 0
        self.errors = 0

    async def connect(self) -> None:
        """Find out what the meter is; DeviceError when it cannot be used."""
        raise NotImplementedError

    async def read(self) -> int:
        """Refresh the attributes; return 1 when ok. Never raises: a failed reading counts in `errors`."""
        raise NotImplementedError

    def _set_power(self, power_w: int) -> int:
        """Take the total power, if it is possible; return ok."""
        possible = power_w != NONE and -POWER_MAX_W <= power_w <= POWER_MAX_W
        self.ok = 1 if possible else 0
        if possible:
            self.power_w = self.sign * power_w
        return self.ok

    def _signed(self, power_w: int) -> int:
        return NONE if power_w == NONE else self.sign * power_w

    def _failed(self) -> int:
        self.ok = 0
        self.errors += 1
        return 0
