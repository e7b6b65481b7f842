# SPDX-License-Identifier: MIT
"""Connect to a meter and read it a few times; print its attributes as JSON.

micropython meter_runs.py PATH KIND SIGN COUNT      KIND: sunspec, sdm230, sdm630
"""

import asyncio
import json
import sys

sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])

from pty_uart import PtyUart

from evse.drivers.meter_eastron import MeterEastron
from evse.drivers.meter_sunspec import MeterSunSpec
from evse.drivers.modbus_bus import ModbusBus


async def main(path, kind, sign, count):
    bus = ModbusBus(PtyUart(path), 9600)
    meter = MeterSunSpec(bus, 2, sign) if kind == "sunspec" else MeterEastron(bus, 2, kind, sign)
    report = {"error": ""}
    try:
        await meter.connect()
    except OSError as error:
        print(json.dumps({"error": str(error)}))
        return
    oks = 0
    for _ in range(count):
        oks += await meter.read()
    for name in ("ok", "power_w", "phase_w", "phase_mv", "frequency_uhz", "errors", "phases"):
        report[name] = getattr(meter, name)
    report["oks"] = oks
    print(json.dumps(report))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
