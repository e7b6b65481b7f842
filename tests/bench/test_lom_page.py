# SPDX-License-Identifier: MIT
"""The loss-of-mains page says first whether it holds, and shows what is missed."""

from __future__ import annotations

import math
from pathlib import Path

from backfeed.bench import lom_page
from backfeed.bench.lom_measure import Lom, Row, Stability


def measured(worst_ms: float, missed: int, false: list[str]) -> Lom:
    """Return a measurement of two grid codes."""
    lom = Lom()
    for profile in ("uk_g98", "denmark"):
        for method, lost in (("active", missed), ("both", 0), ("passive", 40)):
            lom.rows.append(Row(profile, "62116 A", method, 47, lost, 230.0, worst_ms, "P 100%, dP +0%"))
    lom.rows.append(Row("uk_g98", "ten units, all off", "active", 24, 0, 234.0, 1268.0, "P 33%"))
    lom.stable.append(Stability("quiet, SCR 2", 3, false, 1.5))
    lom.maps = {"active": {(0.0, 0.0): 230.0, (0.1, 0.0): 240.0}, "passive": {(0.0, 0.0): math.inf, (0.1, 0.0): 300.0}}
    return lom


def test_it_begins_with_the_verdict(tmp_path: Path) -> None:
    lom_page.write(measured(410.0, 0, []), tmp_path / "good.html")
    page = (tmp_path / "good.html").read_text()
    assert "<p class='good'><b>118 of 118 islands ended within 2 s" in page
    assert "the longest of IEC 62116 took 410 ms; 0 false decisions in 3 trials" in page
    assert page.index("118 of 118") < page.index("IEC 62116 A, B and C by grid code") and "http" not in page


def test_what_is_missed_or_false_is_said_and_named(tmp_path: Path) -> None:
    lom_page.write(measured(math.inf, 2, ["jump +50 deg, SCR 2"]), tmp_path / "bad.html")
    page = (tmp_path / "bad.html").read_text()
    assert "<p class='bad'><b>114 of 118 islands" in page and "took &gt; 2500 ms" in page
    assert "1 false decisions in 3 trials" in page and "jump +50 deg, SCR 2" in page
