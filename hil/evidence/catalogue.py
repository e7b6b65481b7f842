# SPDX-License-Identifier: MIT
"""All sessions of a profile, and how to pick among them."""

from __future__ import annotations

import random
from dataclasses import replace

from hil.evidence import curves, droop, islands, phases, ranges, rates, reconnect, ride, service, stages
from hil.evidence.model import Facts, Session, joined


def sessions(profile: str, seed: int = 1) -> list[Session]:
    """Return every session of a profile. seed: of wandering slopes."""
    facts = Facts(profile)
    shorter = reconnect.shortened(facts)
    found = stages.sessions(facts) + rates.sessions(facts, seed)
    found = [replace(session, changes=joined(session.changes, shorter)) for session in found]
    found += ranges.sessions(facts, shorter)
    found += reconnect.sessions(facts) + service.sessions(facts)
    found += ride.sessions(facts, shorter) + phases.sessions(facts, shorter)
    return found + [row for part in (droop, curves, islands) for row in part.sessions(facts, shorter)]


def pick(found: list[Session], case: str) -> list[Session]:
    """Return the sessions with a case whose name holds the text; the cases before it are kept, as they lead there."""
    picked = []
    for session in found:
        at = [i for i, row in enumerate(session.cases) if case.lower() in row.name.lower()]
        if at:
            picked.append(replace(session, cases=session.cases[: at[-1] + 1]))
    return picked


def sample(found: list[Session], count: int, seed: int, most_s: float) -> list[Session]:
    """Return count sessions drawn at random among those that last no more than most_s of virtual time."""
    short = [session for session in found if sum(case.duration_s for case in session.cases) <= most_s]
    return random.Random(seed).sample(short, min(count, len(short)))
