# SPDX-License-Identifier: MIT
"""Size of the compiled firmware."""

from __future__ import annotations

from backfeed.checkout import FIRMWARE
from backfeed.firmware_build import compile_tree


def measure(_name: str) -> float:
    """Return the KiB of firmware/ as compiled for the ESP32-S3."""
    return sum(len(file.content) for file in compile_tree(FIRMWARE, "", "xtensawin")) / 1024
