# SPDX-License-Identifier: MIT
"""What the MQTT client needs with mutual TLS: of MicroPython's heap, and of the C heap that mbedtls takes beside it.

Clock, journal, records and MQTT as compiled for a board, on the 64-bit unix VM: objects are twice as large as on a
32-bit board, and the stand-in for the FRAM takes 32 KiB of it. mbedtls takes its buffers by malloc there and on ESP32,
from MicroPython's heap on STM32.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backfeed.bench import NotHere
from backfeed.bench.plain import Plain
from backfeed.broker import HOST, free_port, mosquitto
from backfeed.errors import PartError
from backfeed.firmware_build import write_compiled

ID = "bench"
STATED = "512k"
STEP_KIB = 8
LOW_KIB, HIGH_KIB = 64, 512
ONLINE_S = 15.0  # patience
STAYS_S = 4.0  # discovery and all settings go out
CONFIG = """listener {port} {host}
allow_anonymous true
cafile {folder}/server.pem
certfile {folder}/server.pem
keyfile {folder}/server.key
require_certificate true
"""


@contextmanager
def guarded() -> Iterator[tuple[dict[str, object], Path, Path]]:
    """Yield (settings, the station's folder, compiled firmware) with a Mosquitto that asks for a client certificate."""
    path, openssl = mosquitto(), shutil.which("openssl")
    if path is None or openssl is None:
        raise NotHere("needs mosquitto and openssl")
    with tempfile.TemporaryDirectory(prefix="backfeed-tls-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _certificate(openssl, folder)
        write_compiled(folder / "mpy")
        port = free_port()
        config = folder / "mosquitto.conf"
        config.write_text(CONFIG.format(port=port, host=HOST, folder=folder))
        server = subprocess.Popen([path, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        settings: dict[str, object] = {"mqtt_host": "localhost", "mqtt_port": port, "mqtt_tls": 1, "device_id": ID}
        try:
            yield settings, folder, folder / "mpy"
        finally:
            server.kill()
            server.wait()


def _certificate(openssl: str, folder: Path) -> None:
    """Make one RSA certificate that is authority, server and client."""
    certs = folder / "certs"
    certs.mkdir()
    key = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made = subprocess.run(
        [*key, "-keyout", str(folder / "server.key"), "-out", str(folder / "server.pem")], capture_output=True
    )
    if made.returncode:
        raise PartError(f"openssl failed: {made.stderr.decode(errors='replace')[-200:]}")
    (folder / "server.key").chmod(0o644)  # Mosquitto started by root reads it as its own user
    der = ["x509", "-in", str(folder / "server.pem"), "-outform", "DER", "-out", str(certs / "ca.der")]
    subprocess.run([openssl, *der], check=True, capture_output=True)
    shutil.copy(certs / "ca.der", certs / "client.der")
    der = ["rsa", "-in", str(folder / "server.key"), "-outform", "DER", "-out", str(certs / "client.key")]
    subprocess.run([openssl, *der], check=True, capture_output=True)


def _online(report: dict[str, object]) -> bool:
    return str(report["mqtt"]).startswith("online")


def peak_kib() -> float:
    """Return the largest heap in use, garbage included, with a heap of STATED."""
    with guarded() as (settings, folder, firmware), Plain(settings, STATED, folder, firmware) as station:
        station.wait(_online)
        time.sleep(STAYS_S)
        return float(station.report()["heap_peak"]) / 1024


def smallest_kib() -> float:
    """Return the smallest heap, in steps of STEP_KIB, with which the client gets online and stays there."""
    with guarded() as (settings, folder, firmware):

        def enough(kib: int) -> bool:
            try:
                with Plain(settings, f"{kib}k", folder, firmware) as station:
                    station.wait(_online, ONLINE_S)
                    time.sleep(STAYS_S)
                    report = station.report()
                    return _online(report) and not any(report["restarts"].values())
            except PartError:
                return False

        low, high = LOW_KIB, HIGH_KIB
        if not enough(high):
            raise PartError(f"the client does not get online with {high} KiB")
        while high - low > STEP_KIB:
            middle = (low + high) // 2 // STEP_KIB * STEP_KIB
            low, high = (low, middle) if enough(middle) else (middle, high)
        return float(high)


def c_heap_kib() -> float:
    """Return the largest C heap that mbedtls holds, by massif."""
    if shutil.which("valgrind") is None:
        raise NotHere("valgrind is not installed (apt install valgrind)")
    with guarded() as (settings, folder, firmware):
        out = folder / "massif"
        options = ("--detailed-freq=1", "--max-snapshots=1000", "--threshold=0.01")
        massif = ("valgrind", "--tool=massif", f"--massif-out-file={out}", *options, sys.executable)
        with Plain(settings, STATED, folder, firmware, massif) as station:
            station.wait(_online, 10 * ONLINE_S)
            time.sleep(STAYS_S)
            station.end()
        return max(map(_of_mbedtls, out.read_text().split("snapshot=")[1:])) / 1024


def _of_mbedtls(snapshot: str) -> int:
    """Return the bytes of a snapshot's tree that mbedtls asked for."""
    total, below = 0, 1000
    for depth, size, place in re.findall(r"^( *)n\d+: (\d+) (.*)$", snapshot, re.MULTILINE):
        if len(depth) > below:
            continue
        below = 1000
        if "mbedtls" in place or "x509" in place:
            total += int(size)
            below = len(depth)
    return total


def measure(name: str) -> float:
    """Return the figure that `name` asks for."""
    named = {"heap_peak_kib_tls": peak_kib, "heap_smallest_kib_tls": smallest_kib, "heap_c_kib_tls": c_heap_kib}
    return named[name]()
