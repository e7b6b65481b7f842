# SPDX-License-Identifier: MIT
"""MQTT in real time: command to acknowledgement, the loop's lateness under an abusive broker, heap with TLS."""

from __future__ import annotations

import json
import queue
import shutil
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as paho

from backfeed.bench import NotHere
from backfeed.bench.plain import Plain
from backfeed.broker import HOST, Broker, free_port, mosquitto
from backfeed.errors import PartError

ID = "bench"
COMMANDS = 100
ABUSE_S = 6.0
GREETING = (b"\x20\x02\x00\x00", b"\x90\x04\x00\x01\x01\x01")  # CONNACK, SUBACK


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


# --- abuse: what a listener does with a client ---


def _greet(link: socket.socket) -> None:
    for answer in GREETING:
        link.recv(4096)
        link.sendall(answer)


def black_hole(link: socket.socket) -> None:
    while link.recv(4096):
        pass


def slow_reader(link: socket.socket) -> None:
    _greet(link)
    while link.recv(1):
        time.sleep(0.05)


def half_open(link: socket.socket) -> None:
    _greet(link)
    time.sleep(ABUSE_S)


def cuts_each_packet(link: socket.socket) -> None:
    link.recv(4096)


def megabyte(link: socket.socket) -> None:
    _greet(link)
    topic = b"backfeed/bench/command/setpoint"
    body = len(topic).to_bytes(2, "big") + topic + b"x" * 1000000
    length, head = len(body), b"\x30"
    while length:
        head += bytes([length & 127 | (128 if length > 127 else 0)])
        length >>= 7
    while True:
        link.sendall(head + body)


def thousand_a_second(link: socket.socket) -> None:
    _greet(link)
    topic = b"backfeed/bench/command/setpoint"
    body = len(topic).to_bytes(2, "big") + topic + b'{"power_w":1000,"duration_s":60}'
    burst = (b"\x30" + bytes([len(body)]) + body) * 10
    while True:
        link.sendall(burst)
        time.sleep(0.01)


ABUSES: tuple[Callable[[socket.socket], None], ...] = (
    black_hole,
    slow_reader,
    half_open,
    cuts_each_packet,
    megabyte,
    thousand_a_second,
)


def lateness_ms(behave: Callable[[socket.socket], None] | None) -> float:
    """Return the 99 % lateness of a 10 ms task beside the client, ms; behave None: no broker at all."""
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_treat, args=(link, behave), daemon=True).start()

    settings: dict[str, object] = {"device_id": ID, "telemetry_ms": 100}
    if behave is not None:
        threading.Thread(target=serve, daemon=True).start()
        settings.update(mqtt_host=HOST, mqtt_port=listener.getsockname()[1])
    try:
        with Plain(settings) as station:
            first = station.wait(lambda report: report["cycles"] > 50)["cycles"]
            last = station.wait(lambda report: report["cycles"] > first + ABUSE_S * 90)
    finally:
        listener.close()
    return float(last["late_p99_ms"])


def _treat(link: socket.socket, behave: Callable[[socket.socket], None] | None) -> None:
    try:
        if behave is not None:
            behave(link)
        link.close()
    except OSError:
        pass  # the client has had enough


def jitter_ms() -> float:
    """Return by how much the worst abuse makes a 10 ms task later than no broker does, ms, 99 % of its calls."""
    quiet_ms = lateness_ms(None)
    return max(0.0, max(lateness_ms(behave) for behave in ABUSES) - quiet_ms)


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
    return jitter_ms()
