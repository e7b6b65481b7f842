# SPDX-License-Identifier: MIT
"""What the categories of IEEE 1547-2018 share. Times are clearing times. 120 V L-N, split phase 120/240 V, 60 Hz.

Sources: epri-dev/OpenDER and ua-kxie/UL1741SB, two public repositories that agree with each other.
"""

CLEARING = 1
EDITION = "2018"
BOTH = "IEEE 1547-2018 defaults as in OpenDER and UL1741SB (public repositories)"
KNOWN = "IEEE 1547-2018, general knowledge"

OV2 = ("ov2", (144000, BOTH, True), (160, BOTH, True))
FREQUENCY_STAGES = (
    ("of1", (61200000, BOTH, True), (300000, BOTH, True)),
    ("of2", (62000000, BOTH, True), (160, BOTH, True)),
    ("uf1", (58500000, BOTH, True), (300000, BOTH, True)),
    ("uf2", (56500000, BOTH, True), (160, BOTH, True)),
)

VALUES = {
    "nominal_mv": (120000, "US supply, 120/240 V", True),
    "nominal_uhz": (60000000, "US supply, 60 Hz", True),
    "enter_low_mv": (110040, BOTH, True),  # 0.917
    "enter_high_mv": (126000, BOTH, True),  # 1.05
    "enter_low_uhz": (59500000, BOTH, True),
    "enter_high_uhz": (60100000, BOTH, True),
    "enter_wait_ms": (300000, BOTH, True),
    "first_wait_ms": (300000, BOTH, True),
    "enter_random_ms": (0, BOTH, True),
    "enter_ramp_permille_min": (200, BOTH, True),  # 300 s
    "over_start_uhz": (60036000, BOTH, True),
    "over_droop_permille": (50, BOTH, True),
    "under_start_uhz": (59964000, BOTH, True),
    "under_droop_permille": (50, BOTH, True),
    "droop_response_ms": (5000, BOTH, True),
    "volt_var_enabled": (0, BOTH, True),  # default mode: power factor 1
    "volt_watt_enabled": (0, BOTH, True),
    "volt_response_ms": (10000, BOTH, True),
}

# + is absorbed: the code's "inject 0.25" at low voltage is -250 here.
VOLT_VAR_A = (((108000, -250), (120000, 0), (120001, 0), (132000, 250)), BOTH, True)
VOLT_VAR_B = (((110400, -440), (117600, 0), (122400, 0), (129600, 440)), BOTH, True)
VOLT_WATT = (((127200, 1000), (132000, 0)), BOTH, True)  # an absorbing DER may go to 0

RANGES = {
    "ov1.threshold": (132000, 144000),
    "ov1.delay_ms": (1000, 13000),
    "of2.threshold": (61800000, 66000000),
    "of2.delay_ms": (160, 1000000),
    "of1.threshold": (61000000, 66000000),
    "of1.delay_ms": (180000, 1000000),
    "uf2.threshold": (50000000, 57000000),
    "uf2.delay_ms": (160, 1000000),
    "uf1.threshold": (50000000, 59000000),
    "uf1.delay_ms": (180000, 1000000),
    "enter_wait_ms": (0, 600000),
    "first_wait_ms": (0, 600000),
    "enter_random_ms": (0, 1000000),
    "enter_ramp_permille_min": (60, 60000),
    "enter_low_mv": (105600, 114000),
    "enter_high_mv": (126000, 127200),
    "enter_low_uhz": (59000000, 59900000),
    "enter_high_uhz": (60100000, 61000000),
    "over_start_uhz": (60017000, 61000000),
    "under_start_uhz": (59000000, 59983000),
    "over_droop_permille": (20, 50),
    "under_droop_permille": (20, 50),
    "volt_var_enabled": (0, 1),
    "volt_watt_enabled": (0, 1),
}
RANGES_LOW_VOLTAGE_1_2 = {
    "uv1.threshold": (0, 105600),
    "uv1.delay_ms": (2000, 21000),
    "uv2.threshold": (0, 60000),
    "uv2.delay_ms": (160, 2000),
}
RANGES_LOW_VOLTAGE_3 = {
    "uv1.threshold": (0, 105600),
    "uv1.delay_ms": (21000, 50000),
    "uv2.threshold": (0, 60000),
    "uv2.delay_ms": (2000, 21000),
}

# quantity, from, to (mV or uHz), least time to stay connected in ms, what the code asks for meanwhile
RIDE_THROUGH_FREQUENCY = (
    ("f", 58800000, 61200000, 1000000, "continuous"),
    ("f", 57000000, 58800000, 299000, "mandatory"),
    ("f", 61200000, 61800000, 299000, "mandatory"),
)
