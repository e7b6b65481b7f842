# SPDX-License-Identifier: MIT
"""Run the stores on an FRAM with a disturbed I2C in virtual time (the faults are on the board: vm/memory.py)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests" / "bus"), str(ROOT / "tests" / "boards"), str(ROOT)]

from tiny import TinyPlant  # noqa: E402

from campaign import follow  # noqa: E402
from hil.virtual_board import VirtualBoard  # noqa: E402


def run(seconds: int, seed: int) -> dict:
    """Run `seconds` of virtual time; return what the board reports."""
    plant = TinyPlant()
    with VirtualBoard(
        plant, board="esp32s3_ref", entry=HERE / "vm" / "memory.py", arguments=(str(seconds), str(seed))
    ) as board:
        return json.loads(follow(board, seconds, []))


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2])), indent=1))
