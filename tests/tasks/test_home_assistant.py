# SPDX-License-Identifier: MIT
"""Discovery payloads against Home Assistant's documented keys, device classes and units."""

from __future__ import annotations

from typing import Any

from evse.link import homeassistant
from evse.points import COMMANDS, MEASUREMENT, MEASUREMENTS, SETTINGS, VIEW

# https://www.home-assistant.io/integrations/{sensor,binary_sensor,number,select,switch,button}.mqtt
COMMON = {"name", "unique_id", "availability_topic", "device", "origin", "entity_category"}
KEYS = {
    "sensor": {"state_topic", "value_template", "device_class", "state_class", "unit_of_measurement", "options"},
    "binary_sensor": {"state_topic", "value_template", "device_class", "payload_on", "payload_off"},
    "number": {
        "state_topic", "command_topic", "command_template", "min", "max", "step", "mode", "unit_of_measurement",
        "optimistic",
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
# https://www.home-assistant.io/integrations/sensor#device-class
UNITS = {
    "voltage": {"V"}, "current": {"A"}, "frequency": {"Hz"}, "power": {"W"}, "reactive_power": {"var"},
    "energy": {"Wh"}, "duration": {"s", "µs"}, "temperature": {"°C"}, "battery": {"%"},
}  # fmt: skip
STATE_CLASSES = {"measurement", "total_increasing"}


def entities() -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    while (entity := homeassistant.entity(len(found), "dev", "model")) is not None:
        found.append(entity)
    return found


def test_every_payload_has_known_keys_only() -> None:
    for topic, payload in entities():
        component = topic.split("/")[0]
        assert REQUIRED[component] <= set(payload) <= COMMON | KEYS[component], topic


def test_units_fit_their_device_class() -> None:
    for topic, payload in entities():
        if not topic.startswith("sensor/"):
            continue
        kind = payload.get("device_class")
        if kind == "enum":
            assert payload["options"]
            assert "unit_of_measurement" not in payload
            assert "state_class" not in payload
        elif kind is not None:
            assert payload["unit_of_measurement"] in UNITS[kind], topic
            assert payload["state_class"] in STATE_CLASSES


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
    payload = homeassistant._payload(row, "sensor", "dev", "model")
    assert payload["device_class"] == "energy"
    assert payload["state_class"] == "total_increasing"
    assert payload["unit_of_measurement"] == "Wh"


def test_every_command_for_a_person_is_there() -> None:
    shown = {topic.split("/")[2] for topic, _ in entities()}
    assert {row[0] for row in COMMANDS} - shown <= {"time"}
