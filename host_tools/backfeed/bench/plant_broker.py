# SPDX-License-Identifier: MIT
"""An MQTT 3.1.1 broker that the plant serves in virtual time, and the ways in which one can be bad.

`VirtualBoard` links the firmware's socket to it (`Station.tcp`): exact to the microsecond, the same on every run. It
checks what the firmware sends as a broker must and counts it; `BadBroker` behaves badly until it is told to serve.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hil.virtual_board.bridge import split_packets

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 12, 14
ANSWER_US = 2000  # a broker on the same network
SEGMENT_BYTES = 1460  # of TCP over Ethernet
SEGMENTS_A_STEP = 4  # in 10 ms: the receive window of a board's lwIP, filled again and again
QUEUE_STEPS = 100  # of 10 ms


class ProtocolError(Exception):
    """The firmware sent what MQTT 3.1.1 forbids."""


def packet(kind: int, flags: int, body: bytes) -> bytes:
    """Return a whole MQTT packet."""
    length, head = len(body), bytearray([kind << 4 | flags])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | (128 if length else 0))
        if not length:
            return bytes(head) + body


def publication(topic: str, payload: bytes) -> bytes:
    """Return a PUBLISH of QoS 0."""
    name = topic.encode()
    return packet(PUBLISH, 0, len(name).to_bytes(2, "big") + name + payload)


class PlantBroker:
    """Serves one client: greets, acknowledges, counts. `heard`: (t_us, topic, payload) of what was published."""

    def __init__(self) -> None:
        self.listening = True
        self.connects = 0
        self.hung_up_us = 0
        self.heard: list[tuple[int, str, bytes]] = []
        self._now_us = 0
        self._buffer = bytearray()
        self._answers: list[tuple[int, bytes]] = []

    def connected(self, t_us: int) -> None:
        """A new connection."""
        self.connects += 1
        self.hung_up_us = 0
        self._buffer.clear()
        self._answers.clear()

    def receive(self, data: bytes, t_us: int) -> None:
        """Take bytes of the client."""
        self._buffer.extend(data)
        for whole in split_packets(self._buffer):
            self.take(whole, t_us)

    def transmit(self) -> list[tuple[int, bytes]]:
        """Return what is to be sent."""
        due = [answer for answer in self._answers if answer[0] <= self._now_us]
        self._answers = [answer for answer in self._answers if answer[0] > self._now_us]
        return due

    def tick(self, t_us: int) -> None:
        """Time passes; called each step of the exchange."""
        self._now_us = t_us

    def say(self, t_us: int, data: bytes) -> None:
        """Send data to the client."""
        self._answers.append((t_us, data))

    def hang_up(self, t_us: int) -> None:
        """Close this connection."""
        self.hung_up_us = t_us

    def take(self, whole: bytes, t_us: int) -> None:
        """Answer a whole packet as a broker does."""
        kind, flags = whole[0] >> 4, whole[0] & 15
        body = whole[len(whole) - _length(whole) :]
        if kind == CONNECT:
            if body[:7] != b"\x00\x04MQTT\x04":
                raise ProtocolError(f"CONNECT begins with {body[:7]!r}")
            self.say(t_us + ANSWER_US, b"\x20\x02\x00\x00")
        elif kind == SUBSCRIBE:
            self.say(t_us + ANSWER_US, packet(9, 0, body[:2] + b"\x01" * _filters(body)))
        elif kind == PUBLISH:
            self._publish(flags, body, t_us)
        elif kind == PINGREQ:
            self.say(t_us + ANSWER_US, b"\xd0\x00")
        elif kind not in (PUBACK, DISCONNECT):
            raise ProtocolError(f"a client never sends packet type {kind}")

    def _publish(self, flags: int, body: bytes, t_us: int) -> None:
        size = int.from_bytes(body[:2], "big")
        topic, at = body[2 : 2 + size].decode(), 2 + size
        if flags >> 1 & 3:
            self.acknowledge(body[at : at + 2], t_us)
            at += 2
        self.heard.append((t_us, topic, body[at:]))

    def acknowledge(self, packet_id: bytes, t_us: int) -> None:
        """Answer a PUBLISH of QoS 1."""
        self.say(t_us + ANSWER_US, packet(PUBACK, 0, packet_id))

    def messages(self, path: str) -> list[tuple[int, Any]]:
        """Return (t_us, payload) of the JSON messages on backfeed/<id>/path."""
        return [(t_us, json.loads(text)) for t_us, topic, text in self.heard if topic.endswith("/" + path)]


def _length(whole: bytes) -> int:
    """Return the remaining length that a packet's header states."""
    length, shift = 0, 0
    for digit in whole[1:5]:
        length |= (digit & 127) << shift
        shift += 7
        if digit < 128:
            break
    return length


