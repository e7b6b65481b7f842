# SPDX-License-Identifier: MIT
"""The remote setpoint: a lease with an end. Every cycle.

A lease carries a power, a duration and the service that asks. When it runs out the power goes
to zero and stays there, until another lease, its release (duration 0), a word of the user or
another vehicle: falling back to the user's wish could raise power while everybody is silent.
A lease whose mail is older than its duration never starts.
"""

from evse.faults import EVENT_LEASE, EVENT_LEASE_END, SERVICE_NONE, SERVICE_REMOTE
from evse.fixed import clamp
from evse.mailbox import Reader

POWER_LIMIT_W = 22080  # as the setpoint command allows


class RemoteLease:
    """`active` with `power_w`, `reactive_var` and `service`; `ended` after one ran out."""

    def __init__(self, image, settings):
        self._inputs = image.inputs
        self._request = image.request
        self._events = image.events
        self._settings = settings
        self._box = image.mail.lease
        self._reader = Reader(image.mail.lease)
        self._left_ms = 0
        self.active = 0
        self.ended = 0
        self.power_w = 0
        self.reactive_var = 0
        self.service = SERVICE_REMOTE

    def run(self) -> None:
        """Take a new lease or let the present one grow older."""
        inputs = self._inputs
        if self._reader.poll(inputs.now_ms, inputs.elapsed_ms):
            self._take(inputs)
            self._request.lease_ms = self._left_ms if self.active else 0
            self._request.lease_ended = self.ended
        elif self.active:
            self._left_ms -= inputs.elapsed_ms
            if self._left_ms <= 0:
                self._end(inputs)
            self._request.lease_ms = self._left_ms

    def forget(self) -> None:
        """The user has spoken or the vehicle has gone: an ended lease holds zero no longer."""
        if self.ended:
            self.ended = 0
            self._request.lease_ended = 0

    def _take(self, inputs) -> None:
        box = self._box
        if box.duration_ms <= 0:
            if self.active:
                self._events.emit(inputs.now_ms, EVENT_LEASE_END, self.service, self.power_w)
            self.active = 0
            self.ended = 0
            return
        self._left_ms = min(box.duration_ms, self._settings.lease_max_ms) - self._reader.age_ms
        service = SERVICE_REMOTE if box.service == SERVICE_NONE else box.service
        power_w = clamp(box.power_w, -POWER_LIMIT_W, POWER_LIMIT_W)
        if self._left_ms <= 0:
            self._end(inputs)
            return
        if not self.active or power_w != self.power_w or service != self.service:
            self._events.emit(inputs.now_ms, EVENT_LEASE, service, power_w)
        self.active = 1
        self.ended = 0
        self.power_w = power_w
        self.reactive_var = clamp(box.reactive_var, -POWER_LIMIT_W, POWER_LIMIT_W)
        self.service = service

    def _end(self, inputs) -> None:
        self.active = 0
        self.ended = 1
        self._left_ms = 0
        self._request.lease_ended = 1
        self._events.emit(inputs.now_ms, EVENT_LEASE_END, self.service, self.power_w)
