# SPDX-License-Identifier: MIT
"""Reset cause and real-time clock."""

from time import gmtime, mktime

import machine

UNIX_2000 = 946684800  # seconds from 1970 to the ports' epoch
SANE_YEAR = 2025  # before this the clock was never set


def reset_cause() -> str:
    """Return "power", "hard", "watchdog", "soft" or "unknown"."""
    cause = machine.reset_cause()
    for name, constant in (
        ("power", "PWRON_RESET"),
        ("watchdog", "WDT_RESET"),
        ("hard", "HARD_RESET"),
        ("soft", "SOFT_RESET"),
    ):
        if cause == getattr(machine, constant, -1):
            return name
    return "unknown"


class Rtc:
    """The MCU's clock: keeps time over a reset, not over a power cut."""

    def __init__(self):
        self._rtc = machine.RTC()

    def read(self) -> int:
        """Return Unix seconds, or 0 when it was never set."""
        year, month, day, _, hour, minute, second, _ = self._rtc.datetime()
        if year < SANE_YEAR:
            return 0
        return mktime((year, month, day, hour, minute, second, 0, 0)) - _epoch_offset_s()

    def write(self, unix_s: int) -> None:
        now = gmtime(unix_s + _epoch_offset_s())
        self._rtc.datetime((now[0], now[1], now[2], now[6], now[3], now[4], now[5], 0))


def _epoch_offset_s() -> int:
    """Return what this port's mktime counts for 1970-01-01: 0 where its epoch is Unix's, else -UNIX_2000."""
    return mktime((2000, 1, 1, 0, 0, 0, 0, 0)) - UNIX_2000
