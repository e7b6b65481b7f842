# SPDX-License-Identifier: MIT
"""A one-off departure: told to the cycle, kept in FRAM, told again after a restart, forgotten once it has passed.

The cycle plans by the local minute of the week, so that a clock change moves the departure with the wall clock. The
Unix time beside it only says when it has passed: after a long outage the same minute of next week is not meant.
"""

from time import ticks_ms

from evse.fixed import WEEK_MINUTES

PASSED_S = 10800  # three hours: the cycle itself forgets within these (decide/departure.py), and clocks change by one
WEEK_S = 604800


class OneOff:
    """The order of `plan`. `store`: DepartureStore, or None where there is no memory."""

    def __init__(self, station):
        self._station = station
        self.store = None
        self.soc_permille = 0
        self.minute_of_week = 0
        self.unix_s = 0

    def open(self, store) -> None:
        """Take what the last life left; with an unknown clock too: then the cycle charges to the target at once."""
        self.store = store
        self.soc_permille, self.minute_of_week, self.unix_s = store.row
        if self.soc_permille:
            self._tell()

    def order(self, soc_permille: int, minute_of_week: int, now_minute: int, now_s: int) -> None:
        """Charge to soc_permille (1..1000) by a local minute of the week; now_minute, now_s: the time of this order."""
        self.soc_permille = soc_permille
        self.minute_of_week = minute_of_week % WEEK_MINUTES
        self.unix_s = now_s + (self.minute_of_week - now_minute) % WEEK_MINUTES * 60
        self._tell()
        self._save()

    def withdraw(self) -> None:
        """Forget the order."""
        self.soc_permille = self.minute_of_week = self.unix_s = 0
        self._tell()
        self._save()

    def check(self, now_s: int, now_minute: int) -> None:
        """Forget an order that has passed; after a clock that was set back, count anew. now_s: a known time."""
        if not self.soc_permille:
            return
        if now_s > self.unix_s + PASSED_S:
            self._station.notes.say("plan", "the one-off departure has passed")
            self.withdraw()
        elif self.unix_s > now_s + WEEK_S + PASSED_S and now_minute >= 0:
            self.order(self.soc_permille, self.minute_of_week, now_minute, now_s)

    def _tell(self) -> None:
        box = self._station.image.mail.target
        box.begin()
        box.soc_permille = self.soc_permille
        box.minute_of_week = self.minute_of_week
        box.end(ticks_ms())

    def _save(self) -> None:
        if self.store is None:
            return
        try:
            self.store.save(self.soc_permille, self.minute_of_week, self.unix_s)
        except OSError as error:
            self._station.notes.say("plan", "FRAM did not take the departure: %s; it ends with a restart" % error)
