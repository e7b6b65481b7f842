# SPDX-License-Identifier: MIT
"""IEEE 1547-2018, abnormal performance category III, with normal category B: the numbers of `ieee1547_cat_b`."""

from evse.profiles import ieee1547_cat_b as base

NAME = "ieee1547_cat_3"
TITLE = "IEEE 1547 abnormal category III, normal category B"
EDITION = base.EDITION
CLEARING = base.CLEARING
STAGES = base.STAGES
VALUES = base.VALUES
VOLT_VAR = base.VOLT_VAR
VOLT_WATT = base.VOLT_WATT
RANGES = base.RANGES
RIDE_THROUGH = base.RIDE_THROUGH
