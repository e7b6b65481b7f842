# SPDX-License-Identifier: MIT
"""Search one stage by itself: every letter in every context, and all that it ever hands on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.model.inward import PilotStage, ProtectStage
from tests.model.shared import Broken


@dataclass
class Alone:
    """hands: what it hands on -> the name of a letter that made it do so."""

    states: int = 1
    transitions: int = 0
    hands: dict[tuple[Any, ...], str] = field(default_factory=dict)
    violation: str = ""


def search(stage: PilotStage | ProtectStage) -> Alone:
    """Search everything; stop at the first violation."""
    found = Alone()
    start = stage.start()
    parents: dict[Any, Any] = {start: None}
    queue = deque([start])
    while queue:
        kept = queue.popleft()
        for context in stage.CONTEXTS:
            for name, *given in stage.LETTERS:
                found.transitions += 1
                try:
                    after, handed = stage.run(kept, (context, *given))
                except Broken as broken:
                    found.violation = _trace(parents, kept, f"{name} (with {context})", str(broken))
                    return found
                found.hands.setdefault(handed, name)
                if after not in parents:
                    parents[after] = (kept, f"{name} (with {context})", handed)
                    queue.append(after)
    found.states = len(parents)
    return found


def _trace(parents: dict[Any, Any], kept: Any, last: str, why: str) -> str:
    way = []
    while parents[kept] is not None:
        kept, letter, handed = parents[kept]
        way.append(f"{letter}  ->  {handed}")
    way.reverse()
    lines = [f"  {number:3d}  {line}" for number, line in enumerate([*way, f"{last}  ->  VIOLATED"], 1)]
    return "\n".join([f"VIOLATED: {why}", f"after {len(lines)} cycles:", *lines])
