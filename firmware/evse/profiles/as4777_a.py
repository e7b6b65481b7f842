# SPDX-License-Identifier: MIT
"""AS/NZS 4777.2:2020, Australia A."""

from evse.profiles import _as4777 as base

NAME = "as4777_a"
TITLE = "AS/NZS 4777.2 Australia A"
EDITION = base.EDITION
CLEARING = base.CLEARING

STAGES = base.VOLTAGE_STAGES + (
    ("of1", (52000000, base.K, False), (100, base.FAST, False)),
    ("uf1", (47000000, base.K, False), (1000, base.K, False)),
)

VALUES = dict(base.VALUES)
VALUES["over_start_uhz"] = (50250000, base.QC, True)
VALUES["over_droop_permille"] = (35, base.QC, True)  # zero at 52 Hz
VALUES["under_start_uhz"] = (49750000, base.QC, True)
VALUES["under_droop_permille"] = (35, base.QC, True)  # full at 48 Hz

VOLT_VAR = (((207000, -440), (220000, 0), (240000, 0), (258000, 600)), base.CAN, True)
VOLT_WATT = (((253000, 1000), (260000, 200)), base.CAN, True)
RANGES = base.RANGES
RIDE_THROUGH = base.RIDE_THROUGH
