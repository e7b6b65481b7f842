# SPDX-License-Identifier: MIT
"""Spain RD 1699/2011, from a vendor's profile. It has no frequency response of its own: EN 50549-1's is taken."""

NAME = "spain_rd1699"
TITLE = "Spain RD 1699/2011"
EDITION = "2011"
CLEARING = 0

OTP = "RD 1699 profile in OpenDTU, pull request 1606 (public code)"
WINDOW = "inside the trip limits; the profile gives no other window"
DROOP = "EN 50549-1, general knowledge"

STAGES = (
    ("ov1", (253000, OTP, True), (1200, OTP, True)),
    ("ov2", (264500, OTP, True), (160, OTP, True)),
    ("uv1", (195500, OTP, True), (1200, OTP, True)),
    ("of1", (50500000, OTP, True), (400, OTP, True)),
    ("uf1", (48000000, OTP, True), (3600, OTP, True)),
)

VALUES = {
    "nominal_mv": (230000, "EN 50160, 230 V", True),
    "nominal_uhz": (50000000, "EN 50160, 50 Hz", True),
    "enter_low_mv": (195500, WINDOW, False),
    "enter_high_mv": (253000, WINDOW, False),
    "enter_low_uhz": (48000000, WINDOW, False),
    "enter_high_uhz": (50500000, WINDOW, False),
    "enter_wait_ms": (180000, OTP, True),
    "first_wait_ms": (180000, OTP, True),
    "over_start_uhz": (50200000, DROOP, False),
    "over_droop_permille": (50, DROOP, False),
}

RANGES = {}
RIDE_THROUGH = ()
