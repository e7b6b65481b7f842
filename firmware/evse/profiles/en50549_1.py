# SPDX-License-Identifier: MIT
"""EN 50549-1:2019, generic. The standard gives ranges, the operator picks. Defaults are vendors' instances."""

NAME = "en50549_1"
TITLE = "EN 50549-1 generic"
EDITION = "2019+A1, operator's values pending"
CLEARING = 0

OTP = "Hoymiles EN 50549 profile in OpenDTU (public code)"
SG = "Sungrow SG manual, EU settings"
K = "EN 50549-1, general knowledge"
CHOICE = "choice within the range of EN 50549-1 (general knowledge): the operator decides"

STAGES = (
    ("ov1", (253000, OTP, True), (3000, OTP, True)),
    ("ov2", (264500, CHOICE, False), (100, CHOICE, False)),
    ("uv1", (195500, OTP, True), (1500, OTP, True)),
    ("uv2", (103500, CHOICE, False), (300, CHOICE, False)),
    ("of1", (51500000, SG, True), (2000, SG, True)),
    ("of2", (52000000, SG, True), (100, SG, True)),
    ("uf1", (47500000, SG, True), (2000, SG, True)),
    ("uf2", (47000000, SG, True), (100, SG, True)),
)

VALUES = {
    "nominal_mv": (230000, "EN 50160, 230 V", True),
    "nominal_uhz": (50000000, "EN 50160, 50 Hz", True),
    "mean_mv": (253000, K, False),
    "enter_low_mv": (195500, K, False),
    "enter_high_mv": (253000, K, False),
    "enter_low_uhz": (49500000, K, False),
    "enter_high_uhz": (50200000, K, False),
    "enter_wait_ms": (60000, K, False),
    "first_wait_ms": (60000, K, False),
    "enter_ramp_permille_min": (100, SG, True),
    "over_start_uhz": (50200000, K, False),
    "over_droop_permille": (50, K, False),
    "under_start_uhz": (49800000, K, False),
    "under_droop_permille": (50, K, False),
    "droop_response_ms": (2000, K, False),
}

RANGES = {
    "ov1.threshold": (230600, 276000),
    "ov1.delay_ms": (100, 100000),
    "ov2.threshold": (230600, 299000),
    "ov2.delay_ms": (100, 5000),
    "uv1.threshold": (46000, 229400),
    "uv1.delay_ms": (100, 100000),
    "uv2.threshold": (46000, 229400),
    "uv2.delay_ms": (100, 5000),
    "of1.threshold": (50020000, 52000000),
    "of1.delay_ms": (100, 100000),
    "of2.threshold": (50020000, 52000000),
    "of2.delay_ms": (100, 5000),
    "uf1.threshold": (47000000, 49980000),
    "uf1.delay_ms": (100, 100000),
    "uf2.threshold": (47000000, 49980000),
    "uf2.delay_ms": (100, 5000),
    "mean_mv": (231000, 264500),
    "over_start_uhz": (50200000, 52000000),
    "over_droop_permille": (20, 120),
    "under_start_uhz": (46000000, 49800000),
    "under_droop_permille": (20, 120),
    "droop_response_ms": (0, 2000),
    "enter_wait_ms": (10000, 600000),
    "first_wait_ms": (10000, 600000),
}
RIDE_THROUGH = (("f", 49000000, 51000000, 1000000, "continuous"),)
