# SPDX-License-Identifier: MIT
"""The firmware's tables of faults and points, read as data. The only firmware files the host tools ever load."""

from __future__ import annotations

import importlib.util
from typing import Any

from backfeed.checkout import FIRMWARE


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"backfeed._{name}", FIRMWARE / "evse" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


faults = _load("faults")
points = _load("points")
