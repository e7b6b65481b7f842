# SPDX-License-Identifier: MIT
"""What the stages of the model share: settings, ghosts, and the invariant that a stage sees itself."""

from __future__ import annotations

from tests.model.limits import INVERTER_STALE_MS

OFFER_PERMILLE = 533


class Broken(Exception):
    """An invariant that only the stage itself can see."""


class ModelSettings:
    """What the stages read of the settings."""

    changed = 1
    phases = 1
    device_id = "model"
    ventilation = 0
    pilot_digital = 0
    import_rating_w = 7360
    export_rating_w = 7360
    islanding_enable = 0
    islanding_perturb_permille = 15
    islanding_probe_permille = 120
    islanding_gain_permille_hz = 0
    islanding_half_ms = 100
    weld_voltage_check = 1
    inverter_stale_ms = INVERTER_STALE_MS
    inverter_wake_s = 0


class Ghost:
    """What the search remembers beside the firmware, to judge it."""

    def __init__(self) -> None:
        self.away = 0  # cycles since the pilot's level was last in the window of C or D
        self.calm = 0  # healthy cycles of the grid in a row
        self.low = 0  # cycles beyond the stage's threshold in a row
        self.tested = 0  # the residual-current test of this closing was answered
