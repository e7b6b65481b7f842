# SPDX-License-Identifier: MIT
"""The report's page: what is drawn can be read, no dip is lost, nothing in a text becomes markup."""

from __future__ import annotations

import json
import math
from pathlib import Path
from xml.etree import ElementTree

import pytest

from backfeed.report.figures import POINTS_MAX, figure, thin
from backfeed.report.model import Check, Note, Panel, Run, Trace
from backfeed.report.page import write_page
from backfeed.report.results import write_json, write_junit
from backfeed.tables import faults

LABEL_PX = 14  # of the font at the axes


def event(t_s: float, name: str) -> dict:
    return {"t_s": t_s, "event": name, "element": "", "phase": 0, "value": 0, "unit": ""}


@pytest.fixture
def run() -> Run:
    """A run of 100 s with two panels, three crowded notes and every event there is."""
    made = Run("made", "A run <b>", panels=[Panel("Grid voltage", "V", ("grid",)), Panel("Session", "", ("session",))])
    for name, unit, codes in (("grid", "V", ()), ("session", "", ("idle", "closed"))):
        trace = made.trace(name, unit, codes)
        for t_s in range(101):
            trace.add(float(t_s), float(t_s % 2))
    made.story = [Note(10.0, "one"), Note(11.0, "two </script>"), Note(11.5, "three"), Note(90.0, "four")]
    made.events = [event(5.0 + i, row[0] if isinstance(row, tuple) else row) for i, row in enumerate(faults.EVENTS)]
    made.checks = [
        Check("low", "Lowest", 3.0, "V", 2.0, 5.0),
        Check("none", "Never seen", None, "ms", why="never happened"),
    ]
    return made


def test_panels_stand_above_one_another_with_title_and_unit(run: Run) -> None:
    layout = figure(run)["layout"]
    domains = [layout[name]["domain"] for name in ("yaxis", "yaxis2", "yaxis3")]
    assert domains[0][1] == 1.0 and domains[-1][0] == 0.0
    for upper, lower in zip(domains, domains[1:], strict=False):
        assert upper[0] > lower[1]
    texts = [mark["text"] for mark in layout["annotations"]]
    assert "Grid voltage [V]" in texts and "Session" in texts and "Events" in texts
    assert layout["xaxis3"]["title"]["text"] == "time [s]"


def test_every_event_has_a_line_high_enough_for_its_name(run: Run) -> None:
    layout = figure(run)["layout"]
    names = layout["yaxis3"]["ticktext"]
    assert len(names) > 20
    low, high = layout["yaxis3"]["domain"]
    drawn_px = layout["height"] - layout["margin"]["t"] - layout["margin"]["b"]
    assert (high - low) * drawn_px / len(names) >= LABEL_PX


def test_crowded_numbers_of_the_story_do_not_cover_each_other(run: Run) -> None:
    marks = [mark for mark in figure(run)["layout"]["annotations"] if mark.get("hovertext")]
    assert [mark["text"] for mark in marks] == ["1", "2", "3", "4"]
    assert len({mark["yshift"] for mark in marks[:3]}) == 3
    assert marks[3]["yshift"] == marks[0]["yshift"]


def test_thinning_keeps_every_extreme_and_gap() -> None:
    trace = Trace("v", "V", [float(i) for i in range(50_000)], [230.0] * 50_000)
    trace.values[31_234], trace.values[40_001] = 3.0, 400.0
    t_s, values = thin(trace)
    assert len(values) <= POINTS_MAX
    assert (values[t_s.index(31_234.0)], values[t_s.index(40_001.0)]) == (3.0, 400.0)
    trace.values = [math.nan] * 50_000
    assert set(thin(trace)[1]) == {None}


def test_the_page_holds_text_as_text_and_loads_nothing(run: Run, tmp_path: Path) -> None:
    write_page(run, tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text()
    assert "<h1>A run &lt;b&gt;</h1>" in page
    assert "two </script>" not in page and "two &lt;/script&gt;" in page
    assert "<script src" not in page and "<link" not in page
    assert "1 of 2 checks do not hold." in page and "never happened" in page


def test_results_for_machines_carry_value_limit_and_margin(run: Run, tmp_path: Path) -> None:
    write_json(run, tmp_path / "r.json")
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["passed"] is False
    first, second = document["checks"]
    assert (first["value"], first["low"], first["high"], first["margin"], first["unit"]) == (3.0, 2.0, 5.0, 1.0, "V")
    assert (second["value"], second["passed"], second["why"]) == (None, False, "never happened")
    write_junit(run, tmp_path / "j.xml", 1.0)
    suite = ElementTree.parse(tmp_path / "j.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None] == ["none"]
