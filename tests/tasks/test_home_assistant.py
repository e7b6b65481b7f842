# SPDX-License-Identifier: MIT
"""Discovery payloads against Home Assistant's documented keys, device classes and units."""

from __future__ import annotations

from typing import Any

from evse.link import homeassistant
from evse.points import COMMANDS, MEASUREMENT, MEASUREMENTS, SETTINGS, VIEW

# https://www.home-assistant.io/integrations/{sensor,binary_sensor,number,select,switch,button}.mqtt
COMMON = {"name", "unique_id", "availability_topic", "device", "origin", "entity_category"}
KEYS = {
    "sensor": {
        "state_topic", "value_template", "device_class", "state_class", "unit_of_measurement", "options",
        "suggested_display_precision",
    },
    "binary_sensor": {"state_topic", "value_template", "device_class", "payload_on", "payload_off"},
    "number": {
        "state_topic", "command_topic", "command_template", "value_template", "min", "max", "step", "mode",
        "device_class", "unit_of_measurement", "optimistic",
    },
    "select": {"state_topic", "command_topic", "options"},
    "switch": {"state_topic", "command_topic", "payload_on", "payload_off", "optimistic"},
    "button": {"command_topic", "payload_press"},
}  # fmt: skip
REQUIRED = {
    "sensor": {"state_topic"},
    "binary_sensor": {"state_topic"},
    "number": {"command_topic"},
    "select": {"command_topic", "options"},
    "switch": {"command_topic"},
    "button": {"command_topic"},
}
# DEVICE_CLASS_UNITS and DEVICE_CLASS_STATE_CLASSES of Home Assistant's sensor component, for the classes used here.
UNITS = {
    "voltage": {"V"}, "current": {"A"}, "frequency": {"Hz"}, "power": {"W"}, "reactive_power": {"var"},
    "energy": {"Wh"}, "duration": {"s", "min", "ms"}, "temperature": {"°C"}, "battery": {"%"},
}  # fmt: skip
STATE_CLASSES = {"energy": {"total", "total_increasing"}, "duration": {"measurement", "total", "total_increasing"}}
BIT_CLASSES = {"problem", "power", "connectivity"}


def entities() -> list[tuple[str, dict[str, Any]]]:
    return list(homeassistant.entities("dev", "model"))


def test_every_payload_has_known_keys_only() -> None:
    for topic, payload in entities():
        component = topic.split("/")[0]
        assert REQUIRED[component] <= set(payload) <= COMMON | KEYS[component], topic


def test_units_and_state_classes_fit_their_device_class() -> None:
    for topic, payload in entities():
        if not topic.startswith("sensor/"):
            continue
        kind = payload.get("device_class")
        if kind == "enum":
            assert payload["options"] and len(set(payload["options"])) == len(payload["options"]), topic
            assert not {"unit_of_measurement", "state_class", "suggested_display_precision"} & set(payload), topic
        else:
            assert kind is None or payload["unit_of_measurement"] in UNITS[kind], topic
            allowed = {"measurement", "total_increasing"} if kind is None else STATE_CLASSES.get(kind, {"measurement"})
            assert payload["state_class"] in allowed, topic


def test_bits_and_numbers_have_classes_that_home_assistant_knows() -> None:
    for topic, payload in entities():
        component = topic.split("/")[0]
        if component == "binary_sensor":
            assert payload.get("device_class", "power") in BIT_CLASSES, topic
        elif component == "number":
            assert payload["min"] < payload["max"] and payload["step"] > 0, topic
            assert payload.get("device_class", "power") == "power", topic
            assert "unit_of_measurement" not in payload or payload["unit_of_measurement"] != "permille"


def test_a_share_is_set_in_percent() -> None:
    found = {topic.split("/")[2]: payload for topic, payload in entities()}
    floor = found["soc_floor_permille"]
    assert (floor["min"], floor["max"], floor["unit_of_measurement"]) == (10.0, 50.0, "%")
    assert floor["command_template"] == "{{ (value * 10) | round | int }}"
    assert floor["value_template"] == "{{ value | int / 10 }}"


def test_every_point_that_a_person_may_use_is_an_entity() -> None:
    shown = {topic.split("/")[2] for topic, _ in entities()}
    settings = {row[0] for row in SETTINGS if row[6] <= 1 and (row[5] is None or not isinstance(row[5], str))}
    choices = {row[0] for row in SETTINGS if row[6] <= 1 and isinstance(row[3], tuple)}
    assert shown == {row[0] for row in MEASUREMENTS} | settings | choices | {row[0] for row in COMMANDS} - {
        "time",
        "soc",
    }


def test_ids_and_topics_are_unique_and_every_measurement_shows() -> None:
    found = entities()
    assert len({topic for topic, _ in found}) == len(found)
    assert len({payload["unique_id"] for _, payload in found}) == len(found)
    shown = {topic.split("/")[2] for topic, _ in found}
    assert {row[0] for row in MEASUREMENTS} <= shown


def test_secrets_and_installer_settings_stay_out() -> None:
    shown = {topic.split("/")[2] for topic, _ in entities()}
    for row in SETTINGS:
        if row[2] == "secret" or row[6] > 1:
            assert row[0] not in shown


def test_energy_counts_up_for_the_energy_dashboard() -> None:
    row = ("import_wh", MEASUREMENT, "Wh", 0, 1 << 30, None, VIEW, "energy.import_wh", "Energy from the grid.")
    payload = homeassistant.Discovery("dev", "model").payload(row, "sensor")
    assert payload["device_class"] == "energy"
    assert payload["state_class"] == "total_increasing"
    assert payload["unit_of_measurement"] == "Wh"


def test_every_command_for_a_person_is_there() -> None:
    shown = {topic.split("/")[2] for topic, _ in entities()}
    assert {row[0] for row in COMMANDS} - shown <= {"time", "soc"}
