# SPDX-License-Identifier: MIT
"""The enter-service cases that IEEE 1547.1 lists: a wait that an excursion restarts, a random part, then a ramp."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

from backfeed.checkout import HIL
from hil.evidence.model import Case, Facts, Move, Session
from hil.evidence.reconnect import CLOSING_S, RAMP_W, first_trip

LISTED = HIL / "scenarios" / "grid" / "ieee1547_1_enter_service.toml"
EARLY_SHARE = 0.985  # of a time: nothing before it
EXCURSION_S, EXCURSION_AT = 0.08, 0.25  # s, and share of the wait at which it comes
BEFORE_S = 3.0  # outside the window
REACHED_SHARE = 1.05  # of the ramp: all of the power is there
SLOWEST_RISE = 1.0  # % of the rating above the ramp


def sessions(facts: Facts) -> list[Session]:
    """Return a session for each listed case of this profile."""
    rows = tomllib.loads(LISTED.read_text(encoding="utf-8"))["case"]
    return [_session(facts, row) for row in rows if facts.name in row["profiles"]]


def _session(facts: Facts, row: dict[str, Any]) -> Session:
    changes = [row["changes"]] if "changes" in row else []
    changes += [
        f"enter_wait_ms={row['delay_s'] * 1000}",
        "first_wait_ms=0",
        f"enter_ramp_permille_min={60_000 // row['ramp_s']}",
    ]
    if "random_s" in row:
        changes.append(f"enter_random_ms={row['random_s'] * 1000}")
    at = Facts(facts.name, ",".join(changes))
    # Frequency response off: at 60.98 Hz it would rightly take a third of the power that the ramp is judged by.
    settings = {"export_rating_w": RAMP_W, "import_rating_w": RAMP_W, "droop_enable": 0}
    cases = (first_trip(at), _entered(at, row), _ramped(at, row))
    return Session(facts.name, f"enter-{row['name']}", cases, 1, ",".join(changes), settings, "reconnect")


def _entered(facts: Facts, row: dict[str, Any]) -> Case:
    wait_s, random_s = float(row["delay_s"]), float(row.get("random_s", 0))
    outside, inside = _place(facts, row, "before"), _place(facts, row, "after")
    nominal = Move(0.0, facts.nominal_v, facts.nominal_hz)
    moves, good_s = [replace(nominal, **outside), replace(nominal, at_s=BEFORE_S, **inside)], BEFORE_S
    said = ""
    if wait_s:
        away_s = good_s + EXCURSION_AT * wait_s
        good_s = away_s + EXCURSION_S
        moves += [replace(nominal, at_s=away_s, **outside), replace(nominal, at_s=good_s, **inside)]
        said = f", an excursion of {EXCURSION_S:g} s at a quarter of the wait"
    far, near = (next(iter(place.values())) for place in (outside, inside))
    unit = "V" if "voltage_v" in outside else "Hz"
    text = f"{far:.2f} {unit} to {near:.2f} {unit}{said}: closes after {wait_s:g} s"
    text += f" and at most {random_s:g} s more" if random_s else ""
    most_s = wait_s + random_s + CLOSING_S
    return Case(
        f"ES-{row['name']}-wait",
        text,
        "closes",
        tuple(moves),
        good_s + most_s,
        good_s,
        EARLY_SHARE * wait_s * 1000,
        most_s * 1000,
    )


def _place(facts: Facts, row: dict[str, Any], when: str) -> dict[str, Any]:
    if f"{when}_hz" in row:
        return {"frequency_hz": row[f"{when}_hz"]}
    return {"voltage_v": row[f"{when}_pu"] * facts.nominal_v}


def _ramped(facts: Facts, row: dict[str, Any]) -> Case:
    full_s = float(row["ramp_s"])
    text = f"then export rises to the rating in {full_s:g} s, no faster: greatest excess (frequency response off)"
    # The case before ends up to CLOSING_S and the random part after the closing that it waited for.
    length_s = full_s * REACHED_SHARE + CLOSING_S + 10
    return Case(f"ES-{row['name']}-ramp", text, "rises", (), length_s, 0.0, None, SLOWEST_RISE, delay_ms=full_s * 1000)
