# SPDX-License-Identifier: MIT
"""The loud probe: pushes that are turned round as soon as the frequency has followed, and the credit of its answers.

A push is answered in full when the frequency has turned and followed it a long way, so the probe runs as fast as
the inverter and its link allow and no latency has to be known. Two full answers in a row decide.
"""

from evse.faults import ELEMENT_ISLANDING, EVENT_HOLD, EVENT_PICKUP

FLOOR_PERMILLE = 30  # of rated export: below it a push is not made smaller
FULL_ANSWER_MHZ = 1600  # a push is answered in full: an island settles near 3000
PART_ANSWER_MHZ = 500  # a push that ran out of time is still answered in part
ALIVE_MHZ = 500  # a push that moved this much, either way, is no reason to give up
BLIP_MHZ = 1500  # from one reading to the next: a phase jump, so that this push proves little
DEAF_MS = 40  # after a flip the frequency still goes the old way: what was sent before is on its way
LEG_LEAST_MS, LEG_MOST_MS, LEG_SPREAD_MS = 50, 180, 50
FULL, PART, BLIPPED = 6, 3, 2  # credit of an answer
ENOUGH = 12  # credit without a break
SUSPECT = 9  # credit from which a breakdown of the voltage counts as an answer
SUSPECT_MS = 600
PROBING_MS = 1000  # so long at most the frequency response is held: codes allow it 2 s to begin
GIVE_UP = 2  # unanswered pushes in a row


class Probe:
    """Asks loudly. Frequencies in mHz, times in ms."""

    def __init__(self, image, course, push, chance):
        self._inputs = image.inputs
        self._request = image.request
        self._protection = image.protection
        self._events = image.events
        self._course = course
        self._push = push
        self._chance = chance
        self._permille = 0
        self.count = 0  # probes since boot
        self.credit = 0  # of the answers since the last push that had none
        self.suspect_ms = 0  # for so long a breakdown of the voltage is an answer
        self._low_mhz = 0  # turning point against the push, since the flip
        self._high_mhz = 0  # furthest with the push
        self._end_mhz = 0  # where the push before ended
        self._unanswered = 0
        self._blip = 0
        self._probe_ms = 0

    def configure(self, settings) -> None:
        """Take the settings."""
        self._permille = settings.islanding_probe_permille

    def begin(self, sign: int, value_mhz: int) -> None:
        """Push the way the frequency goes: all units of one island then push together."""
        push = self._push
        self._protection.probing = 1
        self._probe_ms = 0
        self.count += 1
        self._events.emit(self._inputs.now_ms, EVENT_PICKUP, ELEMENT_ISLANDING, value_mhz)
        if sign * self._request.want_var > (push.most_var * 3) >> 2:
            sign = -sign  # no room that way
        push.sign = -sign
        self.credit = 0
        self._unanswered = 0
        self.suspect_ms = 0
        self._turn(self._course.mhz, LEG_MOST_MS)

    def run(self, elapsed_ms: int) -> int:
        """Judge this reading; return 1 when nothing answers and the probe is over, else 0."""
        mhz = self._course.mhz
        last = self._course.last_mhz
        if not -BLIP_MHZ < mhz - last < BLIP_MHZ:
            self._blip = 1
        self._probe_ms += elapsed_ms
        if self._probe_ms > PROBING_MS:
            self._protection.probing = 0
        self._push.since_ms += elapsed_ms
        return self._follow((mhz + last) >> 1)

    def _turn(self, mean: int, span_ms: int) -> None:
        """Start the next push, the other way."""
        self._push.flip()
        self._hold(mean)
        self._push.span_ms = span_ms
        self._push.size(self._permille, FLOOR_PERMILLE)

    def _hold(self, mean: int) -> None:
        """Measure from here."""
        self._push.since_ms = 0
        self._low_mhz = mean
        self._high_mhz = mean
        self._end_mhz = mean
        self._blip = 0

    def _follow(self, mean: int) -> int:
        since_ms = self._push.since_ms
        if since_ms <= DEAF_MS:
            self._low_mhz = mean
            self._high_mhz = mean
            return 0
        sign = self._push.sign
        answer = (mean - self._low_mhz) * sign
        against = (self._high_mhz - mean) * sign
        if since_ms >= LEG_LEAST_MS:
            if against >= FULL_ANSWER_MHZ:
                # Others push the other way and win: stay, and turn when they turn.
                self.credit = 0
                self._hold(mean)
                return 0
            if answer >= FULL_ANSWER_MHZ:
                self._answered(mean, answer)
                return 0
        if answer < 0:
            self._low_mhz = mean
        if against < 0:
            self._high_mhz = mean
        self._protection.islanding_mhz = answer
        return self._late(mean, answer, against) if since_ms >= self._push.span_ms else 0

    def _answered(self, mean: int, answer: int) -> None:
        self._unanswered = 0
        self._give(BLIPPED if self._blip else FULL, answer)
        self._turn(mean, self._push.span_ms)

    def _late(self, mean: int, answer: int, against: int) -> int:
        """Time is up: a lasting move still counts a little; nothing at all, twice, is a grid."""
        lasting = (mean - self._end_mhz) * self._push.sign
        self._give(PART if lasting >= PART_ANSWER_MHZ and not self._blip else 0, lasting)
        self._unanswered = 0 if answer > ALIVE_MHZ or against > ALIVE_MHZ else self._unanswered + 1
        if self._unanswered < GIVE_UP:
            spread_ms = self._chance.draw(LEG_SPREAD_MS + 1, self._inputs.cycle_uhz) - LEG_SPREAD_MS // 2
            self._turn(mean, LEG_MOST_MS + spread_ms)
            return 0
        return self._give_up(answer)

    def _give_up(self, answer: int) -> int:
        self._events.emit(self._inputs.now_ms, EVENT_HOLD, ELEMENT_ISLANDING, answer)
        return 1

    def _give(self, credit: int, answer: int) -> None:
        self._protection.islanding_mhz = answer
        self.credit = self.credit + credit if credit else 0
        if self.credit >= SUSPECT:
            self.suspect_ms = SUSPECT_MS
