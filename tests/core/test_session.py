# SPDX-License-Identifier: MIT
"""Session: every state's way in and out, and every timing of IEC 61851-1 table A.6 that is ours."""

from vehicle_rig import Rig

from evse import faults
from evse.decide import session
from evse.faults import (
    SESSION_CLOSING,
    SESSION_ENERGISED,
    SESSION_FAULT,
    SESSION_IDLE,
    SESSION_PLUGGED,
    SESSION_READY,
    SESSION_STOPPING,
    SESSION_TRIPPED,
)


def state(rig):
    return rig.image.request.session_state


def stuck_inverter(rig, power_w):
    """From now on the inverter keeps its power whatever it is told."""
    rig.perfect = False
    rig.image.inputs.inverter_w = power_w
    rig.image.inputs.grid_w = power_w


def test_the_way_in_in_order():
    rig = Rig()
    seen = []
    rig.check = lambda r: seen.append(state(r)) if not seen or seen[-1] != state(r) else None
    rig.energise()
    assert seen == [0, SESSION_IDLE, SESSION_PLUGGED, SESSION_READY, SESSION_CLOSING, SESSION_ENERGISED]


def test_closes_within_3_s_of_c2():
    spent_ms = Rig().energise()
    assert spent_ms <= 3000 and spent_ms < 200, spent_ms


def test_vehicle_straight_into_c():
    rig = Rig()
    rig.run(1000)
    rig.vehicle("C")
    rig.run(500)
    assert state(rig) == SESSION_ENERGISED


def test_no_pwm_and_no_closing_before_the_grid_permits():
    rig = Rig()
    rig.image.protection.service = 0
    rig.image.protection.inhibit = 1
    rig.run(1000)
    rig.vehicle("C")
    rig.run(5000)
    assert state(rig) == SESSION_READY and rig.image.outputs.duty_permille == 1000
    assert rig.image.request.reason == faults.REASON_ENTER_SERVICE
    rig.image.protection.service = 1
    rig.image.protection.inhibit = 0
    spent_ms = 0
    while not rig.image.outputs.closed:
        rig.cycle()
        spent_ms += 10
        assert spent_ms <= 3000


def test_normal_stop_ramps_to_zero_and_then_opens():
    rig = Rig()
    rig.energise()
    rig.run(12000)
    rig.mail("user", stop=1)
    power_at_opening = []
    rig.check = lambda r: power_at_opening.append(r.image.inputs.inverter_w) if not r.image.outputs.contactor else None
    before_w = rig.image.limits.allowed_w
    rig.cycle()
    assert state(rig) == SESSION_STOPPING and 0 < rig.image.outputs.duty_permille < 1000
    assert before_w > 7000 and rig.image.limits.allowed_w > 7000
    rig.run(5000)
    assert state(rig) in (SESSION_PLUGGED, SESSION_READY) and power_at_opening[0] == 0
    assert rig.image.outputs.duty_permille == 1000, "no offer once the current is zero"
    assert not rig.image.status.fault_count


def test_slowest_ramp_still_stops_in_time():
    rig = Rig(ramp_down_permille_min=10, ramp_up_permille_min=0)
    rig.energise()
    rig.mail("user", stop=1)
    spent_ms = 0
    while rig.image.outputs.contactor:
        rig.cycle()
        spent_ms += 10
    assert spent_ms < 5000 and not rig.image.status.fault[faults.FAULT_PILOT_STOP_IGNORED]


def test_forced_open_6_s_after_pwm_stop():
    rig = Rig(ramp_up_permille_min=0)
    rig.energise()
    stuck_inverter(rig, 7000)
    rig.mail("user", stop=1)
    spent_ms = 0
    stopped_ms = 0
    while rig.image.outputs.contactor:
        rig.cycle()
        spent_ms += 10
        if not stopped_ms and rig.image.outputs.duty_permille == 1000:
            stopped_ms = spent_ms
        assert spent_ms < 12000
    assert 3990 <= stopped_ms <= 4020, stopped_ms
    assert 5980 <= spent_ms - stopped_ms <= 6020, spent_ms
    rig.cycle()
    assert rig.image.status.fault[faults.FAULT_PILOT_STOP_IGNORED] and state(rig) == SESSION_FAULT
    rig.vehicle("B")
    rig.run(60)
    assert not rig.image.status.fault[faults.FAULT_PILOT_STOP_IGNORED]


def test_carries_on_after_stop():
    rig = Rig()
    rig.energise()
    rig.mail("user", stop=1)
    rig.run(3000)
    assert not rig.image.outputs.contactor
    rig.mail("user", stop=0)
    rig.run(1000)
    assert state(rig) == SESSION_ENERGISED


def test_lock_refuses():
    rig = Rig()
    rig.mail("user", lock=1)
    rig.run(1000)
    rig.vehicle("C")
    rig.run(3000)
    assert state(rig) == SESSION_READY and rig.image.outputs.duty_permille == 1000
    assert rig.image.request.reason == faults.REASON_LOCKED


