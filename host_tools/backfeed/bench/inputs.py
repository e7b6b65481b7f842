# SPDX-License-Identifier: MIT
"""The demo's inputs, 10 ms by 10 ms, as rows for hil/on_board/cycles.py; taken from a run of the demo itself."""

from __future__ import annotations

import math
from array import array
from pathlib import Path
from typing import Any

from backfeed.checkout import BUILD
from hil.scenario import Scenario

ROWS = BUILD / "bench" / "rows.bin"
CYCLES = 10_000
PERIOD_US = 10_000
WIDTH = 9
NO_LEASE = 1 << 20
PERIOD_CODES = 8000 * 65536  # of the ADE9000's line period in one second
OUT_OF_RANGE = 1 << 24
# Parts of the demo, s: boot to charging, a setpoint, the dip, the collapse, the loss of mains, the return.
WINDOWS = ((0, 40), (88, 103), (220, 230), (352, 372), (602, 612), (655, 675))
SETTINGS = {"profile": "uk_g98", "soc_taper_permille": 0}


class InputRows:
    """A sync hook that keeps a row at each 10 ms within WINDOWS."""

    def __init__(self, scenario: Scenario, station: Any) -> None:
        self._station = station
        self._next_us = 0
        self._rows = array("i")
        self._leases = _leases(scenario)

    def __call__(self, t_us: int, outputs: Any, inputs: Any) -> None:
        if t_us < self._next_us:
            return
        at = t_us // PERIOD_US
        self._next_us = (at + 1) * PERIOD_US
        if any(begin <= t_us / 1e6 < end for begin, end in WINDOWS):
            self._rows.extend(self._row(at, inputs))

    def _row(self, at: int, inputs: Any) -> list[int]:
        afe = inputs.afe
        period_s = afe.line_period_s[0]
        period = round(period_s * PERIOD_CODES) - 1 if period_s > 0 else 0
        truth = self._station.truth
        return [
            round(afe.voltage_v[0] * 1000),
            round(afe.current_a[0] * 1000),
            round(afe.reactive_var[0]),
            period if period < OUT_OF_RANGE else 0,
            afe.sequence & 0x3FFFFFFF,
            round(inputs.pilot_high_v * 1000),
            _proximity_mv(inputs.proximity_ohm),
            round(truth.soc * 1000),
            self._leases.get(at, NO_LEASE),
        ]

    def write(self, path: Path) -> int:
        """Write the rows; return how many."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._rows.tobytes())
        return len(self._rows) // WIDTH


def _leases(scenario: Scenario) -> dict[int, int]:
    """Return power by row number: where a setpoint is sent, and again where a window begins within its lease."""
    found = {}
    for step in scenario.steps:
        if step.action == "mqtt" and step.values.get("topic") == "command/setpoint":
            payload = step.values["payload"]
            end_s = step.at_s + payload["duration_s"]
            starts = [begin for begin, _ in WINDOWS if step.at_s < begin < end_s]
            found.update({round(at_s * 100): int(payload["power_w"]) for at_s in [step.at_s, *starts]})
    return found


def _proximity_mv(ohm: float) -> int:
    """Return the voltage at the ADC: 3.3 V over 1 kohm, the coding resistor against earth."""
    return 3300 if math.isinf(ohm) else round(3300 * ohm / (1000 + ohm))
