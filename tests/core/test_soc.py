# SPDX-License-Identifier: MIT
"""SOC guard: floor, hysteresis, taper, reserve, maximum; swept over every permille both ways."""

from vehicle_rig import Settings

from evse import faults
from evse.image import Image
from evse.limit.limiter import UNLIMITED_W
from evse.limit.soc import SocGuard


def guard(**settings):
    image = Image()
    table = Settings()
    table.put(**settings)
    made = SocGuard(image, table)
    image.inputs.soc_ok = 1
    return image, table, made


def at(image, made, soc):
    image.inputs.soc_permille = soc
    made.run()
    return made.export_w


def test_boot_is_zero_until_asked():
    _, _, made = guard()
    assert made.export_w == 0 and made.import_w == 0


def test_falling_charge_stops_at_the_floor():
    image, _, made = guard(soc_taper_permille=0)
    for soc in range(1000, 0, -1):
        room_w = at(image, made, soc)
        assert (room_w > 0) == (soc > 200), soc
        if soc <= 200:
            assert made.export_reason == faults.REASON_SOC_FLOOR


def test_rising_charge_resumes_above_the_hysteresis():
    image, _, made = guard(soc_taper_permille=0)
    at(image, made, 100)
    for soc in range(100, 1001):
        assert (at(image, made, soc) > 0) == (soc >= 220), soc


def test_hysteresis_after_a_restart_starts_blocked():
    image, _, made = guard()
    assert at(image, made, 210) == 0
    assert at(image, made, 220) > 0
    assert at(image, made, 210) > 0


def test_no_hunting_around_the_floor():
    image, _, made = guard(soc_taper_permille=0)
    changes = 0
    before = at(image, made, 300)
    for n in range(1000):
        room_w = at(image, made, 201 if n % 2 else 200)
        changes += (room_w > 0) != (before > 0)
        before = room_w
    assert changes == 1


def test_taper_is_a_line_and_never_grows_on_the_way_down():
    image, _, made = guard()
    before_w = UNLIMITED_W
    for soc in range(1000, 200, -1):
        room_w = at(image, made, soc)
        assert room_w <= before_w
        if soc >= 250:
            assert room_w == UNLIMITED_W
        else:
            assert room_w == max(100, 7360 * (soc - 200) // 50), soc
            assert made.export_reason == faults.REASON_SOC_TAPER
        before_w = room_w


def test_reserve_counts_where_it_is_above_the_floor():
    image, _, made = guard(soc_reserve_permille=600)
    assert at(image, made, 600) == 0 and made.export_reason == faults.REASON_SOC_RESERVE
    assert at(image, made, 650) == UNLIMITED_W
    image, _, made = guard(soc_reserve_permille=150)
    assert at(image, made, 200) == 0 and made.export_reason == faults.REASON_SOC_FLOOR
    assert at(image, made, 250) == UNLIMITED_W


def test_maximum_with_hysteresis():
    image, _, made = guard()
    for soc in range(1001):
        at(image, made, soc)
        assert made.import_w == (0 if soc >= 970 else UNLIMITED_W), soc
    assert made.import_reason == faults.REASON_SOC_MAX
    for soc in range(1000, 0, -1):
        at(image, made, soc)
        assert made.import_w == (0 if soc > 950 else UNLIMITED_W), soc


def test_unknown_gives_its_reason_and_no_export():
    image, _, made = guard()
    at(image, made, 800)
    for reason in (faults.REASON_SOC_UNKNOWN, faults.REASON_SOC_STALE, faults.REASON_SOC_IMPLAUSIBLE):
        image.inputs.soc_ok = 0
        image.inputs.soc_reason = reason
        assert at(image, made, 800) == 0
        assert made.export_reason == reason and made.import_w == UNLIMITED_W
        image.inputs.soc_ok = 1
        assert at(image, made, 800) == UNLIMITED_W


def test_a_changed_floor_counts_at_once():
    image, table, made = guard()
    assert at(image, made, 400) == UNLIMITED_W
    table.put(soc_floor_permille=450)
    assert at(image, made, 400) == 0
