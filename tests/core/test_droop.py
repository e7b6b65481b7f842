# SPDX-License-Identifier: MIT
"""Frequency droop: points of the G98 line, through zero, in one cycle, with limits above it."""

from vehicle_rig import Profile, Rig

from evse import faults
from evse.decide.droop import Droop


def energised(**settings):
    rig = Rig(**settings)
    rig.energise()
    rig.run(15000)
    return rig


def at(rig, uhz):
    rig.image.inputs.frequency_uhz = uhz
    rig.cycle()
    return rig.image.limits.allowed_w


def test_points_of_the_line():
    """10 % droop is 2 % of the capacity per 0.1 Hz: 50.45 -1 %, 50.70 -6 %, 51.15 -15 % (of 7360 W)."""
    rig = energised(charge_w=0)
    for uhz, power_w in (
        (50400000, 0),
        (50450000, 73),
        (50700000, 441),
        (51150000, 1104),
        (49500000, 0),
        (49000000, -736),
    ):
        assert at(rig, uhz) == power_w, uhz


def test_below_the_line_by_less_than_2_w_and_never_above():
    rig = energised(charge_w=0)
    for step in range(5000):
        uhz = 50400000 + step * 777
        exact_w = 7360 * (uhz - 50400000) / 5000000
        assert 0 <= exact_w - at(rig, uhz) < 2, uhz


def test_as_much_below_as_above():
    """Both lines of this profile have one slope: the same way past the start moves the same power."""
    rig = energised(charge_w=0)
    for step in range(400):
        uhz = step * 3331
        assert at(rig, 49500000 - uhz) == -at(rig, 50400000 + uhz), uhz


def test_answers_in_the_same_cycle_and_asks_for_an_urgent_write():
    rig = energised(charge_w=0)
    urgent = rig.image.outputs.urgent
    rig.image.inputs.frequency_uhz = 49000000
    rig.cycle()
    assert rig.image.outputs.inverter_w == -736 and rig.image.outputs.urgent == urgent + 1
    assert rig.image.request.owner == faults.SERVICE_DROOP


def test_through_zero_into_the_other_direction():
    rig = energised(charge_w=500)
    assert rig.image.limits.allowed_w == 500
    assert at(rig, 49000000) == 500 - 736
    assert at(rig, 50000000) == 500


def test_full_power_beyond_the_span():
    rig = energised(charge_w=0)
    assert at(rig, 44000000) == -7360
    assert at(rig, 69000000) == 7360


def test_limits_stand_above_it():
    rig = energised(charge_w=0)
    rig.soc = None
    rig.image.inputs.soc_ok = 0
    rig.run(40000)
    assert at(rig, 49000000) == 0, "no export with an unknown charge, whatever the frequency"
    assert at(rig, 51150000) == 1104


def test_full_battery_does_not_turn_into_export():
    """Import forbidden, base wants import, frequency asks for less: the answer is zero, not export."""
    rig = energised(soc_max_permille=500)
    assert rig.image.limits.allowed_w == 0
    assert at(rig, 49000000) == 0


def test_off_and_unknown_frequency():
    assert at(energised(charge_w=0, droop_enable=0), 49000000) == 0
    rig = energised(charge_w=0)
    rig.image.inputs.frequency_ok = 0
    assert at(rig, 49000000) == 0


def test_import_only_charger_uses_its_import_rating():
    rig = energised(export_rating_w=0, charge_w=3000)
    assert at(rig, 49000000) == 3000 - 736


def test_own_ramp():
    rig = energised(charge_w=0, ramp_droop_permille_min=60000)
    assert at(rig, 44000000) == -73
    rig.run(990)
    assert rig.image.limits.allowed_w == -7360


def test_owner_returns_after_a_second():
    rig = energised(charge_w=1000)
    at(rig, 49000000)
    at(rig, 50000000)
    assert rig.image.request.owner == faults.SERVICE_DROOP
    rig.run(1100)
    assert rig.image.request.owner == faults.SERVICE_USER


def test_low_frequency_only_takes_import_away_where_the_code_says_so():
    """uk_g98: storage lowers its import below 49.5 Hz and never turns it into export."""
    rig = energised(charge_w=500)
    rig.decide.droop._import_only = 1
    assert at(rig, 49450000) == 500 - 73
    assert at(rig, 49000000) == 0
    assert at(rig, 50000000) == 500
    assert at(rig, 51150000) == 500 + 1104, "high frequency still asks for import"
    idle = energised(charge_w=0)
    idle.decide.droop._import_only = 1
    assert at(idle, 49000000) == 0
    assert idle.image.request.owner != faults.SERVICE_DROOP


def test_a_steep_line_takes_full_import_through_zero_to_full_export():
    """AS/NZS 4777.2: 3.5 % droop; from full import the line needs twice the rating to arrive at full export."""

    class Steep(Profile):
        nominal_uhz = 50000000
        under_start_uhz = 49750000
        under_droop_permille = 35
        under_import_only = 0

    rig = energised(charge_w=7360)
    rig.decide.droop = Droop(rig.image, rig.settings, Steep)
    assert at(rig, 49750000) == 7360
    assert abs(at(rig, 49750000 - 1750000) - 0) <= 2
    assert abs(at(rig, 49750000 - 2625000) + 3680) <= 2
    assert at(rig, 49750000 - 3500000) == -7360
    assert at(rig, 45000000) == -7360
