# SPDX-License-Identifier: MIT
"""Departure: latest start from power and taper, over services when short, unreachable said, clock jumps, restart."""

from vehicle_rig import Rig

from evse import faults


def plan(soc=500, **settings):
    settings.setdefault("charge_w", 0)
    rig = Rig(ramp_up_permille_min=0, ramp_export_permille_min=0, ramp_down_permille_min=0, **settings)
    rig.soc = soc
    rig.energise()
    rig.run(1500)
    return rig


def clock(rig, minute):
    rig.mail("clock", minute_of_week=minute)
    rig.run(2100)


def state(rig):
    return faults.DEPARTURE_STATES[rig.image.request.departure_state]


def target(rig, permille, minute):
    rig.mail("target", soc_permille=permille, minute_of_week=minute)


def test_off_without_a_target():
    rig = plan()
    clock(rig, 600)
    assert state(rig) == "off" and rig.image.limits.allowed_w == 0


def test_waits_and_starts_at_the_latest_time():
    """50 -> 70 % of 60 kWh is 12 kWh; 7360 W at 90 % is 6624 W: 109 min, and 10 % + 5 min margin: 125."""
    rig = plan()
    target(rig, 700, 1000)
    for minute, expected in ((500, "waiting"), (873, "waiting"), (876, "charging")):
        clock(rig, minute)
        assert state(rig) == expected, minute
        assert rig.image.limits.allowed_w == (7360 if expected == "charging" else 0)
    assert rig.image.request.owner == faults.SERVICE_DEPARTURE
    assert rig.image.limits.reason == faults.REASON_DEPARTURE


def test_taper_makes_the_top_longer():
    rig = plan(soc=800)
    below = rig.decide.departure
    rig.soc = 800
    flat = None
    for start in (1000, 800):
        rig.settings.put(charge_taper_permille=start)
        minutes = below.minutes_to(1000, 10080)
        if flat is None:
            flat = minutes
            assert minutes == 109, minutes
        else:
            # The mean of 1/(1 - 0.8 x) over the taper is ln(5)/0.8 = 2.01.
            assert 1.8 * flat < minutes < 2.1 * flat, minutes


def test_outranks_a_lease_when_time_is_short_and_not_before():
    rig = plan()
    target(rig, 700, 1000)
    rig.mail("lease", power_w=-3000, duration_ms=3600000)
    clock(rig, 500)
    assert rig.image.limits.allowed_w == -3000
    clock(rig, 900)
    assert rig.image.limits.allowed_w == 7360


def test_unreachable_says_what_can_be_reached():
    rig = plan()
    target(rig, 900, 1000)
    clock(rig, 940)
    assert state(rig) == "unreachable" and rig.image.limits.allowed_w == 7360
    reachable = rig.image.request.departure_soc_permille
    assert 605 <= reachable <= 612, reachable  # 60 min at 6624 W of 60 kWh: 11 %


def test_real_charge_power_is_learned():
    rig = plan(charge_w=7360)
    rig.perfect = False
    rig.image.inputs.inverter_w = 3680
    target(rig, 600, 5000)
    clock(rig, 1000)
    before = rig.decide.departure.minutes_to(600, 10080)
    rig.run(300000)
    after = rig.decide.departure.minutes_to(600, 10080)
    assert 1.9 * before < after < 2.3 * before, (before, after)


def test_vehicle_limit_counts():
    rig = plan()
    fast = rig.decide.departure.minutes_to(700, 10080)
    rig.mail_soc(500, charge_w=3680)
    rig.run(100)
    slow = rig.decide.departure.minutes_to(700, 10080)
    assert abs(slow - 2 * fast) <= 2


def test_reached_with_hysteresis():
    rig = plan(soc=690)
    target(rig, 700, 1000)
    clock(rig, 990)
    assert state(rig) in ("charging", "unreachable")
    for soc, expected in ((700, "reached"), (695, "reached"), (691, "reached"), (690, "charging")):
        rig.soc = soc
        rig.run(2100)
        assert state(rig) == expected, soc


