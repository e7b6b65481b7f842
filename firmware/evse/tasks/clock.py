# SPDX-License-Identifier: MIT
"""Time of day: unknown until the RTC, NTP, MQTT, the host or a person sets it. Never used by the cycle.

Counts on from the millisecond ticks, so a jump of the time of day cannot fire or skip anything that
runs on ticks (leases, delays). Task, once a second; asks NTP at boot and then once a day.
"""

import asyncio
from time import ticks_add, ticks_diff, ticks_ms

from evse.tasks.local_time import days, minute_of_week

EARLIEST_S = 1704067200  # 2024-01-01: anything before is a clock that was never set
LATEST_S = 4102444800  # 2100-01-01
NTP_PERIOD_MS = 86400000
NTP_RETRY_MS = 300000

SOURCES = ("none", "rtc", "ntp", "mqtt", "host")


class ClockTask:
    """Uptime and time of day. `source` says who set it last."""

    name = "clock"
    critical = False
    patience_ms = 30000

    def __init__(self, station):
        self._station = station
        self.beat_ms = ticks_ms()
        self.source = "none"
        self._anchor_ms = self.beat_ms
        self._uptime_ms = 0  # at the anchor; keeps counting beyond the 12 days of the ticks
        self._unix_ms = None  # at the anchor

    def uptime_ms(self, ticks: int) -> int:
        """Return milliseconds from boot to a ticks value of the last days."""
        return self._uptime_ms + ticks_diff(ticks, self._anchor_ms)

    def unix_ms(self, ticks: int):
        """Return Unix time in ms at a ticks value, or None while unknown."""
        if self._unix_ms is None:
            return None
        return self._unix_ms + ticks_diff(ticks, self._anchor_ms)

    def now_s(self):
        """Return Unix time in s, or None while unknown."""
        now_ms = self.unix_ms(ticks_ms())
        return None if now_ms is None else now_ms // 1000

    def seconds_text(self, ticks: int) -> str:
        """Return seconds since boot as text with three decimals (float on a board is too coarse)."""
        ms = self.uptime_ms(ticks)
        return "%d.%03d" % (ms // 1000, ms % 1000)

    def set(self, unix_s: int, source: str) -> None:
        """Set the time of day. ValueError outside 2024..2099."""
        if not EARLIEST_S <= unix_s < LATEST_S:
            raise ValueError("time %d s is outside 2024..2099; give Unix seconds or 2026-01-31T12:00:00Z" % unix_s)
        self._advance()
        self._unix_ms = unix_s * 1000
        self.source = source
        rtc = getattr(self._station.board, "rtc", None)
        if rtc is not None and source != "rtc":
            rtc.write(unix_s)

    def _advance(self) -> None:
        """Move the anchor to now, long before the ticks wrap."""
        now_ms = ticks_ms()
        passed_ms = ticks_diff(now_ms, self._anchor_ms)
        self._anchor_ms = now_ms
        self._uptime_ms += passed_ms
        if self._unix_ms is not None:
            self._unix_ms += passed_ms

    def _tell_cycle(self) -> None:
        """Put the local minute of the week in the cycle's mailbox, stamped with the start of that minute."""
        if self._unix_ms is None:
            return
        settings = self._station.settings
        unix_s = self._unix_ms // 1000
        box = self._station.image.mail.clock
        box.begin()
        box.minute_of_week = minute_of_week(unix_s, settings.utc_offset_min, settings.summer_time)
        box.end(ticks_add(self._anchor_ms, -(self._unix_ms % 60000)))

    def _ask_rtc(self) -> None:
        rtc = getattr(self._station.board, "rtc", None)
        if rtc is None:
            return
        unix_s = rtc.read()
        if EARLIEST_S <= unix_s < LATEST_S:
            self.set(unix_s, "rtc")

    async def run(self) -> None:
        """Keep the anchor fresh and ask NTP when a server is set and a stall is harmless."""
        self._ask_rtc()
        due_ms = ticks_ms()
        while True:
            self.beat_ms = ticks_ms()
            self._advance()
            self._tell_cycle()
            if self._unix_ms is not None:
                self._station.one_off.check(self._unix_ms // 1000, self._station.image.request.minute_of_week)
            host = self._station.settings.ntp_host
            if host and ticks_diff(self.beat_ms, due_ms) >= 0 and self._station.may_stall():
                from evse.tasks.ntp import ask

                unix_s = await ask(host)
                if unix_s:
                    self.set(unix_s, "ntp")
                due_ms = ticks_add(ticks_ms(), NTP_PERIOD_MS if unix_s else NTP_RETRY_MS)
            await asyncio.sleep_ms(1000)


def parse_utc(text: str) -> int:
    """Return Unix seconds of `1790000000` or `2026-01-31T12:00:00Z`; ValueError with one line."""
    if text.isdigit():
        return int(text)
    digits = text.replace("-", "").replace(":", "").replace("T", "").replace("Z", "")
    if len(text) != 20 or len(digits) != 14 or not digits.isdigit():
        raise ValueError("time '%s' is not Unix seconds or 2026-01-31T12:00:00Z" % text[:24])
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8])
    hour, minute, second = int(digits[8:10]), int(digits[10:12]), int(digits[12:])
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60):
        raise ValueError("time '%s' does not exist" % text)
    return days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second


def utc_text(unix_s: int) -> str:
    """Return 2026-01-31T12:00:00Z for Unix seconds."""
    days, rest = unix_s // 86400 + 719468, unix_s % 86400
    era = days // 146097
    of_era = days - era * 146097
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    day_of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + (3 if shifted < 10 else -9)
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % (year, month, day, rest // 3600, rest // 60 % 60, rest % 60)
