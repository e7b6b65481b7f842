# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""MQTT 3.1.1 packets: bytes as the standard's examples have them, bounds, and streams cut anywhere."""

import random

from evse.link import mqtt_packet as mqtt


def _stream(data, buffer_size=64, seed=1):
    """Feed data in random cuts; return [(kind, flags, length, body kept)]."""
    generator = random.Random(seed) if hasattr(random, "Random") else random
    if generator is random:
        random.seed(seed)
    incoming = mqtt.Incoming(bytearray(buffer_size))
    at = 0
    found = []
    while at < len(data):
        count = 1 + generator.getrandbits(4) % min(incoming.wanted(), 16) if incoming.wanted() > 1 else 1
        count = min(count, incoming.wanted(), len(data) - at)
        if incoming.take(data[at : at + count]):
            found.append((incoming.kind, incoming.flags, incoming.length, bytes(incoming.body[: incoming.kept])))
        at += count
    return found


def _refused(function, *arguments):
    try:
        function(*arguments)
    except mqtt.PacketError as error:
        return str(error)
    raise AssertionError("accepted")


def test_connect_bytes():
    buffer = bytearray(64)
    size = mqtt.connect(buffer, b"a", 60, b"u", b"pw", (b"t", b"off"))
    expected = b"\x10\x1c\x00\x04MQTT\x04\xee\x00\x3c\x00\x01a\x00\x01t\x00\x03off\x00\x01u\x00\x02pw"
    assert size == len(expected)
    assert bytes(buffer[:size]) == expected


def test_connect_without_user_or_will():
    buffer = bytearray(64)
    size = mqtt.connect(buffer, b"id", 30, b"", b"", None)
    assert bytes(buffer[:size]) == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x1e\x00\x02id"


def test_publish_bytes():
    buffer = bytearray(64)
    size = mqtt.publish(buffer, b"a/b", b"hi")
    assert bytes(buffer[:size]) == b"\x30\x07\x00\x03a/bhi"
    size = mqtt.publish(buffer, b"a/b", b"hi", 0x1234, True)
    assert bytes(buffer[:size]) == b"\x33\x09\x00\x03a/b\x12\x34hi"


def test_subscribe_puback_and_empty_bytes():
    buffer = bytearray(64)
    size = mqtt.subscribe(buffer, 10, (b"a/b", b"c/#"))
    assert bytes(buffer[:size]) == b"\x82\x0e\x00\x0a\x00\x03a/b\x01\x00\x03c/#\x01"
    size = mqtt.puback(buffer, 0xABCD)
    assert bytes(buffer[:size]) == b"\x40\x02\xab\xcd"
    size = mqtt.empty(buffer, mqtt.PINGREQ)
    assert bytes(buffer[:size]) == b"\xc0\x00"


def test_remaining_length_at_each_boundary():
    for payload in (0, 122, 123, 124, 16378, 16379, 16380):
        buffer = bytearray(payload + 16)
        size = mqtt.publish(buffer, b"abc", bytes(payload))
        remaining = payload + 5
        head = 2 if remaining < 128 else 3 if remaining < 16384 else 4
        assert size == head + remaining
        found = _stream(bytes(buffer[:size]), 20000)
        assert len(found) == 1
        assert found[0][2] == remaining


def test_too_small_a_buffer_is_refused_and_left_alone():
    for size in range(20):
        buffer = bytearray(size)
        text = _refused(mqtt.publish, buffer, b"topic", b"payload of 19 bytes")
        assert "does not fit" in text
        assert buffer == bytearray(size)


def test_round_trip_in_random_pieces():
    out = bytearray(200)
    data = b""
    for packet_id in range(40):
        size = mqtt.publish(out, b"t/%d" % packet_id, b"x" * packet_id, packet_id, packet_id % 2 == 1)
        data += bytes(out[:size])
    for seed in range(20):
        incoming = mqtt.Incoming(bytearray(100))
        found = _stream(data, 100, seed)
        assert len(found) == 40
        for packet_id, (kind, flags, length, body) in enumerate(found):
            incoming.kind, incoming.flags, incoming.length, incoming.kept = kind, flags, length, len(body)
            incoming.body[: len(body)] = body
            topic, read_id, retain, start = mqtt.read_publish(incoming)
            assert topic == b"t/%d" % packet_id
            assert read_id == packet_id
            assert retain == (packet_id % 2 == 1)
            assert body[start:] == b"x" * packet_id


def test_oversize_body_keeps_its_beginning_and_the_stream_goes_on():
    out = bytearray(4000)
    size = mqtt.publish(out, b"topic", b"y" * 3000, 7)
    data = bytes(out[:size]) + b"\xd0\x00"
    found = _stream(data, 32)
    assert [row[0] for row in found] == [mqtt.PUBLISH, mqtt.PINGRESP]
    assert found[0][2] == 3009
    assert len(found[0][3]) == 32
    assert found[0][3][:9] == b"\x00\x05topic\x00\x07"


def test_five_length_bytes_are_refused():
    incoming = mqtt.Incoming(bytearray(8))
    for byte in b"\x30\xff\xff\xff":
        incoming.take(bytes([byte]))
    assert "four bytes" in _refused(incoming.take, b"\xff")


def test_lying_publish_is_refused():
    for data, text in (
        (b"\x30\x00", "without a topic"),
        (b"\x30\x01\x00", "without a topic"),
        (b"\x30\x03\x00\x09a", "topic of 9"),
        (b"\x32\x03\x00\x01a", "topic of 1"),
        (b"\x32\x05\x00\x01a\x00\x00", "packet id 0"),
        (b"\x36\x05\x00\x01a\x00\x01", "QoS 3"),
    ):
        incoming = mqtt.Incoming(bytearray(32))
        for at in range(len(data)):
            incoming.take(data[at : at + 1])
        assert text in _refused(mqtt.read_publish, incoming), data


def test_connack_and_suback():
    incoming = mqtt.Incoming(bytearray(8))
    for byte in b"\x20\x02\x00\x05":
        incoming.take(bytes([byte]))
    assert mqtt.connack(incoming) == 5
    for byte in b"\x90\x04\x00\x01\x01\x80":
        incoming.take(bytes([byte]))
    assert mqtt.packet_id_of(incoming) == 1
    assert not mqtt.subscribed(incoming)
    assert "instead of CONNACK" in _refused(mqtt.connack, incoming)


def test_random_bytes_never_escape():
    random.seed(3)
    for _ in range(400):
        incoming = mqtt.Incoming(bytearray(24))
        for _ in range(60):
            try:
                if incoming.take(bytes([random.getrandbits(8)])):
                    for read in (mqtt.read_publish, mqtt.packet_id_of, mqtt.connack, mqtt.subscribed):
                        try:
                            read(incoming)
                        except mqtt.PacketError:
                            pass
            except mqtt.PacketError:
                break
        assert incoming.kept <= 24
