# SPDX-License-Identifier: MIT
"""Runs first on every start: outputs safe, then watchdog on. Nothing that could fail stands before that."""

from board.pins import PINS

from evse.hal.safe_start import make_safe, start_watchdog

make_safe(PINS)
start_watchdog()
