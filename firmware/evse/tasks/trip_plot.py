# SPDX-License-Identifier: MIT
"""A trip's recording as a plot of text: a column each 100 ms, a band of lines each for voltage, frequency, power."""

import struct

from evse.faults import ELEMENTS
from evse.tasks.recorder import FREQUENCY_ZERO_MHZ, MISSING, VOLTAGE_MV

COLUMN_ROWS = 10
LINES = 6

# name, unit, values of a row (phases, row) -> list of numbers, decimals
_BANDS = (
    ("V", "V", lambda phases, row: row[:phases], VOLTAGE_MV, 1000),
    ("f", "Hz", lambda phases, row: row[3 * phases : 3 * phases + 1], 1, 1000),
    ("P", "W", lambda phases, row: (sum(row[phases : 2 * phases]),), 1, 1),
)


async def draw(session, recording) -> None:
    """Write the plot; ValueError when the recording is damaged."""
    head = recording.head
    phases = head["phases"]
    columns = -(-head["rows"] // COLUMN_ROWS)
    lows = [[None] * columns for _ in _BANDS]
    highs = [[None] * columns for _ in _BANDS]
    picked = 0
    gate_ms = None
    layout = "<%dh" % (3 * phases + 3)
    for number, packed in enumerate(recording.rows()):
        row = struct.unpack(layout, packed)
        for band in range(len(_BANDS)):
            _take(_BANDS[band], phases, row, lows[band], highs[band], number // COLUMN_ROWS)
        picked |= row[-1] & 0xFFFE
        if gate_ms is None and number >= head["trip_row"] and not row[-1] & 1:
            gate_ms = (number - head["trip_row"]) * head["period_ms"]
    trip_column = head["trip_row"] // COLUMN_ROWS
    for band in range(len(_BANDS)):
        await _band(session, _BANDS[band], lows[band], highs[band], trip_column)
    await session.line(" " * (12 + trip_column) + "^ trip; a column is %d ms" % (COLUMN_ROWS * head["period_ms"]))
    names = [ELEMENTS[element][0] for element in range(1, 16) if picked >> element & 1]
    await session.line("picked up: %s" % (" ".join(names) or "none"))
    await session.line("gate down: %s" % ("no" if gate_ms is None else "%d ms after the trip" % gate_ms))


def _take(band, phases, row, lows, highs, column) -> None:
    for value in band[2](phases, row):
        if value == MISSING:
            continue
        scaled = value * band[3] + (FREQUENCY_ZERO_MHZ if band[0] == "f" else 0)
        lows[column] = scaled if lows[column] is None else min(lows[column], scaled)
        highs[column] = scaled if highs[column] is None else max(highs[column], scaled)


async def _band(session, band, lows, highs, trip_column) -> None:
    """Write one band: a mark where a column's values pass through a line's share of the range."""
    known = [value for value in lows + highs if value is not None]
    if not known:
        await session.line("%s: not measured" % band[0])
        return
    low = min(known)
    span = max(max(known) - low, LINES)
    for line in range(LINES - 1, -1, -1):
        bottom = low + span * line // LINES
        top = low + span * (line + 1) // LINES
        label = ""
        if line in (0, LINES - 1):
            edge = low if line == 0 else low + span
            label = "%.2f %s" % (edge / band[4], band[1]) if band[4] > 1 else "%d %s" % (edge, band[1])
        marks = "".join([_mark(lows[c], highs[c], bottom, top, line, c == trip_column) for c in range(len(lows))])
        await session.line("%s %9s %s" % (band[0], label, marks.rstrip()))


def _mark(low, high, bottom, top, line, is_trip) -> str:
    if low is not None and low <= top and (high > bottom or line == 0):
        return "*"
    return "|" if is_trip else " "
