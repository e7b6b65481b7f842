# SPDX-License-Identifier: MIT
"""How late the cycle starts at worst while the whole firmware keeps the inverter's line full, on the virtual board."""

from __future__ import annotations

from backfeed.errors import PartError
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

BAUD = 9600  # the line is then full: commands and polls take all of it
CREEP_US = 20  # virtual time each look at the clock takes: what tasks do is not free
RUN_S = 30


def measure(_name: str) -> float:
    """Return the worst lateness of a cycle in us, as the firmware counts it."""
    with VirtualBoard(Station(baud=BAUD), board="virtual", creep_us=CREEP_US) as board:
        board.run(3)
        board.console.write(b"mode script\runlock installer\rset inverter_baud 9600\rreboot\r")
        board.run(RUN_S)
        board.console.write(b"mode script\rbringup inverter\rbringup gate\r")
        board.run(5)
        text = str(board.console.text)
    values = dict(line.strip().partition("=")[::2] for line in text.splitlines() if "=" in line)
    if int(values.get("transactions_in_1500_ms", "0")) < 8 or "late_worst" not in values:
        raise PartError(f"the line was not full: {text[-300:]}")
    return float(values["late_worst"].split()[0])
