# SPDX-License-Identifier: MIT
"""Profiles: every one loads, every number has a source, and a wrong one is refused in one line that says why."""

import sys

from evse.faults import ELEMENTS
from evse.points import PROFILE_NAMES
from evse.profiles import loader, schema
from evse.profiles.loader import ProfileError, build, load


class Data:
    """A data module that a test may spoil."""

    def __init__(self):
        self.TITLE = "Test"
        self.EDITION = "1"
        self.CLEARING = 0
        self.STAGES = [
            ["ov1", (262200, "s", True), (1000, "s", True)],
            ["uv1", (184000, "s", True), (2500, "s", True)],
            ["of1", (52000000, "s", True), (500, "s", True)],
            ["uf1", (47500000, "s", False), (20000, "s", True)],
        ]
        self.VALUES = {
            "nominal_mv": (230000, "s", True),
            "nominal_uhz": (50000000, "s", True),
            "enter_low_mv": (195500, "s", True),
            "enter_high_mv": (253000, "s", False),
            "enter_low_uhz": (49500000, "s", True),
            "enter_high_uhz": (50200000, "s", True),
            "enter_wait_ms": (60000, "s", True),
            "first_wait_ms": (60000, "s", True),
        }
        self.RANGES = {"ov1.delay_ms": (500, 2000), "ov1.threshold": (240000, 264500), "enter_wait_ms": (10000, 600000)}
        self.VOLT_VAR = (((207000, -440), (220000, 0), (240000, 0), (258000, 600)), "s", True)


def refused(data, changes=""):
    """Return the refusal of a data module; fails where it is accepted."""
    try:
        build(data, "test", changes)
    except ProfileError as error:
        text = str(error)
        assert "\n" not in text and text
        return text
    raise AssertionError("accepted")


def test_every_profile_loads_and_leaves_no_data_in_ram():
    hashes = set()
    for name in PROFILE_NAMES:
        profile = load(name)
        assert profile.name == name and len(profile.hash) == 8
        int(profile.hash, 16)
        hashes.add(profile.hash)
        assert load(name).hash == profile.hash
        assert PROFILE_NAMES and "evse.profiles." + name not in sys.modules
    assert len(hashes) == len(PROFILE_NAMES)
    left = [name for name in sys.modules if name.startswith("evse.profiles.")]
    assert sorted(left) == sorted(loader.KEEP)


def test_known_numbers_of_the_codes():
    uk = load("uk_g98")
    stages = {ELEMENTS[s.element][0]: (s.threshold, s.delay_ms) for s in uk.stages}
    assert stages["ov2"] == (273700, 500) and stages["uf1"] == (47500000, 20000)
    assert (uk.rocof_mhz_s, uk.rocof_delay_ms, uk.vector_shift_mdeg, uk.enter_wait_ms) == (1000, 500, 0, 20000)
    us = load("ieee1547_cat_b")
    assert (us.nominal_mv, us.nominal_uhz, us.cessation_low_mv) == (120000, 60000000, 60000)
    assert us.volt_var == (0, (110400, 117600, 122400, 129600), (-440, 0, 0, 440))
    assert load("as4777_a").volt_watt == (1, (253000, 260000), (1000, 200))
    assert load("cei_0_21").first_wait_ms == 30000


def test_unverified_numbers_are_named():
    assert "ov1.threshold" in load("uk_g98").unverified
    assert load("ieee1547_cat_2").unverified == []
    profile = build(Data(), "test")
    assert profile.unverified == ["enter_high_mv", "uf1.threshold"]


def test_unknown_name_is_refused():
    try:
        load("uk_g97")
    except ProfileError as error:
        assert "uk_g97" in str(error) and "uk_g98" in str(error)
    else:
        raise AssertionError("accepted")


def test_every_key_is_refused_just_outside_its_range():
    for key, low, high, _default in schema.KEYS:
        for value in (low - 1, high + 1):
            data = Data()
            data.VALUES[key] = (value, "s", True)
            text = refused(data)
            assert key in text and "test.py" in text, text
            assert str(value) in text and "%d..%d" % (low, high) in text, text


def test_numbers_above_31_bits_floats_and_booleans_are_refused():
    for value, word in (
        (1 << 30, "31 bits"),
        (-(1 << 30), "31 bits"),
        (1 << 62, "31 bits"),
        (230000.5, "whole"),
        (True, "whole"),
    ):
        data = Data()
        data.VALUES["nominal_mv"] = (value, "s", True)
        assert word in refused(data)
    data = Data()
    data.STAGES[0][2] = (1 << 31, "s", True)
    text = refused(data)
    assert "ov1.delay_ms" in text and "31 bits" in text


