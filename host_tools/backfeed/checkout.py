# SPDX-License-Identifier: MIT
"""Where the parts of this checkout are. The tools work on a checkout: firmware is source, not a package."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
BOARDS = ROOT / "boards"
HIL = ROOT / "hil"
BUILD = ROOT / "build"
