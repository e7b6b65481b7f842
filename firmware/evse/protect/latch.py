# SPDX-License-Identifier: MIT
"""The trip latch: remembers what tripped first, and takes permission away in the same cycle.

A trip is latched only while service was granted: out of service there is nothing to disconnect, and the
enter-service wait already starts again on every excursion. Enter service releases the latch.
"""

from evse.faults import EVENT_TRIP


class Latch:
    """Writes the trip fields of image.protection."""

    def __init__(self, image):
        self._protection = image.protection
        self._inputs = image.inputs
        self._events = image.events

    def trip(self, element: int, phase: int, value: int, threshold: int) -> None:
        """Trip on an element. phase 1..3, 0 = none; value and threshold in the element's unit."""
        protection = self._protection
        if not protection.service:
            return
        protection.trip = 1
        protection.service = 0
        protection.inhibit = 1
        protection.trip_element = element
        protection.trip_phase = phase
        protection.trip_value = value
        protection.trip_threshold = threshold
        protection.trip_ms = self._inputs.now_ms
        protection.trips += 1
        self._report(element, value, phase)

    def _report(self, element: int, value: int, phase: int) -> None:
        self._events.emit(self._inputs.now_ms, EVENT_TRIP, element, value, phase)
