# SPDX-License-Identifier: MIT
"""The board's one RS-485 line, which inverter and meter may share."""


def line_baud(settings) -> int:
    """Return its speed, Bd: the inverter's, or the meter's own where the inverter is not on it."""
    return settings.inverter_baud if settings.inverter_kind == "sunspec_rtu" else settings.meter_baud
