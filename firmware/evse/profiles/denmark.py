# SPDX-License-Identifier: MIT
"""Denmark, technical regulation 3.2.x. Every number is general knowledge and shaky."""

NAME = "denmark"
TITLE = "Denmark TF 3.2.x"
EDITION = "to be checked"
CLEARING = 0

K = "Danish TF 3.2.x, general knowledge, shaky"

STAGES = (
    ("ov1", (253000, K, False), (60000, K, False)),
    ("ov2", (264500, K, False), (200, K, False)),
    ("uv1", (195500, K, False), (50000, K, False)),
    ("of1", (51500000, K, False), (200, K, False)),
    ("uf1", (47500000, K, False), (200, K, False)),
)

VALUES = {
    "nominal_mv": (230000, "EN 50160, 230 V", True),
    "nominal_uhz": (50000000, "EN 50160, 50 Hz", True),
    "rocof_mhz_s": (2500, K, False),
    "rocof_delay_ms": (80, K, False),
    "enter_low_mv": (195500, K, False),
    "enter_high_mv": (253000, K, False),
    "enter_low_uhz": (47500000, K, False),
    "enter_high_uhz": (50200000, K, False),
    "enter_wait_ms": (180000, K, False),
    "first_wait_ms": (180000, K, False),
    "enter_ramp_permille_min": (200, K, False),
    "over_start_uhz": (50200000, K, False),
    "over_droop_permille": (50, K, False),
    "under_start_uhz": (49800000, K, False),
    "under_droop_permille": (50, K, False),
}

RANGES = {}
RIDE_THROUGH = ()
