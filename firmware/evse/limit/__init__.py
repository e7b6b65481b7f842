# SPDX-License-Identifier: MIT
"""Limit: the last gate. Knows limits, not intentions. Fourth stage of the cycle; the image only.

A table of limiters each leaves a room for import and one for export; the smallest wins and its
reason is recorded. Zero is always allowed. Hard limiters are obeyed at once, soft ones at the
rate of a normal fall. The ramps shape what is wanted, never what is forbidden.
What can change from one cycle to the next is asked each cycle, what moves slowly each SLOW_MS.
Writes image.limits; emits a change of the winning reason.
"""

from evse.faults import EVENT_LIMIT, REASON_RAMP
from evse.fixed import clamp
from evse.limit.energy import DailyBudget, V2xRequest
from evse.limit.grid import EnterRamp, VoltWatt
from evse.limit.limiter import UNLIMITED_W
from evse.limit.permission import Permission
from evse.limit.ramp import LONGEST_MS, Ramp, Rate
from evse.limit.rating import Cable, Inverter, Rating, Vehicle
from evse.limit.site import SiteLimit
from evse.limit.soc import SocGuard
from evse.limit.temperature import BatteryTemperature, Temperature
from evse.reactive import most_reactive_permille

SLOW_MS = 50
STOP_PERMILLE_MIN = 15000  # a normal stop reaches zero in 4 s at most: it has 6 s
REPORT_MS = 100  # a new reason is recorded once it has lasted this long


