# SPDX-License-Identifier: MIT
"""The whole firmware on the virtual board with settings already in its FRAM, for tests of devices."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

from backfeed.broker import Broker
from evse.store import layout
from evse.store.settings import VERSION
from evse.store.slots import HEAD, HEAD_BYTES, MAGIC
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard


def fram_with(folder: Path, values: dict[str, Any]) -> Path:
    """Return a FRAM file that holds these settings."""
    body = json.dumps({"version": VERSION, "values": values}).encode()
    head = struct.pack(HEAD, MAGIC, len(body), 1, 0)
    crc = zlib.crc32(body, zlib.crc32(head[:8]))
    _name, address, _length, _slots = layout.SETTINGS
    image = bytearray(layout.SIZE)
    image[address : address + HEAD_BYTES + len(body)] = head[:8] + struct.pack("<I", crc) + body
    path = folder / "fram.bin"
    path.write_bytes(image)
    return path


class Charger:
    """A running firmware: `ask` types a verb and returns its lines, `get` reads points."""

    def __init__(
        self,
        folder: Path,
        station: Station,
        settings: dict[str, Any],
        broker: Broker | None = None,
        board: str = "esp32s3_ref",
    ):
        where = None
        if broker is not None:
            where = (broker.host, broker.port)
            settings = {**settings, "mqtt_host": broker.host, "mqtt_port": broker.port}
        self.board = VirtualBoard(station, board=board, fram_path=fram_with(folder, settings), broker=where)

    def __enter__(self) -> Charger:
        self.board.start()
        self.board.run(1)
        self.ask("mode script")
        return self

    def __exit__(self, *_details: object) -> None:
        self.board.stop()

    def run(self, seconds: float) -> None:
        """Let the world go on."""
        self.board.run(seconds)

    def ask(self, line: str) -> list[str]:
        """Type one line; return what the console answered."""
        before = len(self.board.console.text)
        self.board.console.write(line.encode() + b"\r")
        self.board.run(0.5)
        return [row for row in str(self.board.console.text)[before:].splitlines() if row.strip()]

    def get(self, *names: str) -> dict[str, str]:
        """Read points; values without their unit."""
        answer = " ".join(self.ask("get " + " ".join(names)))
        found = dict(word.split("=", 1) for word in answer.split() if "=" in word)
        missing = [name for name in names if name not in found]
        assert not missing, f"{missing} not in {answer!r}"
        return found

    def number(self, name: str) -> int:
        """Read one numeric point."""
        return int(self.get(name)[name])
