# SPDX-License-Identifier: MIT
"""What the documents name is there: files, links, commands with their options, make targets."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from backfeed.checkout import ROOT
from backfeed.cli import COMMANDS, main

PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]
    + [path for top in ("firmware", "boards", "hil", "tests") for path in (ROOT / top).rglob("README.md")]
)
CODE = re.compile(r"`([^`\n]+)`|^ {4,}(backfeed .*|make .*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PLACES = ("firmware/", "boards/", "host_tools/", "hil/", "tests/", "docs/")


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def spoken(page: Path) -> list[str]:
    """Return what a page sets as code: words between backquotes and indented commands."""
    return [(one or other).split("#")[0].strip() for one, other in CODE.findall(page.read_text())]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path) -> None:
    inside = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    missing = [link for link in inside if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_paths_exist(page: Path) -> None:
    named = [word for code in spoken(page) for word in code.split() if word.startswith(PLACES)]
    missing = [word for word in named if "<" not in word and not list(ROOT.glob(word.rstrip("/,.;:")))]
    assert not missing


def options(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_and_their_options_exist(page: Path) -> None:
    """`backfeed console PORT ...` hands its words to the board, so only the command itself is looked up there."""
    context = click.Context(main)
    for code in spoken(page):
        words = code.split()
        if words[:1] != ["backfeed"] or len(words) < 2 or words[1].startswith("-"):
            continue
        assert words[1] in COMMANDS, code
        command = main.get_command(context, words[1])
        assert command is not None
        if isinstance(command, click.Group) and len(words) > 2:
            command = command.get_command(context, words[2])
            assert command is not None, code
        used = {word.split("=")[0] for word in words if word.startswith("--")}
        assert words[1] == "console" or used <= options(command) | {"--help"}, code


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for code in spoken(page):
        words = code.split()
        if words[:1] == ["make"] and len(words) > 1:
            assert words[1] in targets, code
