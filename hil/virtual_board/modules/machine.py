# SPDX-License-Identifier: MIT
"""`machine` as the board's port offers it, wired by the board's pins.py; misuse raises as on the port."""

from _board import PORT
from _link import RESET, world
from _machine_bus import I2C, SPI  # noqa: F401
from _machine_pin import ADC, PWM, Pin, Signal  # noqa: F401
from _machine_timer import Timer  # noqa: F401
from _machine_uart import UART  # noqa: F401

if PORT == "stm32":
    from _machine_can import CAN  # noqa: F401  (the esp32 port has none)

if PORT == "esp32":
    PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
else:
    PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 0
_CAUSES = {"power": PWRON_RESET, "hard": HARD_RESET, "wdt": WDT_RESET, "soft": SOFT_RESET}


def reset_cause():
    import os

    return _CAUSES[os.getenv("VB_CAUSE") or "power"]


def reset():
    world.leave(RESET, 1)


def soft_reset():
    world.leave(RESET, 2)


def unique_id():
    return b"VB\x00\x00\x00\x01" if PORT == "esp32" else b"VB\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"


def freq(hz=None):
    if hz is not None:
        raise ValueError("the virtual board's clock is fixed")
    return 240_000_000 if PORT == "esp32" else 400_000_000


def idle():
    world.advance(world.now + 1000)


def disable_irq():
    return 0


def enable_irq(state=0):
    """Interrupts only run while the program waits, so there is nothing to hold back."""


class WDT:
    """Independent watchdog: once started it cannot be stopped; expiry is a reset with its cause."""

    def __init__(self, id=0, timeout=5000):
        ports = __import__("_port_" + PORT)
        if id != 0:
            raise ValueError("WDT(%r) doesn't exist" % (id,))
        if not ports.WDT_MS[0] <= timeout <= ports.WDT_MS[1]:
            raise ValueError("WDT timeout %d ms is not within %d..%d" % ((timeout,) + ports.WDT_MS))
        self._timeout_us = timeout * 1000
        self._outputs = world.outputs
        if world.realtime:
            world.sync(world.now)
        self._restart()

    def _restart(self):
        self._outputs.wdt_us = world.now + self._timeout_us
        if world.realtime:
            world.sync(world.now)

    def feed(self):
        if world.realtime:
            world.fed = True
            world.sync(world.now)  # the prompt may have waited since
        self._restart()


class RTC:
    """Date and time; starts at the port's epoch, 2000-01-01, until it is set."""

    def __init__(self, id=0):
        if id != 0:
            raise ValueError("RTC(%r) doesn't exist" % (id,))

    def datetime(self, value=None):
        import time

        from utime import gmtime, mktime

        zero = mktime((2000, 1, 1, 0, 0, 0, 0, 0))
        if value is None:
            now = gmtime(zero + time.time())
            return (now[0], now[1], now[2], now[6], now[3], now[4], now[5], 0)
        year, month, day, _, hour, minute, second, _ = value
        elapsed_s = (world.now - world.boot_us) // 1000000
        time._epoch_s = mktime((year, month, day, hour, minute, second, 0, 0)) - zero - elapsed_s
        return None
