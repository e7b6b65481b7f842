# SPDX-License-Identifier: MIT
"""One controller: the firmware's grid sensing and its whole protect stage, run each 10 ms on CPython."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from evse.image import Image
from evse.points import DEFAULT, NAME, SETTINGS
from evse.profiles import loader
from evse.protect import Protect
from evse.sense.grid import Grid
from hil.plant.state import OUT_I, OUT_P, OUT_PERIOD, OUT_Q, OUT_SEQUENCE, OUT_V

CYCLE_US = 10_000
TICKS = 0x3FFFFFFF
PERIOD_COUNTS_PER_S = 8000 * 65536  # ADE9000: f = 8000 * 2^16 / (period + 1)


class Afe:
    """What the front end's driver offers, from the plant's output row."""

    def __init__(self, out: np.ndarray):
        self._out = out
        self.ok = 1
        self.sequence = 0
        self.phase_mv = [0] * 3
        self.phase_ma = [0] * 3
        self.phase_w = [0] * 3
        self.phase_var = [0] * 3
        self.phase_period = [0] * 3

    def read(self) -> None:
        """Take the readings of now."""
        out = self._out
        self.sequence = int(out[OUT_SEQUENCE])
        for k in range(3):
            self.phase_mv[k] = int(out[OUT_V + k] * 1000)
            self.phase_ma[k] = int(out[OUT_I + k] * 1000)
            self.phase_w[k] = int(out[OUT_P + k])
            self.phase_var[k] = int(out[OUT_Q + k])
            period_s = out[OUT_PERIOD + k]
            self.phase_period[k] = round(period_s * PERIOD_COUNTS_PER_S) - 1 if period_s > 0 else 0


def settings_for(active: bool, rating_w: int, phases: int, device_id: str) -> SimpleNamespace:
    """Return the firmware's settings at their defaults but for these."""
    settings = SimpleNamespace(**{row[NAME]: row[DEFAULT] for row in SETTINGS})
    settings.changed = 1
    settings.islanding_enable = int(active)
    settings.export_rating_w = rating_w
    settings.phases = phases
    settings.device_id = device_id
    return settings


def widened(profile: Any) -> Any:
    """Switch every passive element off, as IEC 62116 and IEEE 1547.1 do to see the active method alone."""
    profile.stages = []
    profile.rocof_mhz_s = 0
    profile.mean_mv = 0
    profile.vector_shift_mdeg = 0
    profile.cessation_low_mv = 0
    profile.cessation_high_mv = 0
    return profile


class Controller:
    """Image, settings, sensing and protection of one unit, in service and with its contactor closed."""

    def __init__(self, out: np.ndarray, settings: SimpleNamespace, profile: Any):
        self.image = Image()
        self.afe = Afe(out)
        self._sense = Grid(self.image, settings, profile, SimpleNamespace(afe=self.afe))
        self._protect = Protect(self.image, settings, profile)
        protection = self.image.protection
        protection.service = 1
        protection.ramp_permille = 1000
        self.image.outputs.contactor = 1

    def cycle(self, t_us: int, grid_w: float | None = None) -> None:
        """Run sense and protect. grid_w: this unit's own power where several share one feeder model."""
        inputs = self.image.inputs
        inputs.now_ms = t_us // 1000 & TICKS
        self._sense.run()
        if grid_w is not None:
            inputs.grid_w = int(grid_w)
        self._protect.run()
        protection = self.image.protection
        if protection.inhibit and not protection.trip:  # before the first readings
            protection.service = 1

    @property
    def tripped(self) -> bool:
        """Whether a trip is latched."""
        return bool(self.image.protection.trip)

    @property
    def probes(self) -> int:
        """How often the active method probed loudly."""
        return int(self._protect._islanding.probes)

    @property
    def perturb_var(self) -> int:
        """Reactive power that protect asks for, var, + absorbs."""
        return int(self.image.protection.perturb_var)


def profile_of(name: str, passive: bool, nominal_hz: float) -> Any:
    """Return a loaded profile, with its passive elements or without."""
    profile = loader.load(name)
    if not passive:
        profile = widened(profile)
    if profile.nominal_uhz != round(nominal_hz * 1e6):
        raise ValueError(f"profile {name}: nominal {profile.nominal_uhz} uHz, plant {nominal_hz} Hz; give equal ones")
    return profile
