# SPDX-License-Identifier: MIT
"""The 10-minute mean alone, fed slot by slot: at its limit, one beside, one slot before and after."""

from protect_rig import Profile, Settings, events, image_in_service

from evse import faults
from evse.fixed import INT_MAX
from evse.protect.latch import Latch
from evse.protect.mean import MeanVoltage


def mean_of(limit_mv=253000, phases=1):
    image = image_in_service()
    settings = Settings()
    settings.phases = phases
    return image, MeanVoltage(image, settings, Profile(mean_mv=limit_mv), Latch(image))


def slots(image, part, mvs, count, cycles=5):
    """Let `count` slots of 2.5 s pass, each of a few cycles."""
    for _ in range(count):
        for _ in range(cycles):
            for phase in range(len(mvs)):
                image.inputs.phase_mv[phase] = mvs[phase]
            image.inputs.now_ms += 2500 // cycles
            part.run(image.inputs)


def test_mean_begins_at_nominal_and_is_nothing_where_a_profile_has_none():
    image, part = mean_of(phases=3)
    assert image.protection.mean_mv == [230000, 230000, 230000]
    image, part = mean_of(limit_mv=0)
    assert image.protection.mean_mv == [0, 0, 0]
    slots(image, part, [250000], 2)
    assert part._count == 0 and part._at == 0


def test_mean_is_the_rms_of_240_slots():
    for mv, count in ((253000, 240), (250000, 120), (207000, 60), (235000, 1), (230000, 10), (460000, 30)):
        image, part = mean_of(limit_mv=INT_MAX)
        slots(image, part, [230000], 3)
        slots(image, part, [mv], count)
        slots(image, part, [230000], 0)
        share = count / 240
        clipped = min(mv, 430000)
        exact = (share * clipped**2 + (1 - share) * 230000.0**2) ** 0.5
        least = (share * clipped**2 * (1 - 1 / count) + (1 - share) * 230000.0**2) ** 0.5
        allowed = 40 + abs(exact - 230000) * 1.2 / count + (900 if mv > 300000 else 0)
        assert abs(image.protection.mean_mv[0] - exact) < allowed, (
            mv,
            count,
            image.protection.mean_mv[0],
            exact,
            least,
        )


def test_mean_of_a_bus_that_died_is_what_is_left_of_it():
    """The correction for the spread divides by the mean: it stands aside below 20 V."""
    image = image_in_service()
    part = MeanVoltage(image, Settings, Profile(nominal_mv=101000, mean_mv=110000), Latch(image))
    slots(image, part, [101000], 3)
    slots(image, part, [0], 200)
    for left in range(40, -1, -1):  # slots of 101 V in the window
        assert abs(image.protection.mean_mv[0] - 101000 * left // 240) <= 1000
        slots(image, part, [0], 1)
    assert image.protection.mean_mv[0] == 0 and not image.protection.trip


def test_mean_names_the_first_of_equal_phases():
    image, part = mean_of(limit_mv=240000, phases=3)
    slots(image, part, [230000, 250000, 250000], 245)
    assert image.protection.trip and image.protection.trip_phase == 2


def test_mean_forgets_after_240_slots():
    image, part = mean_of(limit_mv=INT_MAX)
    slots(image, part, [250000], 300)
    assert abs(image.protection.mean_mv[0] - 250000) < 20
    slots(image, part, [225000], 242)
    assert abs(image.protection.mean_mv[0] - 225000) < 20
    assert abs(part._sums[0] + 5000 * 240) <= 240


def test_mean_forgets_a_spread_and_finds_the_next_as_it_found_the_first():
    image, part = mean_of(limit_mv=INT_MAX)
    seen = []
    for _ in range(3):
        slots(image, part, [230000], 242)
        assert abs(image.protection.mean_mv[0] - 230000) <= 2
        slots(image, part, [253000], 60)
        slots(image, part, [207000], 60)
        slots(image, part, [230000], 1)
        seen.append(image.protection.mean_mv[0])
    assert min(seen) >= 230565 and max(seen) <= 230580, "half the window at +-10 %: 575 mV above the plain mean"


def test_mean_trips_beyond_its_limit_and_resets_at_it():
    image, part = mean_of(limit_mv=240000, phases=3)
    slots(image, part, [230000, 240000, 230000], 245)
    assert image.protection.mean_mv[1] == 240000 and not image.protection.trip
    slots(image, part, [230000, 241000, 230000], 2)
    protection = image.protection
    assert protection.trip and protection.trip_element == faults.ELEMENT_OV_MEAN and protection.trip_phase == 2
    assert protection.trip_value > 240000 and protection.trip_threshold == 240000
    assert protection.element_active[faults.ELEMENT_OV_MEAN] == 1
    assert [row[0] for row in events(image)] == [faults.EVENT_PICKUP, faults.EVENT_TRIP]
    assert events(image)[0][1:] == (faults.ELEMENT_OV_MEAN, protection.trip_value, 2)
    slots(image, part, [230000, 230000, 230000], 3)
    assert protection.element_active[faults.ELEMENT_OV_MEAN] == 0
    assert events(image)[-1][:2] == (faults.EVENT_RESET, faults.ELEMENT_OV_MEAN) and events(image)[-1][3] == 2


def test_mean_names_the_highest_phase_and_clips_a_slot():
    for worst in range(3):
        image, part = mean_of(limit_mv=240000, phases=3)
        mvs = [230000, 230000, 230000]
        mvs[worst] = 260000
        slots(image, part, mvs, 240)
        assert image.protection.trip_phase == worst + 1
    image, part = mean_of(limit_mv=INT_MAX)
    slots(image, part, [0], 2)
    slots(image, part, [0], 1)
    assert part._slots[0][1] == -200000
    slots(image, part, [900000], 2)
    assert part._slots[0][3] == 200000


def test_mean_slot_ends_at_2500_ms_and_takes_whole_cycles():
    image, part = mean_of()
    image.inputs.phase_mv[0] = 240000
    image.inputs.now_ms = 5000
    part.run(image.inputs)
    assert part._at == 0 and part._started
    part._gathered[0] = part._count = 0
    part.run(image.inputs)
    image.inputs.now_ms += 2499
    part.run(image.inputs)
    assert part._at == 0
    image.inputs.now_ms += 1
    part.run(image.inputs)
    assert part._at == 1 and part._slots[0][0] == 10000 and part._count == 0
    image.inputs.now_ms += 10
    part.run(image.inputs)
    assert part._at == 1
    for _ in range(1999):
        part.run(image.inputs)
    assert part._at == 1
    part.run(image.inputs)
    assert part._at == 2, "a stuck clock does not overflow the sum"
    assert Profile().mean_mv == 0 and MeanVoltage(image, Settings, Profile(), None).run(image.inputs) is None
