# SPDX-License-Identifier: MIT
"""Japan, 50 Hz (east)."""

from evse.profiles import _japan as base

NAME = "japan_50"
TITLE = "Japan JEAC 9701, 50 Hz"
EDITION = base.EDITION
CLEARING = base.CLEARING

STAGES = base.VOLTAGE_STAGES + (
    ("of1", (51500000, base.JESC, False), (1000, base.K, False)),
    ("uf1", (47500000, base.JESC, False), (1000, base.K, False)),
)

VALUES = dict(base.VALUES)
VALUES["nominal_uhz"] = (50000000, "Japanese supply, 50 Hz", True)
VALUES["enter_low_uhz"] = (47500000, base.K, False)
VALUES["enter_high_uhz"] = (51500000, base.K, False)

RANGES = base.RANGES
RIDE_THROUGH = base.RIDE_THROUGH
