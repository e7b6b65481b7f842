# SPDX-License-Identifier: MIT
"""pymodbus servers for the firmware's master: RTU over a pair of PTYs with a faulty wire between, and TCP.

The wire (`Line`) carries bytes between two PTYs in its own thread; `fault(to_device, data)` may return other bytes,
none, or a list of (delay_s, bytes).
"""

from __future__ import annotations

import asyncio
import os
import select
import threading
import time
import tty
from collections.abc import Callable

from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

Fault = Callable[[bool, bytes], "bytes | list[tuple[float, bytes]]"]


class Line:
    """Two PTYs and the wire between; `.master` and `.device` are their paths."""

    def __init__(self, fault: Fault | None = None):
        self.fault = fault
        self._ends = []
        paths = []
        for _ in range(2):
            end, slave = os.openpty()
            tty.setraw(end)
            tty.setraw(slave)
            paths.append(os.ttyname(slave))
            self._ends.append((end, slave))
        self.master, self.device = paths
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        master, device = self._ends[0][0], self._ends[1][0]
        while not self._stop.is_set():
            ready, _, _ = select.select([master, device], [], [], 0.05)
            for end in ready:
                to_device = end == master
                data = os.read(end, 4096)
                passed = self.fault(to_device, data) if self.fault else data
                pieces = [(0.0, passed)] if isinstance(passed, bytes) else passed
                for delay_s, piece in pieces:
                    if delay_s:
                        time.sleep(delay_s)
                    os.write(device if to_device else master, piece)

    def inject(self, data: bytes) -> None:
        """Put bytes on the wire towards the master, as noise would."""
        os.write(self._ends[0][0], data)

    def close(self) -> None:
        """Stop the wire and close both ends."""
        self._stop.set()
        self._thread.join()
        for pair in self._ends:
            for descriptor in pair:
                os.close(descriptor)


class Server:
    """A pymodbus server in its own thread. units: {unit id: (first address, registers)}."""

    def __init__(self, units: dict[int, tuple[int, list[int]]], path: str = "", baud: int = 115200):
        self.writes: list[tuple[int, int, list[int]]] = []  # unit, address, values
        self.reads: list[tuple[int, int, int]] = []
        self.registers: dict[int, list[int]] = {}
        self.before: Callable[[int, int, int, int, list[int] | None], int | None] | None = None
        self._units = units
        self._path = path
        self._baud = baud
        self.port = 0
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise TimeoutError("pymodbus server did not start")

    def _device(self, unit: int, first: int, registers: list[int]) -> SimDevice:
        async def action(function, start, address, count, current, values):
            self.registers[unit] = current
            if values is None:
                self.reads.append((unit, address, count))
            else:
                self.writes.append((unit, address, list(values)))
            return self.before(unit, function, address, count, values) if self.before else None

        data = SimData(first, values=registers, datatype=DataType.REGISTERS)
        return SimDevice(unit, simdata=[data], action=action)

    async def _serve(self) -> None:
        devices = [self._device(unit, first, registers) for unit, (first, registers) in self._units.items()]
        if self._path:
            server = ModbusSerialServer(
                devices, framer=FramerType.RTU, port=self._path, baudrate=self._baud, ignore_missing_devices=True
            )
        else:
            server = ModbusTcpServer(devices, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        if not self._path:
            self.port = server.transport.sockets[0].getsockname()[1]
        self._server = server
        self._ready.set()

    def _run(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.run_until_complete(self._serve())
        self._loop.run_forever()

    def close(self) -> None:
        """Stop serving."""
        asyncio.run_coroutine_threadsafe(self._server.shutdown(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
