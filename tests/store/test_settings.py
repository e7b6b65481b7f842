# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""Settings: ranges, copies, migration, unknown keys, import all or none, staging."""

import json

from cut_fram import CutFram

from evse import points
from evse.store import layout, settings
from evse.store.settings import APPLIED, STAGED, SettingError, Settings
from evse.store.slots import TwoSlots


def refused(store, name, value, access=points.INSTALLER):
    """Return the message of a refusal; nothing may have changed."""
    before = store.as_dict()
    changed = store.changed
    try:
        store.set(name, value, access)
    except SettingError as error:
        assert store.as_dict() == before and store.changed == changed
        text = str(error)
        assert "\n" not in text and name[:40] in text
        return text
    raise AssertionError("%s = %r was taken" % (name, value))


def test_every_setting_starts_at_its_default_inside_its_range():
    store = Settings()
    for row in points.SETTINGS:
        assert getattr(store, row[points.NAME]) == row[points.DEFAULT]
        assert settings.check(row, row[points.DEFAULT]) == row[points.DEFAULT]
    settings.check_together(store.as_dict())


def test_numbers_are_checked_at_both_ends():
    for row in points.SETTINGS:
        if isinstance(row[points.LOW], tuple) or isinstance(row[points.DEFAULT], str):
            continue
        low = row[points.LOW]
        high = row[points.HIGH]
        assert settings.check(row, low) == low and settings.check(row, high) == high
        assert settings.check(row, str(low)) == low
        for bad in (low - 1, high + 1, None, 1.5, True, "", "x", "1.5", "0x10", [], "9" * 30, 10**30):
            try:
                settings.check(row, bad)
            except SettingError as error:
                assert row[points.NAME] in str(error) and "give " in str(error) and len(str(error)) < 200
            else:
                raise AssertionError("%s took %r" % (row[points.NAME], bad))


def test_texts_and_choices_are_checked():
    store = Settings()
    for row in points.SETTINGS:
        name = row[points.NAME]
        if isinstance(row[points.LOW], tuple):
            assert "give one of these" in refused(store, name, "no such word", points.INSTALLER + 1)
            assert settings.check(row, row[points.LOW][-1]) == row[points.LOW][-1]
        elif isinstance(row[points.DEFAULT], str):
            assert "characters" in refused(store, name, "x" * (row[points.HIGH] + 1), points.INSTALLER + 1)
            assert "printable" in refused(store, name, "a\nb", points.INSTALLER + 1)
            assert "not text" in refused(store, name, 5, points.INSTALLER + 1)


def test_a_secret_is_not_in_its_refusal_nor_in_an_export():
    store = Settings()
    assert "hunter2" not in refused(store, "mqtt_password", "hunter2" * 20)
    store.set("mqtt_password", "hunter2")
    assert "hunter2" not in store.export_json()


def test_access_is_checked():
    store = Settings()
    assert "installer" in refused(store, "phases", 3, points.USER)
    assert "no such setting" in refused(store, "phasers", 3)
    assert store.set("soc_floor_permille", 250, points.USER) == APPLIED


def test_settings_that_contradict_each_other_are_refused():
    store = Settings()
    store.set("soc_max_permille", 500)
    assert "soc_max_permille" in refused(store, "soc_floor_permille", 490)
    assert "inverter_lease_ms" in refused(store, "inverter_stale_ms", 10000)


def test_saved_settings_come_back():
    memory = CutFram()
    store = Settings(memory)
    assert store.load() == 0 and store.damaged == 0
    for round_number in range(5):
        store.set("soc_floor_permille", 200 + round_number)
        store.set("mqtt_host", "broker%d.local" % round_number)
        store.save()
        again = Settings(memory)
        assert again.load() == 1
        assert again.as_dict() == store.as_dict()
        store = again


def test_one_bad_copy_is_outvoted_and_two_are_said():
    memory = CutFram()
    store = Settings(memory)
    for floor in (210, 220):
        store.set("soc_floor_permille", floor)
        store.save()
    _name, address, length, _slots = layout.SETTINGS
    copies = [address, address + length]
    newest = max(copies, key=lambda at: sequence_at(memory, at))
    memory.data[newest + 40] ^= 1
    again = Settings(memory)
    assert again.load() == 1 and again.soc_floor_permille == 210 and again.damaged == 0
    copies.remove(newest)
    memory.data[copies[0] + 40] ^= 1
    again = Settings(memory)
    assert again.load() == 0 and again.damaged == 1 and again.soc_floor_permille == 200
    again.save()
    assert again.damaged == 0 and Settings(memory).load() == 1


def sequence_at(memory, address):
    return memory.data[address + 4] | memory.data[address + 5] << 8


