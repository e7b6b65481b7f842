# SPDX-License-Identifier: MIT
"""Active anti-islanding: ask the grid with a little reactive power and judge its answer. Rate: each cycle.

Reads: inputs (grid_w, phase_mv, cycle_uhz), outputs.contactor, request.want_var. Writes: protection.perturb_var
(+ absorbs, added to the reactive command), islanding_mhz and probing, and `detected`, which Protect turns into a trip.

An island answers +Q with +f and keeps the answer; a grid answers with a short blip at most. The quiet search
(quiet.py) looks for an answer; an unusual step or an answer starts a loud probe (probe.py), which decides. Both ask
with push.py. Here: when to ask at all, the frequency's recent course, and a bus that breaks down. The equations, the
reasons for each number and what was measured are in docs/loss-of-mains.md.
"""

from evse.faults import REASON_NO_REACTIVE, REASON_NONE, REASON_TOO_SLOW
from evse.image import NEVER_MS
from evse.protect.chance import Chance
from evse.protect.islanding.course import Course
from evse.protect.islanding.probe import ENOUGH, FULL_ANSWER_MHZ, Probe
from evse.protect.islanding.push import Push
from evse.protect.islanding.quiet import Quiet
from evse.protect.stage import deepest_mv
from evse.reactive import SLOWEST_MS

OFF, QUIET, PROBE = 0, 1, 2

# Export, permille of the rating: begin above, end below. A load alone cannot hold an island.
BEGIN_PERMILLE, END_PERMILLE = 10, 5
HALF_PERMILLE = 500  # of nominal: a fall below it that follows answers is an island breaking down
DEAD_PERMILLE = 350  # of nominal, and below the code's deepest stage: nothing to ask
DEAD_MS = 1050  # an export into such a bus ends; codes ask to ride through at most 1 s of it
IDLE_MS = 300  # a probe goes on without export for so long

FILL_MS = 200  # to wait after a start
SETTLE_MS = 150  # after a probe: its own last step is not unusual


class Islanding:
    """One detector for the whole connection, whatever the number of phases."""

    def __init__(self, image, settings, profile):
        self._inputs = image.inputs
        self._outputs = image.outputs
        self._protection = image.protection
        self._settings = settings
        nominal_mv = profile.nominal_mv
        self._half_mv = nominal_mv * HALF_PERMILLE // 1000
        self._dead_mv = min(nominal_mv * DEAD_PERMILLE // 1000, deepest_mv(profile))
        chance = Chance(settings.device_id)
        self._course = Course()
        self._push = Push(image, profile)
        self._quiet = Quiet(image, self._course, self._push, chance)
        self._probe = Probe(image, self._course, self._push, chance)
        self._configure(settings)
        self.detected = 0  # 1: loss of mains; ends with the export
        self.threshold_mhz = FULL_ANSWER_MHZ
        self.state = OFF
        self._dead_ms = 0
        self._idle_ms = 0  # without export, in this probe

    @property
    def probes(self) -> int:
        """Loud probes since boot."""
        return self._probe.count

    def _configure(self, settings) -> None:
        self._changed = settings.changed
        rating_w = settings.export_rating_w
        self._enabled = 1 if settings.islanding_enable and rating_w else 0
        self._phases = settings.phases
        self._begin_w = -(rating_w * BEGIN_PERMILLE // 1000)
        self._end_w = -(rating_w * END_PERMILLE // 1000)
        self._push.configure(settings)
        self._quiet.configure(settings)
        self._probe.configure(settings)

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
            self._rest(SETTLE_MS)
            self._push.end()
        elif inputs.frequency_ok:
            self._course.take(inputs.cycle_uhz // 1000)
            self._listen(inputs.elapsed_ms)

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

    def _start(self, mhz: int) -> None:
        self._course.start(mhz)
        self._probe.suspect_ms = 0
        self._dead_ms = 0
        self._quiet.start()
        self._rest(FILL_MS)

    def _stop(self) -> None:
        self.state = OFF
        self._protection.probing = 0
        self.detected = 0
        self._push.end()
        self._protection.islanding_mhz = 0

    def _rest(self, wait_ms: int) -> None:
        """Go (back) to the quiet search; for wait_ms nothing is unusual."""
        self.state = QUIET
        self._protection.probing = 0
        self._quiet.rest(wait_ms)

    def _listen(self, elapsed_ms: int) -> None:
        probe = self._probe
        if probe.suspect_ms > 0:
            probe.suspect_ms -= elapsed_ms
        if self.state == QUIET:
            way = self._quiet.run(elapsed_ms)
            if way:
                self.state = PROBE
                self._idle_ms = 0
                probe.begin(way, self._quiet.value_mhz)
            return
        over = probe.run(elapsed_ms)
        if probe.credit >= ENOUGH:
            self.detected = 1
        if over:
            self._quiet.doubt()
            self._push.flip()
            self._rest(SETTLE_MS)

    def _sagging(self, inputs) -> int:
        """Return 1 when the bus is too low to ask; decide when an island breaks down or stays down."""
        mv = inputs.phase_mv[0]
        for phase in range(1, self._phases):
            mv = max(mv, inputs.phase_mv[phase])
        if mv < self._half_mv and self._probe.suspect_ms > 0:
            self.detected = 1
        if mv >= self._dead_mv:
            self._dead_ms = 0
            return 0
        self._dead_ms += inputs.elapsed_ms
        if self._dead_ms >= DEAD_MS:
            self.detected = 1
        return 1
