# SPDX-License-Identifier: MIT
"""A scenario: one TOML file with the station, a timeline of stimuli, and what must be measured.

Everything is checked before anything runs; a wrong key, action or signal is refused in one line that
names the file, the entry and what is allowed. What the words mean: hil/README.md.
"""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backfeed.errors import InputError
from hil.plant.config import StationConfig
from hil.plant.faults import FAULTS

# action -> its parameters, True where it must be there
ACTIONS: dict[str, dict[str, bool]] = {
    "plug": {"cable_a": False, "ready": False},
    "unplug": {},
    "vehicle_ready": {"wants": True},
    "soc": {"share": True},
    "grid": {"voltage_v": False, "frequency_hz": False, "ramp_s": False, "phase": False},
    "open_mains": {},
    "close_mains": {},
    "island_load": {"quality": False, "dp": False, "dq": False},
    "load": {"power_w": True, "reactive_var": False},
    "play": {"file": True, "from_s": False, "to_s": False, "otherwise": False, "otherwise_from_s": False},
    "fault": {"name": True, "value": False},
    "clear_fault": {"name": True},
    "mqtt": {"topic": True, "payload": True},
    "console": {"line": True},
    "note": {},
}
# measure -> its parameters, True where it must be there
MEASURES: dict[str, dict[str, bool]] = {
    "delay": {"since": True, "signal": True, "above": False, "below": False, "within_s": False},
    "min": {"signal": True, "since": True, "for_s": True},
    "max": {"signal": True, "since": True, "for_s": True},
    "mean": {"signal": True, "since": True, "for_s": True},
    "at": {"signal": True, "since": True},
    "events": {"event": True, "element": False, "since": True, "for_s": True},
}
# signal -> unit; the first are the plant's truth, the rest what the firmware itself says in its telemetry
TRUTH = {
    "voltage": "V",
    "frequency": "Hz",
    "power": "W",
    "soc": "%",
    "contactor": "",
    "gate": "",
    "current": "",
    "mains": "",
    "coil": "",
}
STEP_KEYS = {"name", "at_s", "say", "do"}
EXPECT_KEYS = {"name", "text", "measure", "unit", "low", "high", "after_s"}
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
    _only(path, "top level", document, TOP_KEYS)
    for key in ("name", "title", "duration_s"):
        if key not in document:
            raise InputError(f"scenario {path}: {key} is missing; every scenario has one.")
    steps = [_step(path, row) for row in document.get("step", [])]
    starts = {step.name: step.at_s for step in steps if step.name}
    return Scenario(
        path=path,
        name=str(document["name"]),
        title=str(document["title"]),
        board=str(document.get("board", "virtual")),
        duration_s=_number(path, "duration_s", document["duration_s"]),
        seed=int(document.get("seed", 1)),
        settings=dict(document.get("settings", {})),
        plant=config(path, StationConfig, {**document.get("plant", {}), "seed": int(document.get("seed", 1))}),
        steps=sorted(steps, key=lambda step: step.at_s),
        expects=[_expect(path, row, starts) for row in document.get("expect", [])],
    )


def config(path: Path, kind: type[Any], values: dict[str, Any]) -> Any:
    """Build a (nested) configuration from a table; unknown keys are refused with the known ones."""
    fields = {f.name: f for f in dataclasses.fields(kind)}
    _only(path, kind.__name__, values, set(fields))
    hints = typing.get_type_hints(kind)
    built = {}
    for name, value in values.items():
        nested = dataclasses.is_dataclass(hints[name]) and isinstance(value, dict)
        built[name] = config(path, hints[name], value) if nested else value
    return kind(**built)


def _only(path: Path, where: str, given: dict[str, Any], allowed: set[str]) -> None:
    for key in given:
        if key not in allowed:
            raise InputError(f"scenario {path}: {where}: '{key}' is unknown; allowed: {', '.join(sorted(allowed))}.")


def _number(path: Path, where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise InputError(f"scenario {path}: {where} = {value!r}; give a number of seconds, 0 or more.")
    return float(value)


def _parameters(
    path: Path, where: str, row: dict[str, Any], known: dict[str, bool], common: set[str]
) -> dict[str, Any]:
    _only(path, where, row, set(known) | common)
    for key, needed in known.items():
        if needed and key not in row:
            raise InputError(f"scenario {path}: {where}: {key} is missing.")
    return {key: row[key] for key in known if key in row}


def _step(path: Path, row: dict[str, Any]) -> Step:
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
    return Step(name, _number(path, f"{where}: at_s", row.get("at_s", 0)), action, str(row.get("say", "")), values)


def _expect(path: Path, row: dict[str, Any], starts: dict[str, float]) -> Expect:
    measure = str(row.get("measure", ""))
    where = f"expect '{row.get('name', measure)}'"
    if measure not in MEASURES:
        raise InputError(f"scenario {path}: {where}: measure = '{measure}' is unknown; allowed: {', '.join(MEASURES)}.")
    values = _parameters(path, where, row, MEASURES[measure], EXPECT_KEYS)
    since = values.pop("since")
    if isinstance(since, str) and since not in starts:
        raise InputError(f"scenario {path}: {where}: since = '{since}' is no step; steps: {', '.join(starts)}.")
    if "low" not in row and "high" not in row:
        raise InputError(f"scenario {path}: {where}: neither low nor high; an expectation needs a bound.")
    since_s = starts[since] if isinstance(since, str) else _number(path, f"{where}: since", since)
    return Expect(
        name=str(row.get("name", measure)),
        text=str(row.get("text", row.get("name", measure))),
        measure=measure,
        unit=str(row.get("unit", TRUTH.get(str(values.get("signal", "")), ""))),
        low=row.get("low"),
        high=row.get("high"),
        since_s=since_s + _number(path, f"{where}: after_s", row.get("after_s", 0)),
        values=values,
    )
