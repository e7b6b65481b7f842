# SPDX-License-Identifier: MIT
"""MQTT through the bridge: real broker, virtual time, the same twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backfeed.broker import HOST, Broker, free_port, mosquitto
from hil.virtual_board import BrokerLost

pytestmark = pytest.mark.skipif(mosquitto() is None, reason="no mosquitto installed")

UP = """
    import asyncio, socket, time
    import network
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    wlan.connect("home", "secret")
    while not wlan.isconnected():
        time.sleep_ms(100)
    start = time.ticks_ms()
    def say(*what):
        print(time.ticks_diff(time.ticks_ms(), start), *what)
"""
CLIENT = (
    UP
    + """
    async def main():
        reader, writer = await asyncio.open_connection("broker", 1883)
        say("open")
        writer.write(b"\\x10\\x0d\\x00\\x04MQTT\\x04\\x02\\x00\\x3c\\x00\\x01x")
        await writer.drain()
        say(await reader.readexactly(4))
        writer.write(b"\\x82\\x06\\x00\\x01\\x00\\x01t\\x01")
        await writer.drain()
        say(await reader.readexactly(5))
        writer.write(b"\\x32\\x07\\x00\\x01u\\x00\\x02hi")  # QoS 1 to another topic
        await writer.drain()
        say(await reader.readexactly(4))
        writer.write(b"\\xc0\\x00")
        await writer.drain()
        say(await reader.readexactly(2))
        data = b"-"
        while data:
            data = await reader.read(64)
            say(data)
    asyncio.run(main())
"""
)


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker("mosquitto") as running:
        yield running


def run_client(board, port: int) -> list[tuple[int, bytes]]:
    one = board(CLIENT, broker=(HOST, port))
    one.run(3)
    one.publish("t", "first")
    one.run(0.1)
    one.publish("t", "second")
    one.run(0.1)
    return one.console.chunks


def test_answers_come_after_a_fixed_virtual_latency(board, broker) -> None:
    chunks = run_client(board, broker.port)
    lines = b"".join(data for _, data in chunks).decode().splitlines()
    assert lines[:5] == [
        "5 open",
        "10 b' \\x02\\x00\\x00'",
        "15 b'\\x90\\x03\\x00\\x01\\x01'",
        "20 b'@\\x02\\x00\\x02'",
        "25 b'\\xd0\\x00'",
    ]
    assert "b'2\\n\\x00\\x01t\\x00\\x01first'" in lines[5]
    assert "b'2\\x0b\\x00\\x01t\\x00\\x02second'" in lines[6]
    assert int(lines[6].split()[0]) - int(lines[5].split()[0]) == 100
    assert len(lines) == 7  # the bridge's own pings stay in the bridge


def test_two_runs_over_a_real_broker_are_identical(board, broker) -> None:
    assert run_client(board, broker.port) == run_client(board, broker.port)


def test_network_down_and_up(board, broker) -> None:
    one = board(CLIENT, broker=(HOST, broker.port))
    one.run(3)
    one.network_down()
    before = one.console.text
    one.run(1)
    assert one.console.text == before
    one.network_up()
    refused = board(UP + "    s = socket.socket()\n    s.connect(('broker', 1883))\n")
    refused.network_down()
    refused.run(3)
    assert refused.console.text == ""  # never joined


def test_broker_that_dies_is_a_clear_error(board, broker) -> None:
    one = board(CLIENT, broker=(HOST, broker.port))
    one.run(3)
    broker.stop()
    with pytest.raises(BrokerLost, match="broker is gone"):
        one.run(1)


def test_broker_that_dies_reaches_the_firmware_when_the_scenario_says_so(board, broker) -> None:
    one = board(CLIENT, broker=(HOST, broker.port))
    one.run(3)
    one.bridge.required = False
    broker.stop()
    one.run(1)
    assert one.console.text.splitlines()[-1].endswith("b''")


def test_refused_connection_is_an_oserror(board) -> None:
    one = board(
        UP
        + f"""
    try:
        socket.socket().connect(("{HOST}", {free_port()}))
    except OSError as error:
        say(error)
    """
    )
    one.run(3)
    assert "ECONNREFUSED" in one.console.text