class Limit:
    """The stage."""

    def __init__(self, image, settings, profile, ratings):
        self._image = image
        self._inputs = image.inputs
        self._request = image.request
        self._protection = image.protection
        self._limits = image.limits
        self._settings = settings
        self._rating = Rating(settings, ratings)
        self._cable = Cable(image, settings, profile, ratings)
        self._vehicle = Vehicle(image)
        self._inverter = Inverter(image)
        self._permission = Permission(image)
        self._soc = SocGuard(image, settings)
        self._slow = (
            self._rating,
            self._cable,
            self._vehicle,
            self._inverter,
            Temperature(image, settings),
            VoltWatt(image, settings, profile),
            EnterRamp(image, settings),
            SiteLimit(image, settings),
        )
        self._soft = (DailyBudget(image, settings), V2xRequest(image), BatteryTemperature(image, settings))
        image.limits.limiters = (self._permission, self._soc) + self._slow + self._soft
        self._slow_ms = SLOW_MS  # since the slow ones spoke
        self._slow_import_w = 0
        self._slow_export_w = 0
        self._slow_import_reason = 0
        self._slow_export_reason = 0
        self._soft_import_w = 0
        self._soft_export_w = 0
        self._soft_import_reason = 0
        self._soft_export_reason = 0
        self.ramp = Ramp()
        self._droop_rate = Rate()
        self._soft_rate = Rate()
        self._droop_w = 0
        self._most_var_permille = most_reactive_permille(profile)
        self._most_var = 0
        self._changed = -1
        self._stopping = -1
        self._candidate = 0
        self._candidate_ms = 0
        self._reported = 0

    def run(self) -> None:
        """Run the stage once."""
        request = self._request
        limits = self._limits
        if self._settings.changed != self._changed or request.stop != self._stopping:
            self._configure(request.stop)
        self._find_room(limits)
        want_w = request.want_w
        self._move(limits, want_w, request.droop_w)
        if request.want_var or self._protection.perturb_var or limits.allowed_var:
            self._reactive(limits)
        self._explain(limits, want_w)

    def _configure(self, stop: int) -> None:
        settings = self._settings
        self._changed = settings.changed
        self._stopping = stop
        self._slow_ms = SLOW_MS  # a changed rating holds from this cycle on
        rating_w = max(settings.import_rating_w, settings.export_rating_w)
        self._most_var = rating_w * self._most_var_permille // 1000
        down = settings.ramp_down_permille_min
        if stop and 0 < down < STOP_PERMILLE_MIN:
            down = STOP_PERMILLE_MIN
        self.ramp.up_import.configure(settings.import_rating_w, settings.ramp_up_permille_min)
        self.ramp.up_export.configure(settings.export_rating_w, settings.ramp_export_permille_min)
        self.ramp.down.configure(rating_w, down)
        self._soft_rate.configure(rating_w, down)
        self._droop_rate.configure(rating_w, settings.ramp_droop_permille_min)

    def _find_room(self, limits) -> None:
        """Let the limiters speak; the smallest room each way wins."""
        self._slow_ms += self._inputs.elapsed_ms
        if self._slow_ms >= SLOW_MS:
            self._hear_slow(limits)
        self._permission.run()
        self._soc.run()
        if self._permission.import_w:
            self._room_for_import(limits)
            self._room_for_export(limits)
        else:
            limits.import_w = 0
            limits.export_w = 0
            limits.import_reason = self._permission.import_reason
            limits.export_reason = limits.import_reason

    def _room_for_import(self, limits) -> None:
        room_w = self._soc.import_w
        reason = self._soc.import_reason
        if self._slow_import_w < room_w:
            room_w = self._slow_import_w
            reason = self._slow_import_reason
        if self._soft_import_w < room_w:
            room_w = min(room_w, self._soften(limits.allowed_w, self._soft_import_w))
            reason = self._soft_import_reason
        limits.import_w = room_w
        limits.import_reason = reason

    def _room_for_export(self, limits) -> None:
        room_w = self._soc.export_w
        reason = self._soc.export_reason
        if self._slow_export_w < room_w:
            room_w = self._slow_export_w
            reason = self._slow_export_reason
        if self._soft_export_w < room_w:
            room_w = min(room_w, self._soften(-limits.allowed_w, self._soft_export_w))
            reason = self._soft_export_reason
        limits.export_w = room_w
        limits.export_reason = reason

    def _hear_slow(self, limits) -> None:
        """Ask the limiters that move slowly, hard and soft, and keep the smallest of each kind."""
        self._slow_ms = 0
        self._slow_import_w = UNLIMITED_W
        self._slow_export_w = UNLIMITED_W
        for limiter in self._slow:
            limiter.run()
            if limiter.import_w < self._slow_import_w:
                self._slow_import_w = limiter.import_w
                self._slow_import_reason = limiter.import_reason
            if limiter.export_w < self._slow_export_w:
                self._slow_export_w = limiter.export_w
                self._slow_export_reason = limiter.export_reason
        self._hear_soft()
        rating_w = min(self._rating.import_w, self._cable.import_w, self._vehicle.import_w)
        limits.rating_w = min(rating_w, self._inverter.import_w) if self._inputs.inverter_charge_w > 0 else rating_w

    def _hear_soft(self) -> None:
        self._soft_import_w = UNLIMITED_W
        self._soft_export_w = UNLIMITED_W
        for limiter in self._soft:
            limiter.run()
            if limiter.import_w < self._soft_import_w:
                self._soft_import_w = limiter.import_w
                self._soft_import_reason = limiter.import_reason
            if limiter.export_w < self._soft_export_w:
                self._soft_export_w = limiter.export_w
                self._soft_export_reason = limiter.export_reason

    def _soften(self, power_w: int, room_w: int) -> int:
        """Return the room this cycle: from the power that flows down to room_w at the falling rate."""
        if power_w <= room_w or self._soft_rate.step:
            return room_w
        elapsed_ms = self._inputs.elapsed_ms
        step_w = self._soft_rate.advance(min(elapsed_ms, LONGEST_MS))
        return max(room_w, power_w - step_w)

    def _move(self, limits, want_w: int, droop_w: int) -> None:
        """Ramp the base, add the frequency response, keep it in the room and on its side of zero."""
        ramp = self.ramp
        if want_w - droop_w != ramp.power_w:
            ramp.move(want_w - droop_w, self._inputs.elapsed_ms)
        if droop_w != self._droop_w:
            self._move_droop(droop_w, self._inputs.elapsed_ms)
        power_w = ramp.power_w + self._droop_w
        if want_w >= 0 > power_w:
            power_w = max(power_w, min(limits.allowed_w, 0))
        elif want_w <= 0 < power_w:
            power_w = min(power_w, max(limits.allowed_w, 0))
        power_w = clamp(power_w, -limits.export_w, limits.import_w)
        limits.allowed_w = power_w
        if power_w - self._droop_w != ramp.power_w or limits.import_w == 0:
            self._follow(limits)

    def _move_droop(self, droop_w: int, elapsed_ms: int) -> None:
        rate = self._droop_rate
        if rate.step:
            self._droop_w = droop_w
            return
        step_w = rate.advance(min(elapsed_ms, LONGEST_MS))
        self._droop_w = clamp(droop_w, self._droop_w - step_w, self._droop_w + step_w)

    def _follow(self, limits) -> None:
        """Take the base back to what was really allowed: a ramp must not run ahead behind a limit."""
        ramp = self.ramp
        if limits.import_w == 0 and limits.export_w == 0:
            ramp.power_w = 0
            return
        base_w = limits.allowed_w - self._droop_w
        if ramp.power_w > 0:
            ramp.power_w = clamp(base_w, 0, ramp.power_w)
        elif ramp.power_w < 0:
            ramp.power_w = clamp(base_w, ramp.power_w, 0)

    def _reactive(self, limits) -> None:
        """Reactive power: what is wanted plus the anti-islanding perturbation, only while power may flow."""
        if limits.import_w == 0 and limits.export_w == 0:
            limits.allowed_var = 0
            return
        limits.allowed_var = clamp(
            self._request.want_var + self._protection.perturb_var, -self._most_var, self._most_var
        )

    def _explain(self, limits, want_w: int) -> None:
        """Write the winning reason and record its changes."""
        if want_w > limits.import_w:
            reason = limits.import_reason
        elif -want_w > limits.export_w:
            reason = limits.export_reason
        elif want_w != limits.allowed_w:
            reason = REASON_RAMP
        else:
            reason = self._request.reason
        limits.reason = reason
        if reason == self._reported:
            self._candidate_ms = 0
            return
        if reason != self._candidate:
            self._candidate = reason
            self._candidate_ms = 0
        self._candidate_ms += self._inputs.elapsed_ms
        if self._candidate_ms >= REPORT_MS:
            self._reported = reason
            self._image.events.emit(self._inputs.now_ms, EVENT_LIMIT, reason, limits.allowed_w)
