# SPDX-License-Identifier: MIT
"""The one decorator of all compiled plant code, and where the compiled code is kept.

Numba keys its cache on the file of the *calling* function only, so a change in a callee would run
stale machine code. The cache folder is therefore named after the content of every file that holds
compiled code.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numba

_HERE = Path(__file__).parent
COMPILED_FILES = (
    "compiled.py",
    "state.py",
    "arithmetic.py",
    "source_core.py",
    "inverter_core.py",
    "afe_core.py",
    "switch_core.py",
    "vehicle_core.py",
    "afe.py",
    "kernel.py",
    "modbus_server.py",
    "../virtual_board/parts/ade9000_core.py",
)


def _digest() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for name in COMPILED_FILES:
        digest.update((_HERE / name).read_bytes())
    return digest.hexdigest()[:12]


def _cache_folder() -> str:
    chosen = os.environ.get("BACKFEED_NUMBA_CACHE")
    base = Path(chosen) if chosen else _HERE.parents[1] / "build" / "numba"
    folder = base / _digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"backfeed-numba-{os.getuid()}" / _digest()
        folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


vars(numba.config)["CACHE_DIR"] = _cache_folder()

# error_model numpy: a division by zero gives inf as in hardware, instead of a check per division.
# Fast maths only as far as infinities and NaN keep their meaning.
_FAST = {"contract", "nsz", "arcp", "reassoc"}
compiled = numba.njit(cache=True, error_model="numpy", nogil=True, fastmath=_FAST)
# For the parts of one step: pasted into the caller, so that one step is one straight run. A call would
# count references of every array it is handed, which doubles the cost of a step.
pasted = numba.njit(cache=True, error_model="numpy", fastmath=_FAST, inline="always")
