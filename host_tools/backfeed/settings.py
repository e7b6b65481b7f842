# SPDX-License-Identifier: MIT
"""`backfeed settings`: keep a charger's settings in a file, and put them into another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from backfeed.console_link import Answer, ConsoleLink
from backfeed.errors import InputError, PartError

PIECE = 120  # characters a line: the console takes 160


def read_back(answer: Answer) -> dict[str, Any]:
    """Return the document that `export` printed over several lines."""
    try:
        document: dict[str, Any] = json.loads("".join(answer.lines))
    except ValueError as error:
        raise PartError(f"what the board exported is not JSON ({error}); try again.") from None
    return document


def cut(text: str) -> list[str]:
    """Cut a JSON document into lines for the console, never at a space, which the console's line may lose."""
    lines: list[str] = []
    while len(text) > PIECE:
        at = PIECE
        while " " in text[at - 1 : at + 1]:
            at -= 1
        lines.append(text[:at])
        text = text[at:]
    return [*lines, text]


@click.group()
def settings() -> None:
    """Export and import settings as JSON, through the console, also while power flows.

    \b
    backfeed settings export /dev/ttyACM0 charger.json
    backfeed settings import /dev/ttyACM0 charger.json --pin 271828
    """


@settings.command("export")
@click.argument("port")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def export(port: str, file: Path | None) -> None:
    """Write all settings but the secrets to FILE, or print them."""
    with ConsoleLink(port) as link:
        link.script()
        answer = link.ask("export")
    if not answer.ok:
        raise PartError(f"{port}: {answer.text}")
    text = json.dumps(read_back(answer), indent=1)
    if file is None:
        click.echo(text)
    else:
        file.write_text(text + "\n")
        click.echo(f"{len(json.loads(text)['values'])} settings in {file}.")


@settings.command("import")
@click.argument("port")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--pin", default="", help="The installer's PIN.")
def import_(port: str, file: Path, pin: str) -> None:
    """Put the settings of FILE into the board: all of them or none."""
    try:
        text = json.dumps(json.loads(file.read_text()), separators=(",", ":"))
    except (ValueError, OSError) as error:
        raise InputError(f"FILE {file}: not JSON ({error}); give what `backfeed settings export` wrote.") from None
    with ConsoleLink(port) as link:
        link.script()
        opened = link.ask(f"unlock installer {pin}".strip())
        if not opened.ok:
            raise InputError(f"--pin: {opened.text}")
        answer = link.ask("import", *cut(text), ".")
        link.ask("lock")
    for line in answer.lines:
        click.echo(line, err=True)
    if not answer.ok:
        raise InputError(f"FILE {file}: {answer.text}")
    click.echo(answer.text)
