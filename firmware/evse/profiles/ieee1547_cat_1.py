# SPDX-License-Identifier: MIT
"""IEEE 1547-2018, abnormal performance category I, with normal category A."""

from evse.profiles import _ieee1547 as base

NAME = "ieee1547_cat_1"
TITLE = "IEEE 1547 abnormal category I, normal category A"
EDITION = base.EDITION
CLEARING = base.CLEARING

STAGES = (
    ("ov1", (132000, base.BOTH, True), (2000, base.BOTH, True)),
    base.OV2,
    ("uv1", (84000, base.BOTH, True), (2000, base.BOTH, True)),
    ("uv2", (54000, base.BOTH, True), (160, base.BOTH, True)),
) + base.FREQUENCY_STAGES

VALUES = dict(base.VALUES)
VOLT_VAR = base.VOLT_VAR_A
VOLT_WATT = base.VOLT_WATT
RANGES = dict(base.RANGES)
RANGES.update(base.RANGES_LOW_VOLTAGE_1_2)

RIDE_THROUGH = (
    ("v", 84000, 105600, 700, "mandatory"),
    ("v", 60000, 84000, 160, "permissive"),
    ("v", 132000, 138000, 1000, "permissive"),
) + base.RIDE_THROUGH_FREQUENCY
