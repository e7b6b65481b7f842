# SPDX-License-Identifier: MIT
"""`backfeed console PORT [VERB ...]`: one verb of the firmware's console, or a session at the keyboard."""

from __future__ import annotations

import contextlib
import json
import os
import select
import sys

import click
import serial

from backfeed.console_link import CANCEL, Answer, ConsoleLink, ignore
from backfeed.errors import LIMIT_BROKEN, InputError, PartError
from backfeed.options import Number

LEAVE = b"\x1d"  # Ctrl-]


def session(link: ConsoleLink) -> None:
    """Join keyboard and console until Ctrl-]; the terminal is put back whatever happens, and access ends."""
    import termios
    import tty

    if not sys.stdin.isatty():
        raise InputError(
            "console without a verb needs a terminal; give a verb, such as `backfeed console PORT status`."
        )
    link.terminal()
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    click.echo(f"{link.port}: Ctrl-] leaves and locks, `help` lists the verbs.", err=True)
    try:
        tty.setraw(keyboard)
        link.raw.write(b"\r")
        _join(link, keyboard)
        link.raw.write(CANCEL + b"lock\r")
    except (OSError, serial.SerialException) as error:
        raise PartError(f"{link.port}: the board is gone ({error}); is it still plugged in?") from None
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        click.echo("", err=True)


def _join(link: ConsoleLink, keyboard: int) -> None:
    board = link.raw.fileno()
    while True:
        ready, _, _ = select.select([keyboard, board], [], [])
        if keyboard in ready:
            keys = os.read(keyboard, 64)
            before, leave, _ = keys.partition(LEAVE)
            link.raw.write(before)
            if not keys or leave:
                return
        if board in ready:
            data = os.read(board, 1024)
            if not data:
                raise OSError("end of file")
            os.write(sys.stdout.fileno(), data)


def words_of(verb: tuple[str, ...]) -> str:
    """Return the words as one line of the console; an empty one means the empty text."""
    return " ".join(word if word else '""' for word in verb)


def one_verb(link: ConsoleLink, line: str, timeout_s: float, show: bool) -> Answer:
    """Ask one verb, lines shown as they come; Ctrl-C ends a watch and gives up anything else."""
    watching = line.startswith("watch ")
    heard = click.echo if show else ignore
    try:
        return link.ask(line, timeout_s=None if watching else timeout_s, heard=heard)
    except KeyboardInterrupt:
        link.cancel()
        if not watching:
            raise
        return link.ask(heard=heard)


@click.command(context_settings={"ignore_unknown_options": True})  # setpoint -2000 600
@click.argument("port")
@click.argument("verb", nargs=-1)
@click.option("--unlock", "level", type=click.Choice(["user", "installer"]), help="Do it with this access, then lock.")
@click.option("--pin", envvar="BACKFEED_PIN", help="Its PIN; asked for where the board wants one and none is given.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON: ok, text, lines.")
@click.option(
    "--timeout",
    "timeout_s",
    type=Number(0.1, 600),
    default=10.0,
    show_default=True,
    help="Longest silence to wait for the answer, seconds.",
)
def console(
    port: str, verb: tuple[str, ...], level: str | None, pin: str | None, as_json: bool, timeout_s: float
) -> None:
    """Talk to the running firmware. Safe while power flows.

    With a VERB: send it, print the answer, exit 0 for OK and 1 for ERR. Without: a session; Ctrl-] leaves.

    \b
    backfeed console /dev/ttyACM0
    backfeed console /dev/ttyACM0 why
    backfeed console /dev/ttyACM0 watch grid_w soc_permille 2
    backfeed console /dev/ttyACM0 --unlock installer set export_rating_w 5000
    backfeed console /dev/ttyACM0 setpoint -2000 600
    """
    line = words_of(verb)
    if verb and not (line.strip() and line.isprintable()):
        raise InputError(f"VERB {line!r}: has a character that cannot be typed on the console; leave it out.")
    if line.startswith("import"):
        raise InputError("VERB import: reads many lines; use `backfeed settings import PORT FILE`.")
    with ConsoleLink(port) as link:
        if not verb:
            session(link)
            return
        link.script()
        with link.unlocked(level, pin) if level else contextlib.nullcontext():
            answer = one_verb(link, line, timeout_s, not as_json)
    if as_json:
        click.echo(json.dumps({"ok": answer.ok, "text": answer.text, "lines": answer.lines}))
    else:
        click.echo(f"{'OK' if answer.ok else 'ERR'} {answer.text}".rstrip())
    sys.exit(0 if answer.ok else LIMIT_BROKEN)
