# SPDX-License-Identifier: MIT
"""TLS against a real Mosquitto: what is accepted; what is wrong is refused in one line; nothing goes in the clear."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mqtt_peer import ID, Peer, fast_station, online, station

from backfeed import broker as broker_module
from backfeed.broker import Broker, free_port, mosquitto

CONFIG = """listener {{port}} {{host}}
allow_anonymous false
persistence false
user root
password_file {folder}/passwords
cafile {folder}/ca.pem
certfile {folder}/{server}.pem
keyfile {folder}/{server}.key
require_certificate {client}
"""
AUTHORITY = """[ca]
default_ca = all
[all]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
x509_extensions = names
unique_subject = no
[any]
commonName = supplied
[names]
subjectAltName = DNS:{name}
"""
TLS = {"mqtt_host": "localhost", "mqtt_tls": 1, "mqtt_user": "station", "mqtt_password": "s3cret"}
DAY = "{}0101000000Z"
# name -> (signed by, host name, first and last year)
CERTIFICATES = {
    "server": ("ca", "localhost", 2020, 2049),
    "expired": ("ca", "localhost", 2020, 2021),
    "elsewhere": ("ca", "broker.example", 2020, 2049),
    "client": ("ca", "station", 2020, 2049),
    "stranger": ("other", "station", 2020, 2049),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two authorities, certificates as in CERTIFICATES (PEM and DER), and a password file."""
    if mosquitto() is None or shutil.which("openssl") is None:
        pytest.skip("needs mosquitto and openssl")
    folder = tmp_path_factory.mktemp("ca")
    for authority in ("ca", "other"):
        key = ("-keyout", f"{authority}.key", "-out", f"{authority}.pem", "-subj", f"/CN={authority}")
        openssl(folder, "req", "-x509", *CURVE, *key, "-days", "30")
        openssl(folder, "x509", "-in", f"{authority}.pem", "-outform", "DER", "-out", f"{authority}.der")
    for name, (authority, host, first, last) in CERTIFICATES.items():
        sign(folder, name, authority, host, first, last)
    (folder / "passwords").write_text("")
    subprocess.run(["mosquitto_passwd", "-b", "-c", "passwords", "station", "s3cret"], cwd=folder, check=True)
    (folder / "passwords").chmod(0o644)
    return folder


CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def sign(folder: Path, name: str, authority: str, host: str, first: int, last: int) -> None:
    (folder / "config").write_text(AUTHORITY.format(folder=folder, name=host))
    (folder / "index").write_text("")
    (folder / "serial").write_text("%04x" % (0x1000 + len(name)))
    openssl(folder, "req", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}")
    openssl(
        folder, "ca", "-batch", "-notext", "-config", "config", "-in", f"{name}.csr", "-out", f"{name}.pem",
        "-cert", f"{authority}.pem", "-keyfile", f"{authority}.key",
        "-startdate", DAY.format(first), "-enddate", DAY.format(last),
    )  # fmt: skip
    openssl(folder, "x509", "-in", f"{name}.pem", "-outform", "DER", "-out", f"{name}.der")
    openssl(folder, "ec", "-in", f"{name}.key", "-outform", "DER", "-out", f"{name}.key.der")


@contextmanager
def guarded(made: Path, server: str = "server", client: str = "false", port: int = 0) -> Iterator[Broker]:
    """A Mosquitto that asks for TLS and a password, and for a client's certificate where client is "true"."""
    with pytest.MonkeyPatch.context() as patch:
        config = CONFIG.format(folder=made, server=server, client=client)
        patch.setattr(broker_module, "MOSQUITTO_CONFIG", config)
        with Broker(port=port) as broker:
            yield broker


def install(made: Path, home: Path, ca: str = "ca", client: str = "") -> Path:
    """Put what the station needs into its certs/; return home."""
    certs = home / "certs"
    certs.mkdir(parents=True)
    if ca:
        shutil.copy(made / f"{ca}.der", certs / "ca.der")
    if client:
        shutil.copy(made / f"{client}.der", certs / "client.der")
        shutil.copy(made / f"{client}.key.der", certs / "client.key")
    return home


@pytest.mark.parametrize("client", ["", "client"], ids=["server certificate", "mutual"])
def test_tls_with_password(tmp_path: Path, made: Path, client: str) -> None:
    tls = {"ca_certs": made / "ca.pem", "certfile": made / "client.pem", "keyfile": made / "client.key"}
    options: dict[str, Any] = {
        "tls": {key: str(value) for key, value in tls.items()},
        "user": "station",
        "password": "s3cret",
    }
    home = install(made, tmp_path / "home", "ca", client)
    asks = "true" if client else "false"
    with guarded(made, client=asks) as broker, Peer(broker, **options) as peer, station(home, broker, **TLS) as vm:
        vm.wait(online)
        answer = peer.ask("command/setpoint", {"id": "t", "power_w": 500, "duration_s": 5})
        assert answer["result"] == "accepted"


