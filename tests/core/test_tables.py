# SPDX-License-Identifier: MIT
"""The tables of faults and points hold what everybody reads from them."""

from evse import faults, points
from evse.image import Image


def names_of(rows):
    return [row[0] for row in rows]


def test_names_are_unique_and_plain():
    for table in (faults.FAULTS, faults.REASONS, faults.EVENTS, faults.ELEMENTS, points.POINTS):
        names = names_of(table)
        assert len(set(names)) == len(names)
        for name in names:
            assert name == name.lower() and " " not in name and name


def test_code_zero_is_none_in_every_table():
    for table in (faults.FAULTS, faults.REASONS, faults.EVENTS, faults.ELEMENTS):
        assert table[0][0] == "none"


def test_every_fault_has_a_way_to_clear_and_a_sentence():
    for name, set_by, clears, text in faults.FAULTS:
        assert clears in (faults.AUTO, faults.PERSON, faults.REPAIR), name
        assert set_by, name
        assert text.endswith("."), name


def test_every_reason_is_a_sentence():
    for name, text in faults.REASONS:
        assert text.endswith("."), name
        assert text[0].isupper(), name


def test_codes_are_the_places_in_the_tables():
    assert names_of(faults.FAULTS).index("estop") == faults.FAULT_ESTOP
    assert names_of(faults.REASONS).index("soc_floor") == faults.REASON_SOC_FLOOR
    assert names_of(faults.EVENTS).index("trip") == faults.EVENT_TRIP
    assert names_of(faults.ELEMENTS).index("rocof") == faults.ELEMENT_ROCOF
    assert faults.PILOT_STATES[faults.PILOT_F] == "F"
    assert faults.SESSION_STATES[faults.SESSION_FAULT] == "fault"
    assert faults.SERVICES[faults.SERVICE_USER] == "user"


def test_settings_have_ranges_that_hold_their_defaults():
    for row in points.SETTINGS:
        name, kind, low, high, default = row[0], row[1], row[3], row[4], row[5]
        assert kind == points.SETTING, name
        if isinstance(low, tuple):
            assert default in low, name
        elif isinstance(default, str):
            assert low <= len(default) <= high, name
        else:
            assert low <= default <= high, name


def test_access_of_every_point_is_known():
    for row in points.POINTS:
        assert row[points.WHO] in (points.VIEW, points.USER, points.INSTALLER), row[0]
        assert row[points.TEXT].endswith("."), row[0]


def test_settings_that_guard_safety_are_the_installers():
    for name in ("profile", "export_rating_w", "import_rating_w", "soc_stale_ms", "inverter_stale_ms", "lease_max_ms"):
        assert points.find(name)[points.WHO] == points.INSTALLER, name


def test_every_measurement_is_in_the_image():
    image = Image()
    for row in points.MEASUREMENTS:
        at = image
        for part in row[points.PATH].split("."):
            at = at[int(part)] if part in "0123456789" else getattr(at, part)
        assert isinstance(at, int), row[0]


def test_ranges_fit_31_bits():
    for row in points.SETTINGS + points.MEASUREMENTS:
        if isinstance(row[points.LOW], int):
            assert -(2**30) <= row[points.LOW] <= row[points.HIGH] <= 2**30, row[0]


def test_find_knows_names_and_refuses_others():
    assert points.find("profile")[0] == "profile"
    assert points.find("no_such_point") is None
