# SPDX-License-Identifier: MIT
"""`backfeed console PORT [VERB ...]`: one verb of the firmware's console, or a session at the keyboard."""

from __future__ import annotations

import json
import os
import select
import sys

import click

from backfeed.console_link import ConsoleLink
from backfeed.errors import InputError, PartError

LEAVE = b"\x1d"  # Ctrl-]


def session(link: ConsoleLink) -> None:
    """Join keyboard and console until Ctrl-]; the terminal is put back whatever happens."""
    import termios
    import tty

    if not sys.stdin.isatty():
        raise InputError(
            "console without a verb needs a terminal; give a verb, such as `backfeed console PORT status`."
        )
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    click.echo(f"{link.port}: Ctrl-] leaves, `help` lists the verbs.", err=True)
    try:
        tty.setraw(keyboard)
        link.raw.write(b"\r")
        _join(link, keyboard)
    except OSError as error:
        raise PartError(f"{link.port}: the console is gone: {error}") from None
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        click.echo("", err=True)


def _join(link: ConsoleLink, keyboard: int) -> None:
    board = link.raw.fileno()
    while True:
        ready, _, _ = select.select([keyboard, board], [], [])
        if keyboard in ready:
            keys = os.read(keyboard, 64)
            if not keys or LEAVE in keys:
                return
            link.raw.write(keys)
        if board in ready:
            data = os.read(board, 1024)
            if not data:
                raise OSError("end of file")
            os.write(sys.stdout.fileno(), data)


@click.command()
@click.argument("port")
@click.argument("verb", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON: ok, text, lines.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0.1, 600),
    default=10.0,
    show_default=True,
    help="Seconds to wait for the answer.",
)
def console(port: str, verb: tuple[str, ...], as_json: bool, timeout_s: float) -> None:
    """Talk to the running firmware. Safe while power flows.

    With a VERB: send it, print the answer, exit 0 for OK and 1 for ERR. Without: a session; Ctrl-] leaves.

    \b
    backfeed console /dev/ttyACM0
    backfeed console /dev/ttyACM0 why
    backfeed console /dev/ttyACM0 --json set soc_floor_permille 300
    """
    with ConsoleLink(port) as link:
        if not verb:
            session(link)
            return
        link.script()
        answer = link.ask(" ".join(verb), timeout_s=timeout_s)
    if as_json:
        click.echo(json.dumps({"ok": answer.ok, "text": answer.text, "lines": answer.lines}))
    else:
        for line in answer.lines:
            click.echo(line)
        click.echo(f"{'OK' if answer.ok else 'ERR'} {answer.text}".rstrip())
    sys.exit(0 if answer.ok else 1)
