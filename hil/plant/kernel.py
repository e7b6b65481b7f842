# SPDX-License-Identifier: MIT
"""Compiled: the plant's loop. One call advances the world to a given time."""

from __future__ import annotations

from hil.plant.afe_core import afe_sample, turn_reference
from hil.plant.arithmetic import settled
from hil.plant.compiled import compiled, pasted
from hil.plant.inverter_core import HALF_ROOT3, lock, true_power, unit_slow
from hil.plant.source_core import feeder_step, source_voltage, turn_source
from hil.plant.state import (
    OUT_BOARD_C,
    OUT_CONNECTOR_C,
    OUT_ESTOP,
    OUT_EXPORT,
    OUT_GATE,
    OUT_HIGH,
    OUT_I,
    OUT_IMPORT,
    OUT_LOW,
    OUT_OPEN,
    OUT_P,
    OUT_PERIOD,
    OUT_PROXIMITY,
    OUT_Q,
    OUT_RCD,
    OUT_SEQUENCE,
    OUT_V,
)
from hil.plant.switch_core import contactor_step, gate_step, mirror_open, rcd_step
from hil.plant.vehicle_core import battery_limits, battery_step, ev_step, pilot_step, thermal_step


@pasted
def _spread(lines, phases, re, im, sign):
    """Add a current phasor (re, im) to the chargers' currents of each phase."""
    lines[0].i_charger += sign * re
    if phases == 3:
        half = -0.5 * re
        side = HALF_ROOT3 * im
        lines[1].i_charger += sign * (half + side)
        lines[2].i_charger += sign * (half - side)


@pasted
def _inject(w, lines, units, phases):
    """Sum all units' injected currents at mid-step into the lines."""
    for k in range(phases):
        lines[k].i_charger = 0.0
    for n in range(w.units):
        u = units[n]
        if u.connected:
            mr = u.cr * w.half_cos - u.ci * w.half_sin
            mi = u.cr * w.half_sin + u.ci * w.half_cos
            _spread(lines, phases, u.id * mr - u.iq * mi, u.id * mi + u.iq * mr, -1.0)


@pasted
def _feed(w, lines, net, harmonics, wave, phases):
    """Advance source and feeder of every phase."""
    turn_source(w)
    closed = w.grid_closed
    for k in range(phases):
        line = lines[k]
        if w.wave_left > 0:
            e = wave[w.wave_at, k]
        else:
            e = source_voltage(w, line, harmonics)
        feeder_step(line, net, 15 * (2 * k + closed), e, line.i_charger)
    if w.wave_left > 0:
        w.wave_left -= 1
        w.wave_at += 1


@pasted
def _track(w, lines, units, phases):
    """Let every unit follow its terminal voltage; leave unit 0's current in the lines for the AFE."""
    va = lines[0].v
    vb = 0.0
    vc = 0.0
    if phases == 3:
        vb = lines[1].v
        vc = lines[2].v
    for n in range(w.units):
        u = units[n]
        if u.connected:
            lock(u, va, vb, vc, w.dt_s)
        else:
            lock(u, 0.0, 0.0, 0.0, w.dt_s)
            u.id = 0.0
            u.iq = 0.0
    for k in range(phases):
        lines[k].i_charger = 0.0
    u = units[0]
    _spread(lines, phases, u.id * u.cr - u.iq * u.ci, u.id * u.ci + u.iq * u.cr, 1.0)


@pasted
def _measure(w, lines, afe, phases, t_us):
    """Give the AFE one sample of each phase; note the last current that was not zero."""
    turn_reference(afe)
    for k in range(phases):
        line = lines[k]
        afe_sample(line, afe, line.v, line.i_charger, k == 0)
        if abs(line.i_charger) > w.current_floor_a:
            w.last_current_us = t_us


@pasted
def _slow(w, lines, units, phases, test, t_us):
    """Run what needs no more than a millisecond's resolution."""
    for k in range(phases):
        line = lines[k]
        line.v = settled(line.v)
        line.i_grid = settled(line.i_grid)
        line.i_load = settled(line.i_load)
        line.afe_y = settled(line.afe_y)
    for n in range(w.units):
        u = units[n]
        if n > 0 or not w.has_board:
            u.p_true_w, u.q_true_var = true_power(u)
        unit_slow(u, t_us)
    if not w.has_board:
        return
    u = units[0]
    ev_step(w, t_us)
    pilot_step(w)
    battery_limits(w, u)
    battery_step(w, u)
    rcd_step(w, test, t_us)
    thermal_step(w, 0.5 * (u.id * u.id + u.iq * u.iq))


@pasted
def _report(w, lines, afe, phases, out):
    """Write what the board feels."""
    if not w.afe_frozen:
        out[OUT_SEQUENCE] = afe.sequence
        for k in range(phases):
            line = lines[k]
            out[OUT_V + k] = line.afe_v_rms
            out[OUT_I + k] = line.afe_i_rms
            out[OUT_P + k] = line.afe_p_w
            out[OUT_Q + k] = line.afe_q_var
            out[OUT_IMPORT + k] = line.afe_import_wh
            out[OUT_EXPORT + k] = line.afe_export_wh
            out[OUT_PERIOD + k] = line.afe_period_s
    out[OUT_GATE] = w.gate_up
    out[OUT_OPEN] = mirror_open(w)
    out[OUT_RCD] = w.rcd_tripped
    out[OUT_ESTOP] = w.estop
    out[OUT_HIGH] = w.pilot_high_v
    out[OUT_LOW] = w.pilot_low_v
    out[OUT_PROXIMITY] = w.proximity_ohm
    out[OUT_BOARD_C] = w.board_c if w.board_c_fault < -273.0 else w.board_c_fault
    out[OUT_CONNECTOR_C] = w.connector_c if w.connector_c_fault < -273.0 else w.connector_c_fault


@compiled
def advance(world, lines, net, harmonics, wave, afes, units, until_us, arm, edge_us, coil, test, duty, out):
    """Run the world to until_us (whole steps) with the board's outputs held; fill out."""
    w = world[0]
    afe = afes[0]
    phases = w.phases
    w.gate_arm = arm
    w.gate_edge_us = edge_us
    if duty != w.pilot_duty:
        w.pilot_duty = duty
        pilot_step(w)
    if w.has_board:
        gate_step(w, units[0], w.t_us)
        contactor_step(w, units[0], coil, w.t_us)
    while w.t_us + w.step_us <= until_us:
        t_us = w.t_us + w.step_us
        w.t_us = t_us
        if w.has_board:
            gate_step(w, units[0], t_us)
            contactor_step(w, units[0], coil, t_us)
        _inject(w, lines, units, phases)
        _feed(w, lines, net, harmonics, wave, phases)
        _track(w, lines, units, phases)
        _measure(w, lines, afe, phases, t_us)
        w.slow_in -= w.step_us
        if w.slow_in <= 0:
            w.slow_in += 1000
            _slow(w, lines, units, phases, test, t_us)
    _report(w, lines, afe, phases, out)
