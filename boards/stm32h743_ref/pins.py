# SPDX-License-Identifier: MIT
"""Wiring of the STM32H743 reference board (NUCLEO-H743ZI2 and a front-end board).

Literal dicts only: the host reads this file as data.
"""

BOARD = {"name": "stm32h743_ref", "port": "stm32", "mcu": "stm32h743"}

# Signal -> pin. Clear of RMII Ethernet, USB, ST-LINK UART, debug port and crystals of the NUCLEO-H743ZI2.
PINS = {
    "pilot_high_adc": "PA3",
    "pilot_low_adc": "PC0",
    "proximity_adc": "PB1",
    "board_temperature_adc": "PA5",
    "connector_temperature_adc": "PA6",
    "pilot_pwm": "PE9",
    "fram_sda": "PB9",
    "fram_scl": "PB8",
    "afe_cs": "PA4",
    "afe_mosi": "PB5",
    "afe_sck": "PB3",
    "afe_miso": "PB4",
    "gate_edge": "PF12",
    "gate_arm": "PF13",
    "gate_feedback": "PF14",
    "inverter_tx": "PD5",
    "inverter_rx": "PD6",
    "inverter_de": "PD4",
    "contactor": "PE11",
    "contactor_mirror": "PF15",
    "rcd_trip": "PE13",
    "rcd_test": "PG9",
    "estop": "PG14",
    "cable_lock": "PD14",
    "lamp": "PB0",
    "can_rx": "PD0",
    "can_tx": "PD1",
}

# Controller ids of the buses; their pins come from MicroPython's board definition and must be those above.
BUSES = {"afe_spi": 3, "fram_i2c": 1, "inverter_uart": 2, "can": 1}

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
}

# What contactor, wiring and connector carry.
RATINGS = {"import_w": 22080, "export_w": 22080, "current_ma": 32000}