def store_document(memory, document):
    slots = TwoSlots(memory, layout.SETTINGS)
    slots.load()
    slots.save(document if isinstance(document, bytes) else json.dumps(document).encode())


def test_a_stored_value_out_of_range_falls_back_and_is_named():
    memory = CutFram()
    store_document(memory, {"version": 1, "values": {"phases": 7, "soc_floor_permille": 333}})
    store = Settings(memory)
    assert store.load() == 1
    assert store.phases == 1 and store.soc_floor_permille == 333 and store.rejected == ["phases"]


def test_stored_values_that_contradict_fall_back():
    memory = CutFram()
    values = {"soc_floor_permille": 500, "soc_max_permille": 500, "phases": 3}
    store_document(memory, {"version": 1, "values": values})
    store = Settings(memory)
    store.load()
    assert store.phases == 3 and store.soc_floor_permille == 200 and store.soc_max_permille == 970
    assert "soc_floor_permille" in store.rejected


def test_unknown_keys_are_kept():
    memory = CutFram()
    store_document(memory, {"version": 1, "values": {"from_the_future": [1, 2], "phases": 3}})
    store = Settings(memory)
    store.load()
    store.set("soc_floor_permille", 240)
    store.save()
    slots = TwoSlots(memory, layout.SETTINGS)
    assert json.loads(slots.load().decode())["values"]["from_the_future"] == [1, 2]


def test_an_older_form_is_migrated():
    memory = CutFram()
    store_document(memory, {"version": 1, "values": {"soc_floor_percent": 30}})

    def to_2(values):
        values["soc_floor_permille"] = values.pop("soc_floor_percent") * 10
        return values

    before = settings.MIGRATIONS
    settings.MIGRATIONS = (to_2,)
    try:
        store = Settings(memory)
        assert store.load() == 1 and store.soc_floor_permille == 300
    finally:
        settings.MIGRATIONS = before


def test_what_is_stored_but_is_no_settings_document_is_damage():
    for document in (
        b"", b"{", b"\xff\xfe", b"[]", b"5", b"null", b'{"version": 1}', b'{"version": "x", "values": {}}',
        b'{"version": 1, "values": 3}', b'{"version": 1, "values": null}', b'{"version": 0, "values": {}}',
        b'{"version": -3, "values": {}}',
    ):  # fmt: skip
        memory = CutFram()
        store_document(memory, document)
        store = Settings(memory)
        assert store.load() == 0 and store.damaged == 1, document
        assert store.phases == 1


def test_import_takes_all_or_nothing_and_lists_every_error():
    store = Settings()
    before = store.as_dict()
    errors = store.import_json('{"phases": 9, "nonsense": 1, "mqtt_port": [], "soc_floor_permille": 300}')
    assert len(errors) == 3 and store.as_dict() == before
    assert store.import_json('{"version": 1, "values": {"phases": 3, "soc_floor_permille": 300}}') == []
    assert store.phases == 3 and store.soc_floor_permille == 300
    assert "installer" in store.import_json('{"phases": 1}', points.USER)[0] and store.phases == 3
    assert "soc_max_permille" in store.import_json('{"soc_floor_permille": 500, "soc_max_permille": 500}')[0]
    for text in ("", "{", "[]", "3", '"x"', "null", '{"values": []}', "{}}", "[" * 2000):
        errors = store.import_json(text)
        assert len(errors) == 1 and "give what `export` printed" in errors[0], text[:20]


def test_an_export_can_be_imported():
    store = Settings()
    store.set("phases", 3)
    other = Settings()
    assert other.import_json(store.export_json()) == []
    assert other.as_dict() == store.as_dict()


def test_installer_settings_wait_while_power_can_flow():
    store = Settings()
    flowing = [1]
    store.energised = lambda: flowing[0]
    assert store.set("phases", 3) == STAGED and store.phases == 1
    assert store.staged() == {"phases": 3}
    assert store.set("soc_floor_permille", 300, points.USER) == APPLIED and store.soc_floor_permille == 300
    assert store.apply_staged() == 0 and store.phases == 1
    flowing[0] = 0
    assert store.apply_staged() == 1 and store.phases == 3 and store.staged() == {}


def test_what_is_in_force_is_not_staged_and_taking_it_back_unstages():
    store = Settings()
    store.energised = lambda: 1
    assert store.import_json(store.export_json()) == [] and store.staged() == {}
    assert store.set("phases", 3) == STAGED
    assert store.set("phases", 1) == APPLIED and store.staged() == {}


def test_what_is_staged_counts_for_contradictions():
    store = Settings()
    store.energised = lambda: 1
    store.set("inverter_lease_ms", 3000)
    assert "inverter_lease_ms" in refused(store, "inverter_stale_ms", 3500)
