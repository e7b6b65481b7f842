# SPDX-License-Identifier: MIT
"""MQTT 3.1.1 client task: telemetry, state, events and settings out, commands in; never in the cycle's way.

Every step is bounded in time; brokers are tried in the order of `mqtt_host`; after a failure it waits
1 s doubling to 60 s, with jitter. `state` says in words what it does. Topics and payloads: docs of
link/telemetry.py and tasks/README.md.
"""

import asyncio
import gc
from time import ticks_add, ticks_diff, ticks_ms

from evse.faults import (
    BROKER_NOT_AUTHORISED,
    BROKER_OK,
    BROKER_PASSWORD,
    BROKER_SUBSCRIPTION,
    EVENT_BROKER_REFUSED,
)
from evse.link import mqtt_packet as packet
from evse.link.crc import crc32
from evse.tasks.mqtt_inbox import Inbox
from evse.tasks.mqtt_link import Link, LinkError, is_numeric, resolve, tls_context
from evse.tasks.mqtt_outbox import LATER, NONE, Outbox

KEEP_ALIVE_S = 30
PING_MS = 15000  # silence of ours before a ping
DEAD_MS = 10000  # the broker's silence after a ping, or before a PUBACK
BACKOFF_MS = 1000
BACKOFF_MAX_MS = 60000
STEADY_MS = 30000  # a connection this old starts the back-off over
ANSWER_MS = 5000  # for a CONNACK
SUBACK_MS = 30000  # for a SUBACK: a large retained message may stand before it
TURN_MS = 1000  # longest sleep of the sender
SLASH = 47  # first byte of a topic that does not begin with ours
FLOOD_PATIENCE = 6  # times DEAD_MS for a PUBACK that stands behind a flood of other packets
TX_BYTES = 2304  # a payload, its topic and the header
RX_BYTES = 768
PUBACKS_MAX = 16
FLOOD_PAUSE_MS = 10  # before a flood's next packet: what is beyond the rate waits in the broker, not in the processor
REFUSALS = {4: BROKER_PASSWORD, 5: BROKER_NOT_AUTHORISED}  # CONNACK's code -> for the record


def brokers(hosts: str, port: int):
    """Return [(host, port)] of `a,b:1884`; ValueError with one line when an entry is wrong."""
    found = []
    for entry in hosts.split(","):
        host, _colon, own = entry.strip().partition(":")
        if not host or (own and not (own.isdigit() and 0 < int(own[:6]) < 65536)):
            raise ValueError("mqtt_host entry '%s'; give host or host:port, separated by commas" % entry[:40])
        found.append((host, int(own) if own else port))
    return found


def check_id(device_id: str) -> None:
    """ValueError when a device id cannot stand in a topic."""
    for character in device_id:
        if character in "+#/$ ":
            raise ValueError("device_id '%s' has '%s'; use letters, digits, - and _" % (device_id, character))


