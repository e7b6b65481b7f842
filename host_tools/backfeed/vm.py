# SPDX-License-Identifier: MIT
"""Find the MicroPython unix VM: $MICROPYTHON where set, else the one pip put beside this Python."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from backfeed.errors import PartError


def unix_vm() -> list[str]:
    """Return the command that starts the MicroPython unix VM."""
    override = os.environ.get("MICROPYTHON")
    if override:
        path = shutil.which(override)
        if path is None:
            raise PartError(f"MICROPYTHON={override} is not a program; unset it or give the path of a unix VM.")
        return [path]
    installed = shutil.which("micropython", path=str(Path(sys.executable).parent))
    if installed is None:
        raise PartError("no MicroPython VM: run `make setup`, or set MICROPYTHON to the path of a unix VM.")
    return [installed]
