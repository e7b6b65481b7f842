# SPDX-License-Identifier: MIT
"""Fixtures: a script on a virtual board."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tiny import TinyPlant  # noqa: E402

from hil.virtual_board import VirtualBoard  # noqa: E402


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Callable[..., VirtualBoard]]:
    """Make and start a virtual board that runs a script; all are stopped at the end."""
    made: list[VirtualBoard] = []

    def make(script: str | None = None, plant: TinyPlant | None = None, **options: object) -> VirtualBoard:
        if script is not None:
            path = tmp_path / f"entry{len(made)}.py"
            path.write_text(textwrap.dedent(script))
            options["entry"] = path
        made.append(VirtualBoard(plant or TinyPlant(), **options))  # type: ignore[arg-type]
        return made[-1].start()

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def output(board: Callable[..., VirtualBoard]) -> Callable[..., list[str]]:
    """Run a script to its end; return the lines it printed."""

    def run(script: str, limit_s: float = 120.0, **options: object) -> list[str]:
        one = board(script, **options)
        one.run(limit_s)
        assert one.finished, f"still running after {limit_s} s:\n{one.console.text}"
        assert one.exit_code == 0, one.console.text
        return one.console.text.splitlines()

    return run
