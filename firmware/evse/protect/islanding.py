# SPDX-License-Identifier: MIT
"""Active anti-islanding: ask the grid with a little reactive power and judge its answer. Rate: each cycle.

Reads: inputs (grid_w, phase_mv, cycle_uhz), outputs.contactor, request.want_var. Writes: protection.perturb_var
(+ absorbs, added to the reactive command), islanding_mhz and probing, and `detected`, which Protect turns into a trip.

An island answers +Q with +f and keeps the answer; a grid answers with a short blip at most. A quiet square of Q
and a weak positive feedback look for an answer; an unusual step or an answer starts a loud probe, whose pushes are
turned round as soon as the frequency has followed. Two full answers in a row decide. The equations, the reasons for
each number and what was measured are in docs/loss-of-mains.md.
"""

from array import array

from evse.faults import (
    ELEMENT_ISLANDING,
    EVENT_HOLD,
    EVENT_PICKUP,
    REASON_NO_REACTIVE,
    REASON_NONE,
    REASON_TOO_SLOW,
)
from evse.fixed import clamp
from evse.image import NEVER_MS
from evse.protect.chance import Chance
from evse.protect.stage import deepest_mv

OFF, QUIET, PROBE = 0, 1, 2

# Export, permille of the rating: begin above, end below. A load alone cannot hold an island.
BEGIN_PERMILLE, END_PERMILLE = 10, 5
MOST_PERMILLE = 440  # reactive power of the rating, whoever asks for it: what limit allows too
# Below these shares of rated export a push is not made smaller: the inverter could not resolve it.
QUIET_FLOOR_PERMILLE, PROBE_FLOOR_PERMILLE = 333, 30
SAG_PERMILLE = 900  # of nominal: below it pushes shrink with the square of the voltage, as a weak grid demands
HALF_PERMILLE = 500  # of nominal: a fall below it that follows answers is an island breaking down
DEAD_PERMILLE = 350  # of nominal, and below the code's deepest stage: nothing to ask
DEAD_MS = 1050  # an export into such a bus ends; codes ask to ride through at most 1 s of it

RING = 8  # cycles; the oldest is 60 ms before the newest reading
FILL = 20  # cycles to wait after a start
SLOW_BITS = 7  # slow mean of the frequency: time constant 128 cycles
SLOW_STEP_MHZ = 1000  # the most one reading counts in it
FEED_STEP_PERMILLE = 5  # the feedback moves in steps of this, so that a healthy grid's wander sends nothing
FEED_MOST_PERMILLE = 60
FEED_STEP_MHZ = 24  # at the greatest gain, less than this moves no step

JUMP_MHZ = 150  # within 60 ms: unusual
QUIET_ANSWER_MHZ = 110  # the answer to a quiet push that is unusual
SPREAD_MS = 40  # random part of the quiet half period
BASE_MS, ANSWER_MS = 30, 50  # after a flip: last moment before, first moment of an answer
FULL_ANSWER_MHZ = 1600  # a push is answered in full: an island settles near 3000
PART_ANSWER_MHZ = 500  # a push that ran out of time is still answered in part
ALIVE_MHZ = 500  # a push that moved this much, either way, is no reason to give up
BLIP_MHZ = 1500  # from one reading to the next: a phase jump, so that this push proves little
DEAF_MS, LEG_LEAST_MS, LEG_MOST_MS, LEG_SPREAD_MS = 20, 50, 180, 50
FULL, PART, BLIPPED = 6, 3, 2  # credit of an answer
ENOUGH = 12  # credit without a break
SUSPECT = 9  # credit from which a breakdown of the voltage counts as an answer
SUSPECT_MS = 600
IDLE_MS = 300  # a probe goes on without export for so long
PROBING_MS = 1000  # so long at most the frequency response is held: codes allow it 2 s to begin
GIVE_UP = 2  # unanswered pushes in a row
SETTLE_MS = 150  # after a probe: its own last step is not unusual
CALM_MS = 1000  # after a fruitless probe the thresholds are doubled (twice at most), each for this long

SLOWEST_MS = 200  # inverter: from a reactive setpoint to its terminals; the longest leg of a probe


