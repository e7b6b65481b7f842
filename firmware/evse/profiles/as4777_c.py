# SPDX-License-Identifier: MIT
"""AS/NZS 4777.2:2020, Australia C."""

from evse.profiles import _as4777 as base

NAME = "as4777_c"
TITLE = "AS/NZS 4777.2 Australia C"
EDITION = base.EDITION
CLEARING = base.CLEARING

STAGES = base.VOLTAGE_STAGES + (
    ("of1", (55000000, base.K, False), (100, base.FAST, False)),
    ("uf1", (45000000, base.K, False), (5000, base.K, False)),
)

VALUES = dict(base.VALUES)
VALUES["over_start_uhz"] = (50500000, base.QC, True)
VALUES["over_droop_permille"] = (50, base.QC, True)  # zero at 53 Hz
VALUES["under_start_uhz"] = (49500000, base.QC, True)
VALUES["under_droop_permille"] = (50, base.QC, True)  # full at 47 Hz

VOLT_VAR = (((215000, -440), (230000, 0), (240000, 0), (255000, 600)), base.CAN, True)
VOLT_WATT = (((253000, 1000), (260000, 200)), base.CAN, True)
RANGES = base.RANGES
RIDE_THROUGH = base.RIDE_THROUGH
