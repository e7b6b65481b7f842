# SPDX-License-Identifier: MIT
"""UK EREC G98 (up to 16 A per phase), LV. Times are relay delays. To be checked against the ENA's text."""

NAME = "uk_g98"
TITLE = "UK EREC G98"
EDITION = "LV, to be checked against Issue 2"
CLEARING = 0

SETTINGS = "EREC G98 LV interface protection settings, general knowledge"
LOM = "ukpowernetworks.co.uk, loss of mains (retrofit to G59/3-7): 1 Hz/s, 0.5 s definite time"
RECONNECT = "EREC G98: within the trip limits for 20 s or more, general knowledge"
LFSM = "EREC G98 LFSM-O: 50.4 Hz, 10 % droop; general knowledge"
STORAGE = "G99 storage, LFSM-U: import falls below 49.5 Hz and ends near 48.85 Hz; shaky"

STAGES = (
    ("ov1", (262200, SETTINGS, False), (1000, SETTINGS, False)),
    ("ov2", (273700, SETTINGS, False), (500, SETTINGS, False)),
    ("uv1", (184000, SETTINGS, False), (2500, SETTINGS, False)),
    ("of1", (52000000, SETTINGS, False), (500, SETTINGS, False)),
    ("uf1", (47500000, SETTINGS, False), (20000, SETTINGS, False)),
    ("uf2", (47000000, SETTINGS, False), (500, SETTINGS, False)),
)

VALUES = {
    "nominal_mv": (230000, "UK supply, 230 V", True),
    "nominal_uhz": (50000000, "UK supply, 50 Hz", True),
    "rocof_mhz_s": (1000, LOM, True),
    "rocof_delay_ms": (500, LOM, True),
    "vector_shift_mdeg": (0, "ukpowernetworks.co.uk, loss of mains: vector shift not permitted", True),
    "enter_low_mv": (184000, RECONNECT, False),
    "enter_high_mv": (262200, RECONNECT, False),
    "enter_low_uhz": (47500000, RECONNECT, False),
    "enter_high_uhz": (52000000, RECONNECT, False),
    "enter_wait_ms": (20000, RECONNECT, False),
    "first_wait_ms": (20000, RECONNECT, False),
    "over_start_uhz": (50400000, LFSM, False),
    "over_droop_permille": (100, LFSM, False),
    "under_start_uhz": (49500000, STORAGE, False),
    "under_droop_permille": (13, STORAGE, False),
    "under_import_only": (1, STORAGE, False),
    "droop_response_ms": (2000, LFSM, False),
}

RANGES = {"enter_wait_ms": (20000, 1000000), "first_wait_ms": (20000, 1000000)}
RIDE_THROUGH = ()
