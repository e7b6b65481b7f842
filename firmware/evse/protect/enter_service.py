# SPDX-License-Identifier: MIT
"""Enter service: permission comes only after the grid stayed in the window for the whole wait; then a ramp.

Any excursion starts the wait again. The first wait after boot may differ from the one after a trip. A
random part, where the code has one, spreads a street's reconnections; it is drawn anew for each wait from
a generator seeded by the device's name, so that a test can repeat it.
"""

from evse.faults import (
    ELEMENT_AFE,
    ELEMENT_NONE,
    ELEMENT_OF1,
    ELEMENT_OV1,
    ELEMENT_UF1,
    ELEMENT_UV1,
    EVENT_GRID_HEALTHY,
    EVENT_GRID_UNHEALTHY,
    EVENT_SERVICE_ENTERED,
)
from evse.fixed import age, mul_div

MODULUS = 32749  # prime; the generator is s' = 1944 s mod 32749 (multiplicative, s never 0)
MULTIPLIER = 1944


class EnterService:
    """Grants image.protection.service, releases the trip latch, runs the ramp."""

    def __init__(self, image, settings, profile):
        self._protection = image.protection
        self._inputs = image.inputs
        self._outputs = image.outputs
        self._events = image.events
        self._low_mv = profile.enter_low_mv
        self._high_mv = profile.enter_high_mv
        self._low_uhz = profile.enter_low_uhz
        self._high_uhz = profile.enter_high_uhz
        self._wait_ms = profile.enter_wait_ms
        self._first_wait_ms = profile.first_wait_ms
        self._random_ms = profile.enter_random_ms
        self._ramp_permille_min = profile.enter_ramp_permille_min
        self._random = 1
        for character in settings.device_id:
            self._random = (self._random * 31 + ord(character)) % (MODULUS - 1) + 1
        self._tripped = 0  # 1: the wait is one after a trip or loss of measurement, not the first
        self._waiting = 0
        self._since_ms = 0
        self._total_ms = 0
        self._ramping = 0
        self._ramp_ms = 0
        self._ramp_last_ms = 0

    def run(self, v_min_mv: int, v_max_mv: int, anything_active: int) -> None:
        """Judge this cycle. v_min_mv, v_max_mv: of the phases in use; anything_active: an element is picked up."""
        protection = self._protection
        if protection.service:
            if protection.ramp_permille < 1000:
                self._ramp()
            return
        protection.ramp_permille = 0
        cause = self.outside(v_min_mv, v_max_mv)
        protection.unhealthy = cause
        if cause or anything_active:
            self._unhealthy(cause, v_min_mv, v_max_mv)
        elif self._waiting:
            self._wait()
        else:
            self._begin()

    def outside(self, v_min_mv: int, v_max_mv: int) -> int:
        """Return the ELEMENT_* whose side of the window is left, ELEMENT_NONE inside it."""
        inputs = self._inputs
        if not inputs.afe_ok:
            return ELEMENT_AFE
        if v_min_mv < self._low_mv:
            return ELEMENT_UV1
        if v_max_mv > self._high_mv:
            return ELEMENT_OV1
        if not inputs.frequency_ok or inputs.frequency_uhz < self._low_uhz:
            return ELEMENT_UF1
        if inputs.frequency_uhz > self._high_uhz:
            return ELEMENT_OF1
        return ELEMENT_NONE

    def _begin(self) -> None:
        wait_ms = self._wait_ms if self._tripped or self._protection.trip else self._first_wait_ms
        if self._random_ms:
            self._random = self._random * MULTIPLIER % MODULUS
            wait_ms += mul_div(self._random_ms, self._random, MODULUS)
        self._total_ms = wait_ms
        self._since_ms = self._inputs.now_ms
        self._waiting = 1
        self._protection.wait_ms = wait_ms
        self._events.emit(self._inputs.now_ms, EVENT_GRID_HEALTHY, 0, wait_ms)

    def _wait(self) -> None:
        left_ms = self._total_ms - age(self._inputs.now_ms, self._since_ms)
        if left_ms <= 0:
            self._grant()
        else:
            self._protection.wait_ms = left_ms

    def _unhealthy(self, cause: int, v_min_mv: int, v_max_mv: int) -> None:
        if self._waiting:
            self._report(cause, v_min_mv, v_max_mv)
        if cause and (self._waiting or self._tripped):
            self._blame(cause)
        self._waiting = 0
        tripped = self._tripped or self._protection.trip
        self._protection.wait_ms = self._wait_ms if tripped else self._first_wait_ms

    def _report(self, cause: int, v_min_mv: int, v_max_mv: int) -> None:
        """Tell that the wait is broken off, with what was measured of the cause, in its unit."""
        value = self._inputs.frequency_uhz
        if cause == ELEMENT_AFE:
            value = self._inputs.afe_age_ms
        elif cause == ELEMENT_UV1:
            value = v_min_mv
        elif cause == ELEMENT_OV1:
            value = v_max_mv
        self._events.emit(self._inputs.now_ms, EVENT_GRID_UNHEALTHY, cause, value)

    def _blame(self, cause: int) -> None:
        """Remember what broke the wait off; a frequency not seen yet after a lost measurement is still its doing."""
        protection = self._protection
        unseen = cause == ELEMENT_UF1 and not self._inputs.frequency_ok
        if not (unseen and protection.wait_element == ELEMENT_AFE):
            protection.wait_element = cause

    def _grant(self) -> None:
        protection = self._protection
        self._waiting = 0
        self._tripped = 1
        protection.wait_ms = 0
        protection.wait_element = ELEMENT_NONE
        protection.trip = 0
        protection.service = 1
        self._ramping = 0
        self._ramp_ms = 0
        if not self._ramp_permille_min:
            protection.ramp_permille = 1000
        self._events.emit(self._inputs.now_ms, EVENT_SERVICE_ENTERED, 0, self._total_ms)

    def _ramp(self) -> None:
        # The ramp runs while power can flow: a vehicle that comes an hour later still ramps.
        now_ms = self._inputs.now_ms
        if not self._outputs.contactor:
            self._ramping = 0
            return
        if self._ramping:
            self._ramp_ms += age(now_ms, self._ramp_last_ms)
        self._ramping = 1
        self._ramp_last_ms = now_ms
        self._protection.ramp_permille = min(1000, self._ramp_ms // 20 * self._ramp_permille_min // 3000)
