# SPDX-License-Identifier: MIT
"""IEEE 1547-2018, abnormal performance category II, with normal category B."""

from evse.profiles import _ieee1547 as base

NAME = "ieee1547_cat_2"
TITLE = "IEEE 1547 abnormal category II, normal category B"
EDITION = base.EDITION
CLEARING = base.CLEARING

STAGES = (
    ("ov1", (132000, base.BOTH, True), (2000, base.BOTH, True)),
    base.OV2,
    ("uv1", (84000, base.BOTH, True), (10000, base.BOTH, True)),
    ("uv2", (54000, base.BOTH, True), (160, base.BOTH, True)),
) + base.FREQUENCY_STAGES

VALUES = dict(base.VALUES)
VOLT_VAR = base.VOLT_VAR_B
VOLT_WATT = base.VOLT_WATT
RANGES = dict(base.RANGES)
RANGES.update(base.RANGES_LOW_VOLTAGE_1_2)

RIDE_THROUGH = (
    ("v", 78000, 105600, 3000, "mandatory"),
    ("v", 54000, 78000, 320, "permissive"),
    ("v", 132000, 138000, 1000, "permissive"),
) + base.RIDE_THROUGH_FREQUENCY
