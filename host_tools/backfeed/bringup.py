# SPDX-License-Identifier: MIT
"""`backfeed bringup PORT [PART]`: one part of a connected board, its live values, and in words what is wrong with it.

The running firmware judges (its console verb `bringup`); this only asks and shows. It opens no raw REPL.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field

import click
from rich.console import Console

from backfeed.console_link import Answer, ConsoleLink
from backfeed.errors import LIMIT_BROKEN, InputError, PartError

PARTS = ("afe", "inverter", "meter", "memory", "pilot", "inputs", "temperatures", "gate")
TIMEOUT_S = 10.0
MOVE_TIMEOUT_S = 60.0  # the charger settles twice


@dataclass
class Finding:
    """What one part's check said."""

    part: str
    values: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, part: str, answer: Answer) -> Finding:
        """Sort the console's lines; PartError when the firmware does not know the verb or refuses."""
        if not answer.ok:
            kind = InputError if answer.code in ("usage", "access", "state") else PartError
            raise kind(f"bringup {part}: {answer.reason}")
        found = cls(part)
        for line in answer.lines:
            head, _, rest = line.partition(": ")
            if head == "wrong":
                found.wrong.append(rest)
            elif head == "note":
                found.notes.append(rest)
            elif "=" in line:
                name, _, value = line.partition("=")
                found.values[name] = value
        return found


def check(link: ConsoleLink, part: str, power_w: int | None = None) -> Finding:
    """Ask the firmware about one part. power_w: move the meter by this (only for the meter)."""
    words = ["bringup", part] + ([str(power_w)] if power_w is not None else [])
    return Finding.of(part, link.ask(" ".join(words), timeout_s=TIMEOUT_S if power_w is None else MOVE_TIMEOUT_S))


def show(found: Finding, console: Console) -> None:
    """Print one part: values, then notes, then what is wrong."""
    console.print(f"[bold]{found.part}[/bold]: {'wrong' if found.wrong else 'nothing wrong seen'}")
    for name, value in found.values.items():
        console.print(f"  {name} = {value}", highlight=False, markup=False)
    for text in found.notes:
        console.print(f"  note: {text}", highlight=False, markup=False)
    for text in found.wrong:
        console.print(f"  wrong: {text}", style="red", highlight=False, markup=False)


def ordered(port: str, part: str) -> tuple[str, str]:
    """Return (port, part), whichever came first; InputError when none is a part."""
    if port in (*PARTS, "all") and part not in (*PARTS, "all"):
        port, part = part, port
    if part not in (*PARTS, "all"):
        raise InputError(f"PART {part}: unknown; choose {', '.join(PARTS)} or all.")
    if port in (*PARTS, "all"):
        raise InputError(f"PORT is missing: {port} is a part; give a device first, like /dev/ttyACM0 {port}.")
    return port, part


@click.command()
@click.argument("port")
@click.argument("part", default="all")
@click.option("--charge", "power_w", type=click.IntRange(300, 3000), help="meter: charge this many W and see it move.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def bringup(port: str, part: str, power_w: int | None, as_json: bool) -> None:
    """Check the parts of a connected board, in words.

    Live values of PART (all of them when left away), and in words what is wrong. Parts: afe, inverter, meter, memory,
    pilot, inputs, temperatures, gate. Safe at any time: it only reads, through the running firmware's console. With
    --charge it holds 0 W, then that power, by a lease of 30 s; a session must be running.

    Exit code 1 when something is wrong.

    \b
    backfeed bringup /dev/ttyACM0
    backfeed bringup /dev/ttyACM0 afe --json
    backfeed bringup /dev/ttyACM0 meter --charge 500
    """
    port, part = ordered(port, part)
    if power_w is not None and part != "meter":
        raise InputError(f"--charge {power_w}: belongs to the part meter only.")
    with ConsoleLink(port) as link:
        link.script()
        findings = [check(link, name, power_w) for name in (PARTS if part == "all" else (part,))]
    if as_json:
        click.echo(json.dumps([found.__dict__ for found in findings], indent=1))
    else:
        console = Console(soft_wrap=True)
        for found in findings:
            show(found, console)
    sys.exit(LIMIT_BROKEN if any(found.wrong for found in findings) else 0)