def test_a_number_without_source_or_flag_is_refused():
    for entry in (230000, (230000,), (230000, "", True), (230000, "s", 2), (230000, "s", None)):
        data = Data()
        data.VALUES["nominal_mv"] = entry
        assert "nominal_mv" in refused(data)


def test_missing_and_unknown_keys_are_refused():
    data = Data()
    del data.VALUES["enter_wait_ms"]
    assert "enter_wait_ms is missing" in refused(data)
    data = Data()
    data.VALUES["enter_weight_ms"] = (1, "s", True)
    assert "enter_weight_ms" in refused(data)
    data = Data()
    data.STAGES[0][0] = "ov9"
    assert "ov9" in refused(data)


def test_contradictions_are_refused():
    def spoil(row, threshold=None, delay=None):
        data = Data()
        if threshold is not None:
            data.STAGES[row][1] = (threshold, "s", True)
        if delay is not None:
            data.STAGES[row][2] = (delay, "s", True)
        return data

    assert "above nominal" in refused(spoil(0, 230000))
    assert "below nominal" in refused(spoil(1, 230000))
    assert "above nominal" in refused(spoil(2, 50000000))
    data = Data()
    data.STAGES.append(["ov2", (250000, "s", True), (500, "s", True)])
    assert "can never act" in refused(data)
    data = Data()
    data.STAGES.append(data.STAGES[0])
    assert "twice" in refused(data)
    data = Data()
    del data.STAGES[3]
    assert "no uf stage" in refused(data)
    for key, value in (
        ("enter_low_mv", 240000),
        ("enter_high_uhz", 50000000),
        ("mean_mv", 220000),
        ("rocof_mhz_s", 1000),
        ("cessation_low_mv", 231000),
        ("cessation_high_mv", 229000),
    ):
        data = Data()
        data.VALUES[key] = (value, "s", True)
        assert key in refused(data)


def test_curves_must_rise_and_exist():
    data = Data()
    data.VOLT_VAR = (((207000, -440), (207000, 0)), "s", True)
    assert "volt_var" in refused(data)
    data.VOLT_VAR = (((207000, -1440), (220000, 0)), "s", True)
    assert "volt_var.share" in refused(data)
    data = Data()
    data.VALUES["volt_watt_enabled"] = (1, "s", True)
    assert "VOLT_WATT" in refused(data)


def test_installer_changes_stay_inside_the_codes_ranges():
    plain = build(Data(), "test")
    changed = build(Data(), "test", "ov1.delay_ms=1500, enter_wait_ms=90000,ov1.threshold=255000")
    assert changed.stages[0].delay_ms == 1500 and changed.stages[0].threshold == 255000
    assert changed.enter_wait_ms == 90000
    assert sorted(changed.changed) == ["enter_wait_ms", "ov1.delay_ms", "ov1.threshold"]
    assert changed.hash != plain.hash
    for changes, words in (
        ("ov1.delay_ms=499", ("ov1.delay_ms", "499", "500..2000")),
        ("ov1.delay_ms=2001", ("2001", "500..2000")),
        ("uv1.delay_ms=100", ("uv1.delay_ms", "cannot be changed")),
        ("nominal_mv=120000", ("nominal_mv", "cannot be changed")),
        ("ov1.delay_ms=", ("ov1.delay_ms=",)),
        ("ov1.delay_ms", ("ov1.delay_ms",)),
        ("ov1.delay_ms=1e3", ("1e3",)),
        ("=5", ("=5",)),
        ("ov1.delay_ms=99999999999", ("99999999999",)),
    ):
        text = refused(Data(), changes)
        for word in words:
            assert word in text, text


def test_every_range_names_a_number_of_its_profile_and_holds_its_default():
    for name in PROFILE_NAMES:
        module = __import__("evse.profiles." + name, None, None, ("NAME",))
        assert name == module.NAME
        defaults = {key: entry[0] for key, entry in module.VALUES.items()}
        for element, threshold, delay in module.STAGES:
            defaults[element + ".threshold"] = threshold[0]
            defaults[element + ".delay_ms"] = delay[0]
        for key, (low, high) in module.RANGES.items():
            assert low <= defaults[key] <= high, (name, key)
    loader._drop()
