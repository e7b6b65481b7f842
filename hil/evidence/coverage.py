# SPDX-License-Identifier: MIT
"""Which test procedures are covered, by how many cases of each profile, and why a profile has none of a family.

The families are those that the standards' test procedures list; a case belongs to the first family whose names it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hil.evidence.model import Facts, Session
from hil.evidence.rates import WITHSTAND
from hil.evidence.service import Row, listed, why_not

Absent = Callable[[Facts], str]


@dataclass(frozen=True)
class Family:
    """names: a pattern of case names; absent: why a profile has no such case, or "" where it must have some."""

    code: str
    what: str
    names: str
    absent: Absent


def _never(_facts: Facts) -> str:
    return ""


def _only(*profiles: str, reason: str) -> Absent:
    return lambda facts: "" if facts.name in profiles else reason


def _mean(facts: Facts) -> str:
    return "" if facts.profile.mean_mv else "no 10-minute mean"


def _rocof(facts: Facts) -> str:
    return "" if facts.rocof_hz_s else "no ROCOF element"


def _withstand(facts: Facts) -> str:
    return "" if facts.name in WITHSTAND else "no slope to withstand is known" if not facts.rocof_hz_s else "T-R-2"


def _ranges(quantity: str) -> Absent:
    return lambda facts: "" if any(key[1] == quantity and "." in key for key in facts.ranges) else "none is adjustable"


def _ramp(facts: Facts) -> str:
    return "" if facts.profile.enter_ramp_permille_min else "no ramp after connection"


def _region(quantity: str) -> Absent:
    return lambda facts: "" if any(row[0] == quantity for row in facts.regions) else "no such region stated"


def _mandatory(facts: Facts) -> str:
    kept = any(row[0] == "v" and row[4] == "mandatory" and row[2] / 1000 < facts.nominal_v for row in facts.regions)
    return "" if kept else "no such region stated"


def _cessation(facts: Facts) -> str:
    return "" if facts.profile.cessation_low_mv or facts.profile.cessation_high_mv else "no momentary cessation"


def _over(facts: Facts) -> str:
    return "" if facts.profile.over_droop_permille else "no P(f)"


def _under(facts: Facts) -> str:
    return "" if facts.profile.under_droop_permille else "no P(f) below nominal"


def _curve(name: str) -> Absent:
    return lambda facts: "" if getattr(facts.profile, name)[1] else "no curve"


def _enter(row: Row) -> Absent:
    return lambda facts: why_not(facts, row)


UK = ("uk_g98", "uk_g99")
IEEE = ("ieee1547_cat_b", "ieee1547_cat_1", "ieee1547_cat_2", "ieee1547_cat_3")
OTHER = "another code's form"
FAMILIES = (
    Family("T-V level", "voltage stage, inside its threshold", r"T-V-[ou]v\d-level", _never),
    Family("T-V time", "voltage stage, shorter than its delay", r"T-V-[ou]v\d-time", _never),
    Family("T-V trip", "voltage stage, opens in delay .. delay + 100 ms", r"T-V-[ou]v\d-trip$", _never),
    Family("T-V far", "dead bus; 8 % above the highest stage", r"T-V-[ou]v-far", _never),
    Family("T-V mean", "10-minute mean", r"T-V-ov_mean", _mean),
    Family("T-V phase", "one phase sags, swells, is lost", r"T-V-L", _never),
    Family("T-V range", "voltage stage at the ends of what may be set", r"T-V-[ou]v\d-trip-", _ranges("v")),
    Family("T-F level", "frequency stage, inside its threshold", r"T-F-[ou]f\d-level", _never),
    Family("T-F time", "frequency stage, shorter than its delay", r"T-F-[ou]f\d-time", _never),
    Family("T-F trip", "frequency stage, opens in delay .. delay + 100 ms", r"T-F-[ou]f\d-trip$", _never),
    Family("T-F range", "frequency stage at the ends of what may be set", r"T-F-[ou]f\d-trip-", _ranges("f")),
    Family("T-R-1", "ramps that must trip", r"T-R-1-", _rocof),
    Family("T-R-2", "0.95 of the setting for 2.1 s", r"T-R-2-", _rocof),
    Family("T-R-3", "the ROCOF timer starts again", r"T-R-3", _rocof),
    Family("T-R-4", "phase jumps, all phases", r"T-R-4-[+-]", _never),
    Family("T-R-4 L", "phase jumps, one phase of three", r"T-R-4-L", _never),
    Family("T-R-5, 6", "wandering slopes with noise and distortion", r"T-R-[56]", _rocof),
    Family("T-R w", "slopes to be withstood", r"T-R-withstand", _withstand),
    Family("T-I", "islands on the whole firmware", r"T-I-", _never),
    Family("T-N-1", "reconnection: glitch before the wait's end", r"T-N-1$", _never),
    Family("T-N off", "reconnection: outside each edge of the window", r"T-N-off", _never),
    Family("T-N-2", "ramp after reconnection", r"T-N-2$", _ramp),
    Family("T-N trip", "the trip before a reconnection", r"T-N-trip", _never),
    *(
        Family(f"ES {row['name']}", f"enter service: {row['text']}", rf"ES-{row['name']}-", _enter(row))
        for row in listed()
    ),
    Family("T-D over", "P(f) above nominal, levels and time", r"T-D-over", _over),
    Family("T-D under", "P(f) below nominal, levels and time", r"T-D-under", _under),
    Family("LFSM-O", "G98/G99 form, two powers", r"G98-LFSM", _only(*UK, reason=OTHER)),
    Family("T-D limit", "IEEE 1547.1 limit of active power", r"T-D-limit", _only(*IEEE, reason=OTHER)),
    Family("T-D q", "volt-var, levels and time", r"T-D-q", _curve("volt_var")),
    Family("T-D w", "volt-watt, levels and time", r"T-D-w", _curve("volt_watt")),
    Family("RT-V", "voltage ride-through regions", r"RT-V", _region("v")),
    Family("RT-F", "frequency ride-through regions", r"RT-F", _region("f")),
    Family("RT-I", "current kept in mandatory operation", r"RT-I", _mandatory),
    Family("MC", "momentary cessation", r"MC-", _cessation),
    Family("1547.1 RT", "LVRT, HVRT and frequency sequences", r"1547\.1-", _only(*IEEE, reason=OTHER)),
    Family("G98", "values that must not trip, falling frequency", r"G98-", _only(*UK, reason=OTHER)),
)
# What is not a case of this set, and where it is proved.
ELSEWHERE = (
    ("T-I-1..31, T-I-0", "IEC 62116 A, B, C with rings and sweeps, every profile, method on and off", "make bench-lom"),
    ("UI 1B-10B", "IEEE 1547.1 unintentional islanding, swept and widened", "make bench-lom"),
    ("G98 LOM", "10, 55, 100 % power, load at 95 and 105 %", "make bench-lom"),
    ("stability", "grids that are there: jumps, sags, steps, weak grids, ten units, recordings", "make bench-lom"),
    ("T-C-1", "inverter silent, controller frozen, and each other fault", "backfeed campaign"),
    ("T-S-1", "charge at the floor, stale, absent", "backfeed campaign; tests/core, tests/model"),
    ("T-CP", "control pilot states and times", "backfeed campaign; tests/core"),
    ("T-FR", "frequency services", "not built: a remote setpoint is what an aggregator sends"),
)


def family_of(case: str) -> Family | None:
    """Return the family that a case name belongs to."""
    return next((family for family in FAMILIES if re.match(family.names, case)), None)


def counted(sessions: Iterable[Session]) -> dict[str, int]:
    """Return how many cases of each family there are, by its code."""
    found = dict.fromkeys((family.code for family in FAMILIES), 0)
    for session in sessions:
        for case in session.cases:
            family = family_of(case.name)
            if family is None:
                raise ValueError(f"case {case.name}: of no family; add one to hil/evidence/coverage.py")
            found[family.code] += 1
    return found


def table(by_profile: dict[str, list[Session]]) -> list[tuple[Family, dict[str, tuple[int, str]]]]:
    """Return each family with the count of each profile and, where that is 0, the reason."""
    counts = {name: counted(sessions) for name, sessions in by_profile.items()}
    facts = {name: Facts(name) for name in by_profile}
    return [
        (family, {name: (counts[name][family.code], family.absent(facts[name])) for name in by_profile})
        for family in FAMILIES
    ]
