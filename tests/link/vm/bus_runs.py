# SPDX-License-Identifier: MIT
"""Transfers of the Modbus master on the MicroPython VM: one JSON list of results on stdout.

    micropython bus_runs.py rtu PATH BAUD | tcp PORT 0   JOBS

JOBS is JSON: [[unit, function, address, count, data hex or "", retries, timeout_ms, repeat, priority], ...], or
{"parallel": [jobs, jobs...]} for several tasks at once, {"cancelled": jobs},
{"allocation": jobs}. A result is [code, data hex, elapsed ms].
"""

import asyncio
import binascii
import gc
import json
import sys
from time import ticks_diff, ticks_ms

sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])

from pty_uart import PtyUart

from evse.drivers.modbus_bus import ModbusBus, Transfer
from evse.drivers.modbus_tcp import ModbusTcp


class Pin:
    """A driver-enable pin that counts."""

    def __init__(self):
        self.level = 0
        self.edges = 0

    def __call__(self, level):
        self.edges += level != self.level
        self.level = level


def bus_of(kind, where, baud):
    if kind == "tcp":
        return ModbusTcp("127.0.0.1", int(where)), None
    pin = Pin() if kind == "rtu_de" else None
    return ModbusBus(PtyUart(where), int(baud), pin), pin


async def run_jobs(bus, jobs, results, pause_ms=0):
    for unit, function, address, count, data, retries, timeout_ms, repeat, priority in jobs:
        buffer = bytearray(binascii.unhexlify(data)) if data else bytearray(2 * count)
        transfer = Transfer(unit, function, address, count, buffer, priority)
        transfer.retries = retries
        transfer.timeout_ms = timeout_ms
        for _ in range(repeat):
            started_ms = ticks_ms()
            code = await bus.transact(transfer)
            results.append([code, binascii.hexlify(transfer.data).decode(), ticks_diff(ticks_ms(), started_ms)])


async def cancel_some(bus, jobs, results):
    """Start ten tasks, cancel them at different moments, then run the jobs five times."""
    for number in range(10):
        tasks = [asyncio.create_task(run_jobs(bus, jobs, [])) for _ in range(2)]
        await asyncio.sleep_ms(7 * number)
        for task in tasks:
            task.cancel()
        await asyncio.sleep_ms(2)
    for _ in range(5):
        await run_jobs(bus, jobs, results)


async def measure_allocation(bus, jobs):
    """Return the bytes the heap lost per transaction in steady state."""
    unit, function, address, count, data, retries, timeout_ms, repeat, priority = jobs[0]
    transfer = Transfer(unit, function, address, count, bytearray(2 * count), priority)
    for _ in range(20):
        await bus.transact(transfer)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for _ in range(repeat):
        await bus.transact(transfer)
    grown = gc.mem_alloc() - before
    gc.enable()
    return grown / repeat


async def main(kind, where, baud, text):
    bus, pin = bus_of(kind, where, baud)
    request = json.loads(text)
    report = {"results": []}
    if isinstance(request, dict) and "allocation" in request:
        report["allocation"] = await measure_allocation(bus, request["allocation"])
    elif isinstance(request, dict) and "cancelled" in request:
        await cancel_some(bus, request["cancelled"], report["results"])
    elif isinstance(request, dict):
        report["results"] = [[] for _ in request["parallel"]]
        tasks = []
        for jobs, results in zip(request["parallel"], report["results"]):  # noqa: B905 (MicroPython)
            tasks.append(asyncio.create_task(run_jobs(bus, jobs, results)))
        for task in tasks:
            await task
    else:
        await run_jobs(bus, request, report["results"])
    for name in ("transactions", "timeouts", "broken", "exceptions"):
        report[name] = getattr(bus, name)
    report["noise"] = getattr(bus, "noise_bytes", 0)
    report["de"] = [pin.edges, pin.level] if pin else None
    print(json.dumps(report))


asyncio.run(main(*sys.argv[1:5]))
