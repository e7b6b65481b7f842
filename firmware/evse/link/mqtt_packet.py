# SPDX-License-Identifier: MIT
"""MQTT 3.1.1 packets on buffers the caller owns. No I/O, no sockets, no clock.

Writers put one whole packet at the start of `buffer` and return its length in bytes; PacketError
when it does not fit. `Incoming` takes a byte stream apart piece by piece, keeps at most its buffer
and counts the rest of a packet that is larger. Clauses are those of the OASIS MQTT 3.1.1 text.
"""

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 12, 13, 14

REFUSALS = (
    "accepted",
    "protocol version refused",
    "client id refused",
    "server unavailable",
    "bad user or password",
    "not authorised",
)

REMAINING_MAX = 268435455  # 2.2.3: four length bytes


class PacketError(ValueError):
    """A packet that cannot be written or is not MQTT 3.1.1; the text says why."""


def _head(buffer, first: int, remaining: int) -> int:
    """Write the fixed header; return where the body starts."""
    size = 2
    limit = 128
    while remaining >= limit:
        size += 1
        limit <<= 7
    if size > 5 or size + remaining > len(buffer):
        raise PacketError("packet of %d bytes does not fit in %d" % (size + remaining, len(buffer)))
    buffer[0] = first
    at = 1
    while True:
        digit = remaining & 0x7F
        remaining >>= 7
        buffer[at] = digit | 0x80 if remaining else digit
        at += 1
        if not remaining:
            return at


def _word(buffer, at: int, value: int) -> int:
    buffer[at] = value >> 8
    buffer[at + 1] = value & 0xFF
    return at + 2


def _field(buffer, at: int, data: bytes) -> int:
    """Write a length-prefixed field (1.5.3); return the position after it."""
    if len(data) > 65535:
        raise PacketError("field of %d bytes; MQTT allows 65535" % len(data))
    at = _word(buffer, at, len(data))
    buffer[at : at + len(data)] = data
    return at + len(data)


def connect(buffer, client: bytes, keep_alive_s: int, user: bytes, password: bytes, will) -> int:
    """Write CONNECT with a clean session. will: (topic, payload), sent with QoS 1 and retained, or None.

    keep_alive_s: 0..65535. user empty: no credentials.
    """
    flags = 0x02
    remaining = 10 + 2 + len(client)
    if will is not None:
        flags |= 0x04 | 0x08 | 0x20
        remaining += 4 + len(will[0]) + len(will[1])
    if user:
        flags |= 0xC0
        remaining += 4 + len(user) + len(password)
    at = _head(buffer, CONNECT << 4, remaining)
    at = _field(buffer, at, b"MQTT")
    buffer[at] = 4  # protocol level of 3.1.1
    buffer[at + 1] = flags
    at = _word(buffer, at + 2, keep_alive_s)
    at = _field(buffer, at, client)
    if will is not None:
        at = _field(buffer, at, will[0])
        at = _field(buffer, at, will[1])
    if user:
        at = _field(buffer, at, user)
        at = _field(buffer, at, password)
    return at


def publish(buffer, topic: bytes, payload, packet_id: int = 0, retain: bool = False) -> int:
    """Write PUBLISH: QoS 1 when packet_id is 1..65535, else QoS 0."""
    first = PUBLISH << 4
    remaining = 2 + len(topic) + len(payload)
    if packet_id:
        first |= 0x02
        remaining += 2
    if retain:
        first |= 0x01
    at = _head(buffer, first, remaining)
    at = _field(buffer, at, topic)
    if packet_id:
        at = _word(buffer, at, packet_id)
    buffer[at : at + len(payload)] = payload
    return at + len(payload)


def subscribe(buffer, packet_id: int, topics, qos: int = 1) -> int:
    """Write SUBSCRIBE for each topic filter with one QoS."""
    remaining = 2
    for topic in topics:
        remaining += 3 + len(topic)
    at = _head(buffer, SUBSCRIBE << 4 | 0x02, remaining)
    at = _word(buffer, at, packet_id)
    for topic in topics:
        at = _field(buffer, at, topic)
        buffer[at] = qos
        at += 1
    return at


def puback(buffer, packet_id: int) -> int:
    """Write PUBACK."""
    return _word(buffer, _head(buffer, PUBACK << 4, 2), packet_id)