class MqttTask:
    """The client. Listener of the journal task for events."""

    name = "mqtt"
    critical = False
    patience_ms = 60000

    def __init__(self, station):
        self._station = station
        self.outbox = Outbox(station)
        self.inbox = Inbox(station, self.outbox)
        self.state = "off"
        self.connects = 0
        self.beat_ms = ticks_ms()
        self._tx = bytearray(TX_BYTES)
        self._view = memoryview(self._tx)
        self._rx = bytearray(RX_BYTES)
        self._wake = asyncio.Event()
        self.outbox.wake = self._wake.set
        self._known = {}  # (host, port) -> address, so that a reconnect needs no DNS
        self._turn = 0  # which broker is next
        self._failures = 0
        self._random = crc32(station.settings.device_id.encode()) & 0x3FFFFFFF
        self._packet_id = 0
        self._flying = 0  # packet id in flight
        self._flying_kind = NONE
        self._flying_ms = 0
        self._pubacks = []
        self._base = b""  # topic of this station
        self._proved = False  # this broker has acknowledged something
        self._pinged = False
        self._pinged_ms = 0
        self._ended = None  # why the receiver stopped
        self._refused = []  # (why, broker) that are on record

    def _distrusted(self, error) -> None:
        """Put on record that a broker and this station refuse each other: once, until one of them is online."""
        refusal = getattr(error, "refusal", BROKER_OK)
        place = (self._turn - 1) % len(self._station.settings.mqtt_host.split(","))
        if refusal and (refusal, place) not in self._refused:
            self._refused.append((refusal, place))
            self._station.record(EVENT_BROKER_REFUSED, refusal, place)

    def event(self, row) -> None:
        """Take an event from the journal task."""
        self.outbox.event(row)

    async def run(self) -> None:
        """Connect, serve, wait, for ever."""
        while True:
            self.beat_ms = ticks_ms()
            if not self._station.settings.mqtt_host:
                self.state = "off"
                await asyncio.sleep_ms(TURN_MS)
                continue
            signature = self._signature()
            started_ms = ticks_ms()
            try:
                await self._session(signature)
                why = "settings changed"
            except (LinkError, packet.PacketError, ValueError) as error:
                why = str(error)
                self._distrusted(error)
            if ticks_diff(ticks_ms(), started_ms) > STEADY_MS or why == "settings changed":
                self._failures = 0
            await self._wait(why, signature)

    def _signature(self):
        s = self._station.settings
        return (s.mqtt_host, s.mqtt_port, s.mqtt_user, s.mqtt_password, s.mqtt_tls, s.device_id)

    def _backoff_ms(self) -> int:
        """Return the next wait: doubling, then between half and all of it by a seeded sequence."""
        span_ms = min(BACKOFF_MS << min(self._failures, 6), BACKOFF_MAX_MS)
        self._random = (self._random * 1103515245 + 12345) & 0x3FFFFFFF
        return span_ms // 2 + (self._random >> 8) % (span_ms // 2)

    async def _wait(self, why: str, signature) -> None:
        wait_ms = self._backoff_ms()
        self._failures += 1
        self._station.notes.say("mqtt", "%s; next try in %d ms" % (why, wait_ms))
        started_ms = ticks_ms()
        while ticks_diff(ticks_ms(), started_ms) < wait_ms and signature == self._signature():
            left_ms = wait_ms - ticks_diff(ticks_ms(), started_ms)
            self.state = "waiting %d s: %s" % ((left_ms + 999) // 1000, why)
            self.beat_ms = ticks_ms()
            await asyncio.sleep_ms(max(1, min(left_ms, TURN_MS)))

    async def _session(self, signature) -> None:
        """One connection from start to end; returns when the settings changed, raises when it failed."""
        settings = self._station.settings
        choices = brokers(settings.mqtt_host, settings.mqtt_port)
        check_id(settings.device_id)
        self._base = b"backfeed/%s/" % settings.device_id.encode()
        host, port = choices[self._turn % len(choices)]
        self._turn += 1
        link = Link(self._rx)
        receiver = None
        self._flying = 0
        self._pubacks = []
        try:
            address = await self._address(host, port)
            context = await self._tls() if settings.mqtt_tls else None
            self.state = "connecting to %s:%d" % (host, port)
            await link.open(address, host, context)
            await self._greet(link)
            self._begin(host, port)
            receiver = asyncio.create_task(self._receive(link))
            await self._serve(link, signature)
        finally:
            if receiver is not None:
                receiver.cancel()
            link.close()

    def _begin(self, host: str, port: int) -> None:
        self.state = "online %s:%d" % (host, port)
        self._station.notes.say("mqtt", self.state)
        self.connects += 1
        self._refused = []
        self._pinged = False
        self._proved = False
        self._ended = None
        self.outbox.connected()

    async def _address(self, host: str, port: int):
        """Return the broker's address; asks DNS only while a stall is harmless, else takes the last answer."""
        key = (host, port)
        if not is_numeric(host) and not self._station.may_stall():
            if key in self._known:
                return self._known[key]
            await self._harmless("looking up %s" % host)
        self.state = "looking up %s" % host
        self._known[key] = resolve(host, port)
        return self._known[key]

    async def _tls(self):
        await self._harmless("starting TLS")
        return tls_context()

    async def _harmless(self, what: str) -> None:
        while not self._station.may_stall():
            self.state = "%s waits until no power flows" % what
            self.beat_ms = ticks_ms()
            await asyncio.sleep_ms(TURN_MS)

    async def _greet(self, link) -> None:
        """CONNECT, SUBSCRIBE; raises with the broker's own reason."""
        settings = self._station.settings
        base = self._base
        will = (base + b"availability", b"offline")
        length = packet.connect(
            self._tx,
            settings.device_id.encode(),
            KEEP_ALIVE_S,
            settings.mqtt_user.encode(),
            settings.mqtt_password.encode(),
            will,
        )
        await link.send(self._view[:length])
        await link.answer(ANSWER_MS)
        code = packet.connack(link.incoming)
        if code:
            text = packet.REFUSALS[code] if code < len(packet.REFUSALS) else "code %d" % code
            raise LinkError("broker refused: %s" % text, REFUSALS.get(code, BROKER_OK))
        topics = (base + b"command/+", base + b"set/+", base + b"meter")
        await link.send(self._view[: packet.subscribe(self._tx, self._next_id(), topics)])
        await self._suback(link)
        if not packet.subscribed(link.incoming):
            raise LinkError(
                "broker does not grant the subscription to %scommand/+" % base.decode(), BROKER_SUBSCRIPTION
            )

    async def _suback(self, link) -> None:
        """Wait for the SUBACK; messages may come before it (3.8.4)."""
        started_ms = ticks_ms()
        while True:
            await link.answer(SUBACK_MS - ticks_diff(ticks_ms(), started_ms))
            if link.incoming.kind == packet.SUBACK:
                return
            self._take(link.incoming)
            await self._breathe()

    async def _breathe(self) -> None:
        """Everybody else's turn after a packet; longer in a flood."""
        await asyncio.sleep_ms(FLOOD_PAUSE_MS if self.inbox.flooded else 0)

    def _next_id(self) -> int:
        self._packet_id = self._packet_id % 65535 + 1
        return self._packet_id

    async def _receive(self, link) -> None:
        """Take packets until the connection ends; runs beside the sender."""
        try:
            while self._ended is None:
                await link.receive()
                self._pinged = False
                self._take(link.incoming)
                await self._breathe()
        except (LinkError, packet.PacketError) as error:
            self._ended = str(error)
        except MemoryError:
            gc.collect()
            self._ended = "not enough memory for what the broker sends"
        finally:
            if self._ended is None:
                self._ended = "receiver stopped"
            self._wake.set()

    def _take(self, incoming) -> None:
        kind = incoming.kind
        if kind == packet.PUBLISH:
            self._publish_in(incoming)
        elif kind == packet.PUBACK:
            if self._flying and packet.packet_id_of(incoming) == self._flying:
                self._flying = 0
                self._prove()
                self.outbox.done(self._flying_kind)
                self._wake.set()
        elif kind not in (packet.PINGRESP, packet.SUBACK):
            raise packet.PacketError("broker sent packet type %d, which a client never gets" % kind)

    def _prove(self) -> None:
        """A broker that has acknowledged something stays first choice; greeting alone is no proof."""
        if not self._proved:
            self._proved = True
            self._turn -= 1

    def _publish_in(self, incoming) -> None:
        topic, packet_id, retain, start = packet.read_publish(incoming)
        if packet_id:
            if len(self._pubacks) >= PUBACKS_MAX:
                raise packet.PacketError("more than %d messages unacknowledged" % PUBACKS_MAX)
            self._pubacks.append(packet_id)
            self._wake.set()
        if not self.inbox.admit():
            return
        base = self._base
        payload = bytes(memoryview(incoming.body)[start : incoming.kept])
        try:
            path = topic[len(base) :].decode() if topic.startswith(base) else "?"
        except ValueError:
            path = "?"  # not UTF-8
        self.inbox.message(path, payload, retain, incoming.whole, bool(incoming.flags & 8))

    async def _serve(self, link, signature) -> None:
        """Send what waits, telemetry when due, pings; until the link fails or the settings change."""
        due_ms = ticks_ms()
        while signature == self._signature():
            self.beat_ms = ticks_ms()
            if self._ended is not None:
                raise LinkError(self._ended)
            self._wake.clear()
            await self._send_pubacks(link)
            await self._send_next(link)
            due_ms = await self._send_telemetry(link, due_ms)
            await self._keep_alive(link)
            sleep_ms = max(1, min(ticks_diff(due_ms, ticks_ms()), TURN_MS))
            try:
                await asyncio.wait_for_ms(self._wake.wait(), sleep_ms)
            except asyncio.TimeoutError:  # noqa: UP041 (not the builtin on MicroPython)
                pass  # time for telemetry or a ping
        await link.send(self._view[: packet.empty(self._tx, packet.DISCONNECT)])

    async def _send_pubacks(self, link) -> None:
        while self._pubacks:
            await link.send(self._view[: packet.puback(self._tx, self._pubacks.pop(0))])

    async def _send_next(self, link) -> None:
        """Send the next QoS 1 message if none is in flight."""
        if self._flying:
            now_ms = ticks_ms()
            silent = ticks_diff(now_ms, link.heard_ms) > DEAD_MS
            patience_ms = DEAD_MS if silent else DEAD_MS * FLOOD_PATIENCE
            if ticks_diff(now_ms, self._flying_ms) > patience_ms:
                raise LinkError("broker does not acknowledge: %d ms" % patience_ms)
            return
        kind = self.outbox.prepare()
        if kind == LATER:
            self._wake.set()
        if kind in (NONE, LATER):
            return
        await asyncio.sleep_ms(0)  # what was written may have taken long
        self._flying = self._next_id()
        self._flying_kind = kind
        self._flying_ms = ticks_ms()
        await self._publish(link, self._flying)

    async def _publish(self, link, packet_id: int) -> None:
        outbox = self.outbox
        topic = outbox.topic[1:] if outbox.topic[0] == SLASH else self._base + outbox.topic
        payload = memoryview(outbox.payload)[: outbox.length]
        length = packet.publish(self._tx, topic, payload, packet_id, outbox.retain)
        await link.send(self._view[:length])

    async def _send_telemetry(self, link, due_ms: int) -> int:
        """Send telemetry when due; return when the next is."""
        period_ms = self._station.settings.telemetry_ms
        late_ms = ticks_diff(ticks_ms(), due_ms)
        if late_ms < 0:
            return due_ms if -late_ms <= period_ms else ticks_add(ticks_ms(), period_ms)
        for piece in range(self.outbox.begin_telemetry()):
            self.outbox.add_telemetry(piece)
            await asyncio.sleep_ms(0)
        await self._publish(link, 0)
        return ticks_add(due_ms if late_ms < period_ms else ticks_ms(), period_ms)

    async def _keep_alive(self, link) -> None:
        now_ms = ticks_ms()
        if self._pinged:
            if ticks_diff(now_ms, self._pinged_ms) > DEAD_MS:
                raise LinkError("broker is silent: no answer to a ping in %d ms" % DEAD_MS)
        elif ticks_diff(now_ms, link.heard_ms) > PING_MS or ticks_diff(now_ms, link.said_ms) > PING_MS:
            self._pinged = True
            self._pinged_ms = now_ms
            await link.send(self._view[: packet.empty(self._tx, packet.PINGREQ)])
