# SPDX-License-Identifier: MIT
"""The longest messages that the tables allow fit the client's buffers."""

from __future__ import annotations

import json

from evse.image import Image
from evse.link import homeassistant
from evse.link.telemetry import ROWS_A_PIECE, Reader, code_name, is_code, members
from evse.points import LOW, MEASUREMENTS, NAME, PATH, UNIT
from evse.tasks.mqtt import TX_BYTES
from evse.tasks.mqtt_outbox import PAYLOAD_BYTES

HEAD = b'"t_s":999999999.999,"time":4102444799,"profile":"%s","profile_hash":"ffffffff"' % (b"x" * 20)
TOPIC_MAX = len("homeassistant/binary_sensor//config") + 32 + 40 + 32


class Extreme:
    """An attribute of the image at its longest: the largest magnitude, or the code with the longest name."""

    def __init__(self, row: tuple) -> None:
        names = [code_name(row[UNIT], code) for code in range(100)] if is_code(row[UNIT]) else []
        longest = max(names, key=lambda name: len(str(name)), default=0)
        value = names.index(longest) if names else min(row[LOW], -(1 << 30))
        for part in row[PATH].split(".")[1:2]:
            setattr(self, part, [value] * 3 if row[PATH].count(".") == 2 else value)


def test_telemetry_at_its_longest_fits() -> None:
    reader = Reader(Image())
    extremes = {row[NAME]: Extreme(row) for row in MEASUREMENTS}
    for number, (form, places) in enumerate(reader._pieces):
        names = [row[NAME] for row in MEASUREMENTS[number * ROWS_A_PIECE : (number + 1) * ROWS_A_PIECE]]
        found = [(extremes[name], *place[1:]) for name, place in zip(names, places, strict=True)]
        reader._pieces[number] = (form, found)
    buffer = bytearray(PAYLOAD_BYTES)
    length = reader.write_head(buffer, HEAD)
    for piece in range(reader.pieces):
        length = reader.write_piece(buffer, length, piece)
    telemetry = json.loads(bytes(buffer[:length]))
    assert set(telemetry) == {"t_s", "time", "profile", "profile_hash"} | {row[NAME] for row in MEASUREMENTS}
    assert telemetry["grid_w"] == -(1 << 30)
    print(f"longest telemetry {length} of {PAYLOAD_BYTES} bytes")


def test_every_discovery_payload_fits() -> None:
    found = [payload for _, payload in homeassistant.entities("d" * 32, "stm32h743_ref")]
    assert len(found) > 50
    for payload in found:
        text = b"{%s}" % members(payload, list(payload))
        assert json.loads(text) == payload
        assert len(text) <= PAYLOAD_BYTES
    assert PAYLOAD_BYTES + TOPIC_MAX + 8 <= TX_BYTES