# broker's certificate, whether it asks for one, the station's authority and certificate, settings; words, on record
REFUSED: dict[str, tuple[str, str, str, str, dict[str, Any], str, str]] = {
    "wrong password": ("server", "false", "ca", "", {"mqtt_password": "wrong"}, "not authorised", "not_authorised"),
    "unknown authority": ("server", "false", "other", "", {}, "not correctly signed by the trusted ca", "tls"),
    "expired": ("expired", "false", "ca", "", {}, "validity has expired", "tls"),
    "wrong host name": ("elsewhere", "false", "ca", "", {}, "does not match with the expected cn", "tls"),
    "no certificate of ours": ("server", "true", "ca", "", {}, "tls", "tls"),
    "a stranger's certificate": ("server", "true", "ca", "stranger", {}, "tls", "tls"),
    "no authority": ("server", "false", "", "", {}, "tls needs certs/ca.der", "tls"),
    "our TLS is off": ("server", "false", "ca", "", {"mqtt_tls": 0}, "failed|closed", ""),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=list(REFUSED))
def test_what_one_end_refuses_is_said_and_on_record(
    tmp_path: Path, made: Path, case: tuple[str, str, str, str, dict[str, Any], str, str]
) -> None:
    server, asks, ca, client, change, words, record = case
    home = install(made, tmp_path / "home", ca, client)
    with guarded(made, server, asks) as broker, station(home, broker, **{**TLS, **change}) as vm:
        report = vm.wait(lambda r: sum("next try" in note for note in r["notes"]) >= 3)
        said = [note for note in report["notes"] if "next try" in note]
        assert any(word in said[0].lower() for word in words.split("|")), said[0]
        assert report["connects"] == 0
        assert report["restarts"]["mqtt"] == 0
        refusals = [event for event in report["journal"] if "broker_refused" in event]
        assert len(refusals) == bool(record), "once, not at each try"
        assert all(f"broker_refused {record}" in event for event in refusals)


def test_a_refused_broker_is_left_for_the_next_and_a_mended_one_is_found_again(tmp_path: Path, made: Path) -> None:
    home = install(made, tmp_path / "home")
    port = free_port()
    with guarded(made, "expired", port=port) as bad, guarded(made) as good:
        hosts = f"localhost:{bad.port},localhost:{good.port}"
        with station(home, good, **{**TLS, "mqtt_host": hosts}) as vm:
            vm.wait(lambda r: r["mqtt"] == f"online localhost:{good.port}")
            bad.stop()
            good.stop()
            vm.wait(lambda r: r["mqtt"].startswith("waiting"))
            with guarded(made, "server", port=port):
                report = vm.wait(lambda r: r["mqtt"] == f"online localhost:{port}")
                assert report["restarts"]["mqtt"] == 0


def silent(link: socket.socket) -> bytes:
    return b""


def closes(link: socket.socket) -> bytes:
    link.close()
    return b""


def speaks_plain_mqtt(link: socket.socket) -> bytes:
    link.sendall(b"\x20\x02\x00\x00")
    return b""


def alerts(link: socket.socket) -> bytes:
    link.sendall(b"\x15\x03\x03\x00\x02\x02\x46")  # protocol_version
    return b""


@pytest.mark.parametrize("behave", [silent, closes, speaks_plain_mqtt, alerts], ids=lambda case: case.__name__)
def test_nothing_ever_goes_out_in_the_clear(
    tmp_path: Path, made: Path, behave: Callable[[socket.socket], bytes]
) -> None:
    home = install(made, tmp_path / "home")
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    links: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                link, _ = listener.accept()
                links.append(link)
                heard.append(link.recv(4096))
                behave(link)
            except OSError:
                if listener.fileno() < 0:
                    return

    threading.Thread(target=serve, daemon=True).start()
    port = listener.getsockname()[1]
    settings = {**TLS, "mqtt_host": f"localhost:{port}", "mqtt_port": port}
    try:
        with station(home, None, **settings) as vm:
            report = vm.wait(lambda r: len(heard) >= 3)
            assert report["connects"] == 0
    finally:
        listener.close()
        for link in links:
            link.close()
    for first in heard:
        assert first[:2] == b"\x16\x03", "a TLS record that opens a handshake"
        assert b"MQTT" not in first and b"s3cret" not in first and b"station" not in first


def test_a_handshake_waits_while_power_flows_on_a_port_that_it_would_stall(tmp_path: Path, made: Path) -> None:
    home = install(made, tmp_path / "home")
    with guarded(made) as broker:
        chosen = {**TLS, "mqtt_host": "127.0.0.1", "mqtt_port": broker.port, "device_id": ID}
        with fast_station(home, chosen, PLAIN_PORT="esp32", PLAIN_CONTACTOR="1") as vm:
            report = vm.wait(lambda r: r["cycles"] > 100)
            assert report["mqtt"] == "starting TLS waits until no power flows"
            assert report["connects"] == 0
