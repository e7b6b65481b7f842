# SPDX-License-Identifier: MIT
"""Proximity: what the cable may carry, from its coding resistor.

Every cycle, after Feedback. Three families (setting `cable_family`): "tethered" has no coding and
takes `cable_ma`; "iec" (IEC 61851-1, type 2 socket) reads the resistor; "j1772" reads whether the
connector is latched and takes `cable_ma`. Writes inputs.cable_ma (0 = no current) and the cause
of FAULT_PROXIMITY, only while a vehicle is plugged in: an empty socket is no fault.

The board says how it measures: `proximity_supply_mv` through `proximity_pullup_ohm`.
"""

from evse.faults import FAULT_PROXIMITY, PILOT_B, PILOT_D

DEBOUNCE_MS = 50

# Coding resistor, ohm: at least, below, cable current mA. Nominal 100, 220, 680, 1500 ohm.
IEC = ((75, 150, 63000), (150, 330, 32000), (330, 1000, 20000), (1000, 2700, 13000))
# SAE J1772: 150 ohm latched, 480 ohm with the latch pressed: no current. -1 stands for cable_ma.
J1772 = ((100, 250, -1), (330, 700, 0))


def thresholds(table, supply_mv: int, pullup_ohm: int):
    """Return rows (at least mV, below mV, mA) of a resistor table seen through the pull-up."""
    return tuple(
        (supply_mv * low // (low + pullup_ohm), supply_mv * high // (high + pullup_ohm), current_ma)
        for low, high, current_ma in table
    )


class Proximity:
    """The cable's rating, debounced."""

    def __init__(self, image, settings, profile, board):
        self._inputs = image.inputs
        self._cause = image.status.cause
        self._settings = settings
        self._pins = board.inputs
        supply_mv = getattr(board, "proximity_supply_mv", 3300)
        pullup_ohm = getattr(board, "proximity_pullup_ohm", 1000)
        self._iec = thresholds(IEC, supply_mv, pullup_ohm)
        self._j1772 = thresholds(J1772, supply_mv, pullup_ohm)
        self._table = ()
        self._coded = 0
        self._changed = -1
        self._row = -1  # of the table, believed; -1 = none matches
        self._candidate = -1
        self._candidate_ms = 0

    def run(self) -> None:
        """Look the cable up."""
        if self._settings.changed != self._changed:
            self._configure()
        if not self._coded:
            self._inputs.cable_ma = self._settings.cable_ma
            return
        self._debounce(self._find(self._pins.proximity_mv))
        plugged = PILOT_B <= self._inputs.pilot_state <= PILOT_D
        current_ma = 0
        if self._row >= 0:
            current_ma = self._table[self._row][2]
            if current_ma < 0:
                current_ma = self._settings.cable_ma
        self._inputs.cable_ma = current_ma
        self._cause[FAULT_PROXIMITY] = 1 if plugged and self._row < 0 and self._candidate < 0 else 0

    def _configure(self) -> None:
        settings = self._settings
        self._changed = settings.changed
        self._coded = 0 if settings.cable_family == "tethered" else 1
        self._table = self._j1772 if settings.cable_family == "j1772" else self._iec
        self._row = -1
        self._candidate = -1
        if not self._coded:
            self._cause[FAULT_PROXIMITY] = 0

    def _find(self, proximity_mv: int) -> int:
        table = self._table
        for i in range(len(table)):
            if table[i][0] <= proximity_mv < table[i][1]:
                return i
        return -1

    def _debounce(self, row: int) -> None:
        if row != self._candidate:
            self._candidate = row
            self._candidate_ms = 0
        elif self._candidate_ms < DEBOUNCE_MS:
            self._candidate_ms += self._inputs.elapsed_ms
        if self._candidate_ms >= DEBOUNCE_MS:
            self._row = row
