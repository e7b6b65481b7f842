# SPDX-License-Identifier: MIT
"""The remote lease: takes, renews, ends at zero, is released; old, wrapped and late mail never raises power."""

from vehicle_rig import Rig

from evse import faults


def energised(**settings):
    rig = Rig(ramp_up_permille_min=0, ramp_export_permille_min=0, ramp_down_permille_min=0, **settings)
    rig.energise()
    return rig


def allowed(rig):
    return rig.image.limits.allowed_w


def test_takes_the_power_in_the_next_cycle():
    rig = energised()
    rig.mail("lease", power_w=-4000, duration_ms=5000, service=faults.SERVICE_REMOTE)
    rig.cycle()
    assert allowed(rig) == -4000 and rig.image.request.owner == faults.SERVICE_REMOTE
    assert rig.events(faults.EVENT_LEASE) == [(faults.SERVICE_REMOTE, -4000)]


def test_ends_at_zero_to_the_cycle_and_stays_there():
    rig = energised()
    rig.mail("lease", power_w=-4000, duration_ms=5000)
    rig.run(4990)
    assert allowed(rig) == -4000
    rig.cycle()
    assert allowed(rig) == 0 and rig.image.limits.reason == faults.REASON_LEASE_EXPIRED
    rig.run(60000)
    assert allowed(rig) == 0, "the user's wish must not come back by silence"
    assert rig.events(faults.EVENT_LEASE_END) == [(faults.SERVICE_REMOTE, -4000)]


def test_renewed_in_time_it_goes_on():
    rig = energised()
    for _ in range(10):
        rig.mail("lease", power_w=-4000, duration_ms=5000)
        rig.run(4000)
        assert allowed(rig) == -4000
    assert len(rig.events(faults.EVENT_LEASE)) == 1, "a renewal is no event"


def test_release_gives_back_to_the_user():
    rig = energised(charge_w=2000)
    rig.mail("lease", power_w=-4000, duration_ms=5000)
    rig.run(1000)
    rig.mail("lease", power_w=0, duration_ms=0)
    rig.cycle()
    assert allowed(rig) == 2000


def test_a_word_of_the_user_ends_the_hold():
    rig = energised(charge_w=2000)
    rig.mail("lease", power_w=-4000, duration_ms=1000)
    rig.run(2000)
    assert allowed(rig) == 0
    rig.mail("user", power_w=1500)
    rig.cycle()
    assert allowed(rig) == 1500


def test_another_vehicle_ends_the_hold():
    rig = energised(charge_w=2000)
    rig.mail("lease", power_w=-4000, duration_ms=1000)
    rig.run(2000)
    rig.vehicle("A")
    rig.run(500)
    rig.vehicle("C")
    rig.run(1000)
    assert allowed(rig) == 2000


def test_mail_older_than_its_duration_never_starts():
    rig = energised(charge_w=1000)
    box = rig.image.mail.lease
    box.begin()
    box.power_w = -7000
    box.duration_ms = 5000
    box.end(rig.now_ms - 6000)
    rig.run(100)
    assert allowed(rig) == 0 and rig.image.limits.reason == faults.REASON_LEASE_EXPIRED


def test_age_counts_against_the_duration():
    rig = energised()
    box = rig.image.mail.lease
    box.begin()
    box.power_w = -4000
    box.duration_ms = 5000
    box.end(rig.now_ms - 3000)
    rig.run(1900)
    assert allowed(rig) == -4000
    rig.run(150)
    assert allowed(rig) == 0


def test_longest_lease():
    rig = energised(lease_max_ms=2000)
    rig.mail("lease", power_w=-4000, duration_ms=86400000)
    rig.run(2100)
    assert allowed(rig) == 0


def test_power_out_of_range_is_brought_into_it():
    rig = energised()
    rig.mail("lease", power_w=-900000, duration_ms=5000)
    rig.cycle()
    assert rig.image.request.want_w == -22080 and allowed(rig) == -7360


def test_message_stamped_in_the_future_does_not_start():
    rig = energised()
    box = rig.image.mail.lease
    box.begin()
    box.power_w = -4000
    box.duration_ms = 5000
    box.end(rig.now_ms + 60000)
    rig.run(100)
    assert allowed(rig) == 0


def test_expired_lease_does_not_revive_when_the_ticks_wrap():
    rig = energised()
    rig.mail("lease", power_w=-4000, duration_ms=1000)
    rig.run(2000)
    stamp_ms = rig.image.mail.lease.stamp_ms
    rig.now_ms = (stamp_ms + 5) & 0x3FFFFFFF
    rig.soc_period_ms = 10
    rig.run(100)
    assert allowed(rig) == 0


def test_reactive_power_rides_with_the_lease():
    rig = energised()
    rig.mail("lease", power_w=-1000, reactive_var=500, duration_ms=1000)
    rig.run(500)
    assert rig.image.outputs.inverter_var == 500
    rig.run(1000)
    assert rig.image.outputs.inverter_var == 0
