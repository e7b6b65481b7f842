# SPDX-License-Identifier: MIT
"""Local time for tariffs and departures: offset from UTC plus the summer time rule of the EU or the USA."""

from evse.fixed import DAY_MINUTES, WEEK_MINUTES

DAY_S = 86400
_HOUR_S = 3600


def days(year: int, month: int, day: int) -> int:
    """Return days from 1970-01-01 to a date of the Gregorian calendar."""
    if month <= 2:
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469


def year_of(unix_s: int) -> int:
    """Return the UTC year of Unix seconds."""
    year = 1970 + unix_s // (DAY_S * 366)
    while unix_s >= days(year + 1, 1, 1) * DAY_S:
        year += 1
    return year


def _sunday(year: int, month: int, first_day: int) -> int:
    """Return the day number of the first Sunday on or after a date."""
    day = days(year, month, first_day)
    return day + (3 - day) % 7  # 1970-01-01 was a Thursday, so Sundays are 3 modulo 7


def summer(rule: str, unix_s: int, offset_min: int) -> bool:
    """Whether summer time is in force. rule: "none", "eu" (2000/84/EC) or "us" (Energy Policy Act of 2005).

    offset_min: standard time's offset from UTC; the USA change by local time, the EU at 01:00 UTC.
    """
    if rule == "none":
        return False
    year = year_of(unix_s)
    if rule == "eu":
        start_s = _sunday(year, 3, 25) * DAY_S + _HOUR_S
        end_s = _sunday(year, 10, 25) * DAY_S + _HOUR_S
    else:
        start_s = _sunday(year, 3, 8) * DAY_S + 2 * _HOUR_S - offset_min * 60
        end_s = _sunday(year, 11, 1) * DAY_S + _HOUR_S - offset_min * 60
    return start_s <= unix_s < end_s


def local_s(unix_s: int, offset_min: int, rule: str) -> int:
    """Return seconds from 1970-01-01 00:00 local time."""
    return unix_s + offset_min * 60 + (_HOUR_S if summer(rule, unix_s, offset_min) else 0)


def minute_of_week(unix_s: int, offset_min: int, rule: str) -> int:
    """Return the local minute of the week, 0 = Monday 00:00."""
    return (local_s(unix_s, offset_min, rule) // 60 + 3 * DAY_MINUTES) % WEEK_MINUTES
