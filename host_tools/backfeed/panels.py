# SPDX-License-Identifier: MIT
"""Which traces of a run are drawn together, in the order a person asks: grid, power, battery, switches, states."""

from __future__ import annotations

from backfeed.report.model import Panel, Run, Trace

# The names a person reads in a legend, for traces named after points and plant quantities.
LEGEND = {
    "voltage": "grid voltage",
    "voltage_l1_mv": "measured by the board",
    "frequency": "grid frequency",
    "frequency_uhz": "measured by the board ",
    "wanted_w": "wanted",
    "allowed_w": "allowed",
    "power": "delivered",
    "soc": "battery",
    "soc_permille": "known to the board",
    "contactor": "contactor",
    "gate": "safety gate",
    "mains": "mains",
    "pilot_state": "pilot",
    "session_state": "session",
    "reason": "reason",
    "owner": "owner",
}
SWITCHES = (("mains", 4), ("gate", 2), ("contactor", 0))
PANELS = (
    Panel("Grid voltage", "V", ("grid voltage", "measured by the board")),
    Panel("Grid frequency", "Hz", ("grid frequency", "measured by the board ")),
    Panel("Power, + charging, - discharging", "W", ("wanted", "allowed", "delivered")),
    Panel("State of charge", "%", ("battery", "known to the board")),
    Panel("Mains, safety gate, contactor", "", ("mains", "safety gate", "contactor")),
    Panel("Control pilot", "", ("pilot",)),
    Panel("Session", "", ("session",)),
    Panel("Who owns the power", "", ("owner",)),
    Panel("Why the power is less than wanted", "", ("reason",)),
)


def panels(run: Run) -> list[Panel]:
    """Rename a run's traces for a reader and return the panels that have something to show."""
    for name, shown in LEGEND.items():
        if name in run.traces:
            trace = run.traces.pop(name)
            trace.name = shown
            run.traces[shown] = _only_used_codes(trace) if trace.codes else trace
    _stack_switches(run)
    return [panel for panel in PANELS if any(name in run.traces for name in panel.traces)]


def _only_used_codes(trace: Trace) -> Trace:
    """Keep the codes that occur, so that a panel of reasons is not thirty lines high."""
    used = sorted({int(value) for value in trace.values})
    trace.values = [float(used.index(int(value))) for value in trace.values]
    trace.codes = tuple(trace.codes[code] for code in used)
    return trace


def _stack_switches(run: Run) -> None:
    """Draw two-state traces above one another in one panel: each has a base line and its name at the axis."""
    codes = ["", "", "", "", "", ""]
    found = []
    for name, base in SWITCHES:
        trace = run.traces.get(LEGEND[name])
        if trace is None:
            continue
        low, high = {"mains": ("lost", "there"), "gate": ("down", "up"), "contactor": ("open", "closed")}[name]
        codes[base], codes[base + 1] = f"{LEGEND[name]} {low}", f"{LEGEND[name]} {high}"
        values = [name_of == high for name_of in (trace.codes[int(value)] for value in trace.values)]
        trace.values = [base + float(value) for value in values]
        found.append(trace)
    for trace in found:
        trace.codes = tuple(codes)
