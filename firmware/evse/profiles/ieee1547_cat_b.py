# SPDX-License-Identifier: MIT
"""IEEE 1547-2018 as most of its adopters ask of inverters: normal performance category B, abnormal category III.

The name says the normal category. Trips, ride-through and cessation are those of category III.
"""

from evse.profiles import _ieee1547 as base

NAME = "ieee1547_cat_b"
TITLE = "IEEE 1547 normal category B, abnormal category III"
EDITION = base.EDITION
CLEARING = base.CLEARING

STAGES = (
    ("ov1", (132000, base.BOTH, True), (13000, base.BOTH, True)),
    base.OV2,
    ("uv1", (105600, base.BOTH, True), (21000, base.BOTH, True)),
    ("uv2", (60000, base.BOTH, True), (2000, base.BOTH, True)),
) + base.FREQUENCY_STAGES

VALUES = dict(base.VALUES)
VALUES["cessation_low_mv"] = (60000, base.BOTH, True)
VALUES["cessation_high_mv"] = (132000, base.BOTH, True)

VOLT_VAR = base.VOLT_VAR_B
VOLT_WATT = base.VOLT_WATT
RANGES = dict(base.RANGES)
RANGES.update(base.RANGES_LOW_VOLTAGE_3)

RIDE_THROUGH = (
    ("v", 84000, 105600, 20000, "mandatory"),
    ("v", 60000, 84000, 10000, "mandatory"),
    ("v", 0, 60000, 1000, "cessation"),
    ("v", 132000, 144000, 12000, "cessation"),
) + base.RIDE_THROUGH_FREQUENCY
