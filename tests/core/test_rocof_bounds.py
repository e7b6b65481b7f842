# SPDX-License-Identifier: MIT
"""ROCOF alone, fed by hand: at its setting, one beside, one cycle before and after."""

from protect_rig import Profile, events, image_in_service

from evse import faults
from evse.protect.latch import Latch
from evse.protect.rocof import Rocof


def rocof_of(delay_ms=500, setting=1000):
    image = image_in_service()
    image.inputs.rocof_ok = 1
    return image, Rocof(image, Profile(rocof_mhz_s=setting, rocof_delay_ms=delay_ms), Latch(image))


def feed(image, part, slope, fast, ms=10, uhz=None, jump=0):
    inputs = image.inputs
    inputs.now_ms += ms
    inputs.rocof_mhz_s = slope
    inputs.rocof_fast_mhz_s = fast
    inputs.phase_jump_mdeg = jump
    if uhz is not None:
        inputs.frequency_uhz = uhz
    part.run(inputs)


def test_rocof_picks_up_beyond_its_setting_with_a_fast_slope_that_agrees():
    for slope, fast, ok, picks in (
        (1000, 1000, 1, 0),
        (1001, 1000, 1, 1),
        (-1000, -1000, 1, 0),
        (-1001, -1000, 1, 1),
        (1001, 501, 1, 1),
        (1001, 500, 1, 0),
        (-1001, -501, 1, 1),
        (-1001, 501, 1, 0),
        (1001, -501, 1, 0),
        (1001, 1000, 0, 0),
    ):
        image, part = rocof_of()
        image.inputs.rocof_ok = ok
        image.inputs.rocof_from_uhz = 50000000
        feed(image, part, slope, fast)
        assert part.picked_up == picks, (slope, fast, ok)
        assert image.protection.element_active[faults.ELEMENT_ROCOF] == picks
        if picks:
            assert events(image) == [(faults.EVENT_PICKUP, faults.ELEMENT_ROCOF, slope, 0)]


def test_rocof_by_time_alone_after_the_delay_and_30_ms():
    # At the setting's own slope the window is full at pickup: 240 ms have passed.
    for sign in (1, -1):
        image, part = rocof_of()
        image.inputs.rocof_from_uhz = 50000000
        feed(image, part, 1001 * sign, 1001 * sign, uhz=50000000)
        share_ms = 999 * 240 // 1000  # interpolation of 1000 * 1000 // 1001 = 999 permille
        spent_ms = 0
        while not image.protection.trip and spent_ms < 2000:
            feed(image, part, 1001 * sign, 1001 * sign)
            spent_ms += 10
        assert spent_ms == (530 - share_ms + 9) // 10 * 10 or abs(spent_ms + share_ms - 530) < 12, spent_ms
        protection = image.protection
        assert protection.trip_element == faults.ELEMENT_ROCOF and protection.trip_value == 1001 * sign
        assert protection.trip_threshold == 1000 and protection.trip_phase == 0
        protection.service = 1
        feed(image, part, 1001 * sign, 1001 * sign)
        assert protection.trips == 1


def test_rocof_by_distance_from_the_delay_on():
    # 2000 mHz/s: half the window at pickup (120 ms); the delay is over 380 ms later, if the distance is there.
    for uhz, spent in ((50000000 + 2000 * 475, 370), (50000000 + 2000 * 474, 410)):
        for sign in (1, -1):
            image, part = rocof_of()
            image.inputs.rocof_from_uhz = 50000000
            feed(image, part, 2000 * sign, 2000 * sign)
            ms = 0
            while not image.protection.trip and ms < 2000:
                feed(image, part, 2000 * sign, 2000 * sign, uhz=50000000 + (uhz - 50000000) * sign)
                ms += 10
            assert ms == spent, (uhz, ms)


def test_rocof_ends_with_the_slope_the_measurement_or_the_fast_slope():
    for slope, fast, ok, ends in (
        (950, 1000, 1, 0),
        (949, 1000, 1, 1),
        (1500, 750, 1, 0),
        (1500, 749, 1, 1),
        (1500, 1500, 0, 1),
    ):
        for sign in (1, -1):
            image, part = rocof_of()
            feed(image, part, 1500 * sign, 1500 * sign)
            image.inputs.rocof_ok = ok
            feed(image, part, slope * sign, fast * sign)
            assert part.picked_up == 1 - ends, (slope, fast, ok)
            if ends:
                assert events(image)[-1] == (faults.EVENT_HOLD, faults.ELEMENT_ROCOF, 1500 * sign, 0)
                assert image.protection.element_active[faults.ELEMENT_ROCOF] == 0
    image, part = rocof_of()
    feed(image, part, 1100, 1100)
    feed(image, part, 1800, 1800)
    feed(image, part, 1200, 899)
    assert events(image)[-1][2] == 1800, "the peak is told"


def test_rocof_resets_after_a_trip_and_starts_from_zero():
    image, part = rocof_of()
    for _ in range(60):
        feed(image, part, 1500, 1500)
    assert image.protection.trip
    feed(image, part, 0, 0)
    assert events(image)[-1][0] == faults.EVENT_RESET and not part.due
    image.protection.service = 1
    image.protection.trip = 0
    feed(image, part, 1500, 1500)
    feed(image, part, 1500, 1500, ms=200)
    assert not image.protection.trip


def test_rocof_with_a_short_delay_counts_the_share_of_its_own_window():
    # Twice the setting fills half of 100 ms before the pickup: of 80 ms 30 are left.
    for sign in (1, -1):
        image, part = rocof_of(delay_ms=80, setting=2500)
        image.inputs.rocof_from_uhz = 50000000
        feed(image, part, 0, 5000 * sign, uhz=50000000)
        feed(image, part, 0, 5000 * sign, ms=29)
        assert part.picked_up and not image.protection.trip
        feed(image, part, 0, 5000 * sign, ms=1)
        assert image.protection.trip


def test_rocof_with_a_short_delay_uses_the_short_window_and_holds_after_a_jump():
    image, part = rocof_of(delay_ms=80, setting=2500)
    feed(image, part, 9000, 2500)
    assert not part.picked_up, "the long slope does not count here"
    feed(image, part, 0, 2501)
    assert part.picked_up
    image, part = rocof_of(delay_ms=299)
    feed(image, part, 0, 1001)
    assert part.picked_up
    image, part = rocof_of(delay_ms=300)
    feed(image, part, 0, 1001)
    assert not part.picked_up
    for jump, held in ((4999, 0), (5000, 1), (-4999, 0), (-5000, 1)):
        image, part = rocof_of(delay_ms=80)
        feed(image, part, 0, 3000, jump=jump)
        assert part.picked_up == 1 - held, jump
        if held:
            feed(image, part, 0, 3000, ms=139)
            assert not part.picked_up
            feed(image, part, 0, 3000, ms=1)
            assert part.picked_up
            feed(image, part, 0, 3000, ms=300)
            assert image.protection.trip
