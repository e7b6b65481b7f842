# SPDX-License-Identifier: MIT
"""The generated pages say what the tables say."""

from __future__ import annotations

import json

from click.testing import CliRunner

from backfeed import points as pages
from backfeed.cli import main
from backfeed.tables import points


def test_generated_pages_are_current() -> None:
    assert pages.out_of_date() == [], "make docs"


def test_a_change_would_be_noticed(monkeypatch, tmp_path) -> None:
    stale = tmp_path / "points.md"
    stale.write_text(pages.points_page().replace("| V", "| W", 1) + " ")
    monkeypatch.setitem(pages.PAGES, "points", stale)
    assert pages.out_of_date() == [stale]


def test_every_point_is_on_the_page() -> None:
    page = pages.points_page()
    for row in points.POINTS:
        assert f"| `{row[points.NAME]}` |" in page


def test_points_are_listed_and_wrong_names_refused() -> None:
    found = CliRunner().invoke(main, ["points", "soc_floor", "--json"])
    assert found.exit_code == 0
    assert [row["name"] for row in json.loads(found.output)] == ["soc_floor_permille"]
    refused = CliRunner().invoke(main, ["points", "no_such_point"])
    assert refused.exit_code == 2 and "no_such_point" in refused.output
