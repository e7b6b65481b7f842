# SPDX-License-Identifier: MIT
"""`backfeed bench`: measure what the project promises, and say how each figure came about.

ONE table of benches, benches.toml; each names a small module with `measure(name) -> float`. A bench that cannot run
here (no node, no valgrind) raises NotHere with the reason and is left out of the file, never made up.
"""

from __future__ import annotations

import importlib
import json
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from backfeed.checkout import BUILD
from backfeed.errors import LIMIT_BROKEN, InputError, PartError
from backfeed.vm31 import module, node

RESULT = BUILD / "bench" / "bench.json"


class NotHere(Exception):
    """A bench cannot run on this machine; the text says what is missing."""


def need_31bit_vm() -> None:
    """Raise NotHere where the 31-bit VM cannot be had."""
    try:
        node()
        module()
    except PartError as error:
        raise NotHere(error.message) from None


@dataclass(frozen=True)
class Bench:
    """One figure. limit None: recorded, not judged. better: lower or higher."""

    unit: str
    limit: float | None
    better: str
    module: str
    how: str

    def holds(self, value: float) -> bool:
        """Whether a value is within the limit."""
        if self.limit is None:
            return True
        return value <= self.limit if self.better == "lower" else value >= self.limit


def _table() -> dict[str, Bench]:
    rows = tomllib.loads(Path(__file__).with_name("benches.toml").read_text(encoding="utf-8"))
    return {name: Bench(**{"limit": None, **row}) for name, row in rows.items()}


BENCHES = _table()


def measure_all(names: list[str], console: Console) -> dict[str, dict[str, Any]]:
    """Measure the named benches; return name -> {value, unit, limit, better, how}."""
    results: dict[str, dict[str, Any]] = {}
    for name in names:
        bench = BENCHES[name]
        try:
            with console.status(f"measuring {name}"):
                value = importlib.import_module(f"backfeed.bench.{bench.module}").measure(name)
        except NotHere as reason:
            console.print(f"{name}: not measured: {reason}", style="yellow", highlight=False, soft_wrap=True)
            continue
        except PartError as error:
            console.print(f"{name}: not measured: {error.message}", style="red", highlight=False, soft_wrap=True)
            results[name] = _row(bench, None)
            continue
        results[name] = _row(bench, value)
    return results


def _row(bench: Bench, value: float | None) -> dict[str, Any]:
    return {"value": value, "unit": bench.unit, "limit": bench.limit, "better": bench.better, "how": bench.how}


def failing(results: dict[str, dict[str, Any]]) -> list[str]:
    """Return the names whose value is missing or beyond its limit."""
    return [name for name, row in results.items() if row["value"] is None or not BENCHES[name].holds(row["value"])]


def print_table(results: dict[str, dict[str, Any]], console: Console) -> None:
    """Print the figures as a table."""
    table = Table("figure", "value", "unit", "limit", "", title="backfeed bench")
    bad = failing(results)
    for name, row in results.items():
        limit = _limit(BENCHES[name])
        value = (
            "failed" if row["value"] is None else f"{row['value']:.4g}" if row["value"] % 1 else f"{row['value']:.0f}"
        )
        table.add_row(name, value, row["unit"], limit, "does not hold" if name in bad else "holds" if limit else "")
    console.print(table)


def print_list(names: list[str], as_json: bool) -> None:
    """Print the figures, their limits and how each is measured."""
    if as_json:
        click.echo(json.dumps({name: _row(BENCHES[name], None) for name in names}, indent=1))
        return
    for name in names:
        bench = BENCHES[name]
        click.echo(f"{name} [{bench.unit}] {_limit(bench)}\n  {bench.how}")


def _limit(bench: Bench) -> str:
    return "" if bench.limit is None else f"{'<=' if bench.better == 'lower' else '>='} {bench.limit:g}"


def save(results: dict[str, dict[str, Any]], path: Path) -> None:
    """Merge the figures into path, keeping those not measured this time."""
    before = json.loads(path.read_text()) if path.is_file() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {name: row for name, row in before.items() if name in BENCHES}
    path.write_text(json.dumps({**kept, **results}, indent=1) + "\n")


def _named(given: str) -> list[str]:
    """Return the figures that a name stands for: itself, or all of a module's (`lom`)."""
    found = [name for name, row in BENCHES.items() if given in (name, row.module)]
    if not found:
        raise InputError(f"FIGURE {given}: unknown; `backfeed bench --list` names them all.")
    return found


@click.command()
@click.argument("names", nargs=-1, metavar="[FIGURE ...]")
@click.option("--list", "list_only", is_flag=True, help="List the figures and how each is measured; measure nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON instead of a table.")
def bench(names: tuple[str, ...], list_only: bool, as_json: bool) -> None:
    """Measure speed, allocation, size and safety figures.

    Writes build/bench/bench.json; figures not asked for keep what was measured before.

    Exit code 1 when a figure is beyond its limit.

    \b
    backfeed bench
    backfeed bench cycle_alloc_bytes_31bit cycle_instructions
    backfeed bench lom
    """
    wanted = [name for given in names for name in _named(given)]
    if list_only:
        print_list(wanted or list(BENCHES), as_json)
        return
    results = measure_all(wanted or list(BENCHES), Console(stderr=True))
    if not names:
        RESULT.unlink(missing_ok=True)
    save(results, RESULT)
    if as_json:
        click.echo(json.dumps(results, indent=1))
    elif results:
        print_table(results, Console())
    sys.exit(LIMIT_BROKEN if failing(results) else 0)
