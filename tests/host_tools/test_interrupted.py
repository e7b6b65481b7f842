# SPDX-License-Identifier: MIT
"""Ctrl-C ends every command at once, with one word and exit code 130; a pipe gets no progress bar."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from backfeed import points
from backfeed.cli import main
from backfeed.errors import CTRL_C
from backfeed.progress import progress_on
from backfeed.workers import workers


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, click.Abort])  # Abort: Ctrl-C at a prompt
def test_ctrl_c_ends_a_command_with_130(monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]) -> None:
    def interrupted(**_: object) -> None:
        raise interruption

    monkeypatch.setattr(points.points_command, "callback", interrupted)
    result = CliRunner().invoke(main, ["points"])
    assert result.exit_code == CTRL_C == 130
    assert result.stderr == "ended\n"
    assert result.stdout == ""


def test_interrupted_workers_end_with_what_they_do_and_what_waits() -> None:
    with pytest.raises(KeyboardInterrupt), workers(1) as pool:
        started = pool.submit(os.getpid).result()
        assert started != os.getpid()
        for _ in range(3):
            pool.submit(signal.pause)  # would never end by itself
        raise KeyboardInterrupt
    assert multiprocessing.active_children() == []


def test_a_pipe_gets_no_progress_bar() -> None:
    for terminal in (False, True):
        written = io.StringIO()
        with progress_on(Console(file=written, force_terminal=terminal)) as progress:
            progress.update(progress.add_task("flash", total=2), completed=1)
        assert bool(written.getvalue()) == terminal
