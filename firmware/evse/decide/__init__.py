# SPDX-License-Identifier: MIT
"""Decide: who wants what. Third stage of the cycle; reads and writes the image only.

Faults are latched first, so that the session sees this cycle's; then the session and pilot, the
services (lease, departure, droop, user) and the arbiter. Writes image.request.
"""

from evse.decide.arbiter import Arbiter
from evse.decide.departure import Departure
from evse.decide.droop import Droop
from evse.decide.duty import duty_for_current
from evse.decide.latch import FaultLatch
from evse.decide.lease import RemoteLease
from evse.decide.session import Session
from evse.decide.volt_var import VoltVar
from evse.faults import PILOT_A, SERVICE_DEPARTURE
from evse.mailbox import Reader


class Decide:
    """The stage."""

    def __init__(self, image, settings, profile):
        self._inputs = image.inputs
        self._request = image.request
        self._status = image.status
        self._settings = settings
        self._limits = image.limits
        self._profile_mv = profile.nominal_mv
        self._user_box = image.mail.user
        self._user = Reader(image.mail.user)
        self._user_cap_w = 0  # 0 = as the settings say
        self._offered_ma = -1
        self.latch = FaultLatch(image)
        self.session = Session(image, settings)
        self.lease = RemoteLease(image, settings)
        self.departure = Departure(image, settings)
        self.droop = Droop(image, settings, profile)
        self.volt_var = VoltVar(image, settings, profile)
        self.arbiter = Arbiter(image, settings)
        image.status.locked = settings.keep_locked  # a lock outlives an outage

    def run(self) -> None:
        """Run the stage once."""
        self.latch.run()
        self._hear_user()
        self._offer()
        self.session.run()
        self.lease.run()
        self.departure.run()
        self.droop.run()
        user_w = self._settings.charge_w
        if 0 < self._user_cap_w < user_w:
            user_w = self._user_cap_w
        self.volt_var.run()
        self.arbiter.run(self.lease, self.departure, self.droop, user_w)
        request = self._request
        if request.owner >= SERVICE_DEPARTURE and not request.want_var:
            request.want_var = self.volt_var.reactive_var

    def _hear_user(self) -> None:
        inputs = self._inputs
        if self._user.poll(inputs.now_ms, inputs.elapsed_ms):
            box = self._user_box
            self.session.stop = 1 if box.stop else 0
            self._status.locked = 1 if box.lock else 0
            self._user_cap_w = box.power_w if box.power_w > 0 else 0
            self.lease.forget()
        elif inputs.pilot_state == PILOT_A:
            self.lease.forget()

    def _offer(self) -> None:
        """Work out the pilot duty when the current that may be offered changes."""
        current_ma = self._limits.offer_ma
        if current_ma != self._offered_ma:
            self._offered_ma = current_ma
            self.session.offer(duty_for_current(current_ma))
