# SPDX-License-Identifier: MIT
"""Trip recorder: keeps the grid's last seconds, a row each cycle: 2 s before and 3 s after a trip.

Stands between ticker and cycle: `run` is what the ticker calls. It writes its row after the cycle is done and the
gate's edge is made, allocates nothing and touches only its own memory. The records task takes a full recording away.
"""

from array import array

PERIOD_MS = 10
BEFORE = 200  # rows up to and with the trip
AFTER = 300
ROWS = BEFORE + AFTER
MISSING = -32768  # COMTRADE's mark for a value that is not there
VOLTAGE_MV = 20  # a count
FREQUENCY_ZERO_MHZ = 50000  # frequency is kept as mHz from here
_MOST = 32767
QUIET = bytes(16)


class Recorder:
    """A ring of ROWS rows of signed 16 bits: V[], P[], Q[], frequency, ROCOF, bits (0: gate up, n: element n).

    scan: the cycle's run. full: 1 = a recording is complete and stands still until `restart`.
    """

    def __init__(self, image, phases: int, scan):
        self.phases = phases
        self.stride = 3 * phases + 3
        self.rows = array("h", bytes(2 * self.stride * ROWS))
        self.full = 0
        self.count = 0  # rows that hold something
        self.at = 0  # where the next row goes; the oldest row once count is ROWS
        self.element = 0
        self._left = 0
        self._trips = 0
        self._size = self.stride * ROWS
        self._inputs = image.inputs
        self._protection = image.protection
        self._active = image.protection.element_active
        self._scan = scan

    def run(self, timer=None) -> None:
        """Run one scan, then keep its row."""
        self._scan(timer)
        if self.full:
            return
        self._row()
        at = self.at + self.stride
        self.at = at if at < self._size else 0
        if self.count < ROWS:
            self.count += 1
        if self._left:
            self._left -= 1
            if not self._left:
                self.full = 1
        elif self._protection.trips != self._trips:
            self._trips = self._protection.trips
            self.element = self._protection.trip_element
            self._left = AFTER

    def _row(self) -> None:
        inputs = self._inputs
        rows = self.rows
        for phase in range(self.phases):
            self._phase(phase)
        at = self.at + 3 * self.phases
        value = inputs.frequency_uhz // 1000 - FREQUENCY_ZERO_MHZ
        rows[at] = value if inputs.frequency_ok and -_MOST < value < _MOST else MISSING
        value = inputs.rocof_mhz_s
        rows[at + 1] = value if inputs.rocof_ok and -_MOST < value < _MOST else MISSING
        rows[at + 2] = inputs.gate_up if self._active == QUIET else self._bits()

    def _phase(self, phase: int) -> None:
        inputs = self._inputs
        rows = self.rows
        at = self.at + phase
        value = inputs.phase_mv[phase] // VOLTAGE_MV
        rows[at] = value if value < _MOST else _MOST
        at += self.phases
        value = inputs.phase_w[phase]
        rows[at] = value if -_MOST < value < _MOST else _MOST
        at += self.phases
        value = inputs.phase_var[phase]
        rows[at] = value if -_MOST < value < _MOST else _MOST

    def _bits(self) -> int:
        bits = self._inputs.gate_up
        active = self._active
        for element in range(1, 15):
            if active[element]:
                bits |= 1 << element
        if active[15]:
            bits -= 32768
        return bits

    def trip_row(self) -> int:
        """Return which row of a full recording is the trip's, counted from its first."""
        return self.count - AFTER - 1

    def pieces(self, piece_rows: int):
        """Yield a full recording as bytes of at most piece_rows rows, oldest first."""
        view = memoryview(self.rows)
        first = self.at if self.count == ROWS else 0
        step = piece_rows * self.stride
        for start, end in ((first, self.count * self.stride), (0, first)):
            for begin in range(start, end, step):
                yield bytes(view[begin : min(begin + step, end)])

    def restart(self) -> None:
        """Go on recording from an empty ring."""
        self.count = 0
        self.at = 0
        self._trips = self._protection.trips
        self.full = 0
