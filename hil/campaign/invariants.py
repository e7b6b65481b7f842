# SPDX-License-Identifier: MIT
"""What must never happen, judged by the plant's truth at every step of the world (10 ms at most).

The plant keeps the instants of switches and of the last current itself, so times are exact to its step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.campaign.plan import Trouble
from hil.plant.state import EV_C, EV_D
from hil.plant.station import Station

LEFT_MS = 100.0  # C left, or the plug pulled: contacts open and current ended (IEC 61851-1 table A.6)
ANSWER_MS = 60.0  # stop or leakage may come while the armature already moves: open again within this
GATE_MS = 60.0  # the gate holds no longer after an edge
POWER_SHARE = 1.05  # of the rating, beyond measuring errors of AFE and inverter
EXPORT_W = 150.0  # less than this is no export: the inverter's idle currents
SOC_SLACK = 0.002  # the SOC is reported in whole permille
FAR_US = 10**15
SOON_US = 10_000  # a step of the world
MOST = 6  # violations kept of a case


@dataclass
class Times:
    """Worst times measured, ms; -1 where there was none."""

    open_ms: float = -1.0  # C left or plug pulled -> contacts open
    current_ms: float = -1.0  # ... -> current ended
    close_ms: float = -1.0  # state C with PWM -> contacts closed
    dark_ms: float = -1.0  # fault -> current ended
    gate_ms: float = -1.0  # last gate edge -> gate down

    def worst(self, other: Times) -> None:
        """Take the larger of each."""
        for name in vars(self):
            setattr(self, name, max(getattr(self, name), getattr(other, name)))


class Watch:
    """A hook of the virtual board. `violations`: (t_s, what)."""

    def __init__(self, station: Station, rating_w: float, floor: float) -> None:
        self._station = station
        self._truth = station.truth
        self._w: Any = station.world[0]
        self._most_w = rating_w * POWER_SHARE
        self._floor = floor - SOC_SLACK
        self.violations: list[tuple[float, str]] = []
        self.times = Times()
        self.trouble: Trouble | None = None
        self._trouble_us = 0
        self._excuses: tuple[str, ...] = ()
        self._before_us = 0
        self._asked = False
        self._asked_us = 0  # state C and PWM since
        self._ended_us = -FAR_US  # state C ended last
        self._left_us = -1  # C left while current could flow; -1 = nothing to wait for
        self._closed = False
        self._over_us = -1
        self._export_us = -1
        self._stop_us = -1  # emergency stop pressed, or residual current that is not our own test, since
        self._gate = False
        self.signals: dict[str, float] = {}

    def begin(self, trouble: Trouble, now_us: int) -> None:
        """The fault is set now."""
        self.trouble = trouble
        self._trouble_us = now_us
        self._excuses = trouble.excuses

    def end(self) -> None:
        """The fault and what it excuses are over."""
        self.trouble = None
        self._excuses = ()

    def _broken(self, t_us: int, what: str) -> None:
        if len(self.violations) < MOST and all(what != known for _, known in self.violations):
            self.violations.append((round(t_us / 1e6, 4), what))

    def __call__(self, t_us: int, outputs: Any, inputs: Any) -> None:
        w, truth = self._w, self._truth
        asks = bool(w["plugged"] and w["ev_state"] in (EV_C, EV_D))
        power_w = truth.power_w if not w["mains_open"] else 0.0
        flows = t_us - truth.current_end_us < 1000 and truth.current_end_us > 0
        self.signals = {
            "power": power_w,
            "contactor": float(not w["mains_open"]),
            "gate": float(w["gate_up"]),
            "coil": float(outputs.contactor),
            "rcd_test": float(outputs.rcd_test),
            "asks": float(asks),
        }
        self._pilot(t_us, asks, flows)
        self._switches(t_us, asks, outputs)
        self._power(t_us, power_w)
        if self.trouble is not None:
            self._dark(t_us, flows, power_w)
        self._before_us = t_us

    def _pilot(self, t_us: int, asks: bool, flows: bool) -> None:
        """State C left or the plug pulled: contacts open and current ends in time."""
        w = self._w
        changed_us = int(w["ev_changed_us"])
        at_us = changed_us if changed_us > self._before_us else self._before_us
        pwm_us = int(w["pilot_pwm_us"])
        if asks and not self._asked:
            self._asked_us = at_us
        elif self._asked and not asks:
            self._ended_us = at_us
            if self._closed or flows:
                self._left_us = at_us
        if asks and pwm_us > self._asked_us and w["pilot_pwm"]:
            self._asked_us = pwm_us
        self._asked = asks
        if self._left_us >= 0:
            self._leaving(t_us, flows)

    def _leaving(self, t_us: int, flows: bool) -> None:
        left_us = self._left_us
        opened = bool(self._w["mains_open"])
        if flows and t_us - left_us > LEFT_MS * 1000:
            self._broken(t_us, f"current flows {LEFT_MS:g} ms after C was left")
        excused = "weld" in self._excuses
        if not opened and t_us - left_us > LEFT_MS * 1000 and not excused:
            self._broken(t_us, f"contacts closed {LEFT_MS:g} ms after C was left")
        if opened or t_us - left_us > 1_000_000:
            times = self.times
            if opened:
                times.open_ms = max(times.open_ms, (self._truth.contactor_opened_us - left_us) / 1000)
            times.current_ms = max(times.current_ms, (self._truth.current_end_us - left_us) / 1000)
            self._left_us = -1

    def _switches(self, t_us: int, asks: bool, outputs: Any) -> None:
        """Contacts close only with C or D, no stop, gate up; the gate falls without edges."""
        w, excuses = self._w, self._excuses
        closed = not w["mains_open"]
        if not (w["estop"] or (w["rcd_tripped"] and not outputs.rcd_test)):
            self._stop_us = -1
        elif self._stop_us < 0:
            self._stop_us = t_us
        if closed and not self._closed and "weld" not in excuses:
            self._closing(t_us, asks)
        if closed and self._stop_us >= 0 and t_us - self._stop_us > ANSWER_MS * 1000 and "weld" not in excuses:
            self._broken(t_us, f"contacts closed {ANSWER_MS:g} ms after emergency stop or residual current")
        self._closed = closed
        gate = bool(w["gate_up"])
        if "gate" not in excuses:
            if gate and t_us - outputs.gate_edge_us > GATE_MS * 1000 + SOON_US:
                self._broken(t_us, "gate up without edges")
            if self._gate and not gate and outputs.gate_arm:
                self.times.gate_ms = max(
                    self.times.gate_ms, (self._truth.gate_dropped_us - outputs.gate_edge_us) / 1000
                )
        self._gate = gate

    def _closing(self, t_us: int, asks: bool) -> None:
        closed_us = self._truth.contactor_closed_us
        if not asks and closed_us - self._ended_us > LEFT_MS * 1000:
            self._broken(t_us, "contacts closed without a vehicle in C or D")
        elif not asks:
            self._left_us = self._ended_us  # the armature was under way: open again in the same time
        elif self._asked_us > 0:
            self.times.close_ms = max(self.times.close_ms, (closed_us - self._asked_us) / 1000)
        if self.trouble is not None and self.trouble.shut and closed_us - self._trouble_us > LEFT_MS * 1000:
            self._broken(t_us, f"contacts closed while {self.trouble.name} lasts")

    def _power(self, t_us: int, power_w: float) -> None:
        """Never above the rating for longer than a step takes; no export at or below the floor."""
        limit_ms = self.trouble.power_ms if self.trouble is not None else 500.0
        if abs(power_w) <= self._most_w:
            self._over_us = -1
        elif self._over_us < 0:
            self._over_us = t_us
        elif t_us - self._over_us > limit_ms * 1000:
            self._broken(t_us, f"power {power_w:.0f} W above the rating for more than {limit_ms:g} ms")
        if power_w < -EXPORT_W and self._truth.soc < self._floor:
            if self._export_us < 0:
                self._export_us = t_us
            elif t_us - self._export_us > 1_000_000:
                self._broken(t_us, f"export of {-power_w:.0f} W with the battery at {self._truth.soc:.3f}")
        else:
            self._export_us = -1

    def _dark(self, t_us: int, flows: bool, power_w: float) -> None:
        """What this fault has to end is over in time and does not come back."""
        trouble = self.trouble
        since_ms = (t_us - self._trouble_us) / 1000
        if trouble is None or since_ms > trouble.lasts_ms:
            return
        ended_us = self._truth.current_end_us
        if trouble.dark_ms is not None:
            if ended_us > self._trouble_us:
                self.times.dark_ms = max(self.times.dark_ms, (ended_us - self._trouble_us) / 1000)
            if flows and since_ms > trouble.dark_ms:
                self._broken(t_us, f"current flows more than {trouble.dark_ms:g} ms after {trouble.name}")
        if trouble.export_ms is not None and since_ms > trouble.export_ms and power_w < -EXPORT_W:
            self._broken(t_us, f"export more than {trouble.export_ms:g} ms after {trouble.name}")
