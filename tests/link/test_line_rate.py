# SPDX-License-Identifier: MIT
"""The RTU master on the virtual board's UART, byte times and driver-enable pin included, in virtual time."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "boards"))

from tiny import TinyPlant  # noqa: E402

from hil.plant.modbus_server import sealed  # noqa: E402
from hil.virtual_board import VirtualBoard  # noqa: E402

SCRIPT = """
    import asyncio, time
    from machine import UART, Pin
    from evse.drivers.modbus_bus import READ, TRIP, ModbusBus, Transfer
    bus = ModbusBus({uart}, {baud}, Pin({de}, Pin.OUT, value=0))
    async def reader(transfer, count):
        for _ in range(count):
            if await bus.transact(transfer):
                print("failed", transfer.result)
    async def tripper(worst):
        trip = Transfer(1, 16, 100, 2, bytearray(4), TRIP)
        for number in range(40):
            await asyncio.sleep_ms(37)
            start_us = time.ticks_us()
            if await bus.transact(trip):
                print("failed", trip.result)
            worst.append(time.ticks_diff(time.ticks_us(), start_us))
    async def main():
        reads = [Transfer(1, 3, 100, {registers}, bytearray(250), READ) for _ in range(4)]
        await reader(reads[0], 10)
        start_us = time.ticks_us()
        await reader(reads[0], 100)
        print("each", time.ticks_diff(time.ticks_us(), start_us) // 100)
        worst = []
        tasks = [asyncio.create_task(reader(transfer, 10000)) for transfer in reads]
        await tripper(worst)
        print("trip", max(worst))
        print("lost", bus.timeouts + bus.broken)
    asyncio.run(main())
"""
UARTS = {
    "esp32s3_ref": ("UART(1, {baud}, tx=Pin(17), rx=Pin(18), rxbuf=512)", "21"),
    "stm32h743_ref": ("UART(2, {baud}, rxbuf=512)", "'PD4'"),
}
BITS = 10  # 8N1


class Slave:
    """Answers every read and write as soon as the rule allows, t3.5 after the request."""

    def __init__(self, baud: int):
        self.character_us = BITS * 1_000_000 / baud
        self.silence_us = 1750 if baud > 19200 else 3.5 * 11e6 / baud
        self.shortest_us = 1e9  # of the silences before a request
        self._quiet_us = 0  # end of the last answer
        self._answers: list[tuple[int, bytes]] = []

    def receive(self, data: bytes, t_us: int) -> None:
        frame = data
        self.shortest_us = min(self.shortest_us, t_us - len(data) * self.character_us - self._quiet_us)
        if frame[1] == 3:
            count = frame[5]
            answer = sealed(bytes((frame[0], 3, 2 * count)) + bytes(2 * count))
        else:
            answer = sealed(frame[:6])
        self._quiet_us = round(t_us + self.silence_us + len(answer) * self.character_us)
        self._answers.append((self._quiet_us, answer))

    def transmit(self) -> list[tuple[int, bytes]]:
        answers, self._answers = self._answers, []
        return answers


def frame_us(baud: int, characters: int) -> float:
    return characters * BITS * 1e6 / baud


@pytest.mark.parametrize("name", UARTS)
@pytest.mark.parametrize("baud", [9600, 19200, 38400, 115200])
def test_line_use_and_worst_trip(tmp_path, name, baud):
    registers = 40
    uart, de = UARTS[name]
    plant = TinyPlant()
    slave = Slave(baud)
    plant.serial = {"inverter": slave}
    script = tmp_path / "entry.py"
    text = textwrap.dedent(SCRIPT).format(uart=uart.format(baud=baud), de=de, baud=baud, registers=registers)
    script.write_text(text)
    one = VirtualBoard(plant, board=name, entry=script).start()
    try:
        one.run(300)
        assert one.finished and one.exit_code == 0, one.console.text
        lines = one.console.text.splitlines()
    finally:
        one.stop()
    figures = dict(line.split() for line in lines if line)
    silence_us = slave.silence_us
    ideal_us = frame_us(baud, 8) + silence_us + frame_us(baud, 5 + 2 * registers) + silence_us
    share = ideal_us / int(figures["each"])
    # One frame in flight with its answer and silence, then the write with its own, and a cycle of scheduling.
    allowed_us = ideal_us + frame_us(baud, 13) + silence_us + frame_us(baud, 8) + 10_000
    print(f"{name} {baud} Bd: {share:.1%} of the line, worst trip {int(figures['trip']) / 1000:.1f} ms"
          f" (allowed {allowed_us / 1000:.1f})")  # fmt: skip
    assert figures["lost"] == "0" and "failed" not in figures
    assert slave.shortest_us >= silence_us - 1, "a request waits for t3.5"
    assert int(figures["trip"]) <= allowed_us
    assert share >= 0.9
