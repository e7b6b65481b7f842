# SPDX-License-Identifier: MIT
"""T-R: slopes and jumps. A profile's own ROCOF setting is tried; where it has none, what it must withstand."""

from __future__ import annotations

import random

from hil.evidence.model import OVERRUN_MS, Case, Facts, Move, Session

SPAN_HZ = 3.4  # a trip's ramp stays inside the frequency stages
FACTORS = (1.05, -1.05, 2.0, 5.0)
THD, NOISE = 0.05, 0.002
WANDER_S = 0.1  # a piece of a wandering slope
WANDER = 0.1  # of the setting
# Slopes to be withstood by codes without such an element, Hz/s and s: grid-codes 1.1, 1.3, 1.5, 1.7 (general knowledge
# but for IEEE 1547, which two public repositories show).
WITHSTAND = {
    "ieee1547_cat_1": (0.5, 4.0),
    "ieee1547_cat_2": (2.0, 1.5),
    "ieee1547_cat_3": (3.0, 1.0),
    "ieee1547_cat_b": (3.0, 1.0),
    "as4777_a": (4.0, 0.25),
    "as4777_b": (4.0, 0.25),
    "as4777_c": (4.0, 0.25),
    "nz_4777": (4.0, 0.25),
    "en50549_1": (2.0, 1.2),
    "vde_4105_2018": (2.0, 1.2),
}
# Definite times below this are measured over five line cycles, which cannot tell 90 % of such a time from all of it.
QUICK_S = 0.3
JUMPS_DEG = (50.0, -50.0, 20.0, -20.0)


def sessions(facts: Facts, seed: int) -> list[Session]:
    """Return a session of what must be ridden, and one for each ramp that must trip."""
    steady = [*_jumps(facts), *_withstood(facts)]
    if not facts.rocof_hz_s:
        return [Session(facts.name, "slopes-ridden", tuple(steady), kind="rates")]
    steady += [_held(facts, 0.95), _held(facts, -0.95), _restarted(facts), _wandering(facts, 0.85, seed)]
    tripping = [_tripped(facts, factor) for factor in FACTORS] + [_wandering(facts, 1.2, seed)]
    single = [Session(facts.name, case.name, (case,), kind="rates") for case in tripping]
    return [Session(facts.name, "slopes-ridden", tuple(steady), kind="rates"), *single]


def _start(facts: Facts, start_hz: float) -> tuple[Move, float]:
    """Return the slow move to where a ramp begins, and when it may begin."""
    ramp_s = abs(start_hz - facts.nominal_hz) / facts.slow_hz_s
    return Move(0.0, frequency_hz=start_hz, ramp_s=ramp_s), ramp_s + 0.5


def _home(facts: Facts, at_s: float, from_hz: float) -> tuple[Move, float]:
    ramp_s = abs(from_hz - facts.nominal_hz) / facts.slow_hz_s
    return Move(at_s, frequency_hz=facts.nominal_hz, ramp_s=ramp_s), at_s + ramp_s + 1.0


def _ramp(facts: Facts, slope: float, wish_s: float) -> tuple[float, float, float]:
    """Return where a ramp begins and ends and how long it lasts, as long as wished or as the stages leave room."""
    low, high = facts.room_hz
    length_s = min(wish_s, (high - low) / abs(slope))
    middle = min(max(facts.nominal_hz, low + abs(slope) * length_s / 2), high - abs(slope) * length_s / 2)
    return middle - slope * length_s / 2, middle + slope * length_s / 2, length_s


def _tripped(facts: Facts, factor: float) -> Case:
    slope, delay_s = factor * facts.rocof_hz_s, facts.profile.rocof_delay_ms / 1000
    begin, end, length_s = _ramp(facts, slope, min(delay_s + 1.0, SPAN_HZ / abs(slope)))
    first, at_s = _start(facts, begin)
    text = f"{slope:+.3g} Hz/s from {begin:.2f} to {end:.2f} Hz in {length_s:.2f} s: rocof opens the contactor"
    return Case(
        f"T-R-1-{factor:+g}",
        text,
        "opens",
        (first, Move(at_s, frequency_hz=end, ramp_s=length_s)),
        at_s + delay_s + 0.6,
        at_s,
        delay_s * 1000,
        delay_s * 1000 + OVERRUN_MS,
        "rocof",
        delay_ms=delay_s * 1000,
    )


