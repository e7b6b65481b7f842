# SPDX-License-Identifier: MIT
"""Every state and parameter of the compiled plant, by name.

Three record arrays, allocated once and changed in place: the world (1 row: time, source, switches,
vehicle, battery), the lines (1 row a phase: source voltage, network, AFE channel) and the units
(1 row an inverter). Unit 0 is the controller's own inverter. Powers: + = from grid into the charger.
"""

from __future__ import annotations

import numpy as np

NEVER_US = -(10**15)
FOREVER_US = 10**15


QUEUE = 32  # setpoints under way to an inverter; a power of two


def _record(floats: str, integers: str, more: tuple = ()) -> np.dtype:
    fields = [(name, "f8") for name in floats.split()] + [(name, "i8") for name in integers.split()]
    return np.dtype(fields + list(more), align=True)


# Source: f_hz, its slope per step and the steps left; phasor (zr, zi) of the next mid-step; white
# noise; flicker phasor. Board: thermal, pilot, residual current. Vehicle: battery, pilot load.
WORLD = _record(
    floats="""
    dt_s nominal_v nominal_hz f_hz f_slope zr zi noise_v flicker_share flicker_hz flicker_r flicker_i
    half_cos half_sin current_floor_a
    board_c connector_c ambient_c connector_heating_c board_heating_c thermal_tau_s rated_a
    leakage_ma leakage_dose rcd_dc_limit_ma
    capacity_wh soc_wh battery_c battery_heating_c battery_tau_s efficiency taper_soc floor_soc
    charge_max_w discharge_max_w battery_w dc_v_empty dc_v_full ac_import_wh ac_export_wh dc_in_wh dc_out_wh standby_w
    ev_r_b ev_r_c ev_r_d ev_r_extra diode_v pilot_supply_v pilot_high_v pilot_low_v pilot_duty
    proximity_ohm cable_ohm
    board_c_fault connector_c_fault proximity_fault_ohm
    """,
    integers="""
    t_us step_us phases units seed noise_on harmonic_count f_left grid_closed wave_left wave_at slow_in
    has_board gate_up gate_arm gate_edge_us gate_hold_us coil_on coil_changed_us close_us open_us bounce_us
    mains_open armature_closed contactor_fault_coil weld_mask neutral_weld mirror_fault
    contactor_opened_us contactor_closed_us
    island_us last_current_us unit_current_us gate_dropped_us
    rcd_tripped rcd_test rcd_test_us rcd_test_dead rcd_stuck rcd_hold_until_us estop
    plugged ev_state ev_wants ev_wants_d ev_changed_us ev_answer_us ev_stop_us ev_ignores_stop ev_diode_missing
    ev_short ev_pe_lost pilot_pwm_us pilot_pwm
    gate_fault afe_frozen
    """,
)

# Network of a phase: source, switch, R-L to the connection point, parallel R, L, C there.
LINE = _record(
    floats="""
    e_v e_slope e_v_mean pr pi
    i_grid v i_load i_charger i_grid_was
    afe_y afe_v2 afe_i2 afe_vi afe_vc afe_vs afe_ic afe_is afe_n
    old_v2 old_i2 old_vi old_vc old_vs old_ic old_is old_n
    afe_since_s afe_cross_s afe_period_s afe_v_rms afe_i_rms afe_p_w afe_q_var afe_import_wh afe_export_wh
    """,
    integers="e_left afe_seen afe_blank afe_rounds",
)

# AFE as a whole: parameters and the reference oscillator of the fundamental.
AFE = _record(
    floats="""
    dt_s lpf nominal_hz zx_threshold_v zx_blank_s timeout_s noise_v noise_a gain_v gain_i
    period_lsb_s rms_lsb ref_r ref_i ref_hz period_override_s
    """,
    integers="sequence seed noise_on phases",
)

# Inverter: PLL, current loop, power path, limits, supervision.
UNIT = _record(
    floats="""
    zr zi cr ci w_rad_s w_sum kp ki w0_rad_s w_span sogi_gain clarke_gain v_nom_peak v_amp v_inverse v_floor
    id iq id_ref iq_ref i_max_peak current_gain stop_gain
    p_cmd_w q_cmd_var p_w q_var p_ramped_w power_gain
    s_max_va w_max q_max_var ramp_w_s rate_charge_w rate_discharge_w charge_max_w discharge_max_w w_limit_share
    p_true_w q_true_var loop_gain gain_error
    ai_gain_var_hz f_slow_hz f_slow_gain
    ov_v uv_v of_hz uf_hz trip_delay_s trip_timer_s
    """,
    integers="""
    connected enabled started phases state state_us start_us live_us p_head p_tail q_head q_tail
    own_protection tripped alarm self_trip ignore_setpoint terminal_live
    """,
    more=(
        ("p_due_us", "i8", (QUEUE,)),
        ("q_due_us", "i8", (QUEUE,)),
        ("p_queue_w", "f8", (QUEUE,)),
        ("q_queue_var", "f8", (QUEUE,)),
    ),
)

# States of a unit: SunSpec model 701 InvSt.
OFF, SLEEP, STARTING, RUNNING, THROTTLED, SHUTTING_DOWN, FAULT, STANDBY = range(8)
# Pilot state of the vehicle.
EV_A, EV_B, EV_C, EV_D, EV_E = range(5)
# Alarm bits of model 701.
ALARM_GRID_DISC, ALARM_OVER_TEMP = 1 << 4, 1 << 7
ALARM_OVER_FREQUENCY, ALARM_UNDER_FREQUENCY, ALARM_AC_OVER_VOLT, ALARM_AC_UNDER_VOLT = 1 << 8, 1 << 9, 1 << 10, 1 << 11

# Places in the flat output row of the kernel.
(
    OUT_SEQUENCE,
    OUT_V,
    OUT_I,
    OUT_P,
    OUT_Q,
    OUT_IMPORT,
    OUT_EXPORT,
    OUT_PERIOD,
) = (0, 1, 4, 7, 10, 13, 16, 19)
(
    OUT_GATE,
    OUT_OPEN,
    OUT_RCD,
    OUT_ESTOP,
    OUT_HIGH,
    OUT_LOW,
    OUT_PROXIMITY,
    OUT_BOARD_C,
    OUT_CONNECTOR_C,
) = range(22, 31)
OUT_SIZE = 31
