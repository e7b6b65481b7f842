# SPDX-License-Identifier: MIT
"""The board's wiring on the virtual board: its own pins.py, read as data."""

import os

_space = {}
with open(os.getenv("VB_PINS")) as _file:
    exec(_file.read(), _space)

BOARD = _space["BOARD"]
PINS = _space["PINS"]
BUSES = _space["BUSES"]
PORT = BOARD["port"]
SIGNAL_OF = {}
for _name in PINS:
    SIGNAL_OF[PINS[_name]] = _name
