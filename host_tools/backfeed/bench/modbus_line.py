# SPDX-License-Identifier: MIT
"""The RTU master on the virtual board's UART, in virtual time: share of the line's rate, and the worst trip write."""

from __future__ import annotations

import tempfile
import textwrap
from functools import cache
from pathlib import Path

from backfeed.errors import PartError
from hil.plant.interface import BoardInputs, BoardOutputs, SerialDevice
from hil.plant.modbus_server import sealed
from hil.virtual_board import VirtualBoard

REGISTERS = 40  # of each read; an answer of 85 characters
CHARACTER_BITS = 10  # 8N1
READ_CHARACTERS = 8

SCRIPT = """
    import asyncio, time
    from machine import UART, Pin
    from evse.drivers.modbus_bus import READ, TRIP, ModbusBus, Transfer
    bus = ModbusBus(UART(1, {baud}, tx=Pin(17), rx=Pin(18), rxbuf=512), {baud}, Pin(21, Pin.OUT, value=0))
    async def reader(transfer, count):
        for _ in range(count):
            await bus.transact(transfer)
    async def main():
        reads = [Transfer(1, 3, 100, {registers}, bytearray(250), READ) for _ in range(4)]
        await reader(reads[0], 10)
        start_us = time.ticks_us()
        await reader(reads[0], 200)
        print("each_us", time.ticks_diff(time.ticks_us(), start_us) / 200)
        for transfer in reads:
            asyncio.create_task(reader(transfer, 100000))
        trip = Transfer(1, 16, 100, 2, bytearray(4), TRIP)
        worst = 0
        for number in range(200):
            await asyncio.sleep_ms(20 + number % 37)
            start_us = time.ticks_us()
            await bus.transact(trip)
            worst = max(worst, time.ticks_diff(time.ticks_us(), start_us))
        print("trip_us", worst)
        print("lost", bus.timeouts + bus.broken)
    asyncio.run(main())
"""


class Line:
    """A plant with nothing but a device that answers as soon as the rule allows, t3.5 after the request."""

    def __init__(self, baud: int) -> None:
        self.character_us = CHARACTER_BITS * 1e6 / baud
        self.silence_us = 1750 if baud > 19200 else 3.5 * 11e6 / baud
        self.serial: dict[str, SerialDevice] = {"inverter": self}
        self._inputs = BoardInputs()
        self._answers: list[tuple[int, bytes]] = []

    def advance(self, t_us: int, outputs: BoardOutputs) -> BoardInputs:
        return self._inputs

    def receive(self, data: bytes, t_us: int) -> None:
        if data[1] == 3:
            answer = sealed(bytes((data[0], 3, 2 * data[5])) + bytes(2 * data[5]))
        else:
            answer = sealed(data[:6])
        self._answers.append((round(t_us + self.silence_us + len(answer) * self.character_us), answer))

    def transmit(self) -> list[tuple[int, bytes]]:
        answers, self._answers = self._answers, []
        return answers

    def exchange_us(self, request: int, answer: int) -> float:
        """Return how long a request, its answer and the silence before each take."""
        return (request + answer) * self.character_us + 2 * self.silence_us


@cache
def run(baud: int) -> tuple[Line, dict[str, float]]:
    """Measure one speed."""
    line = Line(baud)
    with tempfile.TemporaryDirectory() as folder:
        entry = Path(folder) / "entry.py"
        entry.write_text(textwrap.dedent(SCRIPT).format(baud=baud, registers=REGISTERS))
        with VirtualBoard(line, board="esp32s3_ref", entry=entry) as board:
            board.run(400)
            text = str(board.console.text)
    try:
        found = {name: float(value) for name, value in (row.split() for row in text.splitlines() if row)}
        if found["lost"]:
            raise PartError(f"the master lost {found['lost']:.0f} answers of a good device at {baud} Bd")
        return line, found
    except (KeyError, ValueError):
        raise PartError(f"the master at {baud} Bd gave no figures: {text[-300:]}") from None


def measure(name: str) -> float:
    """Return the share of the line in percent, or the worst trip write in ms."""
    if name.startswith("trip_write_worst"):
        return run(9600 if "9600" in name else 115200)[1]["trip_us"] / 1000
    line, found = run(int(name.rpartition("_")[2]))
    return 100 * line.exchange_us(READ_CHARACTERS, 5 + 2 * REGISTERS) / found["each_us"]
