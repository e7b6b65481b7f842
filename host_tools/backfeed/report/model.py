# SPDX-License-Identifier: MIT
"""What a report shows of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Trace:
    """One quantity over time. codes: names of the values of a state, which is drawn as steps."""

    name: str
    unit: str
    t_s: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    codes: tuple[str, ...] = ()

    def add(self, t_s: float, value: float) -> None:
        """Append one sample; a value that is no number leaves a gap in the drawing."""
        self.t_s.append(t_s)
        self.values.append(value)

    def at(self, t_s: float) -> float:
        """Return the last value at or before t_s; NaN before the first sample."""
        import bisect

        i = bisect.bisect_right(self.t_s, t_s) - 1
        return self.values[i] if i >= 0 else math.nan

    def between(self, from_s: float, to_s: float) -> list[float]:
        """Return the values of from_s..to_s that are numbers."""
        pairs = zip(self.t_s, self.values, strict=True)
        return [value for t_s, value in pairs if from_s <= t_s <= to_s and not math.isnan(value)]


@dataclass(frozen=True)
class Check:
    """One expectation: what was measured against what is allowed. low or high None: no bound on that side."""

    name: str
    text: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    why: str = ""  # why there is no value

    @property
    def passed(self) -> bool:
        """Whether a value was measured and lies within its bounds."""
        if self.value is None or math.isnan(self.value):
            return False
        return (self.low is None or self.value >= self.low) and (self.high is None or self.value <= self.high)

    @property
    def margin(self) -> float | None:
        """Distance to the nearest bound, in the unit; negative when beyond it."""
        if self.value is None or math.isnan(self.value):
            return None
        gaps = [] if self.low is None else [self.value - self.low]
        gaps += [] if self.high is None else [self.high - self.value]
        return min(gaps) if gaps else None

    @property
    def allowed(self) -> str:
        """The bounds as text."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g}" if self.low == self.high else f"{self.low:g} .. {self.high:g}"
        if self.high is not None:
            return f"<= {self.high:g}"
        return f">= {self.low:g}" if self.low is not None else "-"


@dataclass(frozen=True)
class Note:
    """Something to mark at a time: a step of the story."""

    t_s: float
    text: str


@dataclass
class Panel:
    """One drawing above a common time axis: traces by name, and lines drawn across it."""

    title: str
    unit: str
    traces: tuple[str, ...]
    lines: tuple[tuple[str, float], ...] = ()


@dataclass
class Run:
    """Everything a report is made of. events: dicts of t_s, event, element, phase, value, unit."""

    name: str
    title: str
    facts: dict[str, str] = field(default_factory=dict)
    traces: dict[str, Trace] = field(default_factory=dict)
    panels: list[Panel] = field(default_factory=list)
    story: list[Note] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def trace(self, name: str, unit: str, codes: tuple[str, ...] = ()) -> Trace:
        """Return the trace of this name, made on first use."""
        if name not in self.traces:
            self.traces[name] = Trace(name, unit, codes=codes)
        return self.traces[name]

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)
