# SPDX-License-Identifier: MIT
"""`backfeed profile`: what it prints, and that check can fail."""

from __future__ import annotations

import json

from click.testing import CliRunner

from backfeed.profile import profile
from evse.points import PROFILE_NAMES

BAD = """
TITLE, EDITION, CLEARING = "Bad", "1", 0
S = "s"
STAGES = (
    ("ov1", (262200, S, True), (1000, S, True)),
    ("uv1", (184000, S, True), (500, S, True)),
    ("of1", (52000000, S, True), (500, S, True)),
    ("uf1", (47500000, S, True), (%d, S, True)),
)
VALUES = {
    "nominal_mv": (230000, S, True), "nominal_uhz": (50000000, S, True),
    "enter_low_mv": (195500, S, True), "enter_high_mv": (253000, S, True),
    "enter_low_uhz": (49500000, S, True), "enter_high_uhz": (50200000, S, True),
    "enter_wait_ms": (60000, S, True), "first_wait_ms": (60000, S, True),
}
RANGES = {}
RIDE_THROUGH = (("v", 161000, 207000, 1500, "mandatory"), ("f", 47500000, 52000000, 1000, "mandatory"))
"""


def run(*arguments: str):
    return CliRunner().invoke(profile, list(arguments))


def test_list_names_every_profile_with_its_hash():
    rows = json.loads(run("list", "--json").stdout)
    assert [row["name"] for row in rows] == list(PROFILE_NAMES)
    text = run("list").stdout
    for row in rows:
        assert row["hash"] in text and len(row["hash"]) == 8


def test_show_gives_each_number_its_source_and_flag():
    text = run("show", "uk_g98").stdout
    line = next(line for line in text.splitlines() if line.strip().startswith("ov1.threshold"))
    assert "262200" in line and "G98" in line and "UNVERIFIED" in line
    shown = json.loads(run("show", "en50549_1", "--changes", "ov1.delay_ms=2500", "--json").stdout)
    assert shown["values"]["ov1.delay_ms"] == 2500


def test_diff_shows_what_differs_and_only_that():
    lines = run("diff", "ieee1547_cat_1", "ieee1547_cat_2").stdout.splitlines()
    assert any(line.split()[:3] == ["uv1.delay_ms", "2000", "10000"] for line in lines)
    assert not any(line.startswith("of1") for line in lines)
    assert "same numbers" in run("diff", "uk_g98", "uk_g99").stdout


def test_check_passes_what_is_delivered():
    result = run("check")
    assert result.exit_code == 0, result.output
    assert result.stdout.count(" ok") == len(PROFILE_NAMES)


def test_check_finds_a_stage_that_breaks_ride_through(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(BAD % 20000)
    result = run("check", "--file", str(file))
    assert result.exit_code == 1
    assert "uv1 acts after 500 ms" in result.stderr and "1500 ms" in result.stderr
    assert "uf1" not in result.stderr


def test_bad_input_is_one_line(tmp_path):
    file = tmp_path / "mine.py"
    for content, words in (
        (BAD % 2000000, ("uf1.delay_ms", "2000000", "0..1000000")),
        ("TITLE = (", ("mine.py",)),
        ("TITLE = 1", ("EDITION",)),
    ):
        file.write_text(content)
        result = run("check", "--file", str(file))
        assert result.exit_code == 2, content
        assert len(result.stderr.strip().splitlines()) == 1
        for word in words:
            assert word in result.stderr
    for arguments in (
        ("show", "nope"),
        ("show", "uk_g98", "--changes", "ov1.delay_ms=3"),
        ("check", "--file", "/no/file"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2 and len(result.stderr.strip().splitlines()) == 1
