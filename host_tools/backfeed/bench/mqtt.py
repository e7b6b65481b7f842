# SPDX-License-Identifier: MIT
"""MQTT in real time: from a command to its acknowledgement."""

from __future__ import annotations

import json
import queue
import statistics
import time

import paho.mqtt.client as paho

from backfeed.bench.plain import Plain
from backfeed.broker import HOST, Broker

ID = "bench"
COMMANDS = 100


def acknowledgement_ms() -> float:
    """Return the median from publishing a command to its acknowledgement, 100 commands, ms."""
    heard: queue.Queue[str] = queue.Queue()
    with Broker() as broker, Plain({"mqtt_host": HOST, "mqtt_port": broker.port, "device_id": ID}) as station:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.on_message = lambda _client, _data, message: heard.put(json.loads(message.payload)["id"])
        client.connect(broker.host, broker.port)
        client.subscribe(f"backfeed/{ID}/ack", qos=1)
        client.loop_start()
        station.wait(lambda report: str(report["mqtt"]).startswith("online"))
        time.sleep(3)  # settings and discovery have gone out
        took_ms = [_one(client, heard, number) for number in range(COMMANDS)]
        client.loop_stop()
        client.disconnect()
    return statistics.median(took_ms)


def _one(client: paho.Client, heard: queue.Queue[str], number: int) -> float:
    payload = {"id": f"n{number}", "power_w": 1000 + number, "duration_s": 60}
    started_s = time.monotonic()
    client.publish(f"backfeed/{ID}/command/setpoint", json.dumps(payload), qos=1)
    while heard.get(timeout=10) != f"n{number}":
        pass
    took_ms = (time.monotonic() - started_s) * 1000
    time.sleep(0.06)  # below the rate limit
    return took_ms


def measure(_name: str) -> float:
    """Return the figure."""
    return acknowledgement_ms()
