# SPDX-License-Identifier: MIT
"""The virtual board: real firmware, real MicroPython, simulated pins and time."""

from hil.virtual_board.board import VirtualBoard
from hil.virtual_board.errors import BoardDied, BoardHung, BrokerLost, PlantFailed, VirtualBoardError

__all__ = ["BoardDied", "BoardHung", "BrokerLost", "PlantFailed", "VirtualBoard", "VirtualBoardError"]
