# SPDX-License-Identifier: MIT
"""`backfeed profile`: list, show, compare and check the grid codes, through the firmware's own loader."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from backfeed.checkout import FIRMWARE
from backfeed.errors import LIMIT_BROKEN, InputError

SECOND_LAYER = "Thresholds are L-N. The controller is a second layer; a certified inverter keeps its own protection."


def _firmware(name: str) -> Any:
    if str(FIRMWARE) not in sys.path:
        sys.path.insert(0, str(FIRMWARE))
    return importlib.import_module(name)


def _names() -> tuple[str, ...]:
    names: tuple[str, ...] = _firmware("evse.points").PROFILE_NAMES
    return names


def _load(name: str, changes: str = "") -> Any:
    loader = _firmware("evse.profiles.loader")
    try:
        return loader.load(name, changes)
    except loader.ProfileError as error:
        raise InputError(str(error)) from None


def _data(name: str) -> ModuleType:
    """Return a profile's data module, for what the firmware does not keep: sources, ranges, ride-through."""
    return importlib.import_module(f"evse.profiles.{name}")


def _rows(profile: Any) -> dict[str, Any]:
    rows: dict[str, Any] = dict(_firmware("evse.profiles.loader").canonical(profile))
    return rows


def _sources(name: str) -> dict[str, tuple[str, bool]]:
    data = _data(name)
    sources = {key: (entry[1], entry[2]) for key, entry in data.VALUES.items()}
    for element, threshold, delay in data.STAGES:
        sources[f"{element}.threshold"] = (threshold[1], threshold[2])
        sources[f"{element}.delay_ms"] = (delay[1], delay[2])
    for key in ("volt_var", "volt_watt"):
        curve = getattr(data, key.upper(), None)
        if curve is not None:
            for i in range(len(curve[0])):
                sources[f"{key}.{i}"] = (curve[1], curve[2])
    return sources


@click.group()
def profile() -> None:
    """Grid codes as data: list, show, diff, check.

    \b
    backfeed profile list
    backfeed profile show ieee1547_cat_b
    backfeed profile diff uk_g98 en50549_1
    backfeed profile check --file mine.py
    """


@profile.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_profiles(as_json: bool) -> None:
    """List every profile, its hash, its unverified numbers."""
    found = []
    for name in _names():
        loaded = _load(name)
        found.append(
            {
                "name": name,
                "title": loaded.title,
                "edition": loaded.edition,
                "hash": loaded.hash,
                "unverified": len(loaded.unverified),
            }
        )
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for row in found:
        note = f"{row['unverified']} unverified" if row["unverified"] else "all seen in a source"
        click.echo(f"{row['name']:15} {row['hash']}  {row['title']} ({row['edition']}): {note}")


@profile.command("show")
@click.argument("name")
@click.option("--changes", default="", help='Installer\'s changes: "ov1.delay_ms=1500,enter_wait_ms=60000".')
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, changes: str, as_json: bool) -> None:
    """Show every number of a profile with its source."""
    loaded = _load(name, changes)
    rows = _rows(loaded)
    sources = _sources(name)
    ranges = _data(name).RANGES
    if as_json:
        click.echo(
            json.dumps({"name": name, "hash": loaded.hash, "values": rows, "unverified": loaded.unverified}, indent=1)
        )
        return
    click.echo(f"{loaded.title}, {loaded.edition}. Hash {loaded.hash}. {SECOND_LAYER}")
    for key, value in rows.items():
        source, verified = sources.get(key, ("", True))
        if key in loaded.changed:
            source, verified = "installer", True
        span = f" [{ranges[key][0]}..{ranges[key][1]}]" if key in ranges else ""
        note = f"  {source}" if source else ""
        click.echo(f"  {key:26} {value!s:>14}{span}{note}{'' if verified else ' (UNVERIFIED)'}")


@profile.command("diff")
@click.argument("first")
@click.argument("second")
@click.option("--json", "as_json", is_flag=True, help="Print {name: [first, second]} as JSON.")
def diff(first: str, second: str, as_json: bool) -> None:
    """Show what differs between two profiles. Exit code 0 whether or not they differ."""
    left, right = _rows(_load(first)), _rows(_load(second))
    keys = list(left) + [key for key in right if key not in left]
    changed = [key for key in keys if left.get(key) != right.get(key)]
    if as_json:
        click.echo(json.dumps({key: [left.get(key), right.get(key)] for key in changed}))
        return
    if not changed:
        click.echo(f"{first} and {second} have the same numbers.")
    for key in changed:
        click.echo(f"{key:26} {left.get(key, '-')!s:>14} {right.get(key, '-')!s:>14}")


@profile.command("check")
@click.argument("names", nargs=-1)
@click.option(
    "--file", "path", type=click.Path(path_type=Path), help="Check a data file that is not in the firmware yet."
)
def check(names: tuple[str, ...], path: Path | None) -> None:
    """Check profiles, all by default.

    Ranges, contradictions, ride-through against the stages. Exit code 1 when one fails.
    """
    if path is not None:
        loaded, ride_through = _load_file(path)
        problems = [f"{path.name}: {text}" for text in ride_through_problems(loaded, ride_through)]
        click.echo(f"{path.name}: hash {loaded.hash}, {len(loaded.unverified)} unverified")
    else:
        problems = []
    for name in names or (() if path else _names()):
        loaded = _load(name)
        found = ride_through_problems(loaded, _data(name).RIDE_THROUGH)
        problems += [f"{name}: {text}" for text in found]
        click.echo(f"{name:15} {loaded.hash} {'ok' if not found else 'FAILS'}")
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(LIMIT_BROKEN)


def _load_file(path: Path) -> tuple[Any, Any]:
    loader = _firmware("evse.profiles.loader")
    if not path.is_file():
        raise InputError(f"{path} is not a file; give a profile's data file")
    spec = importlib.util.spec_from_file_location(f"checked_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is not a Python file; give a profile's data file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return loader.build(module, path.stem), getattr(module, "RIDE_THROUGH", ())
    except loader.ProfileError as error:
        raise InputError(str(error)) from None
    except (SyntaxError, ImportError, AttributeError, NameError, TypeError, ValueError, LookupError) as error:
        raise InputError(
            f"{path.name}: {error}; every profile has TITLE, EDITION, CLEARING, STAGES, VALUES, RANGES"
        ) from None


def ride_through_problems(loaded: Any, regions: Any) -> list[str]:
    """Return each stage that would act before a region's ride-through time is over, as text.

    A permissive region allows the unit to stop, not to be away: its time counts as well.
    """
    elements = _firmware("evse.faults").ELEMENTS
    allowance_ms = _firmware("evse.protect.stage").CLEARING_ALLOWANCE_MS
    problems = []
    for quantity, low, high, least_ms, mode in regions:
        for stage in loaded.stages:
            name = elements[stage.element][0]
            if (name[1] == "v") != (quantity == "v"):
                continue
            inside = stage.threshold < high if stage.over else stage.threshold > low
            acts_ms = stage.delay_ms - (allowance_ms if stage.clearing else 0)
            if inside and acts_ms < least_ms:
                problems.append(f"{name} acts after {acts_ms} ms, {mode} region {low}..{high} asks for {least_ms} ms")
    return problems
