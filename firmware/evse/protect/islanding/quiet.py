# SPDX-License-Identifier: MIT
"""The quiet search: a small square and a weak positive feedback look for anything unusual in the frequency.

Unusual is an answer that follows the square, or a jump. While thresholds are in doubt, after fruitless probes,
they are higher. The feedback lets an island with a slow inverter drift away by itself.
"""

from evse.fixed import clamp

# Below this share of rated export a push is not made smaller: the inverter could not resolve it.
FLOOR_PERMILLE = 333
JUMP_MHZ = 150  # within 60 ms: unusual
ANSWER_MHZ = 110  # the answer to a push that is unusual
SPREAD_MS = 40  # random part of the half period
BASE_MS, ANSWER_MS = 30, 50  # after a flip: last moment before, first moment of an answer
CALM_MS = 1000  # after a fruitless probe the thresholds are doubled (twice at most), each for this long
DOUBT_MOST = 2

FEED_STEP_PERMILLE = 5  # the feedback moves in steps of this, so that a healthy grid's wander sends nothing
FEED_MOST_PERMILLE = 60
FEED_NONE_MHZ = 24  # this near the slow mean there is none, whatever the gain


class Quiet:
    """Asks softly. Frequencies in mHz, times in ms."""

    def __init__(self, image, course, push, chance):
        self._inputs = image.inputs
        self._protection = image.protection
        self._course = course
        self._push = push
        self._chance = chance
        self._permille = 0
        self._gain = 0  # permille per Hz
        self._half_ms = 0
        self.value_mhz = 0  # the last unusual thing
        self._wait_ms = 0  # for so long nothing is unusual
        self._based = 0
        self._base_mhz = 0
        self._doubt = 0  # thresholds << doubt
        self._calm_ms = 0

    def configure(self, settings) -> None:
        """Take the settings."""
        self._permille = settings.islanding_perturb_permille
        self._gain = settings.islanding_gain_permille_hz
        self._half_ms = settings.islanding_half_ms

    def start(self) -> None:
        """Forget what was before this export."""
        self._doubt = 0

    def rest(self, wait_ms: int) -> None:
        """Ask softly from now on; for wait_ms nothing is unusual."""
        push = self._push
        push.since_ms = 0
        push.span_ms = wait_ms + self._half_ms
        self._wait_ms = wait_ms
        self._based = 0
        push.size(self._permille, FLOOR_PERMILLE)

    def doubt(self) -> None:
        """Take a fruitless probe into account: believe less for a while."""
        if self._doubt < DOUBT_MOST:
            self._doubt += 1
        self._calm_ms = CALM_MS

    def run(self, elapsed_ms: int) -> int:
        """Judge this reading; return which way the frequency goes if that is unusual (+1 or -1), else 0."""
        push = self._push
        push.since_ms += elapsed_ms
        if self._doubt:
            self._calm(elapsed_ms)
        off = self._course.off_mhz
        # Rounded away from zero either way: // alone would step 41 mHz below the mean, and 50 above it.
        if off > FEED_NONE_MHZ:
            self._feed(-(-off * self._gain // 1000))
        elif off < -FEED_NONE_MHZ:
            self._feed(off * self._gain // 1000)
        elif push.feed_permille:
            self._feed(0)
        if self._wait_ms > 0:
            self._wait_ms -= elapsed_ms
        elif not -JUMP_MHZ << self._doubt < self._course.jump_mhz < JUMP_MHZ << self._doubt:
            self.value_mhz = self._course.jump_mhz
            return 1 if self.value_mhz > 0 else -1
        since_ms = push.since_ms
        if since_ms >= push.span_ms:
            push.flip()
            push.span_ms = self._half_ms - SPREAD_MS // 2 + self._chance.draw(SPREAD_MS + 1, self._inputs.cycle_uhz)
            self._based = 0
            push.size(self._permille, FLOOR_PERMILLE)
        elif since_ms >= BASE_MS and self._wait_ms <= 0:
            return self._compare(since_ms)
        return 0

    def _compare(self, since_ms: int) -> int:
        mean = (self._course.mhz + self._course.last_mhz) >> 1
        if not self._based:
            self._based = 1
            self._base_mhz = mean
        elif since_ms >= ANSWER_MS:
            return self._judge((mean - self._base_mhz) * self._push.sign)
        return 0

    def _judge(self, answer: int) -> int:
        self._protection.islanding_mhz = answer
        if answer <= ANSWER_MHZ << (1 if self._doubt else 0):
            return 0
        self.value_mhz = answer
        return self._push.sign

    def _calm(self, elapsed_ms: int) -> None:
        self._calm_ms -= elapsed_ms
        if self._calm_ms <= 0:
            self._doubt -= 1
            self._calm_ms = CALM_MS

    def _feed(self, feed: int) -> None:
        """Positive feedback, permille of the export, clipped and in steps."""
        push = self._push
        if -FEED_STEP_PERMILLE < feed < FEED_STEP_PERMILLE:
            feed = 0
        elif -FEED_STEP_PERMILLE < feed - push.feed_permille < FEED_STEP_PERMILLE:
            return
        feed = clamp(feed, -FEED_MOST_PERMILLE, FEED_MOST_PERMILLE)
        if feed != push.feed_permille:
            push.feed_permille = feed
            push.send()
