# SPDX-License-Identifier: MIT
"""Enter service: window, wait, restart on any excursion, random part, ramp (T-N cases; UK type test, reconnection)."""

from grid_rig import Rig

from evse.faults import EVENT_GRID_UNHEALTHY, EVENT_SERVICE_ENTERED
from evse.points import PROFILE_NAMES


def waited_ms(rig, limit_ms=2000000):
    """Run until service; return how long it took."""
    start_ms = rig.t_ms
    while not rig.image.protection.service and rig.t_ms - start_ms < limit_ms:
        rig.run(10)
    return rig.t_ms - start_ms


def test_boot_is_zero_until_the_wait_is_over():
    for name in PROFILE_NAMES:
        rig = Rig(name, wait_ms=None)
        profile = rig.profile
        rig.run(10)
        protection = rig.image.protection
        assert protection.inhibit and not protection.service and not protection.trip, name
        took_ms = waited_ms(rig)
        assert profile.first_wait_ms <= took_ms <= profile.first_wait_ms + profile.enter_random_ms + 300, name
        assert not protection.inhibit and protection.wait_ms == 0, name


def test_after_a_trip_the_wait_is_the_other_one():
    rig = Rig("cei_0_21", wait_ms=None)
    assert waited_ms(rig) <= 30300
    rig.set(mv=300000)
    rig.run(400)
    assert rig.image.protection.trip
    rig.set(mv=230000)
    rig.run(200)
    assert 300000 - 200 <= waited_ms(rig) <= 300300
    assert not rig.image.protection.trip


def test_t_n_1_a_glitch_of_100_ms_starts_the_wait_again():
    rig = Rig("uk_g98", wait_ms=20000)
    rig.run(150)
    rig.run(19700)
    assert not rig.image.protection.service
    rig.set(mv=180000)
    rig.run(100)
    rig.set(mv=230000)
    assert len(rig.events(EVENT_GRID_UNHEALTHY)) == 1
    assert 20000 <= waited_ms(rig) <= 20200


def test_stays_off_outside_the_window_of_the_uk_type_test():
    for mv, uhz in ((266200, 50000000), (180000, 50000000), (230000, 47400000), (230000, 52100000)):
        rig = Rig("uk_g98", wait_ms=2000)
        rig.set(mv=mv, uhz=uhz)
        rig.run(10000)
        assert not rig.image.protection.service and not rig.image.protection.trip, (mv, uhz)
        rig.set(mv=230000, uhz=50000000)
        assert 2000 <= waited_ms(rig) <= 2300, (mv, uhz)


def test_every_edge_of_every_window():
    for name in PROFILE_NAMES:
        profile = Rig(name).profile
        mv, uhz = profile.nominal_mv, profile.nominal_uhz
        for bad_mv, bad_uhz in (
            (profile.enter_low_mv - 1000, uhz),
            (profile.enter_high_mv + 1000, uhz),
            (mv, profile.enter_low_uhz - 15000),
            (mv, profile.enter_high_uhz + 15000),
        ):
            rig = Rig(name)
            rig.set(mv=bad_mv, uhz=bad_uhz)
            rig.run(1000)
            assert not rig.image.protection.service, (name, bad_mv, bad_uhz)
        for good_mv, good_uhz in (
            (profile.enter_low_mv + 1000, uhz),
            (profile.enter_high_mv - 1000, uhz),
            (mv, profile.enter_low_uhz + 15000),
            (mv, profile.enter_high_uhz - 15000),
        ):
            rig = Rig(name)
            rig.set(mv=good_mv, uhz=good_uhz)
            rig.run(1000)
            assert rig.image.protection.service, (name, good_mv, good_uhz)


def test_one_phase_outside_keeps_all_off():
    rig = Rig("vde_4105_2018", phases=3)
    rig.set(mv=190000, phase=2)
    rig.run(2000)
    assert not rig.image.protection.service
    rig.set(mv=230000, phase=2)
    rig.run(500)
    assert rig.image.protection.service


def test_the_random_part_is_repeatable_bounded_and_drawn_anew():
    def waits(device_id):
        rig = Rig("ieee1547_cat_b")
        rig.profile.enter_random_ms = 100000
        rig.protect._enter._random_ms = 100000
        if device_id:
            rig.protect._enter._random = device_id
        found = []
        for _ in range(4):
            rig.set(mv=120000)
            found.append(waited_ms(rig))
            rig.set(mv=180000)
            rig.run(400)
        return found

    first = waits(1)
    assert first == waits(1)
    assert first != waits(77)
    assert len(set(first)) == 4
    assert max(first) < 100700


def test_t_n_2_ramp_follows_the_rate_and_runs_only_while_the_contactor_is_closed():
    for name in ("vde_4105_2018", "as4777_a", "ieee1547_cat_b", "cei_0_21", "ca_rule21"):
        rig = Rig(name)
        protection = rig.image.protection
        waited_ms(rig)
        rig.run(60000)
        assert protection.ramp_permille == 0, name  # nothing is closed yet
        rig.image.outputs.contactor = 1
        start_ms = rig.t_ms
        rate = rig.profile.enter_ramp_permille_min
        while protection.ramp_permille < 1000 and rig.t_ms - start_ms < 700000:
            rig.run(5000)
            due = (rig.t_ms - start_ms) * rate // 60000
            assert due - 10 <= protection.ramp_permille <= due, name
            if due >= 1000:
                break
    rig = Rig("uk_g98")
    waited_ms(rig)
    assert rig.image.protection.ramp_permille == 1000  # no ramp in this code


def test_service_entered_says_how_long_it_waited():
    rig = Rig("uk_g98", wait_ms=3000)
    waited_ms(rig)
    assert rig.events(EVENT_SERVICE_ENTERED)[-1][2] == 3000
