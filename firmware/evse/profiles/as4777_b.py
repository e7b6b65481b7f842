# SPDX-License-Identifier: MIT
"""AS/NZS 4777.2:2020, Australia B."""

from evse.profiles import _as4777 as base

NAME = "as4777_b"
TITLE = "AS/NZS 4777.2 Australia B"
EDITION = base.EDITION
CLEARING = base.CLEARING

STAGES = base.VOLTAGE_STAGES + (
    ("of1", (52000000, base.K, False), (100, base.FAST, False)),
    ("uf1", (47000000, base.K, False), (1000, base.K, False)),
)

VALUES = dict(base.VALUES)
VALUES["over_start_uhz"] = (50150000, base.QC, True)
VALUES["over_droop_permille"] = (37, base.QC, True)  # zero at 52 Hz
VALUES["under_start_uhz"] = (49850000, base.QC, True)
VALUES["under_droop_permille"] = (37, base.QC, True)  # full at 48 Hz

VOLT_VAR = (((205000, -300), (220000, 0), (235000, 0), (255000, 400)), base.CAN, True)
VOLT_WATT = (((250000, 1000), (260000, 200)), base.CAN, True)
RANGES = base.RANGES
RIDE_THROUGH = base.RIDE_THROUGH
