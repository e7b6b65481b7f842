# SPDX-License-Identifier: MIT
"""Italy CEI 0-21. The narrow frequency stages (81.S1) act; the wide ones (81.S2) belong to an external signal."""

NAME = "cei_0_21"
TITLE = "Italy CEI 0-21"
EDITION = "to be checked"
CLEARING = 0

K = "CEI 0-21, general knowledge, shaky"
SG = "Sungrow SG manual, Italy"
MEAN = "CEI 0-21 59.S1: 10-minute mean, 603 s; general knowledge, shaky"
DROOP = "CEI 0-21, as EN 50549-1; general knowledge, shaky"

STAGES = (
    ("ov2", (264500, K, False), (200, K, False)),
    ("uv1", (195500, K, False), (1500, K, False)),
    ("uv2", (34500, K, False), (200, K, False)),
    ("of1", (50200000, K, False), (100, K, False)),
    ("of2", (51500000, K, False), (100, K, False)),
    ("uf1", (49800000, K, False), (100, K, False)),
    ("uf2", (47500000, K, False), (100, K, False)),
)

VALUES = {
    "nominal_mv": (230000, "EN 50160, 230 V", True),
    "nominal_uhz": (50000000, "EN 50160, 50 Hz", True),
    "mean_mv": (253000, MEAN, False),
    "enter_low_mv": (195500, K, False),
    "enter_high_mv": (253000, K, False),
    "enter_low_uhz": (49900000, SG, True),
    "enter_high_uhz": (50100000, SG, True),
    "enter_wait_ms": (300000, SG, True),
    "first_wait_ms": (30000, SG, True),
    "enter_ramp_permille_min": (200, SG, True),
    "over_start_uhz": (50200000, DROOP, False),
    "over_droop_permille": (50, DROOP, False),
    "under_start_uhz": (49800000, DROOP, False),
    "under_droop_permille": (50, DROOP, False),
}

# With the external signal the distributor lets the narrow stages go to the wide ones.
RANGES = {
    "of1.threshold": (50200000, 51500000),
    "of1.delay_ms": (100, 1000),
    "uf1.threshold": (47500000, 49800000),
    "uf1.delay_ms": (100, 4000),
}
RIDE_THROUGH = ()
