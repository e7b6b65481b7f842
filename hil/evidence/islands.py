# SPDX-License-Identifier: MIT
"""T-I on the whole firmware: IEC 62116's balanced load at its three powers, and one on three phases, for every profile.

The full matrix of loads is `make bench-lom`, which runs firmware's sensing and protection against the same plant; here
the inverter's link and every task run too, and the code's own passive elements act, as they would on a wall. Where
frequency response and momentary cessation end the island first, the dead bus opens the contactor some time later.
"""

from __future__ import annotations

from hil.evidence.model import Case, Facts, Move, Session, joined, quick_ramp

CONDITIONS = {"A": -1.0, "B": -0.55, "C": -0.30}  # of the rating
LIMIT_MS = 1000.0  # the standard allows 2 s, the UK 1 s with the contactor; 0.5 s is the goal
BALANCE_S, OPEN_S = 0.1, 2.1


def sessions(facts: Facts, changes: str) -> list[Session]:
    """Return a session a condition. changes: waits shortened inside the code's ranges.

    Where the code fixes a ramp of minutes, B is left to the full matrix and three phases are tried at C's power.
    """
    quick = quick_ramp(facts)
    changes = joined(changes, quick)
    slow = facts.profile.enter_ramp_permille_min and not quick
    wanted = (("A", 1), ("C", 1), ("C", 3)) if slow else (("A", 1), ("B", 1), ("C", 1), ("A", 3))
    return [_session(facts, condition, phases, changes) for condition, phases in wanted]


def _session(facts: Facts, condition: str, phases: int, changes: str) -> Session:
    share = CONDITIONS[condition]
    name = f"T-I-{condition}" if phases == 1 else f"T-I-{condition}-3ph"
    text = f"{-100 * share:.0f} % export into a balanced load of Qf 1, mains open: run-on, until current is below 1 %"
    moves = (Move(BALANCE_S, island=(0.0, 0.0)), Move(OPEN_S, opens=True))
    case = Case(name, text, "ends", moves, OPEN_S + 2.5, OPEN_S, 0.0, LIMIT_MS, setpoint=share)
    return Session(facts.name, name, (case,), phases, changes, kind="islands", rated_w=phases * facts.rated_w)
