# SPDX-License-Identifier: MIT
"""Enter service as IEEE 1547.1 tries it: into the window over one edge, a wait that an excursion restarts, a ramp.

The list says which edge and which settings; where its edges lie, and how near to the list a code lets an installer
set window, wait, random part and ramp, is read from the profile.
"""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from backfeed.checkout import HIL
from hil.evidence.model import IEEE_1547, Case, Facts, Move, Session
from hil.evidence.reconnect import CLOSING_S, RAMP_W, first_trip

LISTED = HIL / "scenarios" / "grid" / "ieee1547_1_enter_service.toml"
EARLY_SHARE = 0.985  # of a time: nothing before it
EXCURSION_S, EXCURSION_AT = 0.08, 0.25  # s, and share of the wait at which it comes
BEFORE_S = 3.0  # outside the window
REACHED_SHARE = 1.05  # of the ramp: all of the power is there
SLOWEST_RISE = 1.0  # % of the rating above the ramp
ENDS = {"lowest": 0, "highest": 1}
Row = dict[str, Any]


@cache
def listed() -> tuple[Row, ...]:
    """Return the listed cases."""
    return tuple(tomllib.loads(LISTED.read_text(encoding="utf-8"))["case"])


@cache
def _apart() -> dict[str, float]:
    """Return how far a value lies from the edge, by unit."""
    found = tomllib.loads(LISTED.read_text(encoding="utf-8"))
    return {"pu": found["apart_pu"], "hz": found["apart_hz"]}


def sessions(facts: Facts) -> list[Session]:
    """Return a session for each listed case that differs from those before it."""
    return [_session(facts, row) for row in listed() if not why_not(facts, row)]


def why_not(facts: Facts, row: Row) -> str:
    """Return why a listed case is none of its own for a profile, or ""."""
    for before in listed():
        if before is row:
            return ""
        if before["edge"] == row["edge"] and settings(facts, before) == settings(facts, row):
            return f"nothing that it sets can be set: it would be ES {before['name']}"
    raise ValueError(f"{row['name']}: not in {LISTED.name}")


def settings(facts: Facts, row: Row) -> dict[str, int]:
    """Return what an installer changes for a case: as near to the list as the code's ranges allow."""
    wish = {"first_wait_ms": 0}
    if "wait_s" in row:
        wish["enter_wait_ms"] = row["wait_s"] * 1000
    if "random_s" in row:
        wish["enter_random_ms"] = row["random_s"] * 1000
    if "ramp_s" in row:
        wish["enter_ramp_permille_min"] = 60_000 // row["ramp_s"]
    if "set_to" in row and row["edge"] in facts.ranges:
        wish[row["edge"]] = facts.ranges[row["edge"]][ENDS[row["set_to"]]]
    found = {}
    for key, value in wish.items():
        low, high = facts.ranges.get(key, (0, -1))
        nearest = min(max(value, low), high)
        if low <= nearest <= high and nearest != getattr(facts.profile, key):
            found[key] = nearest
    return found


def _session(facts: Facts, row: Row) -> Session:
    changes = ",".join(f"{key}={value}" for key, value in settings(facts, row).items())
    at = Facts(facts.name, changes)
    cases = [first_trip(at), _entered(at, row)]
    if _measures_ramp(facts, row):
        cases.append(_ramped(at, row))
    # Frequency response off: outside its dead band it would rightly take some of the power that the ramp is judged by.
    rating = {"export_rating_w": RAMP_W, "import_rating_w": RAMP_W, "droop_enable": 0}
    return Session(facts.name, f"enter-{row['name']}", tuple(cases), 1, changes, rating, "reconnect")


def _measures_ramp(facts: Facts, row: Row) -> bool:
    """Whether a case has a ramp, and for other codes than the list's own one that no case before it has."""
    if not _ramp(facts, row):
        return False
    if facts.name.startswith(IEEE_1547):
        return True
    before = listed()[: listed().index(row)]
    return all(_ramp(facts, other) != _ramp(facts, row) for other in before)


def _ramp(facts: Facts, row: Row) -> int:
    """Return the ramp of a case, permille of the rating a minute; 0 = none."""
    key = "enter_ramp_permille_min"
    return settings(facts, row).get(key, getattr(facts.profile, key))


def _entered(facts: Facts, row: Row) -> Case:
    p = facts.profile
    wait_s, random_s = p.enter_wait_ms / 1000, p.enter_random_ms / 1000
    outside, inside = places(facts, row)
    moves, good_s = [_to(facts, row, 0.0, outside), _to(facts, row, BEFORE_S, inside)], BEFORE_S
    said = ""
    if wait_s:
        away_s = good_s + EXCURSION_AT * wait_s
        good_s = away_s + EXCURSION_S
        moves += [_to(facts, row, away_s, outside), _to(facts, row, good_s, inside)]
        said = f", an excursion of {EXCURSION_S:g} s at a quarter of the wait"
    unit = "V" if _of_voltage(row) else "Hz"
    text = f"{outside:.2f} {unit} to {inside:.2f} {unit}{said}: closes after {wait_s:g} s"
    text += f" and at most {random_s:g} s more" if random_s else ""
    most_s = wait_s + random_s + CLOSING_S
    low_ms, high_ms = EARLY_SHARE * wait_s * 1000, most_s * 1000
    return Case(f"ES-{row['name']}-wait", text, "closes", tuple(moves), good_s + most_s, good_s, low_ms, high_ms)


def _of_voltage(row: Row) -> bool:
    return str(row["edge"]).endswith("_mv")


def places(facts: Facts, row: Row) -> tuple[float, float]:
    """Return the value outside the window and the one inside it, V or Hz, on either side of the case's edge."""
    scale = 1000 if _of_voltage(row) else 1_000_000
    apart = _apart()["pu"] * facts.nominal_v if _of_voltage(row) else _apart()["hz"]
    edge = getattr(facts.profile, row["edge"]) / scale
    furthest = edge
    if "outside_of" in row and row["edge"] in facts.ranges:
        furthest = facts.ranges[row["edge"]][ENDS[row["outside_of"]]] / scale
    outwards = -1 if "_low_" in row["edge"] else 1
    return furthest + outwards * apart, edge - outwards * apart


def _to(facts: Facts, row: Row, at_s: float, value: float) -> Move:
    """Return the move to a value of the case's quantity, the other one at nominal."""
    if _of_voltage(row):
        return Move(at_s, value, facts.nominal_hz)
    return Move(at_s, facts.nominal_v, value)


def _ramped(facts: Facts, row: Row) -> Case:
    full_s = 60_000 / facts.profile.enter_ramp_permille_min
    text = f"then export rises to the rating in {full_s:.4g} s, no faster: greatest excess (frequency response off)"
    # The case before ends up to CLOSING_S and the random part after the closing that it waited for.
    length_s = full_s * REACHED_SHARE + CLOSING_S + 10
    return Case(f"ES-{row['name']}-ramp", text, "rises", (), length_s, 0.0, None, SLOWEST_RISE, delay_ms=full_s * 1000)
