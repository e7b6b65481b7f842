# SPDX-License-Identifier: MIT
"""What the two frequencies of Japan share: JEAC 9701, single-phase three-wire 100/200 V, measured leg to neutral.

The code asks for passive detection within 0.5 s and active within 0.2 s; the active method is the inverter's. Its
passive means are phase jump, ROCOF or third harmonic; no setting for ROCOF was found, so the element is off.
"""

CLEARING = 0
EDITION = "JEAC 9701, to be checked"
K = "JEAC 9701, general knowledge, shaky"
JESC = "JESC E0019 excerpt, weak source"

VOLTAGE_STAGES = (
    ("ov1", (116150, K, False), (1000, K, False)),  # 115 % of 101 V
    ("uv1", (80800, K, False), (1000, K, False)),  # 80 %
)

VALUES = {
    "nominal_mv": (101000, "Japanese supply, 101 V leg to neutral", True),
    "enter_low_mv": (90000, K, False),
    "enter_high_mv": (107000, K, False),
    "enter_wait_ms": (300000, K, False),
    "first_wait_ms": (150000, K, False),
}
RANGES = {"enter_wait_ms": (150000, 300000), "first_wait_ms": (150000, 300000)}
RIDE_THROUGH = ()
