# SPDX-License-Identifier: MIT
"""Wiring of the ESP32-S3 reference board (ESP32-S3-WROOM-1, 8 MB flash).

Literal dicts only: the host reads this file as data.
"""

BOARD = {"name": "esp32s3_ref", "port": "esp32", "mcu": "esp32s3", "psram": "quad"}

# Signal -> GPIO. No strapping (0, 3, 45, 46), flash (26-34) or USB (19, 20) pin; 35-37 are an octal PSRAM's.
# Analog inputs are on ADC1 (1-10): ADC2 is shared with Wi-Fi.
PINS = {
    "pilot_high_adc": 1,
    "pilot_low_adc": 2,
    "proximity_adc": 4,
    "board_temperature_adc": 5,
    "connector_temperature_adc": 6,
    "pilot_pwm": 7,
    "fram_sda": 8,
    "fram_scl": 9,
    "afe_cs": 10,
    "afe_mosi": 11,
    "afe_sck": 12,
    "afe_miso": 13,
    "gate_edge": 14,
    "gate_arm": 15,
    "gate_feedback": 16,
    "inverter_tx": 17,
    "inverter_rx": 18,
    "inverter_de": 21,
    "contactor": 38,
    "contactor_mirror": 39,
    "rcd_trip": 40,
    "rcd_test": 41,
    "estop": 42,
    "cable_lock": 47,
    "lamp": 48,
    "can_mosi": 35,
    "can_sck": 36,
    "can_miso": 37,
    "can_cs": 43,
}

# Controller ids of the buses.
BUSES = {"afe_spi": 1, "fram_i2c": 0, "inverter_uart": 1, "can_spi": 2}

# Full scale of the front ends and dividers, as wired. The firmware and the simulated world both use these.
SCALES = {
    "afe_voltage_full_mv": 700743,  # 990 k : 1 k divider, 0.7071 V RMS at the part
    "afe_current_full_ma": 80353,  # 1:2500 transformer, 22 ohm burden
    "pilot_zero_mv": 1500,  # ADC voltage for 0 V at the pilot
    "pilot_gain_permille": 10000,  # pilot mV per ADC mV x 1000
    "proximity_supply_mv": 3300,
    "proximity_pullup_ohm": 1000,
    "ntc_supply_mv": 3300,
    "ntc_pullup_ohm": 10000,
    "ntc_r25_ohm": 10000,
    "ntc_beta_k": 3435,
    "can_crystal_hz": 16000000,
}

# What contactor, wiring and connector carry.
RATINGS = {"import_w": 22080, "export_w": 22080, "current_ma": 32000}
