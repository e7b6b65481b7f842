# SPDX-License-Identifier: MIT
"""Japan, 60 Hz (west)."""

from evse.profiles import _japan as base

NAME = "japan_60"
TITLE = "Japan JEAC 9701, 60 Hz"
EDITION = base.EDITION
CLEARING = base.CLEARING

STAGES = base.VOLTAGE_STAGES + (
    ("of1", (61800000, base.JESC, False), (1000, base.K, False)),
    ("uf1", (57000000, base.JESC, False), (1000, base.K, False)),
)

VALUES = dict(base.VALUES)
VALUES["nominal_uhz"] = (60000000, "Japanese supply, 60 Hz", True)
VALUES["enter_low_uhz"] = (57000000, base.K, False)
VALUES["enter_high_uhz"] = (61800000, base.K, False)

RANGES = base.RANGES
RIDE_THROUGH = base.RIDE_THROUGH
