# SPDX-License-Identifier: MIT
"""The command line as a newcomer meets it: help with examples, and one line with code 2 for what is wrong."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from backfeed.checkout import ROOT
from backfeed.cli import COMMANDS, main

GROUPS = {"profile": ("list", "show", "diff", "check"), "settings": ("export", "diff", "import")}


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_the_contents_say_what_each_command_does_without_being_cut() -> None:
    shown = run("--help").output
    for name in COMMANDS:
        line = re.search(rf"^  {name} +(.+)$", shown, re.MULTILINE)
        assert line, name
        assert name == "evidence" or not line[1].endswith("..."), line[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example(name: str) -> None:
    shown = run(name, "--help")
    assert shown.exit_code == 0
    assert re.search(rf"^  backfeed {name}", shown.output, re.MULTILINE), shown.output
    for command in GROUPS.get(name, ()):
        assert f"  {command}" in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_code_2(name: str) -> None:
    refused = run(name, GROUPS.get(name, ("PORT",))[0], "--nonsense=1")
    assert refused.exit_code == 2
    reason = "no such device" if name == "console" else "No such option"  # the console's words go to the board
    assert reason in refused.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("settings", "import", "{json}", "/dev/null"), "FILE /dev/null: a device; the order is"),
        (("settings", "diff", "absent.json"), "FILE absent.json: no such file"),
        (("settings", "export", "{json}"), "not a serial device"),
        (("bringup", "meter"), "PORT is missing: meter is a part; give a device first"),
        (("bringup", "/dev/null", "meter", "--charge", "5"), "300<=x<=3000"),
        (("bench", "nonsense"), "`backfeed bench --list` names them all"),
        (("campaign", "--cases", "{binary}"), "not TOML"),
        (("demo", "--scenario", "{binary}"), "not TOML"),
        (("replay", "{binary}"), "no text; save it as CSV"),
        (("profile", "check", "--file", "{python}"), "every profile has TITLE"),
        (("points", "no_such_point"), "no point has it in its name"),
        (("flash", "/dev/no_such_port", "--board", "virtual"), "no such device"),
        (("sim", "--board", "nonsense"), "no such board; choose"),
        (("sim", "--duration", "nan"), "nan is not a number that can be used"),
        (("replay", "{json}", "--hold", "nan"), "nan is not a number that can be used"),
        (("replay", "{json}", "--report", "/proc/none/x.html"), "--report /proc/none: cannot be made"),
        (("demo", "--out", "/proc/none"), "--out /proc/none: cannot be made"),
        (("trips", "/dev/null", "--out", "/proc/none"), "--out /proc/none: cannot be made"),
    ],
)
def test_wrong_words_are_one_line(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    files = {"json": "{}", "binary": "\x1b[31m\x00\x01", "python": "TITLE = EDITION = ''\nCLEARING = STAGES = 5\n"}
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
    (tmp_path / "python.py").write_text(files["python"])
    places = {name: tmp_path / f"{name}.csv" for name in files} | {"python": tmp_path / "python.py"}
    refused = run(*(word.format(**places) for word in words))
    assert refused.exit_code == 2, refused.output
    assert message in refused.output.splitlines()[-1]
    assert "\x1b" not in refused.output, "nothing of a file reaches the terminal's controls"


@pytest.mark.parametrize("words", [("trips", "/dev/null"), ("flash", "/dev/null", "--board", "virtual")])
def test_a_port_that_is_no_serial_device_says_so(words: tuple[str, ...]) -> None:
    refused = run(*words)
    assert refused.exit_code == 3
    assert refused.output == "backfeed: /dev/null: no serial device; give one like /dev/ttyACM0.\n"


def test_the_figures_of_the_bench_are_listed_with_limit_and_method() -> None:
    listed = run("bench", "--list", "demo_lom_ms").output.splitlines()
    assert listed[0] == "demo_lom_ms [ms] <= 500"
    assert "contactor" in listed[1]
    assert len(json.loads(run("bench", "--list", "--json").output)) > 50


def test_profiles_are_compared_for_a_machine() -> None:
    changed = json.loads(run("profile", "diff", "uk_g98", "ieee1547_cat_b", "--json").output)
    assert changed["nominal_uhz"] == [50_000_000, 60_000_000]
    assert json.loads(run("profile", "diff", "uk_g98", "uk_g98", "--json").output) == {}


def test_make_docs_is_not_the_folder() -> None:
    """A folder named docs makes a target of that name up to date unless it is phony."""
    told = subprocess.run(["make", "-n", "docs"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "points --docs" in told.stdout


def test_a_figure_that_cannot_be_had_here_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON31", "/no/such/micropython.mjs")
    told = run("bench", "heap_boot_kib_31bit")
    assert told.exit_code == 0, "left out, not failed and not made up"
    assert told.stdout == ""
    assert told.stderr.startswith(
        "heap_boot_kib_31bit: not measured: MICROPYTHON31=/no/such/micropython.mjs is not a file"
    )
    assert told.stderr.count("\n") == 1
