# SPDX-License-Identifier: MIT
"""The accuracy that the bench reports: within the limits, and never better than the Cramer-Rao bound of its window."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "core"))

import rocof_study  # noqa: E402


def test_figures_hold_and_are_not_below_their_bounds() -> None:
    found = rocof_study.figures(3)
    assert found["samples"] > 4000
    assert found["rocof_bound_mhz_s"] <= found["rocof_error_rms_mhz_s"] <= 2.5 * found["rocof_bound_mhz_s"]
    assert found["rocof_error_rms_mhz_s"] < found["rocof_error_max_mhz_s"] < 50
    assert found["freq_bound_mhz"] <= found["freq_rms_error_mhz"] < 10
