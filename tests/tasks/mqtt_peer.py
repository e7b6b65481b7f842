# SPDX-License-Identifier: MIT
"""The other end of the MQTT tests: a paho client, and the station it talks to."""

from __future__ import annotations

import json
import queue
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from backfeed.bench.plain import PATIENCE_S, Plain
from backfeed.broker import Broker

ID = "station1"
BASE = f"backfeed/{ID}/"


class Peer:
    """A paho client that keeps what it hears: one queue a topic, and all of it."""

    def __init__(self, broker: Broker, **options: Any) -> None:
        self.all: list[paho.MQTTMessage] = []
        self._topics: defaultdict[str, queue.Queue[bytes]] = defaultdict(queue.Queue)
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        if "user" in options:
            self._client.username_pw_set(options["user"], options["password"])
        if "tls" in options:
            self._client.tls_set(**options["tls"])
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.connect(broker.host if "tls" not in options else "localhost", broker.port)
        self._client.loop_start()

    def _hear(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.all.append(message)
        self._topics[message.topic].put(message.payload)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.loop_stop()
        self._client.disconnect()

    def publish(self, path: str, payload: Any, retain: bool = False) -> None:
        text = payload if isinstance(payload, bytes) else payload.encode() if isinstance(payload, str) else None
        self._client.publish(BASE + path, text if text is not None else json.dumps(payload), qos=1, retain=retain)

    def next(self, path: str, wanted: Any = lambda _: True) -> Any:
        """Return the next payload on a topic for which `wanted` holds; JSON decoded where it is JSON."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                text = self._topics[BASE + path].get(timeout=max(0.0, deadline - time.monotonic())).decode()
            except queue.Empty:
                raise AssertionError(f"nothing that fits on {path} within {PATIENCE_S} s") from None
            payload = json.loads(text) if text[:1] in ("{", "[") else text
            if wanted(payload):
                return payload

    def raw(self, topic: str) -> bytes:
        """Return the next payload on a whole topic."""
        return self._topics[topic].get(timeout=PATIENCE_S)

    def ask(self, path: str, payload: Any) -> Any:
        """Publish and return the acknowledgement that follows."""
        self.publish(path, payload)
        return self.next("ack")


def fast_station(folder: Path, settings: dict[str, Any], emit_ms: int = 0, **extra: str) -> Plain:
    """Return a station in whose client time limits are a tenth."""
    return Plain(settings, folder=folder, emit_ms=emit_ms, PLAIN_FAST="1", **extra)


def station(folder: Path, broker: Any, emit_ms: int = 0, **settings: Any) -> Plain:
    chosen = {"mqtt_host": "127.0.0.1", "device_id": ID, "telemetry_ms": 200}
    if broker is not None:
        chosen["mqtt_port"] = broker.port
    return fast_station(folder, {**chosen, **settings}, emit_ms)


def online(report: dict[str, Any]) -> bool:
    return str(report["mqtt"]).startswith("online")
