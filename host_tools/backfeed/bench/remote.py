# SPDX-License-Identifier: MIT
"""A setpoint's way in virtual time: from its publication over MQTT to a new value in the inverter's register."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from backfeed.broker import HOST, Broker
from backfeed.errors import PartError
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

SETPOINTS = 60
WRITE_MULTIPLE = 0x10
ID = "backfeed"


class Line:
    """Stands before the inverter's end of the line and notes when a register is written with a new value."""

    def __init__(self, device: Any) -> None:
        self._device = device
        self._last: dict[bytes, bytes] = {}
        self.changes: list[tuple[int, bytes]] = []  # t_us, register address

    def receive(self, data: bytes, t_us: int) -> None:
        """Pass a request on."""
        if len(data) > 9 and data[1] == WRITE_MULTIPLE:
            address, value = data[2:4], data[7:-2]
            if self._last.get(address) != value:
                self._last[address] = value
                self.changes.append((t_us, address))
        self._device.receive(data, t_us)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)


def energised(board: VirtualBoard, station: Station) -> None:
    """Plug in and run until power flows."""
    board.run(3)
    station.vehicle.plug()
    if not board.run_while(lambda: not board.outputs.contactor, 60):
        raise PartError("the contactor did not close within 60 s")
    board.run(20)


def settings_of(port: int) -> dict[str, Any]:
    """Return the settings of a charger that talks to a broker of ours."""
    return {"mqtt_host": HOST, "mqtt_port": port, "profile": "uk_g98", "device_id": ID, "soc_taper_permille": 0}


def with_board(port: int, body: Callable[[VirtualBoard, Station, Line], float]) -> float:
    """Run body with a virtual board on the broker at port."""
    import tempfile
    from pathlib import Path

    from backfeed import firmware_ask

    station = Station()
    line = Line(station.serial["inverter"])
    station.serial["inverter"] = line
    with tempfile.TemporaryDirectory(prefix="backfeed-remote-") as folder:
        fram = Path(folder) / "fram.bin"
        firmware_ask.write_settings(fram, settings_of(port))
        with VirtualBoard(station, fram_path=fram, broker=(HOST, port)) as board:
            return body(board, station, line)


def setpoint_p99_ms() -> float:
    """Return the 99th percentile from publishing a setpoint to the register's first new value, ms of virtual time."""

    def body(board: VirtualBoard, station: Station, line: Line) -> float:
        energised(board, station)
        publish(board, -3000)
        board.run(8)
        quiet_us = board.now_us
        board.run(3)
        restless = {address for t_us, address in line.changes if t_us >= quiet_us}
        took_ms = []
        for number in range(SETPOINTS):
            board.run(0.8 + 0.0137 * (number % 8))  # across the phases of the 100 ms command period
            begun_us = board.now_us
            publish(board, -3000 - 60 * (1 + number % 2))
            board.run(0.6)
            found = [t for t, address in line.changes if t >= begun_us and address not in restless]
            if not found:
                raise PartError(f"setpoint {number} was not written to the inverter within 600 ms")
            took_ms.append((found[0] - begun_us) / 1000)
        return sorted(took_ms)[-max(1, SETPOINTS // 100)]

    with Broker() as broker:
        return with_board(broker.port, body)


def publish(board: VirtualBoard, power_w: int) -> None:
    """Publish a setpoint of an hour."""
    board.publish(f"backfeed/{ID}/command/setpoint", json.dumps({"power_w": power_w, "duration_s": 3600}))


def measure(_name: str) -> float:
    """Return the 99th percentile in ms."""
    return setpoint_p99_ms()