def _held(facts: Facts, factor: float) -> Case:
    slope = factor * facts.rocof_hz_s
    begin, end, length_s = _ramp(facts, slope, 2.1)
    first, at_s = _start(facts, begin)
    home, end_s = _home(facts, at_s + length_s + 0.5, end)
    text = f"{slope:+.3g} Hz/s from {begin:.2f} to {end:.2f} Hz in {length_s:.2f} s, below the setting: stays"
    moves = (first, Move(at_s, frequency_hz=end, ramp_s=length_s), home)
    return Case(f"T-R-2-{factor:+g}", text, "stays", moves, end_s)


def _restarted(facts: Facts) -> Case:
    delay_s = facts.profile.rocof_delay_ms / 1000
    slope, part_s = 1.5 * facts.rocof_hz_s, delay_s * (0.9 if delay_s >= QUICK_S else 0.5)
    begin = facts.nominal_hz - slope * part_s
    first, at_s = _start(facts, begin)
    middle, end = begin + slope * part_s, begin + 2 * slope * part_s
    second_s = at_s + part_s + 0.3
    home, end_s = _home(facts, second_s + part_s + 0.5, end)
    moves = (
        first,
        Move(at_s, frequency_hz=middle, ramp_s=part_s),
        Move(second_s, frequency_hz=end, ramp_s=part_s),
        home,
    )
    text = f"{slope:.3g} Hz/s for {part_s:.3g} s, 0.3 s of rest, and again: the timer starts again, stays"
    return Case("T-R-3", text, "stays", moves, end_s)


def _wandering(facts: Facts, factor: float, seed: int) -> Case:
    """Return T-R-5 and T-R-6: a slope that wanders by a tenth of the setting, with 5 % THD and 0.2 % noise."""
    source = random.Random(f"{facts.name} {factor} {seed}")
    delay_s = facts.profile.rocof_delay_ms / 1000
    slope = factor * facts.rocof_hz_s
    begin, _, length_s = _ramp(facts, slope, delay_s + 1.0)
    first, at_s = _start(facts, begin)
    moves, now_s, hz = [Move(0.0, thd=THD, noise=NOISE), first], at_s, begin
    while now_s < at_s + length_s - 1e-9:
        hz += (slope + source.uniform(-WANDER, WANDER) * facts.rocof_hz_s) * WANDER_S
        moves.append(Move(now_s, frequency_hz=hz, ramp_s=WANDER_S))
        now_s += WANDER_S
    if factor > 1:
        text = f"{slope:.3g} Hz/s wandering by {WANDER * facts.rocof_hz_s:g}, 5 % THD, 0.2 % noise: rocof opens"
        late_ms = delay_s * 1000 + OVERRUN_MS
        end_s = now_s + 0.1
        low_ms = delay_s * 1000
        return Case("T-R-5", text, "opens", tuple(moves), end_s, at_s, low_ms, late_ms, "rocof", 0, low_ms)
    home, end_s = _home(facts, now_s + 0.5, hz)
    text = f"{slope:.3g} Hz/s wandering by {WANDER * facts.rocof_hz_s:g}, 5 % THD, 0.2 % noise: stays"
    return Case("T-R-6", text, "stays", (*moves, home, Move(end_s, thd=0.0, noise=0.0)), end_s + 0.5)


def _jumps(facts: Facts) -> list[Case]:
    cases = []
    for angle in JUMPS_DEG:
        start_hz = facts.nominal_hz - (0.5 if angle > 0 else -0.5) * facts.nominal_hz / 50
        low, high = facts.room_hz
        start_hz = min(max(start_hz, low), high)
        first, at_s = _start(facts, start_hz)
        home, end_s = _home(facts, at_s + 2.0, start_hz)
        text = f"{angle:+g} degree jump at {start_hz:.2f} Hz: stays"
        cases.append(Case(f"T-R-4-{angle:+g}", text, "stays", (first, Move(at_s, jump_deg=angle), home), end_s))
    return cases


def _withstood(facts: Facts) -> list[Case]:
    if facts.name not in WITHSTAND:
        return []
    cases = []
    for sign in (1, -1):
        slope, wish_s = sign * WITHSTAND[facts.name][0], WITHSTAND[facts.name][1]
        begin, end, length_s = _ramp(facts, slope, wish_s)
        first, at_s = _start(facts, begin)
        home, end_s = _home(facts, at_s + length_s + 0.5, end)
        text = f"{slope:+g} Hz/s for {length_s:.2f} s, to be withstood: stays"
        moves = (first, Move(at_s, frequency_hz=end, ramp_s=length_s), home)
        cases.append(Case(f"T-R-withstand{slope:+g}", text, "stays", moves, end_s))
    return cases
