# SPDX-License-Identifier: MIT
"""The longest messages that the tables allow fit the client's buffers."""

from __future__ import annotations

import json

from evse.image import Image
from evse.link import homeassistant
from evse.link.telemetry import Reader, is_code
from evse.points import LOW, MEASUREMENTS, NAME, UNIT
from evse.tasks.mqtt import TX_BYTES
from evse.tasks.mqtt_outbox import PAYLOAD_BYTES

HEAD = '"t_s":999999999.999,"time":4102444799,"profile":"%s","profile_hash":"ffffffff"' % ("x" * 20)
TOPIC_MAX = len("homeassistant/binary_sensor//config") + 32 + 40 + 32


class Longest(Reader):
    """Every measurement at its longest."""

    def value(self, name: str):
        row = next(row for row in MEASUREMENTS if row[NAME] == name)
        return "departure_unreachable_x" if is_code(row[UNIT]) else min(row[LOW], -(1 << 30))


def test_telemetry_at_its_longest_fits() -> None:
    buffer = bytearray(PAYLOAD_BYTES)
    length = Longest(Image()).write_json(buffer, HEAD)
    assert json.loads(bytes(buffer[:length]))["session_state"] == "departure_unreachable_x"
    print(f"longest telemetry {length} of {PAYLOAD_BYTES} bytes")


def test_every_discovery_payload_fits() -> None:
    index = 0
    longest = 0
    while (entity := homeassistant.entity(index, "d" * 32, "stm32h743_ref")) is not None:
        longest = max(longest, len(json.dumps(entity[1])))
        index += 1
    assert index > 50 and longest <= PAYLOAD_BYTES
    assert PAYLOAD_BYTES + TOPIC_MAX + 8 <= TX_BYTES
