# SPDX-License-Identifier: MIT
"""Three-phase units: any phase may trip, the phase is named, a lost phase trips, a jump of one phase does not."""

from __future__ import annotations

from hil.evidence.model import Case, Facts, Move, Session

SINGLE_JUMP_DEG = 60.0


def sessions(facts: Facts, changes: str) -> list[Session]:
    """Return the three-phase sessions. changes: waits shortened inside the code's ranges."""
    jumps = tuple(_jump(angle, phase) for angle, phase in ((SINGLE_JUMP_DEG, 1), (-SINGLE_JUMP_DEG, 2)))
    return [
        Session(facts.name, "3ph-sag", (*jumps, _sag(facts)), 3, changes, kind="phases"),
        Session(facts.name, "3ph-swell", (_swell(facts),), 3, changes, kind="phases"),
        Session(facts.name, "3ph-lost", (_lost(facts),), 3, changes, kind="phases"),
    ]


def _jump(angle: float, phase: int) -> Case:
    moves = (Move(0.1, jump_deg=angle, phase=phase), Move(0.5, jump_deg=-angle, phase=phase))
    return Case(
        f"T-R-4-L{phase}{angle:+g}", f"{angle:+g} degree jump of L{phase} for 0.4 s: stays", "stays", moves, 3.0
    )


def _case(name: str, text: str, facts: Facts, element: str, volts: float, phase: int) -> Case:
    stage = next(row for row in facts.stages if row.element == element)
    return Case(
        name,
        text,
        "opens",
        (Move(0.1, voltage_v=volts, phase=phase),),
        0.6 + stage.relay_ms / 1000,
        0.1,
        stage.relay_ms,
        stage.latest_ms,
        element,
        phase,
        stage.relay_ms,
        recorded=stage.recorded(volts),
    )


def _sag(facts: Facts) -> Case:
    stage = max((s for s in facts.stages if s.element.startswith("uv")), key=lambda s: s.threshold)
    text = f"L2 alone at {stage.beyond:.1f} V: {stage.element} opens and names L2"
    return _case("T-V-L2-sag", text, facts, stage.element, stage.beyond, 2)


def _swell(facts: Facts) -> Case:
    stage = min((s for s in facts.stages if s.element.startswith("ov")), key=lambda s: s.threshold)
    text = f"L3 alone at {stage.beyond:.1f} V: {stage.element} opens and names L3"
    return _case("T-V-L3-swell", text, facts, stage.element, stage.beyond, 3)


def _lost(facts: Facts) -> Case:
    stage = min((s for s in facts.stages if s.element.startswith("uv")), key=lambda s: s.relay_ms)
    text = f"L1 lost (0 V): {stage.element} opens and names L1"
    return _case("T-V-L1-lost", text, facts, stage.element, 0.0, 1)
