# SPDX-License-Identifier: MIT
"""AS/NZS 4777.2:2020, New Zealand."""

from evse.profiles import _as4777 as base

NAME = "nz_4777"
TITLE = "AS/NZS 4777.2 New Zealand"
EDITION = base.EDITION
CLEARING = base.CLEARING

STAGES = base.VOLTAGE_STAGES + (
    ("of1", (55000000, base.K, False), (100, base.FAST, False)),
    ("uf1", (45000000, base.K, False), (1000, base.K, False)),
)

VALUES = dict(base.VALUES)
VALUES["over_start_uhz"] = (50200000, base.QC, True)
VALUES["over_droop_permille"] = (36, base.QC, True)  # zero at 52 Hz
VALUES["under_start_uhz"] = (49800000, base.QC, True)
VALUES["under_droop_permille"] = (36, base.QC, True)  # full at 48 Hz
VALUES["mean_mv"] = (249000, base.QC, True)
VALUES["enter_high_mv"] = (248000, base.WINDOW, False)

VOLT_VAR = (((207000, -600), (220000, 0), (235000, 0), (244000, 600)), base.CAN, True)
VOLT_WATT = (((242000, 1000), (250000, 200)), base.CAN, True)
RANGES = base.RANGES
RIDE_THROUGH = base.RIDE_THROUGH
