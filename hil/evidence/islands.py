# SPDX-License-Identifier: MIT
"""T-I on the whole firmware: IEC 62116's balanced load at its three powers, and one on three phases, for every profile.

The full matrix of loads is `make bench-lom`, which runs firmware's sensing and protection against the same plant; here
the inverter's link and every task run too, and the code's own passive elements act, as they would on a wall.
"""

from __future__ import annotations

from hil.evidence.model import Case, Facts, Move, Session, quick_ramp

CONDITIONS = (("A", -1.0), ("B", -0.55), ("C", -0.30))  # of the rating
LIMIT_MS = 1000.0  # the standard allows 2 s, the UK 1 s with the contactor; 0.5 s is the goal
BALANCE_S, OPEN_S = 0.1, 2.1


def sessions(facts: Facts, changes: str) -> list[Session]:
    """Return a session a condition. changes: waits shortened inside the code's ranges."""
    changes = ",".join(part for part in (changes, quick_ramp(facts)) if part)
    found = [
        Session(
            facts.name, f"island-{name}", (_island(name, share),), 1, changes, kind="islands", rated_w=facts.rated_w
        )
        for name, share in CONDITIONS
    ]
    three = _island("A-3ph", CONDITIONS[0][1])
    return [*found, Session(facts.name, "island-3ph", (three,), 3, changes, kind="islands", rated_w=3 * facts.rated_w)]


def _island(name: str, share: float) -> Case:
    text = f"{-100 * share:.0f} % export into a balanced load of Qf 1, mains open: the contactor opens"
    moves = (Move(BALANCE_S, island=(0.0, 0.0)), Move(OPEN_S, opens=True))
    return Case(f"T-I-{name}", text, "opens", moves, OPEN_S + 2.5, OPEN_S, 0.0, LIMIT_MS, setpoint=share)
