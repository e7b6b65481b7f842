# SPDX-License-Identifier: MIT
"""VDE-AR-N 4105:2018-11, decoded from a vendor's profile. Superseded by 2026-03, whose numbers were not found."""

NAME = "vde_4105_2018"
TITLE = "VDE-AR-N 4105:2018"
EDITION = "2018-11, superseded 2026-03"
CLEARING = 0

HM = "Hoymiles DE_VDE4105_2018 v2.0.2, decoded (OpenDTU issue 900)"
LIMIT = "VDE-AR-N 4105: reconnection up to 1.10 Un; the vendor's profile says 276 V; general knowledge"
STORAGE = "VDE-AR-N 4105, storage below 49.8 Hz: 2 % droop; shaky"
DELAY = "VDE-AR-N 4105: as fast as possible, 2 s at most; general knowledge"
OWN = "no function of the code; the vendor ships it disabled"

STAGES = (
    ("ov1", (287500, HM, True), (100, HM, True)),
    ("uv1", (184000, HM, True), (3000, HM, True)),
    ("uv2", (103500, HM, True), (300, HM, True)),
    ("of1", (51500000, HM, True), (100, HM, True)),
    ("uf1", (47500000, HM, True), (100, HM, True)),
)

VALUES = {
    "nominal_mv": (230000, "EN 50160, 230 V", True),
    "nominal_uhz": (50000000, "EN 50160, 50 Hz", True),
    "mean_mv": (253000, HM, True),
    "enter_low_mv": (195500, HM, True),
    "enter_high_mv": (253000, LIMIT, False),
    "enter_low_uhz": (47500000, HM, True),
    "enter_high_uhz": (50100000, HM, True),
    "enter_wait_ms": (60000, HM, True),
    "first_wait_ms": (60000, HM, True),
    "enter_ramp_permille_min": (100, HM, True),  # 0.16 %/s
    "over_start_uhz": (50200000, HM, True),
    "over_droop_permille": (50, HM, True),
    "under_start_uhz": (49800000, HM, True),
    "under_droop_permille": (20, STORAGE, False),
    "droop_response_ms": (2000, DELAY, False),
    "volt_var_enabled": (0, OWN, True),
}

# + is absorbed: low voltage asks for injected reactive power, high voltage for absorbed.
VOLT_VAR = (((213900, -300), (223100, 0), (236900, 0), (246100, 300)), HM, True)

RANGES = {"mean_mv": (253000, 264500), "volt_var_enabled": (0, 1)}
RIDE_THROUGH = (("f", 47500000, 51500000, 30000, "mandatory"),)
