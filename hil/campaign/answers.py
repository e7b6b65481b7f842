# SPDX-License-Identifier: MIT
"""What `why` answers on the console of the whole firmware, in situations that the plant really makes (why.toml)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.campaign.case import Run, Unreached, powered
from hil.campaign.plan import document_of
from hil.plant.config import StationConfig
from hil.scenario import config

SITUATIONS = Path(__file__).with_name("why.toml")
ANSWER_S = 0.3


@dataclass(frozen=True)
class Answer:
    """What was said, and what had to be. wanted: a pattern for the whole sentence."""

    life: str
    wanted: str
    said: str

    @property
    def right(self) -> bool:
        return re.fullmatch(self.wanted, self.said) is not None


@dataclass(frozen=True)
class Life:
    name: str
    settings: dict[str, Any]
    plant: StationConfig
    steps: list[dict[str, Any]]


def lives() -> list[Life]:
    """Return every life of why.toml."""
    document = document_of("why", SITUATIONS)
    return [
        Life(
            row["name"],
            row["settings"],
            config(SITUATIONS, StationConfig, row.get("plant", {})),
            row["steps"],
        )
        for row in document["life"]
    ]


def ask(life: Life) -> list[Answer]:
    """Live through a life; return its answers."""
    answers = []
    with powered(life.settings, life.plant) as run:
        for step in life.steps:
            if "why" in step:
                answers.append(Answer(life.name, step["why"], _why(run)))
                continue
            try:
                run.step(step)
            except Unreached as missed:
                answers.append(Answer(life.name, str(step), f"{missed}; why: {_why(run)}"))
                break
    return answers


def _why(run: Run) -> str:
    """Return all that the console says between the question and its OK."""
    before = len(run.board.console.text)
    run.board.console_write("why\r")
    run.board.run(ANSWER_S)
    lines = [line.strip() for line in run.board.console.text[before:].splitlines()]
    return " ".join(
        line for line in lines if line not in ("", "why", ">", "> why") and not line.startswith("OK reason=")
    )