def test_trip_opens_in_the_same_cycle_from_every_state():
    for ms in (0, 20, 30, 40, 50, 60, 70, 80, 200):
        rig = Rig()
        rig.run(2000)
        rig.vehicle("C")
        rig.run(30 + ms)
        rig.image.protection.trip = 1
        rig.cycle()
        outputs = rig.image.outputs
        assert (outputs.contactor, outputs.gate_arm, outputs.inverter_w, outputs.lease_ok) == (0, 0, 0, 0)
        assert (rig.world.coil, rig.world.gate_armed) == (0, 0)
        assert state(rig) == SESSION_TRIPPED
        rig.run(500)
        rig.image.protection.trip = 0
        rig.run(1000)
        assert state(rig) == SESSION_ENERGISED


def test_fault_beats_trip_and_both_beat_the_vehicle():
    rig = Rig()
    rig.energise()
    rig.image.protection.trip = 1
    rig.world.estop = 1
    rig.run(30)
    assert state(rig) == SESSION_FAULT
    rig.world.estop = 0
    rig.run(30)
    rig.image.status.clear_request = 1
    rig.run(30)
    assert state(rig) == SESSION_TRIPPED


def test_stale_afe_and_inhibit_open_at_once():
    for name in ("afe_ok", "inhibit"):
        rig = Rig()
        rig.energise()
        if name == "afe_ok":
            rig.image.inputs.afe_ok = 0
        else:
            rig.image.protection.inhibit = 1
        rig.cycle()
        assert rig.image.outputs.contactor == 0 and rig.image.limits.allowed_w == 0


def test_state_f_for_a_fault_of_ours_and_unlock_5_s_later():
    rig = Rig()
    rig.energise()
    assert rig.image.outputs.lock == 1
    rig.world.estop = 1
    rig.run(50)
    assert rig.image.outputs.duty_permille == 0
    rig.run(4500)
    assert rig.image.outputs.lock == 1
    rig.run(600)
    assert rig.image.outputs.lock == 0


def test_no_unlock_of_a_welded_contactor():
    rig = Rig()
    rig.energise()
    rig.world.welded = True
    rig.world.estop = 1
    rig.run(20000)
    assert rig.image.outputs.lock == 1


def test_a_fault_of_the_grid_keeps_the_pilot_up():
    rig = Rig()
    rig.energise()
    rig.image.status.cause[faults.FAULT_AFE_STALE] = 1
    rig.run(100)
    assert state(rig) == SESSION_FAULT and rig.image.outputs.duty_permille == 1000


def test_wake_up_once_a_visit():
    rig = Rig()
    rig.run(1000)
    rig.vehicle("B")
    rig.run(29000)
    assert 0 < rig.image.outputs.duty_permille < 1000
    rig.run(2000)
    assert rig.image.outputs.duty_permille == 1000
    rig.run(4200)
    assert 0 < rig.image.outputs.duty_permille < 1000
    for _ in range(6000):
        rig.cycle()
        assert 0 < rig.image.outputs.duty_permille < 1000
    rig.vehicle("A")
    rig.run(1000)
    rig.vehicle("B")
    rig.run(31000)
    assert rig.image.outputs.duty_permille == 1000, "the next vehicle is woken again"


def test_a_vehicle_that_asks_is_never_woken():
    rig = Rig()
    rig.energise()
    rig.run(40000)
    assert state(rig) == SESSION_ENERGISED and not rig.events(faults.EVENT_WAKE_UP)


def test_digital_duty():
    rig = Rig(pilot_digital=1)
    rig.energise()
    assert rig.image.outputs.duty_permille == 50


def test_a_new_rating_changes_the_duty_while_energised():
    rig = Rig()
    rig.energise()
    assert rig.image.outputs.duty_permille == 533
    rig.settings.put(import_rating_w=2300)
    rig.run(50)
    assert rig.image.outputs.duty_permille == 166


def test_state_d_needs_ventilation():
    for fitted in (0, 1):
        rig = Rig(ventilation=fitted)
        rig.energise()
        rig.vehicle("D")
        rig.run(100)
        assert (state(rig) == SESSION_ENERGISED) == bool(fitted)
        assert rig.image.outputs.contactor == fitted


def test_every_row_of_the_table_names_a_state():
    assert len(session.TABLE) == len(faults.SESSION_STATES) == len(session.CLOSES) == len(session.OFFERS)
    for rows in session.TABLE:
        for mask, value, following in rows:
            assert value & ~mask == 0 and 0 <= following < len(session.TABLE)


def test_no_row_leads_to_closing_but_ready():
    """Whatever the facts, a closed contactor is only reached by the closing sequence."""
    for start in range(len(session.TABLE)):
        for facts in range(1 << 11):
            following = session.next_state(start, facts)
            if following == SESSION_CLOSING and start != SESSION_CLOSING:
                assert start == SESSION_READY
            if session.CLOSES[following]:
                assert not facts & session.FAULT and not facts & session.TRIP, (start, facts)
                assert (
                    facts & session.ASKS
                    and facts & session.PLUGGED
                    and facts & session.PERMIT
                    or following == start == 0
                )
