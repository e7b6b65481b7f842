# SPDX-License-Identifier: MIT
"""What a long run of one board comes to: expectations that failed, violations of the invariants, energy, time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from hil.campaign.case import Run

Show = Callable[[float, str], None]  # hour, what happens


def silent(_hour: float, _text: str) -> None:
    """Show nothing."""


@dataclass
class LongRun:
    """failed: what did not hold, in words. violations: (t_s, what)."""

    hours: float = 0.0
    failed: list[str] = field(default_factory=list)
    violations: list[tuple[float, str]] = field(default_factory=list)
    charged_wh: float = 0.0
    discharged_wh: float = 0.0
    wall_s: float = 0.0
    _started_s: float = field(default_factory=time.perf_counter, repr=False)

    @property
    def passed(self) -> bool:
        """Whether everything held."""
        return not self.failed and not self.violations

    def end(self, run: Run) -> None:
        """Take what the plant and the invariants have to say."""
        energy_wh = run.station.truth.energy_wh
        self.hours = run.board.now_us / 3.6e9
        self.charged_wh, self.discharged_wh = energy_wh["ac_import_wh"], energy_wh["ac_export_wh"]
        self.violations = run.watch.violations
        self.wall_s = time.perf_counter() - self._started_s

    def as_dict(self) -> dict[str, Any]:
        """Return every figure by its name."""
        figures = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        return {**figures, "passed": self.passed, "speed": round(self.hours * 3600 / max(self.wall_s, 1e-9), 1)}
