# SPDX-License-Identifier: MIT
"""MQTT in real time: command to acknowledgement, heap with TLS."""

from __future__ import annotations

import json
import queue
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import paho.mqtt.client as paho

from backfeed.bench import NotHere
from backfeed.bench.plain import Plain
from backfeed.broker import HOST, Broker, free_port, mosquitto
from backfeed.errors import PartError

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


def tls_heap_kib(heap: str = "512k") -> float:
    """Return the largest heap in use while the client talks TLS with Mosquitto, KiB."""
    path = mosquitto()
    openssl = shutil.which("openssl")
    if path is None or openssl is None:
        raise NotHere("needs mosquitto and openssl")
    with Plain({"device_id": "unused"}) as folder_owner:
        folder = folder_owner.folder / "tls"
        _certificate(openssl, folder)
        port = free_port()
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} {HOST}\nallow_anonymous true\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\n"
        )
        server = subprocess.Popen([path, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        settings = {"mqtt_host": "localhost", "mqtt_port": port, "mqtt_tls": 1, "device_id": ID}
        try:
            with Plain(settings, heap, folder) as station:
                station.wait(lambda report: str(report["mqtt"]).startswith("online"))
                time.sleep(5)
                return float(station.report()["heap_peak"]) / 1024
        finally:
            server.kill()
            server.wait()


def _certificate(openssl: str, folder: Path) -> None:
    (folder / "certs").mkdir(parents=True)
    key = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made = subprocess.run(
        [*key, "-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem")], capture_output=True
    )
    if made.returncode:
        raise PartError(f"openssl failed: {made.stderr.decode(errors='replace')[-200:]}")
    der = ["x509", "-in", str(folder / "server.pem"), "-outform", "DER", "-out", str(folder / "certs" / "ca.der")]
    subprocess.run([openssl, *der], check=True, capture_output=True)
    (folder / "server.key").chmod(0o644)  # Mosquitto started by root reads it as its own user
    folder.chmod(0o755)
    folder.parent.chmod(0o755)


def measure(name: str) -> float:
    """Return the figure that `name` asks for."""
    if name == "command_ack_median_ms":
        return acknowledgement_ms()
    if name == "heap_peak_kib_tls":
        return tls_heap_kib()
    raise KeyError(name)
