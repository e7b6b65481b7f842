# SPDX-License-Identifier: MIT
"""The inverter task on the virtual board, against the plant's inverter, at every line speed, in virtual time."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

SCRIPT = """
    import asyncio, json, time
    from machine import UART, Pin
    from evse.image import Image
    from evse.store.settings import Settings
    from evse.tasks.inverter import InverterTask
    class Board:
        inverter_uart = UART(1, {baud}, tx=Pin(17), rx=Pin(18), rxbuf=512)
        inverter_de = Pin(21, Pin.OUT, value=0)
    async def main():
        image = Image()
        settings = Settings()
        settings.inverter_baud = {baud}
        task = InverterTask(image, settings, Board())
        running = asyncio.create_task(task.run())
        outputs = image.outputs
        outputs.inverter_enable = outputs.lease_ok = 1
        outputs.inverter_w = -1500
        await asyncio.sleep_ms(4000)
        box = image.mail.inverter
        commands, sequence = task.commands, box.sequence
        worst_age = worst_trip = 0
        for number in range(40):
            if {asked} and not task.driver.grid.left:
                task.driver.grid.hurry()
            for _ in range(8):
                await asyncio.sleep_ms(31)
                worst_age = max(worst_age, time.ticks_diff(time.ticks_ms(), box.stamp_ms))
            outputs.inverter_w = 0 if number % 2 == 0 else -1500
            outputs.urgent += 1
            outputs.wake()
            start_ms = time.ticks_ms()
            while task.driver.w_trip.stamp_ms == 0 or time.ticks_diff(task.driver.w_trip.stamp_ms, start_ms) < 0:
                await asyncio.sleep_ms(1)
            worst_trip = max(worst_trip, time.ticks_diff(time.ticks_ms(), start_ms))
        print(json.dumps({{
            "online": task.online, "error": task.error, "errors": task.errors, "model": task.driver.device.model,
            "commands": task.commands - commands, "status": (box.sequence - sequence) // 2,
            "worst_age_ms": worst_age, "worst_trip_ms": worst_trip, "charge_w": box.charge_w,
            "soc_ok": image.mail.battery.soc_ok, "readback_errors": task.driver.readback_errors,
        }}))
    asyncio.run(main())
"""
SPAN_S = 40 * 8 * 0.031


@pytest.mark.parametrize(("baud", "asked"), [(9600, 0), (9600, 1), (19200, 0), (38400, 0), (115200, 0), (115200, 1)])
def test_commands_and_status_fit_the_line(tmp_path: Path, baud: int, asked: int):
    """asked: while all grid settings are read again and again."""
    script = tmp_path / "entry.py"
    script.write_text(textwrap.dedent(SCRIPT).format(baud=baud, asked=asked))
    station = Station(baud=baud)
    one = VirtualBoard(station, board="esp32s3_ref", entry=script).start()
    try:
        one.run(60)
        assert one.finished and one.exit_code == 0, one.console.text
        report = json.loads(one.console.text.splitlines()[-1])
    finally:
        one.stop()
    print(f"{baud} Bd: {report}")
    assert report["online"] == 1 and report["error"] == "" and report["errors"] == 0
    assert report["soc_ok"] == 1 and report["charge_w"] > 0 and report["readback_errors"] == 0
    assert report["commands"] / SPAN_S >= 9, "10 Hz and the trips"
    assert report["worst_age_ms"] <= 1000
    # 10 ms to notice, one frame in flight with its answer, then the write with its own; the device's 2 ms twice.
    character_ms = 10_000 / baud
    longest_ms = (8 + 5 + 2 * 47) * character_ms
    assert report["worst_trip_ms"] <= 10 + longest_ms + (13 + 8) * character_ms + 4 * max(1.75, 38.5 / baud * 1000) + 8
