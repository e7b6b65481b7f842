# SPDX-License-Identifier: MIT
"""Battery mailbox: is the state of charge known, fresh and plausible; temperature; vehicle limits.

Every cycle. soc_ok is 1 only for a reading that is younger than `soc_stale_ms`, inside 1..1000
permille, follows from the one before and moves when energy moves. Otherwise soc_ok is 0 and
soc_reason says why. Never keeps the reading of the vehicle before: unplugging forgets it.
"""

from evse.faults import (
    EVENT_SOC,
    PILOT_A,
    REASON_SOC_IMPLAUSIBLE,
    REASON_SOC_STALE,
    REASON_SOC_UNKNOWN,
)
from evse.image import NEVER_MS
from evse.mailbox import Reader

JUMP_PERMILLE = 50  # between two readings, whatever the time
JUMP_PERMILLE_MIN = 30  # and per minute between them: about 100 kW into 60 kWh
FROZEN_PERMILLE = 60  # of capacity moved without the reading moving
AGREEING = 5  # readings that agree with each other before a doubted battery is believed again
AGREE_PERMILLE = 10


class BatteryMail:
    """Vehicle and battery values as the inverter or the vehicle's protocol reports them."""

    def __init__(self, image, settings, profile, board):
        self._inputs = image.inputs
        self._events = image.events
        self._budget = image.budget
        self._settings = settings
        self._box = image.mail.battery
        self._reader = Reader(image.mail.battery)
        self._known = 0  # a reading has been taken since plug-in
        self._last_permille = 0
        self._doubted = 0
        self._agreeing = 0
        self._moved_from_wh = 0
        self._reported_reason = -1

    def run(self) -> None:
        """Take a new message if there is one, and judge the age of what we have."""
        inputs = self._inputs
        reader = self._reader
        if inputs.pilot_state == PILOT_A:
            reader.poll(inputs.now_ms, inputs.elapsed_ms)
            if self._known:
                self._forget(inputs)
        elif reader.poll(inputs.now_ms, inputs.elapsed_ms):
            self._take(inputs)
        else:
            age_ms = inputs.soc_age_ms + inputs.elapsed_ms
            if age_ms < NEVER_MS:
                inputs.soc_age_ms = age_ms
            if inputs.soc_ok and age_ms <= self._settings.soc_stale_ms:
                return  # still as fresh and plausible as it was
        self._judge(inputs)

    def _forget(self, inputs) -> None:
        self._known = 0
        self._doubted = 0
        inputs.soc_age_ms = NEVER_MS
        inputs.battery_ok = 0
        inputs.vehicle_charge_w = 0
        inputs.vehicle_discharge_w = 0
        inputs.v2x_min_request_wh = 0
        inputs.v2x_max_request_wh = 0

    def _take(self, inputs) -> None:
        box = self._box
        inputs.battery_cdeg = box.cdeg
        inputs.vehicle_charge_w = box.charge_w
        inputs.vehicle_discharge_w = box.discharge_w
        inputs.v2x_min_request_wh = box.v2x_min_wh
        inputs.v2x_max_request_wh = box.v2x_max_wh
        inputs.battery_ok = 1
        if box.soc_ok:
            self._take_soc(inputs, box.soc_permille)
            inputs.soc_age_ms = self._reader.age_ms
        elif inputs.soc_age_ms < NEVER_MS - inputs.elapsed_ms:
            inputs.soc_age_ms += inputs.elapsed_ms

    def _take_soc(self, inputs, soc_permille: int) -> None:
        moved_wh = self._budget.charged_wh + self._budget.discharged_wh
        step = soc_permille - self._last_permille
        if step < 0:
            step = -step
        if soc_permille < 1 or soc_permille > 1000:
            self._doubt()
        elif not self._known:
            self._known = 1
            self._moved_from_wh = moved_wh
        elif self._doubted:
            self._believe_again(step, moved_wh)
        elif step > JUMP_PERMILLE + JUMP_PERMILLE_MIN * (inputs.soc_age_ms // 60000):
            self._doubt()
        elif step:
            self._moved_from_wh = moved_wh
        elif moved_wh - self._moved_from_wh > self._settings.battery_capacity_wh * FROZEN_PERMILLE // 1000:
            self._doubt()
        self._last_permille = soc_permille
        inputs.soc_permille = soc_permille

    def _doubt(self) -> None:
        self._known = 1
        self._doubted = 1
        self._agreeing = 0

    def _believe_again(self, step: int, moved_wh: int) -> None:
        """A doubted battery is believed once readings agree and it is seen to move, or stands at a new value."""
        if step > AGREE_PERMILLE:
            self._agreeing = 0
            return
        self._agreeing += 1
        frozen_wh = self._settings.battery_capacity_wh * FROZEN_PERMILLE // 1000
        if step:
            self._moved_from_wh = moved_wh
        if self._agreeing >= AGREEING and moved_wh - self._moved_from_wh <= frozen_wh:
            self._doubted = 0

    def _judge(self, inputs) -> None:
        if self._reader.age_ms > self._settings.soc_stale_ms:
            inputs.battery_ok = 0
        if not self._known or inputs.soc_age_ms >= NEVER_MS // 2:
            reason = REASON_SOC_UNKNOWN
        elif self._doubted:
            reason = REASON_SOC_IMPLAUSIBLE
        elif inputs.soc_age_ms > self._settings.soc_stale_ms:
            reason = REASON_SOC_STALE
        else:
            reason = 0
        inputs.soc_reason = reason
        inputs.soc_ok = 0 if reason else 1
        if reason != self._reported_reason:
            self._reported_reason = reason
            self._events.emit(inputs.now_ms, EVENT_SOC, reason, inputs.soc_permille)
