# SPDX-License-Identifier: MIT
"""One loss-of-mains or stability trial: a feeder, its units, their controllers, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hil.island.controller import CYCLE_US, Controller, profile_of, settings_for
from hil.plant.config import InverterConfig, StationConfig
from hil.plant.feeder import Feeder

CONTACTOR_MS = 20.0
Event = Callable[[Feeder], None]


@dataclass(frozen=True)
class Case:
    """One trial. Powers are shares of rating_w, + = export; dp, dq: what the load takes more, shares of the export."""

    name: str = ""
    power: float = 1.0
    reactive: float = 0.0  # + = fed into the grid
    dp: float = 0.0
    dq: float = 0.0
    quality: float = 1.0
    units: int = 1
    profile: str = "uk_g98"
    passive: bool = False  # the profile's passive elements act too
    active: bool = True
    island: bool = True
    nominal_hz: float = 50.0
    nominal_v: float = 230.0
    rating_w: int = 7360
    link_ms: float = 15.0  # cycle to inverter: task, Modbus frame; the inverter's own latency comes on top
    short_circuit_ratio: float = 20.0
    x_over_r: float = 1.0
    noise: float = 0.0
    thd: float = 0.0
    seed: int = 1
    settle_s: float = 3.0
    watch_s: float = 2.5
    inverter: InverterConfig = field(default_factory=InverterConfig)
    events: tuple[tuple[float, Event], ...] = ()  # (s after settling, what happens)
    var_follows: Callable[[float, float], float] | None = None  # (V, W) per unit -> reactive share: volt-var, watt-var
    var_response_s: float = 0.0  # first-order lag of var_follows
    trace: bool = False


@dataclass
class Result:
    """What happened. run_on_ms: until the last unit's contactor is open; inf = some unit stayed on."""

    run_on_ms: float
    decided: int  # units that decided
    element: int  # of unit 0
    false_ms: float | None  # first decision in a trial without loss of mains, after settling
    q_rms_pct: float  # of the perturbation of unit 0 before the event, % of rating
    probes: int
    trace: list[tuple[float, float, float, float]]  # ms after opening, Hz, perturbation %, V
    plant_s: float  # simulated


