# SPDX-License-Identifier: MIT
"""What may go wrong, and the exit code of each kind.

0 done; 1 it ran and a limit does not hold; 2 bad input; 3 a part died or cannot be used; 130 Ctrl-C.
"""

from __future__ import annotations

from typing import IO, Any

import click

LIMIT_BROKEN = 1
BAD_INPUT = 2
PART_LOST = 3
CTRL_C = 130


class BackfeedError(click.ClickException):
    """One line for a person, and an exit code."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"backfeed: {self.format_message()}", err=True, file=file)


class InputError(BackfeedError):
    """Bad input: names what was wrong, the value, what is allowed and what to do. Nothing was changed."""

    exit_code = BAD_INPUT


class PartError(BackfeedError):
    """A part the tool needs died, did not answer or is not installed."""

    exit_code = PART_LOST