def _filters(body: bytes) -> int:
    """Return how many topic filters a SUBSCRIBE has."""
    count, at = 0, 2
    while at < len(body):
        at += 3 + int.from_bytes(body[at : at + 2], "big")
        count += 1
    return count


class BadBroker(PlantBroker):
    """Behaves badly in one of the ways below until `serve()`. topic: what it floods."""

    def __init__(self, topic: str, way: Callable[[BadBroker, int], None]) -> None:
        super().__init__()
        self.bad = True
        self.topic = topic
        self.mute = False  # takes bytes and says nothing
        self.cut_after = 0  # hangs up after so many packets
        self.puback_us = ANSWER_US
        self._way = way
        self._packets = 0
        self._owed = b""  # rest of a message under way
        self._behind = b""  # what goes after it
        self._next_us = 0

    def serve(self) -> None:
        """Be a good broker from now on; what hangs is left for the client to find out."""
        self.bad = False
        self.listening = True
        self.mute = False
        self.cut_after = 0
        self.puback_us = ANSWER_US
        self.say(self._now_us, self._owed + self._behind)
        self._owed = self._behind = b""

    def connected(self, t_us: int) -> None:
        super().connected(t_us)
        self._packets = 0
        self._owed = self._behind = b""

    def receive(self, data: bytes, t_us: int) -> None:
        if not self.mute:
            super().receive(data, t_us)

    def take(self, whole: bytes, t_us: int) -> None:
        self._packets += 1
        if self.cut_after and self._packets >= self.cut_after:
            self.hang_up(t_us + ANSWER_US)
            return
        super().take(whole, t_us)

    def acknowledge(self, packet_id: bytes, t_us: int) -> None:
        if self._owed:
            self._behind += packet(PUBACK, 0, packet_id)
        else:
            self.say(t_us + self.puback_us, packet(PUBACK, 0, packet_id))

    def tick(self, t_us: int) -> None:
        """Do the bad thing, each 10 ms."""
        super().tick(t_us)
        if self.bad and t_us >= self._next_us:
            self._next_us = t_us + 10_000
            self._way(self, t_us)

    @property
    def unsent(self) -> int:
        """How many pieces wait for the client to read."""
        return len(self._answers)

    @property
    def greeted(self) -> bool:
        """Whether the client of now has sent CONNECT and SUBSCRIBE."""
        return self._packets >= 2 and not self.hung_up_us

    def pour(self, t_us: int, message: bytes) -> None:
        """Send as much of an endless row of messages as fits a step, once the client has taken what was sent."""
        if self._answers:
            return
        room = SEGMENT_BYTES * SEGMENTS_A_STEP
        while len(self._owed) < room:
            self._owed += self._behind + message
            self._behind = b""
        self.say(t_us, self._owed[:room])
        self._owed = self._owed[room:]


def black_hole(broker: BadBroker, _t_us: int) -> None:
    """Accepts the connection and never says a byte."""
    broker.mute = True


def slow_reader(broker: BadBroker, _t_us: int) -> None:
    """Takes 8 s for each acknowledgement: just below what the client bears."""
    broker.puback_us = 8_000_000


def half_open(broker: BadBroker, _t_us: int) -> None:
    """Greets, then is gone without closing."""
    if broker.greeted:
        broker.mute = True


def cut_each_packet(broker: BadBroker, _t_us: int) -> None:
    """Hangs up at the first packet, next time at the second, and so on to the 12th."""
    broker.cut_after = 1 + broker.connects % 12


def refuses(broker: BadBroker, t_us: int) -> None:
    """Nobody listens."""
    broker.listening = False
    if not broker.hung_up_us:
        broker.hang_up(t_us)


def megabyte(broker: BadBroker, t_us: int) -> None:
    """Commands of 1 MB, one after the other, as fast as a board's TCP takes them."""
    if broker.greeted:
        broker.pour(t_us, publication(broker.topic, b"x" * 1_000_000))


def thousand_a_second(broker: BadBroker, t_us: int) -> None:
    """1 000 valid setpoints a second; as brokers do, it drops what a slow client leaves in its queue of 1 000."""
    if broker.greeted and broker.unsent < QUEUE_STEPS:
        broker.say(t_us, publication(broker.topic, b'{"power_w":1000,"duration_s":60}') * 10)


def garbage(broker: BadBroker, t_us: int) -> None:
    """Greets, then packets that no broker sends."""
    if broker.greeted:
        broker.say(t_us, packet(PUBLISH, 6, b"\x00\x05topic"))


WAYS: tuple[Callable[[BadBroker, int], None], ...] = (
    refuses,
    black_hole,
    slow_reader,
    half_open,
    cut_each_packet,
    garbage,
    megabyte,
    thousand_a_second,
)
