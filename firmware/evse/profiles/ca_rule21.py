# SPDX-License-Identifier: MIT
"""California Rule 21 as in vendors' manuals. Newer tariffs point at IEEE 1547-2018 category III instead."""

from evse.profiles import _ieee1547 as base

NAME = "ca_rule21"
TITLE = "California Rule 21"
EDITION = "phase 1 numbers; check the tariff's edition"
CLEARING = base.CLEARING

DM = "Delta M42U manual; Rule 21 profile in OpenDTU (public code)"
SOFT = "Rule 21 soft start 2 %/s, general knowledge"
RECLOSE = "IEEE 1547-2018 window, taken over; general knowledge"

STAGES = (
    ("ov1", (132000, DM, True), (13000, DM, True)),
    ("ov2", (144000, DM, True), (160, DM, True)),
    ("uv1", (105600, DM, True), (21000, DM, True)),
    ("uv2", (84000, DM, True), (11000, DM, True)),
    ("uv3", (60000, DM, True), (1500, DM, True)),
    ("of1", (60500000, DM, True), (300000, DM, True)),
    ("of2", (62000000, DM, True), (160, DM, True)),
    ("uf1", (58500000, DM, True), (300000, DM, True)),
    ("uf2", (57000000, DM, True), (160, DM, True)),
)

VALUES = dict(base.VALUES)
VALUES["enter_low_mv"] = (110040, RECLOSE, False)
VALUES["enter_high_mv"] = (126000, RECLOSE, False)
VALUES["enter_low_uhz"] = (59500000, RECLOSE, False)
VALUES["enter_high_uhz"] = (60100000, RECLOSE, False)
VALUES["enter_wait_ms"] = (300000, DM, True)
VALUES["enter_ramp_permille_min"] = (1200, SOFT, False)
VALUES["cessation_low_mv"] = (60000, DM, True)
VALUES["cessation_high_mv"] = (132000, DM, True)

VOLT_VAR = base.VOLT_VAR_B
VOLT_WATT = base.VOLT_WATT
RANGES = {"enter_wait_ms": (15000, 600000), "volt_var_enabled": (0, 1), "volt_watt_enabled": (0, 1)}

RIDE_THROUGH = (
    ("v", 84000, 105600, 20000, "mandatory"),
    ("v", 60000, 84000, 10000, "mandatory"),
    ("v", 0, 60000, 1000, "cessation"),
    ("v", 132000, 144000, 12000, "cessation"),
)
