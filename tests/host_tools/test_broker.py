# SPDX-License-Identifier: MIT
"""The broker starts on a free port, carries messages, and its death is told in one line."""

from __future__ import annotations

import os
import queue
import signal

import paho.mqtt.client as mqtt
import pytest

from backfeed.broker import Broker, mosquitto
from backfeed.errors import PartError

KINDS = ["amqtt", pytest.param("mosquitto", marks=pytest.mark.skipif(not mosquitto(), reason="no Mosquitto here"))]


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_passes(kind: str) -> None:
    got: queue.Queue[bytes] = queue.Queue()
    ready: queue.Queue[bool] = queue.Queue()
    with Broker(kind) as broker:
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        client.on_message = lambda client, data, message: got.put(message.payload)
        client.on_subscribe = lambda *arguments: ready.put(True)
        client.connect(broker.host, broker.port)
        client.loop_start()
        client.subscribe("backfeed/test", qos=1)
        ready.get(timeout=10)
        client.publish("backfeed/test", b"hello", qos=1)
        assert got.get(timeout=10) == b"hello"
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_broker_is_told_in_one_line(kind: str) -> None:
    with Broker(kind) as broker:
        broker.check()
        assert broker._process is not None
        os.kill(broker._process.pid, signal.SIGKILL)
        broker._process.wait(10)
        with pytest.raises(PartError, match=f"the broker {kind} on port {broker.port} died"):
            broker.check()


def test_no_process_is_left_behind() -> None:
    with Broker() as broker:
        assert broker._process is not None
        pid = broker._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_two_brokers_do_not_meet() -> None:
    with Broker() as one, Broker() as other:
        assert one.port != other.port


def test_a_taken_port_is_an_error_and_no_hang() -> None:
    with Broker() as one, pytest.raises(PartError, match=str(one.port)):
        Broker(port=one.port).__enter__()
