# SPDX-License-Identifier: MIT
"""A virtual board's console, as a test types on it in virtual time."""

from __future__ import annotations

from hil.virtual_board import VirtualBoard


def ask(board: VirtualBoard, line: str, wait_s: float = 0.5) -> str:
    """Type a line; return what the console has shown for it after wait_s."""
    before = len(board.console.text)
    board.console_write(line + "\r")
    board.run(wait_s)
    return str(board.console.text[before:])