class Islanding:
    """One detector for the whole connection, whatever the number of phases."""

    def __init__(self, image, settings, profile):
        self._inputs = image.inputs
        self._outputs = image.outputs
        self._request = image.request
        self._protection = image.protection
        self._events = image.events
        self._settings = settings
        self._changed = -1
        nominal_mv = profile.nominal_mv
        self._nominal_uhz = profile.nominal_uhz
        self._sag_mv = nominal_mv * SAG_PERMILLE // 1000
        self._half_mv = nominal_mv * HALF_PERMILLE // 1000
        self._dead_mv = min(nominal_mv * DEAD_PERMILLE // 1000, deepest_mv(profile))
        self._configure(settings)
        self.detected = 0  # 1: loss of mains; ends with the export
        self.threshold_mhz = FULL_ANSWER_MHZ
        self.state = OFF
        self.probes = 0  # loud probes since boot
        self._ring = array("i", [0] * RING)
        self._at = 0
        self._last_mhz = 0
        self._slow = 0  # slow mean, mHz << SLOW_BITS
        self._wait_ms = 0
        self._chance = Chance(settings.device_id)
        # Push
        self._sign = 1
        self._since_ms = 0  # since the last flip
        self._span_ms = 0  # until the next, at the latest
        self._share = 0  # of the rating, permille: what a push is a share of
        self._push_var = 0
        self._feed_permille = 0
        # Quiet search
        self._base_mhz = 0
        self._based = 0
        self._doubt = 0  # thresholds << doubt, from fruitless probes
        self._calm_ms = 0
        # Loud probe
        self._low_mhz = 0  # turning point against the push, since the flip
        self._high_mhz = 0  # furthest with the push
        self._end_mhz = 0  # where the push before ended
        self._credit = 0
        self._unanswered = 0
        self._blip = 0
        self._suspect_ms = 0
        self._dead_ms = 0
        self._idle_ms = 0  # without export, in this probe
        self._probe_ms = 0

    def _configure(self, settings) -> None:
        self._changed = settings.changed
        rating_w = settings.export_rating_w
        self._enabled = 1 if settings.islanding_enable and rating_w else 0
        self._phases = settings.phases
        self._rating_w = rating_w if rating_w else 1
        self._most_var = rating_w * MOST_PERMILLE // 1000
        self._begin_w = -(rating_w * BEGIN_PERMILLE // 1000)
        self._end_w = -(rating_w * END_PERMILLE // 1000)
        self._quiet_permille = settings.islanding_perturb_permille
        self._probe_permille = settings.islanding_probe_permille
        self._gain = settings.islanding_gain_permille_hz
        self._half_ms = settings.islanding_half_ms

    def run(self) -> None:
        """Take this cycle's readings, judge them, and set the perturbation for the next."""
        inputs = self._inputs
        if self._settings.changed != self._changed:
            self._configure(self._settings)
        if not self.state:
            if inputs.grid_w < self._begin_w and self._may_ask():
                self._start(inputs.cycle_uhz // 1000)
        elif not self._outputs.contactor or not self._enabled or (inputs.grid_w > self._end_w and self._idle(inputs)):
            self._stop()
        elif (inputs.phase_mv[0] < self._half_mv or self._dead_ms) and self._sagging(inputs):
            return
        elif inputs.frequency_ok:
            self._listen(inputs.cycle_uhz // 1000, inputs.elapsed_ms)

    def _idle(self, inputs) -> int:
        """Return 1 when the export is over: at once when quiet; a probe goes on, an island's power may swing."""
        self._idle_ms += inputs.elapsed_ms
        return 1 if self.state == QUIET or self._idle_ms > IDLE_MS else 0

    def _may_ask(self) -> int:
        response_ms = self._inputs.inverter_var_response_ms
        if response_ms > SLOWEST_MS:  # its answer would come when the push is over
            self._protection.islanding_refused = REASON_NO_REACTIVE if response_ms >= NEVER_MS else REASON_TOO_SLOW
            return 0
        self._protection.islanding_refused = REASON_NONE
        return 1 if self._enabled and self._outputs.contactor and self._inputs.frequency_ok else 0

    def _listen(self, mhz: int, elapsed_ms: int) -> None:
        last = self._last_mhz
        self._last_mhz = mhz
        at = (self._at + 1) & 7
        self._at = at
        ring = self._ring
        ring[at] = mhz
        off = mhz - (self._slow >> SLOW_BITS)
        if not -SLOW_STEP_MHZ < off < SLOW_STEP_MHZ:
            self._slow += SLOW_STEP_MHZ if off > 0 else -SLOW_STEP_MHZ
        else:
            self._slow += off
        self._since_ms += elapsed_ms
        if self._suspect_ms > 0:
            self._suspect_ms -= elapsed_ms
        if self.state == QUIET:
            if self._doubt:
                self._calm(elapsed_ms)
            if off > FEED_STEP_MHZ or off < -FEED_STEP_MHZ or self._feed_permille:
                self._feed(off * self._gain // 1000)
            self._search(mhz, last, mhz - ring[(at + 2) & 7], elapsed_ms)
            return
        if not -BLIP_MHZ < mhz - last < BLIP_MHZ:
            self._blip = 1
        self._probe_ms += elapsed_ms
        if self._probe_ms > PROBING_MS:
            self._protection.probing = 0
        self._follow((mhz + last) >> 1)

    # --- start and stop ---

    def _start(self, mhz: int) -> None:
        for k in range(RING):
            self._ring[k] = mhz
        self._last_mhz = mhz
        self._slow = mhz << SLOW_BITS
        self._doubt = 0
        self._suspect_ms = 0
        self._dead_ms = 0
        self._feed_permille = 0
        self._rest(FILL * 10)

    def _stop(self) -> None:
        self.state = OFF
        self._protection.probing = 0
        self.detected = 0
        self._push_var = 0
        self._protection.perturb_var = 0
        self._protection.islanding_mhz = 0

    def _rest(self, wait_ms: int) -> None:
        """Go back to the quiet search; for wait_ms nothing is unusual."""
        self.state = QUIET
        self._protection.probing = 0
        self._since_ms = 0
        self._span_ms = wait_ms + self._half_ms
        self._wait_ms = wait_ms
        self._based = 0
        self._size(self._quiet_permille, QUIET_FLOOR_PERMILLE)

    def _sagging(self, inputs) -> int:
        """Return 1 when the bus is too low to ask; decide when an island breaks down or stays down."""
        mv = inputs.phase_mv[0]
        for phase in range(1, self._phases):
            if inputs.phase_mv[phase] > mv:
                mv = inputs.phase_mv[phase]
        if mv < self._half_mv and self._suspect_ms > 0:
            self.detected = 1
        if mv >= self._dead_mv:
            self._dead_ms = 0
            return 0
        self._dead_ms += inputs.elapsed_ms
        if self._dead_ms >= DEAD_MS:
            self.detected = 1
        self._feed_permille = 0
        self._rest(SETTLE_MS)
        self._push_var = 0
        self._protection.perturb_var = 0
        return 1

    # --- the push ---

    def _size(self, permille: int, floor: int) -> None:
        """Fix the size of the next push: a share of the present export, so that any island answers alike."""
        share = -self._inputs.grid_w * 1000 // self._rating_w
        share = clamp(share, floor, 1000)
        mv = self._inputs.phase_mv[0]
        if mv < self._sag_mv:
            ratio = mv * 1000 // self._sag_mv
            share = share * ratio // 1000 * ratio // 1000
        self._share = share
        self._push_var = permille * share // 1000 * self._rating_w // 1000
        self._send()

    def _send(self) -> None:
        feed_var = self._feed_permille * self._share // 1000 * self._rating_w // 1000
        want_var = self._request.want_var
        push_var = self._push_var
        most_var = self._most_var
        # Where there is no room on one side, move the whole square: half a square would be half a question.
        middle_var = clamp(want_var + feed_var, push_var - most_var, most_var - push_var)
        self._protection.perturb_var = (push_var if self._sign > 0 else -push_var) + middle_var - want_var

    def _flip(self) -> None:
        self._sign = -self._sign
        self._since_ms = 0

    # --- quiet search ---

    def _search(self, mhz: int, last: int, jump: int, elapsed_ms: int) -> None:
        if self._wait_ms > 0:
            self._wait_ms -= elapsed_ms
        elif not -JUMP_MHZ << self._doubt < jump < JUMP_MHZ << self._doubt:
            self._begin(1 if jump > 0 else -1, jump)
            return
        since_ms = self._since_ms
        if since_ms >= self._span_ms:
            self._flip()
            self._span_ms = self._half_ms - SPREAD_MS // 2 + self._chance.draw(SPREAD_MS + 1, self._inputs.cycle_uhz)
            self._based = 0
            self._size(self._quiet_permille, QUIET_FLOOR_PERMILLE)
        elif since_ms >= BASE_MS and self._wait_ms <= 0:
            mean = (mhz + last) >> 1
            if not self._based:
                self._based = 1
                self._base_mhz = mean
            elif since_ms >= ANSWER_MS:
                self._judge((mean - self._base_mhz) * self._sign)

    def _judge(self, answer: int) -> None:
        self._protection.islanding_mhz = answer
        if answer > QUIET_ANSWER_MHZ << (1 if self._doubt else 0):
            self._begin(self._sign, answer)

    def _calm(self, elapsed_ms: int) -> None:
        self._calm_ms -= elapsed_ms
        if self._calm_ms <= 0:
            self._doubt -= 1
            self._calm_ms = CALM_MS

    def _feed(self, feed: int) -> None:
        """Positive feedback, permille of rating, clipped and in steps."""
        if -FEED_STEP_PERMILLE < feed < FEED_STEP_PERMILLE:
            feed = 0
        elif -FEED_STEP_PERMILLE < feed - self._feed_permille < FEED_STEP_PERMILLE:
            return
        feed = clamp(feed, -FEED_MOST_PERMILLE, FEED_MOST_PERMILLE)
        if feed != self._feed_permille:
            self._feed_permille = feed
            self._send()

    # --- loud probe ---

    def _begin(self, sign: int, value_mhz: int) -> None:
        """Push the way the frequency goes: all units of one island then push together."""
        self.state = PROBE
        self._protection.probing = 1
        self._probe_ms = 0
        self._idle_ms = 0
        self.probes += 1
        self._events.emit(self._inputs.now_ms, EVENT_PICKUP, ELEMENT_ISLANDING, value_mhz)
        if sign * self._request.want_var > (self._most_var * 3) >> 2:
            sign = -sign  # no room that way
        self._sign = -sign
        self._credit = 0
        self._unanswered = 0
        self._suspect_ms = 0
        self._turn(self._last_mhz, LEG_MOST_MS)

    def _turn(self, mean: int, span_ms: int) -> None:
        """Start the next push, the other way."""
        self._flip()
        self._hold(mean)
        self._span_ms = span_ms
        self._size(self._probe_permille, PROBE_FLOOR_PERMILLE)

    def _hold(self, mean: int) -> None:
        """Measure from here."""
        self._since_ms = 0
        self._low_mhz = mean
        self._high_mhz = mean
        self._end_mhz = mean
        self._blip = 0

    def _follow(self, mean: int) -> None:
        since_ms = self._since_ms
        if since_ms <= DEAF_MS:
            self._low_mhz = mean
            self._high_mhz = mean
            return
        sign = self._sign
        answer = (mean - self._low_mhz) * sign
        against = (self._high_mhz - mean) * sign
        if since_ms >= LEG_LEAST_MS:
            if against >= FULL_ANSWER_MHZ:
                # Others push the other way and win: stay, and turn when they turn.
                self._credit = 0
                self._hold(mean)
                return
            if answer >= FULL_ANSWER_MHZ:
                self._answered(mean, answer)
                return
        if answer < 0:
            self._low_mhz = mean
        if against < 0:
            self._high_mhz = mean
        self._protection.islanding_mhz = answer
        if since_ms >= self._span_ms:
            self._late(mean, answer, against)

    def _answered(self, mean: int, answer: int) -> None:
        self._unanswered = 0
        self._give(BLIPPED if self._blip else FULL, answer)
        self._turn(mean, self._span_ms)

    def _late(self, mean: int, answer: int, against: int) -> None:
        """Time is up: a lasting move still counts a little; nothing at all, twice, is a grid."""
        lasting = (mean - self._end_mhz) * self._sign
        self._give(PART if lasting >= PART_ANSWER_MHZ and not self._blip else 0, lasting)
        self._unanswered = 0 if answer > ALIVE_MHZ or against > ALIVE_MHZ else self._unanswered + 1
        if self._unanswered < GIVE_UP:
            spread_ms = self._chance.draw(LEG_SPREAD_MS + 1, self._inputs.cycle_uhz)
            self._turn(mean, LEG_MOST_MS - LEG_SPREAD_MS // 2 + spread_ms)
            return
        self._events.emit(self._inputs.now_ms, EVENT_HOLD, ELEMENT_ISLANDING, answer)
        if self._doubt < 2:
            self._doubt += 1
        self._calm_ms = CALM_MS
        self._flip()
        self._rest(SETTLE_MS)

    def _give(self, credit: int, answer: int) -> None:
        self._protection.islanding_mhz = answer
        self._credit = self._credit + credit if credit else 0
        if self._credit >= SUSPECT:
            self._suspect_ms = SUSPECT_MS
        if self._credit >= ENOUGH:
            self.detected = 1
