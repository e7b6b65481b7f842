# SPDX-License-Identifier: MIT
"""Departure: enough charge by a time. Worked out once a second from clock, settings and SOC alone.

Nothing is remembered of the plan, so an outage, a restart or a clock change cannot break it: each
second asks again how long charging takes and how long is left. When time is short it outranks
services. With an unknown clock it says so and charges to the target at once.
A time is a minute of the week: 0 is Monday 00:00, local.
"""

from evse.faults import (
    DEPARTURE_CHARGING,
    DEPARTURE_CLOCK_UNKNOWN,
    DEPARTURE_OFF,
    DEPARTURE_REACHED,
    DEPARTURE_SOC_UNKNOWN,
    DEPARTURE_UNREACHABLE,
    DEPARTURE_WAITING,
    EVENT_DEPARTURE,
)
from evse.fixed import DAY_MINUTES, WEEK_MINUTES
from evse.mailbox import Reader

CLOCK_STALE_MS = 2 * 86400000
PASSED_MINUTES = WEEK_MINUTES - 180  # a one-off time "in nearly a week" has just passed
MARGIN_MINUTES = 5
EFFICIENCY_PERMILLE = 900  # grid to battery, before anything was measured
LEAST_SHARE_PERMILLE = 200  # of full power, at 100 % charge
SLICE_PERMILLE = 20
HYSTERESIS_PERMILLE = 10
KEEP_MINUTES = 30  # once charging, go back to waiting only with this much time to spare
PERIOD_MS = 1000


