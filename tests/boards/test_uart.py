# SPDX-License-Identifier: MIT
"""Byte times on the inverter's line."""

from __future__ import annotations

import pytest
from tiny import TinyPlant

from hil.virtual_board.board import BOOT_US

PORTS = {
    "esp32s3_ref": "UART(1, {baud}, tx=Pin(17), rx=Pin(18)); de = Pin(21, Pin.OUT, value=0)",
    "stm32h743_ref": "UART(2, {baud}); de = Pin('PD4', Pin.OUT, value=0)",
}
SEND = """
    import asyncio, time
    from machine import UART, Pin
    uart = {uart}
    async def main():
        reader = asyncio.StreamReader(uart)
        await asyncio.sleep_ms(3)
        start = time.ticks_us()
        de(1)
        uart.write(b"12345678")
        print("written", time.ticks_diff(time.ticks_us(), start))
        uart.flush()
        de(0)
        print("flushed", time.ticks_diff(time.ticks_us(), start))
        answer = await reader.read(64)
        print("answer", answer, time.ticks_diff(time.ticks_us(), start))
    asyncio.run(main())
"""


@pytest.mark.parametrize("name", PORTS)
@pytest.mark.parametrize("baud", [9600, 115200])
def test_bytes_leave_and_arrive_when_their_last_stop_bit_ends(board, name, baud) -> None:
    plant = TinyPlant()
    one = board(SEND.format(uart=PORTS[name].format(baud=baud)), plant=plant, board=name)
    one.run(1)
    frame_us = -(-8 * 10 * 1_000_000 // baud)
    assert plant.echo.received == [(BOOT_US + 3000 + frame_us, b"12345678")]
    written_us = frame_us if name.startswith("stm32") else 0  # stm32 has no transmit buffer: write() blocks
    assert one.console.text.splitlines() == [
        f"written {written_us}",
        f"flushed {frame_us}",
        f"answer b'12345678' {frame_us + 5000}",
    ]


def test_answer_that_the_plant_gives_later_arrives_in_time(board) -> None:
    """A device that only works when the plant runs on (as a Modbus slave after t3.5) is still exact."""
    plant = TinyPlant()
    echo = plant.echo
    held: list[tuple[int, bytes]] = []
    echo.receive = lambda data, t_us: held.append((t_us, data))  # type: ignore[method-assign]

    def advance(t_us, outputs, inner=plant.advance):
        while held and t_us >= held[0][0] + 1750:
            at_us, data = held.pop(0)
            echo._answers.append((at_us + 1750 + 3333, data))
        return inner(t_us, outputs)

    plant.advance = advance  # type: ignore[method-assign]
    one = board(SEND.format(uart=PORTS["esp32s3_ref"].format(baud=115200)), plant=plant, board="esp32s3_ref")
    one.run(1)
    assert one.console.text.splitlines()[-1] == f"answer b'12345678' {695 + 1750 + 3333}"


def test_driver_enable_switched_off_early_cuts_the_frame(board) -> None:
    plant = TinyPlant()
    script = SEND.replace("uart.flush()", "time.sleep_us(2600)").replace(
        "answer = await reader.read(64)", "answer = time.sleep_ms(20)"
    )
    one = board(script.format(uart=PORTS["esp32s3_ref"].format(baud=9600)), plant=plant, board="esp32s3_ref")
    one.run(1)
    assert [data for _, data in plant.echo.received] == [b"12"]  # 2.6 ms hold two whole characters of 1.04 ms


def test_without_driver_enable_nothing_leaves(board) -> None:
    plant = TinyPlant()
    script = SEND.replace("de(1)", "pass").replace("answer = await reader.read(64)", "answer = time.sleep_ms(20)")
    one = board(script.format(uart=PORTS["esp32s3_ref"].format(baud=9600)), plant=plant, board="esp32s3_ref")
    one.run(1)
    assert plant.echo.received == []


def test_receive_buffer_overflows_as_on_the_port(board, output) -> None:
    plant = TinyPlant()
    plant.echo._answers.append((BOOT_US + 5000, bytes(range(200))))
    one = board(
        "import time\nfrom machine import UART\nu = UART(2, 9600)\ntime.sleep_ms(50)\nprint(u.any(), len(u.read()))",
        plant=plant,
        board="stm32h743_ref",
    )
    one.run(1)
    assert one.console.text.split() == ["64", "64"]


def test_line_can_be_disturbed(board) -> None:
    plant = TinyPlant()
    one = board(SEND.format(uart=PORTS["esp32s3_ref"].format(baud=115200)), plant=plant, board="esp32s3_ref")
    one.line.disturb = lambda to_board, data: data[:3] if to_board else data
    one.run(1)
    assert "answer b'123'" in one.console.text
