# SPDX-License-Identifier: MIT
"""One inverter as a host program sees it. Powers in W and var, + = from the grid into the charger."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hil.plant.state import QUEUE

if TYPE_CHECKING:
    from hil.plant.feeder import Feeder


class Unit:
    """Handle on one row of the feeder's inverters."""

    def __init__(self, feeder: Feeder, number: int) -> None:
        self._feeder = feeder
        self._row = feeder.units[number]
        self.number = number

    def set(
        self,
        power_w: float | None = None,
        reactive_var: float | None = None,
        latency_ms: float | None = None,
        at_us: int | None = None,
    ) -> None:
        """Command a setpoint at at_us (None: now); it takes effect after the inverter's latency (or latency_ms)."""
        delay_ms = self._feeder.config.inverter.latency_ms if latency_ms is None else latency_ms
        due_us = (self._feeder.t_us if at_us is None else at_us) + round(delay_ms * 1000)
        if power_w is not None:
            self._enqueue("p_head", "p_tail", "p_due_us", "p_queue_w", due_us, power_w)
        if reactive_var is not None:
            self._enqueue("q_head", "q_tail", "q_due_us", "q_queue_var", due_us, reactive_var)

    def _enqueue(self, head: str, tail: str, times: str, values: str, due_us: int, value: float) -> None:
        row = self._row
        place = int(row[head])
        if place - int(row[tail]) >= QUEUE:
            raise ValueError(f"{values}: more than {QUEUE} setpoints under way; send them less often")
        row[times][place % QUEUE] = due_us
        row[values][place % QUEUE] = value
        row[head] = place + 1

    def __getitem__(self, name: str) -> float:
        return self._row[name].item()

    def __setitem__(self, name: str, value: float) -> None:
        self._row[name] = value

    @property
    def power_w(self) -> float:
        """Power at the terminals now."""
        return self._row["p_true_w"].item()

    @property
    def reactive_var(self) -> float:
        """Reactive power at the terminals now."""
        return self._row["q_true_var"].item()

    @property
    def frequency_hz(self) -> float:
        """Frequency the PLL sees (integral part)."""
        return (self._row["w0_rad_s"].item() + self._row["w_sum"].item()) / (2 * math.pi)

    @property
    def voltage_v(self) -> float:
        """Terminal voltage the PLL sees, RMS."""
        return self._row["v_amp"].item() / math.sqrt(2)

    def connect(self, connected: bool) -> None:
        """Connect or cut off a unit that has no board (all but the station's own)."""
        self._row["connected"] = int(connected)