class Departure:
    """`urgent`: 1 = charge at full power now. request.departure_* say the rest."""

    def __init__(self, image, settings):
        self._image = image
        self._inputs = image.inputs
        self._request = image.request
        self._settings = settings
        self._clock = Reader(image.mail.clock)
        self._target = Reader(image.mail.target)
        self._clock_minute = 0
        self._one_off_permille = 0
        self._one_off_minute = 0
        self._reached = 0
        self._left = 0
        self._wanted_permille = 0
        self._since_ms = PERIOD_MS
        self._power_permille = 1000  # measured share of the power that was allowed
        self.urgent = 0

    def run(self) -> None:
        """Read the clock and the one-off target and plan, once a second."""
        self._since_ms += self._inputs.elapsed_ms
        if self._since_ms >= PERIOD_MS:
            self._read(self._inputs.now_ms, self._since_ms)
            self._since_ms = 0
            self._plan()

    def _read(self, now_ms: int, since_ms: int) -> None:
        mail = self._image.mail
        if self._clock.poll(now_ms, since_ms):
            self._clock_minute = mail.clock.minute_of_week % WEEK_MINUTES
        if self._target.poll(now_ms, since_ms):
            self._one_off_permille = mail.target.soc_permille
            self._one_off_minute = mail.target.minute_of_week % WEEK_MINUTES

    def minute(self) -> int:
        """Return the minute of the week now, or -1 when the clock is unknown."""
        if self._clock.age_ms > CLOCK_STALE_MS:
            return -1
        return (self._clock_minute + self._clock.age_ms // 60000) % WEEK_MINUTES

    def _plan(self) -> None:
        request = self._request
        minute = self.minute()
        request.minute_of_week = minute
        self._find_next(minute)
        left = self._left
        request.departure_minutes = left if self._wanted_permille else 0
        state = self._judge(minute, left, self._wanted_permille)
        if state != request.departure_state:
            request.departure_state = state
            self._image.events.emit(self._inputs.now_ms, EVENT_DEPARTURE, state, left)
        self.urgent = 1 if DEPARTURE_CHARGING <= state <= DEPARTURE_CLOCK_UNKNOWN else 0

    def _find_next(self, minute: int) -> None:
        """Set _left (minutes) and _wanted_permille (0 = none) to the nearest departure."""
        settings = self._settings
        self._left = 0
        self._wanted_permille = self._one_off_permille
        if minute < 0:
            if self._weekly_any() and settings.departure_soc_permille > self._wanted_permille:
                self._wanted_permille = settings.departure_soc_permille
            return
        left = WEEK_MINUTES
        if self._one_off_permille:
            left = (self._one_off_minute - minute) % WEEK_MINUTES
            if left > PASSED_MINUTES:
                self._one_off_permille = 0
                self._wanted_permille = 0
                left = WEEK_MINUTES
        if settings.departure_soc_permille:
            for day in range(7):
                at = self._weekly(day)
                ahead = (day * DAY_MINUTES + at - minute) % WEEK_MINUTES
                if at >= 0 and ahead < left:
                    left = ahead
                    self._wanted_permille = settings.departure_soc_permille
        self._left = left

    def _weekly_any(self) -> bool:
        for day in range(7):
            if self._weekly(day) >= 0:
                return True
        return False

    def _weekly(self, day: int) -> int:
        """Return the departure of a day as minute of that day, -1 = none."""
        settings = self._settings
        if day == 0:
            return settings.departure_mon_minute
        if day == 1:
            return settings.departure_tue_minute
        if day == 2:
            return settings.departure_wed_minute
        if day == 3:
            return settings.departure_thu_minute
        if day == 4:
            return settings.departure_fri_minute
        return settings.departure_sat_minute if day == 5 else settings.departure_sun_minute

    def _judge(self, minute: int, left: int, target_permille: int) -> int:
        """Return the DEPARTURE_* state for a target that is `left` minutes away."""
        request = self._request
        request.departure_soc_permille = 0
        if not target_permille:
            self._reached = 0
            return DEPARTURE_OFF
        if not self._inputs.soc_ok:
            return DEPARTURE_SOC_UNKNOWN
        request.departure_soc_permille = target_permille
        self._reached = self._enough(target_permille)
        if self._reached:
            return DEPARTURE_REACHED
        if minute < 0:
            return DEPARTURE_CLOCK_UNKNOWN
        self._measure()
        needed = self.minutes_to(target_permille, WEEK_MINUTES)
        if needed > left:
            request.departure_soc_permille = self._reachable(target_permille, left)
            return DEPARTURE_UNREACHABLE
        spare = left - needed - needed // 10 - MARGIN_MINUTES
        if spare <= (KEEP_MINUTES if self.urgent else 0):
            return DEPARTURE_CHARGING
        return DEPARTURE_WAITING

    def _enough(self, target_permille: int) -> int:
        """Return 1 at the target, and a little below once it was reached."""
        least_permille = target_permille - HYSTERESIS_PERMILLE + 1 if self._reached else target_permille
        return 1 if self._inputs.soc_permille >= least_permille else 0

    def _measure(self) -> None:
        """Learn which share of the allowed charging power really flows (slowly, below the taper)."""
        inputs = self._inputs
        allowed_w = self._image.limits.allowed_w
        if allowed_w < self._image.limits.rating_w // 2 or allowed_w < 500 or not inputs.inverter_ok:
            return
        if inputs.soc_permille < self._settings.charge_taper_permille:
            share = inputs.inverter_w * 1000 // allowed_w
            share = max(LEAST_SHARE_PERMILLE, min(1000, share))
            step = (share - self._power_permille) // 32
            self._power_permille += step if step else (1 if share > self._power_permille else 0)

    def _slice_minutes_x100(self, soc_permille: int) -> int:
        """Return hundredths of a minute to charge SLICE_PERMILLE from soc_permille on."""
        settings = self._settings
        power_w = self._image.limits.rating_w * self._power_permille // 1000 * EFFICIENCY_PERMILLE // 1000
        start = settings.charge_taper_permille
        if soc_permille > start:
            fall = (1000 - LEAST_SHARE_PERMILLE) * (soc_permille - start) // (1000 - start)
            power_w = power_w * (1000 - fall) // 1000
        if power_w < 1:
            power_w = 1
        return settings.battery_capacity_wh * SLICE_PERMILLE // 1000 * 6000 // power_w

    def minutes_to(self, target_permille: int, most: int) -> int:
        """Return minutes of charging from the present charge to the target, at most `most` + 1."""
        soc = self._inputs.soc_permille
        total = 0
        while soc < target_permille:
            part = self._slice_minutes_x100(soc)
            if soc + SLICE_PERMILLE > target_permille:
                part = part * (target_permille - soc) // SLICE_PERMILLE
            total += part
            if total > most * 100:
                return most + 1
            soc += SLICE_PERMILLE
        return (total + 99) // 100

    def _reachable(self, target_permille: int, left: int) -> int:
        """Return the charge reached after `left` minutes at full power."""
        soc = self._inputs.soc_permille
        rest = left * 100
        while soc < target_permille:
            part = self._slice_minutes_x100(soc)
            if part > rest:
                return soc + SLICE_PERMILLE * rest // part
            rest -= part
            soc += SLICE_PERMILLE
        return target_permille
