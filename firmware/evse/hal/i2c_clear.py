# SPDX-License-Identifier: MIT
"""Free an I2C bus that a part holds: nine clocks end whatever byte it was sending, then a stop (UM10204, 3.1.16).

A controller that is reset in the middle of a read leaves the part with SDA low, for ever otherwise.
"""

from time import sleep_us

from machine import Pin

CLOCKS = 9
HALF_US = 5  # 100 kHz


def clear(scl, sda) -> None:
    """Clock the bus free. scl, sda: pin ids."""
    clock = Pin(scl, Pin.OPEN_DRAIN, value=1)
    data = Pin(sda, Pin.OPEN_DRAIN, value=1)
    for level in (0, 1) * CLOCKS:
        clock(level)
        sleep_us(HALF_US)
    data(0)
    sleep_us(HALF_US)
    data(1)
