# SPDX-License-Identifier: MIT
"""24 virtual hours of ordinary days (with BACKFEED_DAY=1); always: that its files hold and what is wrong is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backfeed.errors import InputError
from hil.campaign.day import HALVES, half, load, run_day

SHORT = """
begin = "2026-10-24T15:00:00Z"
hours = 0.01
[settings]
import_rating_w = 7360
[[step]]
utc = "24T15:00:10"
do = "plug"
[[expect]]
utc = "24T15:00:20"
signal = "contactor"
low = 0
high = 0
text = "open while it waits"
[[expect]]
utc = "24T15:00:30"
signal = "soc"
low = 90
high = 100
text = "full"
"""


def test_the_halves_are_24_hours():
    parts = [half(name) for name in HALVES]
    assert sum(part.hours for part in parts) == 24
    for part in parts:
        assert part.rows[-1][0] < part.hours * 3600
        assert sum("signal" in row for _, row in part.rows) >= 4


def test_what_is_not_true_is_found(tmp_path: Path):
    path = tmp_path / "short.toml"
    path.write_text(SHORT)
    result = run_day(load(path))
    assert result.expectations == 2 and not result.violations
    assert result.failed == ["full: soc is 60.0, 90..100 wanted"] and not result.passed


def test_a_day_ends_though_its_length_in_us_is_broken(tmp_path: Path):
    """8.8 h are 31680.000000000004 s: what is left of a day must not become a step that is too short to be taken."""
    hours = 0.0105
    assert hours * 3600 * 1e6 > round(hours * 3600 * 1e6)
    path = tmp_path / "broken.toml"
    path.write_text(SHORT.replace("0.01", str(hours)))
    assert run_day(load(path)).expectations == 2


def test_a_wrong_word_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "wrong.toml"
    path.write_text(SHORT.replace('"plug"', '"plugg"'))
    with pytest.raises(InputError, match="24T15:00:10: utc and do are needed"):
        load(path)


@pytest.mark.skipif("BACKFEED_DAY" not in os.environ, reason="24 virtual hours; BACKFEED_DAY=1 runs them")
@pytest.mark.parametrize("name", HALVES)
def test_ordinary_days(name: str):
    result = run_day(half(name))
    assert result.passed, (result.failed, result.violations)
