# SPDX-License-Identifier: MIT
"""A trip's recording as a plot of text: a column each 100 ms, a band of lines each for voltage, frequency, power.

Below them a line each for the gate (up) and the elements (picked up), and the seconds from the trip.
"""

import asyncio
import struct

from evse.faults import ELEMENTS
from evse.tasks.recorder import FREQUENCY_ZERO_MHZ, MISSING, VOLTAGE_MV

COLUMN_ROWS = 10
LINES = 6
MARGIN = 12  # characters left of the plot

# name, unit, values of a row (phases, row) -> numbers, scale, zero, divisor, decimals, least span (noise is no event)
_BANDS = (
    ("V", "V", lambda phases, row: row[:phases], VOLTAGE_MV, 0, 1000, 1, 5000),
    ("f", "Hz", lambda phases, row: row[3 * phases : 3 * phases + 1], 1, FREQUENCY_ZERO_MHZ, 1000, 2, 100),
    ("P", "W", lambda phases, row: (sum(row[phases : 2 * phases]),), 1, 0, 1, 0, 100),
)
_NAME, _UNIT, _VALUES, _SCALE, _ZERO, _DIVISOR, _DECIMALS, _SPAN = range(8)


async def draw(session, recording, head) -> None:
    """Write the plot of the recording of `head`; ValueError when it is damaged."""
    phases = head["phases"]
    columns = -(-head["rows"] // COLUMN_ROWS)
    lows = [[None] * columns for _ in _BANDS]
    highs = [[None] * columns for _ in _BANDS]
    bits = [0] * columns
    picked = 0
    gate_ms = None
    layout = "<%dh" % (3 * phases + 3)
    for number, packed in enumerate(recording.rows(head)):
        row = struct.unpack(layout, packed)
        column = number // COLUMN_ROWS
        for band in range(len(_BANDS)):
            _take(_BANDS[band], phases, row, lows[band], highs[band], column)
        bits[column] |= (0 if row[-1] & 1 else 1) | row[-1] & 0xFFFE  # 1: the gate was down
        picked |= row[-1] & 0xFFFE
        if gate_ms is None and number >= head["trip_row"] and not row[-1] & 1:
            gate_ms = (number - head["trip_row"]) * head["period_ms"]
        await asyncio.sleep_ms(0)  # a row takes a ms or two on a board: the inverter's task must not wait for all
    trip_column = head["trip_row"] // COLUMN_ROWS
    for band in range(len(_BANDS)):
        await _band(session, _BANDS[band], lows[band], highs[band], trip_column)
    await session.line("%*s" % (MARGIN, "gate up ") + "".join(["." if bit & 1 else "#" for bit in bits]))
    await session.line("%*s" % (MARGIN, "picked up ") + "".join(["#" if bit & 0xFFFE else "." for bit in bits]))
    await session.line(_axis(columns, trip_column, COLUMN_ROWS * head["period_ms"]))
    names = [ELEMENTS[element][0] for element in range(1, 16) if picked >> element & 1]
    await session.line("picked up: %s" % (" ".join(names) or "none"))
    await session.line("gate down: %s" % ("no" if gate_ms is None else "%d ms after the trip" % gate_ms))


def _axis(columns: int, trip_column: int, column_ms: int) -> str:
    """Return the line of seconds from the trip."""
    axis = bytearray(b" " * (MARGIN + columns + 4))
    for second in range(-(trip_column * column_ms // 1000), (columns - 1 - trip_column) * column_ms // 1000 + 1):
        text = ("%+d s" % second if second else "^trip").encode()
        at = MARGIN + trip_column + second * 1000 // column_ms
        axis[at : at + len(text)] = text
    return bytes(axis).decode().rstrip()


def _take(band, phases, row, lows, highs, column) -> None:
    for value in band[_VALUES](phases, row):
        if value == MISSING:
            continue
        scaled = value * band[_SCALE] + band[_ZERO]
        lows[column] = scaled if lows[column] is None else min(lows[column], scaled)
        highs[column] = scaled if highs[column] is None else max(highs[column], scaled)


def _edge(value: int, band) -> str:
    """Return a bound of a band: 288480 of mV -> `288.4 V`."""
    divisor, decimals = band[_DIVISOR], band[_DECIMALS]
    if divisor == 1:
        return "%d %s" % (value, band[_UNIT])
    return "%d.%0*d %s" % (value // divisor, decimals, value % divisor * 10**decimals // divisor, band[_UNIT])


async def _band(session, band, lows, highs, trip_column) -> None:
    """Write one band: a mark where a column's values pass through a line's share of the range."""
    known = [value for value in lows + highs if value is not None]
    if not known:
        await session.line("%s  not measured" % band[_NAME])
        return
    low = min(known)
    missing = band[_SPAN] - (max(known) - low)
    if missing > 0:
        low -= missing // 2
    span = max(max(known) - low, band[_SPAN])
    for line in range(LINES - 1, -1, -1):
        bottom = low + span * line // LINES
        top = low + span * (line + 1) // LINES
        label = _edge(low if line == 0 else low + span, band) if line in (0, LINES - 1) else ""
        marks = "".join([_mark(lows[c], highs[c], bottom, top, line, c == trip_column) for c in range(len(lows))])
        await session.line("%s %9s %s" % (band[_NAME], label, marks.rstrip()))


def _mark(low, high, bottom, top, line, is_trip) -> str:
    if low is not None and low <= top and (high > bottom or line == 0 and high >= bottom):
        return "*"
    return "|" if is_trip else " "
