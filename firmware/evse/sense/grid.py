# SPDX-License-Identifier: MIT
"""Grid voltages, powers, frequency and ROCOF from the AFE, with plausibility and age. Rate: each cycle.

Reads: board.afe. Writes: the grid part of inputs; FAULT_AFE_STALE, FAULT_AFE_IMPLAUSIBLE.
The AFE is believed while it refreshes, its checks pass and its values are possible. Two bad readings are
bridged; at the third afe_ok is 0, so that a 20 ms contactor still ends export within 60 ms. A frequency is
believed only on a live phase: a dead bus that reports 47 Hz is dead.
"""

from evse.faults import FAULT_AFE_IMPLAUSIBLE, FAULT_AFE_STALE
from evse.fixed import age, later, line_period_to_uhz
from evse.image import NEVER_MS
from evse.sense.frequency import Frequency

STALE_MS = 25  # two readings; the front end refreshes every 8 to 11 ms
HIGHEST_MV = 500000  # above the AFE's full scale: not a voltage
HIGHEST_MA = 500000
HIGHEST_W = 300000
SLOWEST_COUNTS = 13107199  # 40 Hz
FASTEST_COUNTS = 7489828  # 70 Hz
REVIVE_MS = 150  # a bus that came back may take this long to show line periods


class Grid:
    """Fills the grid part of the image."""

    def __init__(self, image, settings, profile, board):
        self._inputs = image.inputs
        self._fault = image.status.fault
        self._afe = board.afe
        self._phases = settings.phases
        self._live_mv = profile.nominal_mv // 5
        self._frequency = Frequency(image.inputs, profile.nominal_uhz)
        self._chosen = 0  # phase whose frequency is used
        self._sequence = -1
        self._good_ms = 0
        self._ever = 0
        self._odd = 0  # 1: the last bad reading was implausible, not missing
        self._period_ms = 0  # when a possible line period was last seen; after a revival, in the future
        self._blind = 0  # 1: the bus is live and shows no possible line period
        self._counts = [0, 0, 0]

    def run(self) -> None:
        """Read the AFE once and judge it."""
        inputs = self._inputs
        afe = self._afe
        now_ms = inputs.now_ms
        afe.read()
        if afe.ok and self._fresh(afe):
            if self._plausible(afe):
                self._sequence = afe.sequence
                self._good_ms = now_ms
                self._ever = 1
                self._copy(inputs, afe)
            else:
                self._odd = 1
        age_ms = age(now_ms, self._good_ms) if self._ever else NEVER_MS
        inputs.afe_age_ms = age_ms
        if age_ms > STALE_MS:
            self._ever = 0  # an age must not wrap round to fresh
            self._refuse(inputs, self._odd)
        elif self._blind:
            self._refuse(inputs, 1)
        elif not inputs.afe_ok:
            self._believe(inputs, now_ms)

    def _fresh(self, afe) -> int:
        if afe.sequence != self._sequence:
            return 1
        # Nothing moves on a dead bus. Reading it as dead permits nothing, so it need not count as frozen.
        mv = afe.phase_mv
        for phase in range(self._phases):
            if mv[phase] >= self._live_mv:
                return 0
        return 1

    def _plausible(self, afe) -> int:
        for phase in range(self._phases):
            if not 0 <= afe.phase_mv[phase] <= HIGHEST_MV or not 0 <= afe.phase_ma[phase] <= HIGHEST_MA:
                return 0
            if not -HIGHEST_W <= afe.phase_w[phase] <= HIGHEST_W:
                return 0
            if not -HIGHEST_W <= afe.phase_var[phase] <= HIGHEST_W:
                return 0
        return 1

    def _copy(self, inputs, afe) -> None:
        best = 0
        for phase in range(self._phases):
            inputs.phase_mv[phase] = afe.phase_mv[phase]
            inputs.phase_ma[phase] = afe.phase_ma[phase]
            inputs.phase_w[phase] = afe.phase_w[phase]
            inputs.phase_var[phase] = afe.phase_var[phase]
            if afe.phase_mv[phase] > afe.phase_mv[best]:
                best = phase
        inputs.grid_w = sum(inputs.phase_w)  # of a phase that is not used: 0
        inputs.grid_var = sum(inputs.phase_var)
        if afe.phase_mv[best] < self._live_mv:
            self._dead(inputs)
        else:
            self._live(inputs, afe, best)

    def _dead(self, inputs) -> None:
        self._period_ms = later(inputs.now_ms, REVIVE_MS)
        self._blind = 0
        if inputs.voltage_live or inputs.frequency_ok:
            inputs.voltage_live = 0
            self._frequency.lose()

    def _live(self, inputs, afe, best: int) -> None:
        now_ms = inputs.now_ms
        inputs.voltage_live = 1
        chosen = self._chosen
        # Stay with a phase while it is nearly as good as the best, so that the windows see one signal.
        if chosen != best and inputs.phase_mv[chosen] * 5 < inputs.phase_mv[best] * 4:
            chosen = best
            self._chosen = chosen
        counts = afe.phase_period[chosen]
        if FASTEST_COUNTS <= counts <= SLOWEST_COUNTS:
            self._blind = 0
            if age(now_ms, self._period_ms) >= 0:
                self._period_ms = now_ms
            self._frequency.update(counts, now_ms)
        elif age(now_ms, self._period_ms) > STALE_MS:
            self._blind = 1
            self._frequency.lose()
        if self._phases > 1:
            self._each(inputs, afe)

    def _each(self, inputs, afe) -> None:
        for phase in range(self._phases):
            counts = afe.phase_period[phase] if inputs.phase_mv[phase] >= self._live_mv else 0
            if counts != self._counts[phase]:
                self._counts[phase] = counts
                inputs.phase_uhz[phase] = line_period_to_uhz(counts)

    def _refuse(self, inputs, odd: int) -> None:
        if inputs.afe_ok:
            inputs.afe_ok = 0
            inputs.voltage_live = 0
            self._frequency.lose()
        self._fault[FAULT_AFE_IMPLAUSIBLE] = odd
        self._fault[FAULT_AFE_STALE] = 1 - odd

    def _believe(self, inputs, now_ms: int) -> None:
        inputs.afe_ok = 1
        self._odd = 0
        self._period_ms = later(now_ms, REVIVE_MS)
        self._fault[FAULT_AFE_IMPLAUSIBLE] = 0
        self._fault[FAULT_AFE_STALE] = 0
