# SPDX-License-Identifier: MIT
"""A scenario: one TOML file with the station, a timeline of stimuli, and what must be measured.

Everything is checked before anything runs; a wrong key, action or signal is refused in one line that
names the file, the entry and what is allowed. What the words mean: hil/README.md.
"""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backfeed.checkout import BOARDS
from backfeed.errors import InputError
from backfeed.tables import faults
from hil.plant.config import StationConfig
from hil.plant.faults import FAULTS
from hil.scenario_words import ACTIONS, KINDS, MEASURES, SAID, TRUTH, fits

STEP_KEYS = {"name", "at_s", "say", "do"}
EXPECT_KEYS = {"name", "text", "measure", "unit", "low", "high", "after_s"}
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")  # of a scenario: its reports' folder has it
TABLES: dict[str, type[Any]] = {"step": list, "expect": list, "settings": dict, "plant": dict}
WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", dict: "a table"}
PHASES = (1, 3)
EVENTS = {row[0] for row in faults.EVENTS}
TOP_KEYS = {"name", "title", "about", "board", "duration_s", "seed", "settings", "plant", "step", "expect"}


@dataclass(frozen=True)
class Step:
    """One stimulus at a plant time. say: what a person is told; "" says nothing."""

    name: str
    at_s: float
    action: str
    say: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Expect:
    """One measurement and its bounds. since_s: the plant time it counts from."""

    name: str
    text: str
    measure: str
    unit: str
    low: float | None
    high: float | None
    since_s: float
    values: dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """A checked scenario."""

    path: Path
    name: str
    title: str
    board: str
    duration_s: float
    seed: int
    settings: dict[str, Any]
    plant: StationConfig
    steps: list[Step] = field(default_factory=list)
    expects: list[Expect] = field(default_factory=list)


def load(path: Path) -> Scenario:
    """Read and check a scenario file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"scenario {path}: cannot be read: {error.strerror}; give a .toml file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"scenario {path}: not TOML: {error}") from None
    _top_level(path, document)
    duration_s = _number(path, "duration_s", document["duration_s"])
    seed = document.get("seed", 1)
    steps = [_step(path, row, duration_s) for row in document.get("step", [])]
    starts = {step.name: step.at_s for step in steps if step.name}
    if len(starts) < sum(bool(step.name) for step in steps):
        raise InputError(f"scenario {path}: two steps have the same name; expectations could mean either.")
    return Scenario(
        path=path,
        name=document["name"],
        title=str(document["title"]),
        board=str(document.get("board", "virtual")),
        duration_s=duration_s,
        seed=seed,
        settings=dict(document.get("settings", {})),
        plant=config(path, StationConfig, {**document.get("plant", {}), "seed": seed}),
        steps=sorted(steps, key=lambda step: step.at_s),
        expects=[_expect(path, row, starts, duration_s) for row in document.get("expect", [])],
    )


def _top_level(path: Path, document: dict[str, Any]) -> None:
    """Refuse what a scenario is not, before its steps are looked at."""
    _only(path, "top level", document, TOP_KEYS)
    for key in ("name", "title", "duration_s"):
        if key not in document:
            raise InputError(f"scenario {path}: {key} is missing; every scenario has one.")
    for key, kind in TABLES.items():
        rows = document.get(key, kind())
        if not isinstance(rows, kind) or kind is list and not all(isinstance(row, dict) for row in rows):
            shape = f"[[{key}]]" if kind is list else f"[{key}]"
            raise InputError(f"scenario {path}: {key} = {rows!r}; write it as a table, {shape}.")
    if not isinstance(document["name"], str) or not NAME.fullmatch(document["name"]):
        raise InputError(f"scenario {path}: name = {document['name']!r}; lower-case letters, digits, _ and - only.")
    if not fits(KINDS["at_s"], document["duration_s"]) or not document["duration_s"] > 0:
        raise InputError(f"scenario {path}: duration_s = {document['duration_s']!r}; give seconds, above 0.")
    seed = document.get("seed", 1)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"scenario {path}: seed = {seed!r}; give a whole number, 0 or more.")
    board = document.get("board", "virtual")
    if not (BOARDS / str(board) / "pins.py").is_file():
        known = sorted(folder.parent.name for folder in BOARDS.glob("*/pins.py"))
        raise InputError(f"scenario {path}: board = {board!r} is no board; choose {', '.join(known)}.")


def config(path: Path, kind: type[Any], values: dict[str, Any]) -> Any:
    """Build a (nested) configuration from a table; unknown keys are refused with the known ones."""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    _only(path, kind.__name__, values, set(fields))
    hints = typing.get_type_hints(kind)
    built = {}
    for name, value in values.items():
        nested = dataclasses.is_dataclass(hints[name])
        given = _typed(path, name, value, dict if nested else hints[name])
        built[name] = config(path, hints[name], given) if nested else given
    if built.get("phases", 1) not in PHASES:
        raise InputError(f"scenario {path}: plant: phases = {built['phases']}; a station has 1 or 3.")
    return kind(**built)


def _typed(path: Path, name: str, value: Any, kind: type[Any]) -> Any:
    """Return the value when it is of its field's type; a whole number may stand for a float."""
    allowed = (int, float) if kind is float else kind
    if not isinstance(value, allowed) or isinstance(value, bool) and kind is not bool:
        raise InputError(f"scenario {path}: plant: {name} = {value!r}; it must be {WORDS[kind]}.")
    return value


