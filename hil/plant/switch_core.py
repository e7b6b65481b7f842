# SPDX-License-Identifier: MIT
"""Compiled: safety gate, contactor, residual-current device."""

from __future__ import annotations

from hil.plant.compiled import compiled
from hil.plant.inverter_core import halt

_BOUNCE_US = 400  # a contact that bounces closes and opens every 400 us
_RCD_ANSWER_US = 30_000  # self-test answered after
_RCD_HOLD_US = 500_000  # trip output held after the leakage has gone
WELD_UNSEEN = 256  # bit of weld_mask: the mirror contact follows the armature, not the welded contacts
# An RDC-DD trips by current squared times time: 6 mA 10 s, 60 mA 0.1 s (IEC 62955 allows 10 s and 0.3 s).
_RCD_DOSE_MA2_S = 360.0


@compiled
def gate_step(w, u, t_us):
    """Work the retriggerable monostable: up while armed and the last edge is younger than the hold time."""
    up = 1 if (w.gate_arm and t_us - w.gate_edge_us < w.gate_hold_us) else 0
    if w.gate_fault != 0:
        up = 1 if w.gate_fault > 0 else 0
    if up != w.gate_up:
        w.gate_up = up
        if not up:
            w.gate_dropped_us = t_us
            halt(u)
    u.enabled = up


@compiled
def coil_step(w, drive, t_us):
    """Power the coil through the gate."""
    on = 1 if (drive and w.gate_up and not w.contactor_fault_coil) else 0
    if on != w.coil_on:
        w.coil_on = on
        w.coil_changed_us = t_us


@compiled
def poles_closed(w, t_us):
    """Return 1 while the armature holds the main contacts closed (welds apart)."""
    since_us = t_us - w.coil_changed_us
    if w.coil_on:
        if since_us < w.close_us:
            return 0
        since_us -= w.close_us
        return 1 if since_us >= w.bounce_us or (since_us // _BOUNCE_US) % 2 == 0 else 0
    return 1 if since_us < w.open_us and w.contactor_closed_us > w.contactor_opened_us else 0


@compiled
def contactor_step(w, u, drive, t_us):
    """Move the contactor and remember when its mains really closed and opened."""
    coil_step(w, drive, t_us)
    closed = 1 - w.mains_open
    now_closed = poles_closed(w, t_us)
    w.armature_closed = now_closed
    if w.weld_mask:
        now_closed = 1
    if now_closed != closed:
        w.mains_open = 1 - now_closed
        if now_closed:
            w.contactor_closed_us = t_us
        else:
            w.contactor_opened_us = t_us
    u.connected = now_closed


@compiled
def mirror_open(w):
    """Return 1 when the mirror contact proves all mains open."""
    if w.mirror_fault != 0:
        return 1 if w.mirror_fault > 0 else 0
    if w.weld_mask & WELD_UNSEEN:
        return 0 if w.armature_closed else 1
    if w.weld_mask or w.neutral_weld:
        return 0
    return 1 if w.mains_open else 0


@compiled
def rcd_step(w, test, t_us):
    """Run the residual-current device for one millisecond."""
    if test != w.rcd_test:
        w.rcd_test = test
        w.rcd_test_us = t_us
    over = abs(w.leakage_ma)
    if over >= w.rcd_dc_limit_ma:
        w.leakage_dose += over * over * 1e-3
    else:
        w.leakage_dose = 0.0
    tested = t_us - w.rcd_test_us >= _RCD_ANSWER_US
    if w.leakage_dose >= _RCD_DOSE_MA2_S or (w.rcd_test and tested and not w.rcd_test_dead):
        w.rcd_tripped = 1
        w.rcd_hold_until_us = t_us + (_RCD_HOLD_US if not w.rcd_test else _RCD_ANSWER_US)
    elif t_us >= w.rcd_hold_until_us:
        w.rcd_tripped = 0
    if w.rcd_stuck:
        w.rcd_tripped = 1
