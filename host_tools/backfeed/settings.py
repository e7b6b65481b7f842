# SPDX-License-Identifier: MIT
"""`backfeed settings`: keep a charger's settings in a file, compare them, and put them into another."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from backfeed.console_link import Answer, ConsoleLink
from backfeed.errors import LIMIT_BROKEN, InputError, PartError
from backfeed.tables import points

PIECE = 120  # characters a line: the console takes 256
FILE = click.Path(dir_okay=False, path_type=Path)


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


def of_board(link: ConsoleLink) -> dict[str, Any]:
    """Return the document of a board's settings."""
    answer = link.ask("export")
    if not answer.ok:
        raise PartError(f"{link.port}: {answer.reason}")
    return read_back(answer)


def of_file(file: Path) -> dict[str, Any]:
    """Return {name: value} of a file that `export` wrote, or of names and values alone."""
    if file.is_char_device():
        raise InputError(f"FILE {file}: a device; the order is `backfeed settings import PORT FILE`.")
    try:
        document = json.loads(file.read_text())
    except (ValueError, OSError) as error:
        raise InputError(f"FILE {file}: cannot be read as JSON ({error}); give what `settings export` wrote.") from None
    values = document.get("values", document) if isinstance(document, dict) else None
    if not isinstance(values, dict):
        raise InputError(f"FILE {file}: holds no names and values; give what `settings export` wrote.")
    return values


def units() -> dict[str, str]:
    """Return {setting: unit} in the table's order."""
    return {row[points.NAME]: row[points.UNIT] for row in points.SETTINGS}


def differences(left: dict[str, Any], right: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return (name, left, right) of every setting that is in right and differs, in the table's order."""
    known = [name for name in units() if name in right]
    unknown = sorted(name for name in right if name not in units())
    return [(name, left.get(name), right[name]) for name in known + unknown if left.get(name) != right[name]]


def show(found: list[tuple[str, Any, Any]]) -> None:
    """Print differences, a line each."""
    for name, before, after in found:
        unit = units().get(name, "")
        was = "(none)" if before is None else json.dumps(before)
        click.echo(f"{name:30} {was} -> {json.dumps(after)} {unit}".rstrip())


@click.group()
def settings() -> None:
    """Keep, compare and restore settings as JSON.

    Through the console, also while power flows. Secrets stay out.

    \b
    backfeed settings export /dev/ttyACM0 charger.json
    backfeed settings diff /dev/ttyACM0 charger.json
    backfeed settings import /dev/ttyACM0 charger.json
    """


@settings.command("export")
@click.argument("port")
@click.argument("file", type=FILE, required=False)
def export(port: str, file: Path | None) -> None:
    """Write all settings but the secrets to FILE.

    Without FILE they are printed, as JSON.

    \b
    backfeed settings export /dev/ttyACM0 charger.json
    """
    with ConsoleLink(port) as link:
        link.script()
        document = of_board(link)
    text = json.dumps(document, indent=1)
    if file is None:
        click.echo(text)
        return
    try:
        file.write_text(text + "\n")
    except OSError as error:
        raise InputError(f"FILE {file}: cannot be written ({error.strerror}); give another place.") from None
    click.echo(f"{len(document['values'])} settings in {file}.")


@settings.command("diff")
@click.argument("a", metavar="PORT|FILE")
@click.argument("b", type=FILE, metavar="[FILE]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print {name: [a, b]} as JSON.")
def diff(a: str, b: Path | None, as_json: bool) -> None:
    """Show what importing FILE would change.

    In the board at PORT, or in another file. Without FILE: what differs from the firmware's defaults, as
    default -> now. Exit code 1 when something differs.

    \b
    backfeed settings diff /dev/ttyACM0
    backfeed settings diff /dev/ttyACM0 charger.json
    backfeed settings diff old.json new.json --json
    """
    if b is not None and not b.exists():
        raise InputError(f"FILE {b}: no such file; `backfeed settings export` writes one.")
    right = of_file(b) if b is not None else None
    first = Path(a)
    if first.suffix == ".json" and not first.exists():
        raise InputError(f"FILE {a}: no such file; `backfeed settings export` writes one.")
    if first.exists() and not first.is_char_device():
        left = of_file(first)
    else:
        with ConsoleLink(a) as link:
            link.script()
            left = of_board(link)["values"]
    if right is None:
        defaults = {row[points.NAME]: row[points.DEFAULT] for row in points.SETTINGS}
        left, right = {name: value for name, value in defaults.items() if name in left}, left
    found = differences(left, right)
    if as_json:
        click.echo(json.dumps({name: [before, after] for name, before, after in found}))
    else:
        show(found)
    sys.exit(LIMIT_BROKEN if found else 0)


@settings.command("import")
@click.argument("port")
@click.argument("file", type=FILE)
@click.option("--pin", envvar="BACKFEED_PIN", help="The installer's PIN; asked for where the board wants one.")
@click.option("--json", "as_json", is_flag=True, help="Print what changed as JSON: {name: [before, after]}, staged.")
def import_(port: str, file: Path, pin: str | None, as_json: bool) -> None:
    """Put the settings of FILE into the board, all or none.

    Shows what changed; what must not change while power can flow waits until then.

    \b
    backfeed settings import /dev/ttyACM0 charger.json
    """
    values = of_file(file)
    text = json.dumps({"values": values}, separators=(",", ":"))
    with ConsoleLink(port) as link:
        link.script()
        before = of_board(link)["values"]
        with link.unlocked("installer", pin):
            answer = link.ask("import", *cut(text), ".")
    for line in answer.lines:
        click.echo(line, err=True)
    if not answer.ok:
        raise InputError(f"FILE {file}: {answer.reason}")
    changed = differences(before, values)
    staged = int(answer.value("staged") or 0)
    if as_json:
        click.echo(json.dumps({"changed": {name: [was, now] for name, was, now in changed}, "staged": staged}))
        return
    show(changed)
    later = f"; {staged} wait until no power can flow" if staged else ""
    click.echo(f"{len(changed)} settings changed{later}.")
