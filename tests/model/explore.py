# SPDX-License-Identifier: MIT
"""Breadth-first search over every reachable state of `system.System`, every letter, every invariant.

python -m tests.model        prints states, transitions, seconds; a counterexample as a trace
"""

from __future__ import annotations

import sys
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

for _folder in ("firmware", "tests/cpython"):
    _path = str(Path(__file__).resolve().parents[2] / _folder)
    if _path not in sys.path:
        sys.path.insert(0, _path)

from evse import faults  # noqa: E402
from evse.actuate import contactor  # noqa: E402
from tests.model.system import ALPHABET, HEALTHY, LIMITS, PERMITTED, Letter, System  # noqa: E402

PERSON_FAULTS = [code for code in range(1, len(faults.FAULTS)) if faults.FAULTS[code][2] != faults.AUTO]
MAY_CLOSE = (faults.SESSION_CLOSING, faults.SESSION_ENERGISED, faults.SESSION_STOPPING)


@dataclass
class Result:
    states: int
    transitions: int
    seconds: float
    dead_ends: int
    violation: str = ""


@contextmanager
def short_times():
    """Shorten every limit for the time of the search."""
    before = [(module, name, getattr(module, name)) for module, name, _ in LIMITS]
    for module, name, value in LIMITS:
        assert hasattr(module, name), name
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def broken(system: System, letter: Letter, coil_before: int, faults_before: bytes) -> str:  # noqa: C901
    """Return which invariant does not hold after a step, or ""."""
    image = system.image
    outputs = image.outputs
    healthy = letter.pilot == faults.PILOT_C and letter.grid in PERMITTED and not image.status.fault_count
    if outputs.contactor or outputs.gate_arm:
        if not healthy:
            return "contactor or gate on with pilot not C/D, fault, trip or stale AFE"
        if image.status.selftest != 1:
            return "contactor or gate on before the self-test has passed"
        if image.request.session_state not in MAY_CLOSE:
            return "contactor or gate on in a session state that does not close"
        if letter.rcd and not outputs.rcd_test:
            return "contactor or gate on with residual current"
    if outputs.contactor and not outputs.gate_arm:
        return "coil driven with the gate not armed"
    if outputs.closed and not outputs.contactor:
        return "closed is claimed with the coil off"
    if outputs.contactor and not coil_before and not (system.tested and letter.mirror_open and letter.gate_up):
        return "coil switched on without RCD test, proven open contacts or gate"
    if not outputs.closed and (outputs.inverter_enable or outputs.inverter_w or outputs.lease_ok):
        return "inverter enabled behind an open contactor"
    if letter.grid != "clear":
        fault = image.status.fault
        for code in PERSON_FAULTS:
            if faults_before[code] and not fault[code]:
                return f"fault {faults.FAULTS[code][0]} ended without a person"
    return ""


def trace(parents: dict, state: tuple, letter: Letter, system: System, why: str) -> str:
    """Return the way from the start to a violation, one line a cycle."""
    letters = [letter]
    while parents[state] is not None:
        state, before = parents[state]
        letters.append(before)
    letters.reverse()
    system.load(state)
    lines = [f"VIOLATED: {why}", f"after {len(letters)} cycles:"]
    for number, step in enumerate(letters, 1):
        system.step(step)
        outputs = system.image.outputs
        lines.append(
            f"  {number:3d}  {step}  ->  {faults.SESSION_STATES[system.image.request.session_state]}, "
            f"{contactor.STEPS[system.contactor.step]}, coil {outputs.contactor}, gate {outputs.gate_arm}, "
            f"faults {system.image.status.fault_count}"
        )
    return "\n".join(lines)


def explore(most_states: int = 200000) -> Result:
    """Search everything; stop at the first violation."""
    started = time.perf_counter()
    with short_times():
        system = System()
        start = system.save()
        parents: dict = {start: None}
        seen = {system.key()}
        queue = deque([start])
        transitions = 0
        while queue:
            state = queue.popleft()
            coil_before = state[_CONTACTOR]
            for letter in ALPHABET:
                system.load(state)
                system.step(letter)
                transitions += 1
                why = broken(system, letter, coil_before, state[-len(System.ARRAYS)])
                if why:
                    text = trace(parents, state, letter, system, why)
                    return Result(len(seen), transitions, time.perf_counter() - started, 0, text)
                key = system.key()
                if key not in seen:
                    if len(seen) >= most_states:
                        raise RuntimeError(f"more than {most_states} states: the model is not finite any more")
                    seen.add(key)
                    following = system.save()
                    parents[following] = (state, letter)
                    queue.append(following)
        dead_ends = sum(1 for state in parents if not reaches_power(system, state))
        return Result(len(seen), transitions, time.perf_counter() - started, dead_ends)


def reaches_power(system: System, state: tuple) -> bool:
    """Return whether a healthy world and one clear bring the machine from here to a closed contactor."""
    system.load(state)
    for number in range(60):
        outputs = system.image.outputs
        letter = Letter(
            HEALTHY.pilot if number > 6 else faults.PILOT_A,
            "clear" if number in (3, 4) else "healthy",
            "go",
            "zero",
            0 if outputs.contactor else 1,
            outputs.gate_arm,
            outputs.rcd_test,
        )
        system.step(letter)
        if outputs.closed and system.image.request.session_state == faults.SESSION_ENERGISED:
            return True
    return False


_CONTACTOR = [f"{owner}.{name}" for owner, name, _ in System.FIELDS].index("outputs.contactor")


def main() -> int:
    result = explore()
    if result.violation:
        print(result.violation)
    print(
        f"{result.states} reachable states, {len(ALPHABET)} letters, {result.transitions} transitions "
        f"in {result.seconds:.1f} s; {result.dead_ends} states without a way back to power"
    )
    return 1 if result.violation or result.dead_ends else 0
