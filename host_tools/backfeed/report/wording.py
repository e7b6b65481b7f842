# SPDX-License-Identifier: MIT
"""Values and events as a person reads them: sensible units, names of codes, sentences of reasons."""

from __future__ import annotations

from typing import Any

from backfeed.tables import faults

# unit -> (unit for a person, divisor, digits)
READABLE = {
    "mV": ("V", 1000, 1),
    "uHz": ("Hz", 1_000_000, 3),
    "mHz/s": ("Hz/s", 1000, 2),
    "mdeg": ("deg", 1000, 1),
    "mHz": ("Hz", 1000, 3),
    "permille": ("%", 10, 1),
}
SENTENCES = {
    **{name: text for name, _, _, text in faults.FAULTS if name != "none"},
    **{name: text for name, text in faults.REASONS if name != "none"},
}
ANSI = {name: number for name, number, _ in faults.ELEMENTS}


def readable(value: float, unit: str) -> str:
    """Return a value with a unit a person uses: 229500 mV is 229.5 V."""
    shown, divisor, digits = READABLE.get(unit, (unit, 1, 0))
    return f"{value / divisor:.{digits}f} {shown}".strip()


def event_value(event: dict[str, Any]) -> str:
    """Return the measured value of an event, "" where it has none."""
    if not event["unit"]:
        return ""
    return readable(event["value"], event["unit"])


def event_line(event: dict[str, Any]) -> str:
    """Return one line: time, event, element, phase and value."""
    phase = f"L{event['phase']}" if event["phase"] else ""
    element = str(event["element"])
    number = f" ({ANSI[element]})" if element in ANSI and element != "none" else ""
    t_s = event["t_s"]
    when = f"{t_s:10.3f} s" if t_s is not None else " " * 12
    return f"{when}  {event['event']:<16} {element + number:<18} {phase:<3} {event_value(event)}".rstrip()


def event_reason(event: dict[str, Any]) -> str:
    """Return the sentence behind an event's fault or reason, "" where there is none."""
    if event["event"] in ("fault_set", "fault_cleared", "limit"):
        return SENTENCES.get(str(event["element"]), "")
    return ""