class Trial:
    """Runs one Case."""

    def __init__(self, case: Case):
        self.case = case
        station = StationConfig(
            units=case.units,
            seed=case.seed,
            nominal_hz=case.nominal_hz,
            nominal_v=case.nominal_v,
            short_circuit_ratio=case.short_circuit_ratio * case.units,
            x_over_r=case.x_over_r,
            inverter=case.inverter,
        )
        self.feeder = Feeder(station)
        self._random = np.random.default_rng(case.seed)
        self._set_grid()
        self.controllers = [self._controller(k) for k in range(case.units)]
        self.off_us: list[int | None] = [None] * case.units
        self._sent = [0] * case.units
        self._reactive = [case.reactive] * case.units  # share of rating fed in, before the perturbation
        self._quiet: list[int] = []
        self._trace: list[tuple[float, float, float, float]] = []
        self._opened_us = -1

    def _set_grid(self) -> None:
        case = self.case
        grid = self.feeder.grid
        grid.noise(case.noise)
        grid.distort(case.thd)
        watts = case.power * case.rating_w * case.units
        if case.island:
            grid.island_load(watts, case.quality, case.dp, case.dq, case.reactive * case.rating_w * case.units)
        for unit in self.feeder.fleet:
            unit.set(-case.power * case.rating_w, -case.reactive * case.rating_w)

    def _controller(self, k: int) -> Controller:
        case = self.case
        profile = profile_of(case.profile, case.passive, case.nominal_hz)
        settings = settings_for(case.active, case.rating_w, 1, f"unit{case.seed}-{k}")
        return Controller(self.feeder.out, settings, profile)

    def run(self) -> Result:
        """Settle, let it happen, watch."""
        case = self.case
        start_us = int(self._random.integers(0, 400)) * 50
        self.feeder.run(start_us)
        offsets_us = [int(n) * 1000 for n in self._random.integers(0, 10, case.units)]
        order = [int(k) for k in np.argsort(offsets_us)]
        event_us = start_us + int(case.settle_s * 1e6) + int(self._random.integers(0, 4000)) * 50
        end_us = event_us + int(case.watch_s * 1e6)
        schedule = sorted(((event_us + int(at_s * 1e6), act) for at_s, act in case.events), key=lambda row: row[0])
        base_us = start_us
        while base_us < end_us and None in self.off_us:
            for k in order:
                t_us = base_us + offsets_us[k]
                schedule = self._world(t_us, event_us, schedule)
                self._unit(k, t_us, event_us)
            base_us += CYCLE_US
        return self._result(event_us, base_us - start_us)

    def _world(self, t_us: int, event_us: int, schedule: list) -> list:
        """Advance to t_us, doing on the way what falls due."""
        if self.case.island and self._opened_us < 0 and t_us >= event_us:
            self.feeder.run(event_us)
            self.feeder.grid.open()
            self._opened_us = event_us
        while schedule and t_us >= schedule[0][0]:
            self.feeder.run(schedule[0][0])
            schedule[0][1](self.feeder)
            schedule = schedule[1:]
        self.feeder.run(t_us)
        return schedule

    def _unit(self, k: int, t_us: int, event_us: int) -> None:
        case = self.case
        off_us = self.off_us[k]
        unit = self.feeder.unit(k)
        if off_us is not None:
            if t_us >= off_us:
                unit.connect(False)
            return
        controller = self.controllers[k]
        controller.cycle(t_us, unit.power_w if case.units > 1 else None)
        if k == 0 and t_us < event_us and t_us > event_us - 1_000_000 * case.settle_s / 2:
            self._quiet.append(controller.perturb_var)
        if k == 0 and case.trace:
            self._note(t_us, event_us)
        if controller.tripped:
            self.off_us[k] = t_us + int(CONTACTOR_MS * 1000)
            return
        self._send(k, controller)

    def _send(self, k: int, controller: Controller) -> None:
        case = self.case
        if case.var_follows is not None:
            unit = self.feeder.unit(k)
            share = case.var_follows(unit.voltage_v / case.nominal_v, -unit.power_w / case.rating_w)
            gain = 1.0 - math.exp(-CYCLE_US / 1e6 / case.var_response_s) if case.var_response_s else 1.0
            self._reactive[k] += gain * (share - self._reactive[k])
        want_var = round(-self._reactive[k] * case.rating_w)
        controller.image.request.want_var = want_var
        var = want_var + controller.perturb_var
        if var != self._sent[k]:
            self._sent[k] = var
            latency_ms = case.link_ms + case.inverter.latency_ms
            self.feeder.unit(k).set(reactive_var=var, latency_ms=latency_ms)

    def _note(self, t_us: int, event_us: int) -> None:
        inputs = self.controllers[0].image.inputs
        share = 100 * self.controllers[0].perturb_var / self.case.rating_w
        row = ((t_us - event_us) / 1000, inputs.cycle_uhz / 1e6, share, inputs.phase_mv[0] / 1000)
        self._trace.append(row)

    def _result(self, event_us: int, plant_us: int) -> Result:
        case = self.case
        off = [us for us in self.off_us if us is not None]
        first_us = min(off) if off else None
        run_on = math.inf
        if case.island and len(off) == case.units:
            run_on = (max(off) - event_us) / 1000
        early = first_us is not None and (not case.island or first_us <= event_us + CONTACTOR_MS * 1000)
        quiet = np.asarray(self._quiet or [0], dtype=float) * 100 / case.rating_w
        return Result(
            run_on_ms=run_on,
            decided=len(off),
            element=self.controllers[0].image.protection.trip_element,
            false_ms=(first_us - event_us) / 1000 if early and first_us is not None else None,
            q_rms_pct=float(np.sqrt(np.mean(quiet**2))),
            probes=self.controllers[0].probes,
            trace=self._trace,
            plant_s=plant_us / 1e6,
        )


def run(case: Case) -> Result:
    """Run one case."""
    return Trial(case).run()
