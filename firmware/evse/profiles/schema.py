# SPDX-License-Identifier: MIT
"""What a profile may say: every key with its range and default. Data only; the loader checks against it."""

REQUIRED = None

# key, lowest, highest, default. Voltages L-N.
KEYS = (
    ("nominal_mv", 100000, 277000, REQUIRED),
    ("nominal_uhz", 50000000, 60000000, REQUIRED),
    ("rocof_mhz_s", 0, 10000, 0),  # 0 = no such element
    ("rocof_delay_ms", 0, 5000, 0),
    ("mean_mv", 0, 340000, 0),  # 10-minute mean; 0 = no such element
    ("vector_shift_mdeg", 0, 60000, 0),
    ("enter_low_mv", 50000, 277000, REQUIRED),
    ("enter_high_mv", 100000, 340000, REQUIRED),
    ("enter_low_uhz", 45000000, 60000000, REQUIRED),
    ("enter_high_uhz", 50000000, 66000000, REQUIRED),
    ("enter_wait_ms", 0, 1000000, REQUIRED),  # after a trip
    ("first_wait_ms", 0, 1000000, REQUIRED),  # after boot
    ("enter_random_ms", 0, 1000000, 0),
    ("enter_ramp_permille_min", 0, 60000, 0),  # 0 = no ramp
    ("over_start_uhz", 50000000, 66000000, 66000000),
    ("over_droop_permille", 0, 120, 0),  # 50 = 5 % of nominal frequency for 100 % of power; 0 = none
    ("under_start_uhz", 45000000, 60000000, 45000000),
    ("under_droop_permille", 0, 120, 0),
    ("under_import_only", 0, 1, 0),  # 1: low frequency only reduces import, never asks for export
    ("droop_response_ms", 0, 30000, 2000),
    ("cessation_low_mv", 0, 277000, 0),  # momentary cessation below; 0 = none
    ("cessation_high_mv", 0, 340000, 0),
    ("volt_var_enabled", 0, 1, 0),
    ("volt_watt_enabled", 0, 1, 0),
    ("volt_response_ms", 0, 90000, 10000),  # open-loop response time of both
)

# Curves: key, lowest and highest share. Points are (voltage in mV, share in permille of rating), voltages rising.
# Shares of volt_var: + is absorbed. Shares of volt_watt: most export allowed.
CURVES = (
    ("volt_var", -1000, 1000),
    ("volt_watt", -1000, 1000),
)
CURVE_MV = (100000, 340000)
CURVE_POINTS = 10

VOLTAGE_MV = (0, 340000)  # stage thresholds
FREQUENCY_UHZ = (44000000, 66000000)
DELAY_MS = (0, 1000000)

# Dropout hysteresis of stages: less than the distance from a threshold at which a code's hold test is done.
VOLTAGE_RESET_PERMILLE = 2  # of nominal
FREQUENCY_RESET_UHZ = 10000