def test_unknown_clock_charges_at_once_and_says_so():
    rig = plan()
    target(rig, 700, 1000)
    rig.run(2100)
    assert state(rig) == "clock_unknown" and rig.image.limits.allowed_w == 7360
    assert rig.image.request.minute_of_week == -1
    rig.soc = 550
    for soc in range(550, 701, 30):
        rig.soc = soc
        rig.run(2000)
    rig.soc = 700
    rig.run(3000)
    assert state(rig) == "reached" and rig.image.limits.allowed_w == 0


def test_unknown_charge_does_not_invent_a_plan():
    rig = plan(soc=None)
    target(rig, 700, 1000)
    clock(rig, 999)
    assert state(rig) == "soc_unknown" and rig.image.limits.allowed_w == 0


def test_weekly_table_finds_the_next_day():
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    for day in range(7):
        rig = plan(departure_soc_permille=700)
        values = {"departure_%s_minute" % names[day]: 420}
        rig.settings.put(**values)
        for minute in (0, day * 1440 + 419, day * 1440 + 420, day * 1440 + 421, 10079):
            clock(rig, minute % 10080)
            assert rig.image.request.departure_minutes == (day * 1440 + 420 - minute) % 10080, (day, minute)


def test_earlier_of_one_off_and_weekly():
    rig = plan(departure_soc_permille=600, departure_mon_minute=700)
    target(rig, 800, 900)
    clock(rig, 650)
    assert (rig.image.request.departure_minutes, rig.image.request.departure_soc_permille) == (50, 600) or state(
        rig
    ) == "unreachable"
    assert rig.image.request.departure_minutes == 50
    clock(rig, 701)
    assert rig.image.request.departure_minutes == 199


def test_one_off_is_over_when_its_time_has_passed():
    rig = plan()
    target(rig, 900, 1000)
    clock(rig, 999)
    assert state(rig) == "unreachable"
    clock(rig, 1001)
    assert state(rig) == "off" and rig.image.limits.allowed_w == 0
    target(rig, 900, 1000)
    clock(rig, 940)
    target(rig, 0, 0)
    rig.run(1100)
    assert state(rig) == "off"


def test_clock_jumps_neither_fire_nor_skip():
    rig = plan()
    target(rig, 700, 1000)
    clock(rig, 500)
    assert state(rig) == "waiting"
    clock(rig, 880)  # forward: short now
    assert state(rig) == "charging"
    clock(rig, 840)  # back one hour: 160 min left, 125 needed and 30 kept
    assert state(rig) == "waiting"
    clock(rig, 860)
    assert state(rig) == "waiting"
    clock(rig, 880)
    assert state(rig) == "charging"
    clock(rig, 860)  # back, but less than is worth stopping for
    assert state(rig) == "charging"


def test_restart_keeps_the_weekly_promise():
    rig = plan(departure_soc_permille=700, departure_mon_minute=1000)
    clock(rig, 880)
    assert state(rig) == "charging"
    rig = plan(departure_soc_permille=700, departure_mon_minute=1000)
    clock(rig, 880)
    assert state(rig) == "charging" and rig.image.limits.allowed_w == 7360


def test_outage_on_the_way():
    rig = plan()
    target(rig, 700, 1000)
    clock(rig, 880)
    rig.image.protection.trip = 1
    rig.image.inputs.afe_ok = 0
    rig.run(60000)
    rig.image.protection.trip = 0
    rig.image.inputs.afe_ok = 1
    rig.run(3000)
    assert rig.image.limits.allowed_w == 7360 and state(rig) == "charging"


def test_clock_runs_on_between_messages():
    rig = plan()
    target(rig, 700, 1000)
    clock(rig, 800)
    rig.run(180000)
    assert rig.image.request.minute_of_week == 803
