# SPDX-License-Identifier: MIT
"""What a campaign runs: session states and faults from cases.toml, checked, and their product.

A state is a list of steps that lead to it, and of steps that follow the fault and provoke what must not
happen. A fault says when current must have ended, what it excuses, and what the console must say.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from backfeed.errors import InputError
from hil.plant.config import StationConfig
from hil.plant.faults import FAULTS
from hil.scenario import ACTIONS, config

CASES = Path(__file__).with_name("cases.toml")
SIGNALS = ("power", "contactor", "gate", "coil", "rcd_test", "asks")
EXCUSES = ("gate", "weld")


@dataclass(frozen=True)
class State:
    """A session state. closed: current can flow when the fault comes. steps: to get there; after: behind the fault."""

    name: str
    text: str
    closed: bool
    steps: tuple[dict[str, Any], ...]
    after: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Trouble:
    """A fault and what is expected of it.

    do: actions that set it. dark_ms: current has ended by then and stays away as long as it lasts (lasts_ms).
    export_ms: the same for export. shut: the contactor may not close while it lasts. says: one of these is on the
    console. silent: state -> why nothing need be said there. excuses: invariants that this fault itself breaks in the
    plant.
    """

    name: str
    text: str
    do: tuple[dict[str, Any], ...]
    dark_ms: float | None = None
    lasts_ms: float = float("inf")
    export_ms: float | None = None
    power_ms: float = 500.0
    shut: bool = False
    says: tuple[str, ...] = ()
    silent: dict[str, str] = field(default_factory=dict)
    excuses: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One fault in one state."""

    state: State
    trouble: Trouble

    @property
    def name(self) -> str:
        return f"{self.trouble.name}@{self.state.name}"


@dataclass(frozen=True)
class Plan:
    settings: dict[str, Any]
    plant: StationConfig
    states: tuple[State, ...]
    troubles: tuple[Trouble, ...]

    def cases(self) -> list[Case]:
        """Return every case, state by state."""
        return [
            Case(state, trouble)
            for state in self.states
            for trouble in self.troubles
            if not trouble.only or state.name in trouble.only
        ]


def document_of(kind: str, path: Path) -> dict[str, Any]:
    """Read a .toml file. kind: what it is to a person, such as campaign or day."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{kind} {path}: cannot be read: {error.strerror}; give a .toml file.") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise InputError(f"{kind} {path}: not TOML: {error}") from None


def load(path: Path = CASES) -> Plan:
    """Read and check a campaign."""
    document = document_of("campaign", path)
    states = tuple(_state(path, row) for row in document.get("state", []))
    names = {state.name for state in states}
    troubles = tuple(_trouble(path, row, names) for row in document.get("fault", []))
    missing = set(FAULTS) - {step["name"] for trouble in troubles for step in trouble.do if step.get("do") == "fault"}
    if missing:
        raise InputError(f"campaign {path}: faults of the plant without a row: {', '.join(sorted(missing))}.")
    plant = config(path, StationConfig, document.get("plant", {}))
    return Plan(dict(document.get("settings", {})), plant, states, troubles)


def _state(path: Path, row: dict[str, Any]) -> State:
    where = f"state '{row.get('name', '?')}'"
    _keys(path, where, row, State)
    steps = tuple(step_of(path, where, step) for step in row["steps"])
    return State(
        row["name"], row["text"], bool(row["closed"]), steps, tuple(step_of(path, where, s) for s in row["after"])
    )


def _trouble(path: Path, row: dict[str, Any], states: set[str]) -> Trouble:
    where = f"fault '{row.get('name', '?')}'"
    _keys(path, where, row, Trouble)
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    values["do"] = tuple(step_of(path, where, step) for step in row["do"])
    for key in ("silent", "only"):
        for name in row.get(key, ()):
            if name not in states:
                raise InputError(f"campaign {path}: {where}: {key}: no state '{name}'.")
    for excuse in row.get("excuses", ()):
        if excuse not in EXCUSES:
            raise InputError(f"campaign {path}: {where}: excuse '{excuse}' is unknown; allowed: {', '.join(EXCUSES)}.")
    return Trouble(**values)


def _keys(path: Path, where: str, row: dict[str, Any], kind: type) -> None:
    known = {f.name for f in fields(kind)}
    for key in row:
        if key not in known:
            raise InputError(f"campaign {path}: {where}: '{key}' is unknown; allowed: {', '.join(sorted(known))}.")
    for key in ("name", "text"):
        if key not in row:
            raise InputError(f"campaign {path}: {where}: {key} is missing.")


BOARD_ACTIONS = ("stall", "board_fault", "stuck_input", "power_cut", "restart", "vehicle_d")


def step_of(path: Path, where: str, step: dict[str, Any], more: tuple[str, ...] = ("ask",)) -> dict[str, Any]:
    """Check one step: an action of the scenarios, one of the board's, `until`, `wait_s` or one of `more`."""
    if "until" in step:
        if step["until"] not in SIGNALS:
            raise InputError(f"campaign {path}: {where}: until = '{step['until']}'; allowed: {', '.join(SIGNALS)}.")
    elif "wait_s" not in step and step.get("do") not in (*ACTIONS, *BOARD_ACTIONS, *more):
        raise InputError(f"campaign {path}: {where}: do = '{step.get('do')}' is unknown.")
    if step.get("do") == "fault" and step.get("name") not in FAULTS:
        raise InputError(f"campaign {path}: {where}: fault '{step.get('name')}' is unknown.")
    return dict(step)
