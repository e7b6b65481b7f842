# SPDX-License-Identifier: MIT
"""What the regions of AS/NZS 4777.2:2020 share. Times are relay delays; most end within 1 s more, OV2 within 0.2 s."""

CLEARING = 0
EDITION = "2020"
K = "AS/NZS 4777.2:2020 table 4.1, general knowledge"
CAN = "BuiMCanmet/DR_AS-NZS-Scripts (public repository)"
QC = "Q CELLS manual"
JEMENA = "Jemena, reconnection 60 s; weak source"
SOFT = "AS/NZS 4777.2: 16.67 %/min (6 min to full), general knowledge"
DEFAULT_ON = "AS/NZS 4777.2:2020: volt-var and volt-watt are on by default, general knowledge"
FAST = "disconnection within 0.2 s less 100 ms of sensing, cycle and contactor"
WINDOW = "AS/NZS 4777.2:2020 clause on reconnection, general knowledge"

VOLTAGE_STAGES = (
    ("ov1", (265000, K, False), (1000, K, False)),
    ("ov2", (275000, K, False), (100, FAST, False)),
    ("uv1", (180000, K, False), (10000, K, False)),
    ("uv2", (70000, K, False), (1000, K, False)),
)

# The droop of a storage unit runs from nothing at the start to all of its rating at fPmin or fPmax.
VALUES = {
    "nominal_mv": (230000, "AS 60038, 230 V", True),
    "nominal_uhz": (50000000, "AS 60038, 50 Hz", True),
    "mean_mv": (258000, QC, True),
    "enter_low_mv": (205000, WINDOW, False),
    "enter_high_mv": (253000, WINDOW, False),
    "enter_low_uhz": (47500000, WINDOW, False),
    "enter_high_uhz": (50150000, WINDOW, False),
    "enter_wait_ms": (60000, JEMENA, False),
    "first_wait_ms": (60000, JEMENA, False),
    "enter_ramp_permille_min": (166, SOFT, False),
    "volt_var_enabled": (1, DEFAULT_ON, False),
    "volt_watt_enabled": (1, DEFAULT_ON, False),
    "droop_response_ms": (1000, K, False),
    "volt_response_ms": (10000, CAN, True),
}
RANGES = {"mean_mv": (244000, 258000), "volt_var_enabled": (0, 1), "volt_watt_enabled": (0, 1)}
RIDE_THROUGH = ()
