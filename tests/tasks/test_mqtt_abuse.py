# SPDX-License-Identifier: MIT
"""Servers that are no brokers: whatever they do, the client says it, bounds it and finds the next broker by itself."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mqtt_peer import fast_station

from backfeed.broker import Broker

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x04\x00\x01\x01\x01"


def silent(link: socket.socket) -> None:
    link.recv(4096)


def closes_at_once(link: socket.socket) -> None:
    link.close()


def closes_after_connect(link: socket.socket) -> None:
    link.recv(4096)
    link.close()


def closes_after_connack(link: socket.socket) -> None:
    link.recv(4096)
    link.sendall(CONNACK)
    link.recv(4096)
    link.close()


def closes_after_suback(link: socket.socket) -> None:
    greet(link)
    link.close()


def refuses(link: socket.socket) -> None:
    link.recv(4096)
    link.sendall(b"\x20\x02\x00\x03")


def half_connack(link: socket.socket) -> None:
    link.recv(4096)
    link.sendall(CONNACK[:3])


def not_a_connack(link: socket.socket) -> None:
    link.recv(4096)
    link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def grants_nothing(link: socket.socket) -> None:
    link.recv(4096)
    link.sendall(CONNACK)
    link.recv(4096)
    link.sendall(b"\x90\x04\x00\x01\x80\x80")


def greet(link: socket.socket) -> None:
    link.recv(4096)
    link.sendall(CONNACK)
    link.recv(4096)
    link.sendall(SUBACK)


def never_acknowledges(link: socket.socket) -> None:
    greet(link)
    while link.recv(4096):
        pass


def never_reads(link: socket.socket) -> None:
    greet(link)  # and then reads no more: our send buffer fills up


def garbage_after_suback(link: socket.socket) -> None:
    greet(link)
    link.sendall(random.Random(5).randbytes(5000))


def half_a_publish(link: socket.socket) -> None:
    greet(link)
    link.sendall(b"\x32\xff\x7f\x00\x05topic")


def acknowledges_nothing(link: socket.socket) -> None:
    """PUBACKs of what was never sent, then a PUBACK of packet 0."""
    greet(link)
    link.sendall(b"\x40\x02\xff\xff\x40\x02\x00\x00" * 50)
    while link.recv(4096):
        pass


def talks_before_the_suback(link: socket.socket) -> None:
    """A retained message may come before the SUBACK; here the SUBACK never comes."""
    link.recv(4096)
    link.sendall(CONNACK)
    link.recv(4096)
    topic = b"backfeed/talks_before_the_suback/command/stop"
    link.sendall(b"\x30" + bytes([2 + len(topic) + 2]) + len(topic).to_bytes(2, "big") + topic + b"{}")


def lying_publish(link: socket.socket) -> None:
    greet(link)
    link.sendall(b"\x30\x04\x00\xffab")


def five_length_bytes(link: socket.socket) -> None:
    greet(link)
    link.sendall(b"\x30\xff\xff\xff\xff\x7f")


def drips(link: socket.socket) -> None:
    """One byte of a huge packet now and then: alive on the wire, dead as a broker."""
    greet(link)
    link.sendall(b"\x30\xff\xff\xff\x7f")
    stop = threading.Event()
    try:
        while not stop.wait(0.2):
            link.sendall(b"\x00")
    except OSError:
        pass


# server -> words of the note that must be said, and longest lateness is checked for all
SERVERS: tuple[tuple[Callable[[socket.socket], None], str], ...] = (
    (silent, "does not answer"),
    (closes_at_once, "failed|closed"),
    (closes_after_connect, "closed|failed"),
    (closes_after_connack, "closed|failed"),
    (closes_after_suback, "closed|failed"),
    (refuses, "server unavailable"),
    (half_connack, "does not answer"),
    (not_a_connack, "instead of CONNACK|does not answer"),
    (grants_nothing, "does not grant"),
    (never_acknowledges, "does not acknowledge|silent"),
    (never_reads, "does not acknowledge|silent|does not read"),
    (garbage_after_suback, "packet|closed|acknowledge|silent"),
    (half_a_publish, "acknowledge|silent"),
    (acknowledges_nothing, "does not acknowledge|silent"),
    (talks_before_the_suback, "does not acknowledge|does not answer|closed"),
    (lying_publish, "topic of 255"),
    (five_length_bytes, "four bytes"),
    (drips, "does not acknowledge"),
)


class Server:
    """Listens on a free port and treats each connection as `behave` does; connections stay open until the end."""

    def __init__(self, behave: Callable[[socket.socket], None]) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._links: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self._links.append(link)
            threading.Thread(target=self._one, args=(link,), daemon=True).start()

    def _one(self, link: socket.socket) -> None:
        try:
            self._behave(link)
        except OSError:
            pass  # the client has had enough

    def close(self) -> None:
        self._listener.close()
        for link in self._links:
            link.close()


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as found:
        yield found


@pytest.mark.parametrize(("behave", "words"), SERVERS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_bad_server_is_left_for_the_next_broker(
    tmp_path: Path, broker: Broker, behave: Callable[[socket.socket], None], words: str
) -> None:
    server = Server(behave)
    hosts = f"127.0.0.1:{server.port},127.0.0.1:{broker.port}"
    settings = {"mqtt_host": hosts, "device_id": behave.__name__, "telemetry_ms": 100}
    try:
        with fast_station(tmp_path, settings, emit_ms=200) as vm:
            report = vm.wait(lambda r: r["mqtt"] == f"online 127.0.0.1:{broker.port}")
            said = " ".join(report["notes"])
            assert any(word in said for word in words.split("|")), report["notes"]
            assert report["restarts"]["mqtt"] == 0
            assert report["lease_received"] == 0
            assert report["late_worst_ms"] < 400, "a blocking step would have held the loop for its whole time limit"
    finally:
        server.close()


def test_a_black_hole_is_given_up_in_time(tmp_path: Path, broker: Broker) -> None:
    hole = socket.socket()
    hole.bind(("127.0.0.1", 0))
    hole.listen(0)
    port = hole.getsockname()[1]
    fillers = []
    for _ in range(4):  # with its queue full, the kernel drops further connection requests without a word
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    settings = {"mqtt_host": f"127.0.0.1:{port},127.0.0.1:{broker.port}", "device_id": "hole"}
    with fast_station(tmp_path, settings) as vm:
        report = vm.wait(lambda r: r["mqtt"] == f"online 127.0.0.1:{broker.port}")
        assert any("no answer to connecting" in note for note in report["notes"])
        assert report["late_worst_ms"] < 400
    for filler in fillers:
        filler.close()
    hole.close()