def empty(buffer, kind: int) -> int:
    """Write a packet that is its header only: PINGREQ, DISCONNECT."""
    return _head(buffer, kind << 4, 0)


class Incoming:
    """One packet at a time out of a byte stream.

    Read `wanted()` bytes from the stream, hand them to `take`; when it returns True the packet's
    kind, flags, length (of its body) and body are there, until the next `take`. A body larger than
    the buffer keeps its beginning: `kept` bytes of `length`.
    """

    def __init__(self, buffer):
        self.body = buffer
        self._start()

    def _start(self) -> None:
        self.kind = 0
        self.flags = 0
        self.length = 0
        self.kept = 0
        self._seen = 0
        self._shift = 0
        self._state = 0  # 0 first byte, 1 length bytes, 2 body, 3 whole

    def wanted(self) -> int:
        """Return how many bytes the packet still lacks at most (1 within the header)."""
        if self._state == 2:
            return self.length - self._seen
        return 1

    def take(self, data) -> bool:
        """Take bytes, never more than wanted(); return True when a packet is whole."""
        if self._state == 3:
            self._start()
        if self._state == 2:
            return self._take_body(data)
        if len(data) != 1:
            raise PacketError("header is read byte by byte, got %d" % len(data))
        if self._state == 0:
            self.kind = data[0] >> 4
            self.flags = data[0] & 0x0F
            self._state = 1
            return False
        return self._take_length(data[0])

    def _take_length(self, digit: int) -> bool:
        self.length |= (digit & 0x7F) << self._shift
        self._shift += 7
        if digit & 0x80:
            if self._shift >= 28:
                raise PacketError("remaining length is longer than four bytes")
            return False
        self._state = 2 if self.length else 3
        return self.length == 0

    def _take_body(self, data) -> bool:
        count = len(data)
        if count > self.length - self._seen:
            raise PacketError("%d bytes after the end of a packet" % (count - self.length + self._seen))
        room = min(count, len(self.body) - self.kept)
        if room > 0:
            self.body[self.kept : self.kept + room] = data[:room] if room < count else data
            self.kept += room
        self._seen += count
        if self._seen < self.length:
            return False
        self._state = 3
        return True

    @property
    def overflowing(self) -> bool:
        """Whether the rest of a body larger than the buffer is under way."""
        return self._state == 2 and self.kept == len(self.body)

    @property
    def whole(self) -> bool:
        """Whether the body fitted in the buffer."""
        return self.kept == self.length


def packet_id_of(incoming: Incoming) -> int:
    """Return the packet id of a PUBACK or SUBACK."""
    if incoming.length < 2 or incoming.kept < 2:
        raise PacketError("acknowledgement of %d bytes has no packet id" % incoming.length)
    return incoming.body[0] << 8 | incoming.body[1]


def connack(incoming: Incoming) -> int:
    """Return the code of a CONNACK: 0 accepted, else an index of REFUSALS."""
    if incoming.kind != CONNACK or incoming.length != 2:
        raise PacketError("broker answered with packet type %d instead of CONNACK" % incoming.kind)
    return incoming.body[1]


def subscribed(incoming: Incoming) -> bool:
    """Return whether a SUBACK granted every filter (3.9.3: 0x80 is failure)."""
    for at in range(2, incoming.kept):
        if incoming.body[at] & 0x80:
            return False
    return incoming.length > 2


def read_publish(incoming: Incoming):
    """Take a PUBLISH apart: (topic bytes, packet id or 0, retain, payload start within body).

    The payload ends at incoming.kept; incoming.whole says whether that is all of it.
    """
    body = incoming.body
    qos = incoming.flags >> 1 & 3
    if qos == 3:
        raise PacketError("QoS 3 does not exist")
    if incoming.kept < 2:
        raise PacketError("PUBLISH without a topic")
    size = body[0] << 8 | body[1]
    start = 2 + size
    need = start + (2 if qos else 0)
    if need > incoming.kept:
        raise PacketError("PUBLISH with a topic of %d bytes in a packet of %d" % (size, incoming.length))
    packet_id = 0
    if qos:
        packet_id = body[start] << 8 | body[start + 1]
        if not packet_id:
            raise PacketError("PUBLISH with packet id 0")
        start += 2
    return bytes(body[2 : 2 + size]), packet_id, bool(incoming.flags & 1), start