def _only(path: Path, where: str, given: dict[str, Any], allowed: set[str]) -> None:
    for key in given:
        if key not in allowed:
            raise InputError(f"scenario {path}: {where}: '{key}' is unknown; allowed: {', '.join(sorted(allowed))}.")


def _number(path: Path, where: str, value: Any) -> float:
    if not fits(KINDS["at_s"], value) or not 0 <= value < math.inf:
        raise InputError(f"scenario {path}: {where} = {value!r}; give a number of seconds, 0 or more.")
    return float(value)


def _parameters(
    path: Path, where: str, row: dict[str, Any], known: dict[str, bool], common: set[str]
) -> dict[str, Any]:
    _only(path, where, row, set(known) | common)
    for key, needed in known.items():
        if needed and key not in row:
            raise InputError(f"scenario {path}: {where}: {key} is missing.")
    for key, value in row.items():
        if key in KINDS and not fits(KINDS[key], value):
            raise InputError(f"scenario {path}: {where}: {key} = {value!r}; it must be {KINDS[key]}.")
    return {key: row[key] for key in known if key in row}


def _step(path: Path, row: dict[str, Any], duration_s: float) -> Step:
    action = str(row.get("do", "note"))
    where = f"step '{row.get('name') or row.get('say') or action}'"
    if action not in ACTIONS:
        raise InputError(f"scenario {path}: {where}: do = '{action}' is unknown; allowed: {', '.join(ACTIONS)}.")
    values = _parameters(path, where, row, ACTIONS[action], STEP_KEYS)
    if action in ("fault", "clear_fault") and values["name"] not in FAULTS:
        raise InputError(
            f"scenario {path}: {where}: fault '{values['name']}' is unknown; allowed: {', '.join(FAULTS)}."
        )
    name = "" if "name" in ACTIONS[action] else str(row.get("name", ""))
    at_s = _number(path, f"{where}: at_s", row.get("at_s", 0))
    if at_s > duration_s:
        raise InputError(f"scenario {path}: {where}: at_s = {at_s:g} comes after the end, {duration_s:g} s.")
    return Step(name, at_s, action, str(row.get("say", "")), values)


def _expect(path: Path, row: dict[str, Any], starts: dict[str, float], duration_s: float) -> Expect:
    measure = str(row.get("measure", ""))
    where = f"expect '{row.get('name', measure)}'"
    if measure not in MEASURES:
        raise InputError(f"scenario {path}: {where}: measure = '{measure}' is unknown; allowed: {', '.join(MEASURES)}.")
    values = _parameters(path, where, row, MEASURES[measure], EXPECT_KEYS)
    since = values.pop("since")
    if isinstance(since, str) and since not in starts:
        raise InputError(f"scenario {path}: {where}: since = '{since}' is no step; steps: {', '.join(starts)}.")
    _measurable(path, where, row)
    since_s = starts[since] if isinstance(since, str) else _number(path, f"{where}: since", since)
    since_s += _number(path, f"{where}: after_s", row.get("after_s", 0))
    if since_s > duration_s:
        raise InputError(f"scenario {path}: {where}: it begins at {since_s:g} s, after the end, {duration_s:g} s.")
    return Expect(
        name=str(row.get("name", measure)),
        text=str(row.get("text", row.get("name", measure))),
        measure=measure,
        unit=str(row.get("unit", TRUTH.get(str(values.get("signal", "")), ""))),
        low=row.get("low"),
        high=row.get("high"),
        since_s=since_s,
        values=values,
    )


def _measurable(path: Path, where: str, row: dict[str, Any]) -> None:
    """Refuse a signal or an event that never comes, and bounds that nothing can hold."""
    signal, event = row.get("signal", "power"), row.get("event", "boot")
    if signal not in TRUTH and signal not in SAID:
        known = ", ".join((*TRUTH, *SAID))
        raise InputError(f"scenario {path}: {where}: signal = '{signal}' is unknown; allowed: {known}.")
    if event not in EVENTS:
        known = ", ".join(sorted(EVENTS - {"none"}))
        raise InputError(f"scenario {path}: {where}: event = '{event}' is unknown; allowed: {known}.")
    if "low" not in row and "high" not in row:
        raise InputError(f"scenario {path}: {where}: neither low nor high; an expectation needs a bound.")
    if row.get("low", -math.inf) > row.get("high", math.inf):
        raise InputError(f"scenario {path}: {where}: low {row['low']:g} is above high {row['high']:g}.")
