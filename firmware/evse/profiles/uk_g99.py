# SPDX-License-Identifier: MIT
"""UK EREC G99 Type A, connected at LV: the protection settings of G98, for larger units."""

from evse.profiles import uk_g98 as base

NAME = "uk_g99"
TITLE = "UK EREC G99 Type A, LV"
EDITION = "to be checked against Issue 2 (2025-03)"
CLEARING = base.CLEARING
STAGES = base.STAGES
VALUES = base.VALUES
RANGES = base.RANGES
RIDE_THROUGH = base.RIDE_THROUGH
