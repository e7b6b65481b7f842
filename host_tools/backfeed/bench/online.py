# SPDX-License-Identifier: MIT
"""The whole firmware on a virtual board beside a broker that the plant serves: exact in virtual time."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backfeed import firmware_ask
from backfeed.bench.plant_broker import PlantBroker, publication
from backfeed.errors import PartError
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

ID = "backfeed"
ADDRESS = "10.0.0.9:1883"
SETTINGS: dict[str, Any] = {"mqtt_host": ADDRESS.partition(":")[0], "profile": "uk_g98", "device_id": ID}
PATIENCE_S = 60


@contextmanager
def online(
    plant: Any, broker: PlantBroker, settings: dict[str, Any], kind: type[VirtualBoard] = VirtualBoard, **options: Any
) -> Iterator[VirtualBoard]:
    """Run a board with these settings beside the broker. kind, options: of the virtual board."""
    with tempfile.TemporaryDirectory(prefix="backfeed-online-") as folder:
        fram = Path(folder) / "fram.bin"
        firmware_ask.write_settings(fram, {**SETTINGS, **settings})
        board = kind(plant, fram_path=fram, **options)
        serve(board, broker)
        with board:
            yield board


def serve(board: VirtualBoard, broker: PlantBroker) -> None:
    """Put the broker where the board's sockets find it, and let it live in the board's time."""
    board.bridge.devices[ADDRESS] = broker
    board.hooks.append(lambda t_us, _outputs, _inputs: broker.tick(t_us))


def publish(board: VirtualBoard, broker: PlantBroker, path: str, payload: dict[str, Any]) -> None:
    """Have the broker deliver a message on backfeed/<id>/path."""
    broker.say(board.now_us, publication(f"backfeed/{ID}/{path}", json.dumps(payload).encode()))


def energise(board: VirtualBoard, station: Station) -> None:
    """Boot, plug in and wait until the contactor is closed."""
    board.run(3)
    station.vehicle.plug()
    if not board.run_while(lambda: not board.outputs.contactor, PATIENCE_S):
        raise PartError(f"the contactor did not close within {PATIENCE_S} s")
