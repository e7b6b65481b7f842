# SPDX-License-Identifier: MIT
"""What waits to go out over MQTT, bounded and in order of importance; survives a lost connection.

Acknowledgements first, then events (kept while offline, oldest dropped and counted when full), then
state, settings, discovery; telemetry is a fresh snapshot, never queued. One QoS 1 message is in
flight at a time; it stays queued until the broker has acknowledged it.
"""

import json
from array import array
from time import ticks_diff, ticks_ms

from evse.link import homeassistant, telemetry
from evse.points import NAME, POINTS, SETTINGS, UNIT
from evse.tasks.devices import text as devices_text

ACKS_MAX = 40  # as many as the inbox takes at once
EVENTS_MAX = 64
EVENT_WIDTH = 6  # sequence, then the row of the event ring
STATE_MS = 1000  # least time between two state messages
PAYLOAD_BYTES = 2048

MEMBERS_A_TURN = 3  # of a discovery payload
CLOSING_BRACE = 125
DEVICES_MS = 10000  # between two looks at what inverter and meter have to say
NONE, ACK, EVENT, STATE, SETTING, DISCOVERY, ONLINE, DEVICES, LATER = range(9)


class Outbox:
    """The queues. `prepare` writes the next message's payload into `payload` and says what it is."""

    def __init__(self, station):
        self._station = station
        self._acks = []
        self._events = array("i", [0] * (EVENTS_MAX * EVENT_WIDTH))
        self._row = [0] * 5
        self._first = 0  # oldest event kept
        self._next = 0  # number of the next event
        self._flying = 0  # event in flight
        self._setting = 0  # next setting to publish
        self._settings_seen = -1
        self._entity = 0  # row of POINTS to publish next
        self._discovery = None
        self._found = None  # (topic, payload, names of its members) of that row's entity
        self._written = 0  # members of it that are in `payload`
        self._state = None
        self._state_ms = 0
        self._devices = b""  # what the broker was last told of them
        self._devices_ms = 0
        self._online = False
        self.lost_events = 0
        self.payload = bytearray(PAYLOAD_BYTES)
        self.length = 0
        self.topic = b""
        self.retain = False
        self.wake = None  # called when something urgent was put in
        self._profile = ('"profile":"%s","profile_hash":"%s"' % self._grid_code()).encode()

    def _call(self) -> None:
        if self.wake is not None:
            self.wake()

    def may_ack(self) -> bool:
        """Whether an answer has room: what cannot be answered is not carried out."""
        return len(self._acks) < ACKS_MAX

    def ack(self, answer: dict) -> None:
        """Queue an acknowledgement; there is room for one more than `may_ack` says, to answer a flood."""
        if len(self._acks) > ACKS_MAX:
            return
        self._acks.append(json.dumps(answer))
        self._call()

    def event(self, row) -> None:
        """Keep one event row until a broker has it."""
        if self._next - self._first >= EVENTS_MAX:
            self._first += 1
            self.lost_events += 1
        at = self._next % EVENTS_MAX * EVENT_WIDTH
        self._events[at] = self._next & 0x3FFFFFFF
        for i in range(5):
            self._events[at + 1 + i] = row[i]
        self._next += 1
        self._call()

    def waiting(self) -> int:
        """Return how many events are kept."""
        return self._next - self._first

    def connected(self) -> None:
        """A new connection: say again what a broker may have forgotten."""
        self._online = False
        self._state = None
        self._devices = b""
        self._devices_ms = 0
        self._setting = 0
        self._settings_seen = self._station.settings.changed
        self._entity = 0
        self._discovery = None  # the id may have changed
        self._found = None

    def prepare(self) -> int:
        """Write the next QoS 1 message; return its kind, NONE when nothing waits, LATER to be asked again soon."""
        self.retain = False
        if not self._online:
            return self._put(ONLINE, b"availability", "online", True)
        if self._acks:
            return self._put(ACK, b"ack", self._acks[0], False)
        if self._first < self._next:
            return self._prepare_event()
        if self._state_changed():
            return self._put(STATE, b"state", self._state_text(), True)
        if self._station.settings.changed != self._settings_seen:
            self._settings_seen = self._station.settings.changed
            self._setting = 0
        if self._setting < len(SETTINGS):
            return self._prepare_setting()
        if self._devices_changed():
            return self._put(DEVICES, b"devices", self._devices, True)
        return self._prepare_discovery()

    def done(self, kind: int) -> None:
        """The broker has acknowledged the message of this kind."""
        if kind == ONLINE:
            self._online = True
        elif kind == ACK:
            self._acks.pop(0)
        elif kind == EVENT:
            if self._first == self._flying:
                self._first += 1
        elif kind == SETTING:
            self._setting += 1
        elif kind == DISCOVERY:
            self._entity += 1
            self._found = None

    def _put(self, kind: int, topic: bytes, text, retain: bool) -> int:
        data = text.encode() if isinstance(text, str) else text
        self._written = 0  # what was there of an entity is gone
        self.length = len(data)
        self.payload[: self.length] = data
        self.topic = topic
        self.retain = retain
        return kind

    def _prepare_event(self) -> int:
        at = self._first % EVENTS_MAX * EVENT_WIDTH
        self._flying = self._first
        for i in range(5):
            self._row[i] = self._events[at + 1 + i]
        clock = self._station.clock
        unix_ms = clock.unix_ms(self._row[0])
        e = telemetry.event(self._row, None)
        text = '{"seq":%d,"t_s":%s,"time":%s,"event":"%s","element":%s,"phase":%d,"value":%d,"unit":"%s","lost":%d}' % (
            self._events[at],
            clock.seconds_text(self._row[0]),
            "null" if unix_ms is None else unix_ms // 1000,
            e["event"],
            json.dumps(e["element"]),
            e["phase"],
            e["value"],
            e["unit"],
            self.lost_events,
        )
        return self._put(EVENT, b"events", text, False)

    def _state_changed(self) -> bool:
        image = self._station.image
        now = (
            image.request.session_state,
            image.inputs.pilot_state,
            image.limits.reason,
            image.request.owner,
            image.protection.trip,
            image.status.fault_count,
            image.status.locked,
        )
        now_ms = ticks_ms()
        if now == self._state or (self._state is not None and ticks_diff(now_ms, self._state_ms) < STATE_MS):
            return False
        self._state = now
        self._state_ms = now_ms
        return True

    def _state_text(self) -> bytes:
        station = self._station
        reader = station.reader
        state = {}
        for name in ("session_state", "pilot_state", "reason", "owner", "trip", "trip_element"):
            state[name] = reader.value(name)
        state["faults"] = telemetry.active_faults(station.image.status)
        state["locked"] = station.image.status.locked
        state["profile"], state["profile_hash"] = self._grid_code()
        return b"{%s}" % telemetry.members(state, state)

    def _grid_code(self):
        """Return (name, hash) of the profile in force; empty where there is none."""
        profile = self._station.profile
        return (profile.name, profile.hash) if profile is not None else ("", "")

    def _devices_changed(self) -> bool:
        """Whether inverter and meter have something new to say; asked each DEVICES_MS."""
        now_ms = ticks_ms()
        if self._devices and ticks_diff(now_ms, self._devices_ms) < DEVICES_MS:
            return False
        before = self._devices
        self._devices = devices_text(self._station, PAYLOAD_BYTES)
        self._devices_ms = now_ms
        return self._devices != before

    def _prepare_setting(self) -> int:
        row = SETTINGS[self._setting]
        if row[UNIT] == "secret":
            self._setting += 1
            return self.prepare()
        value = getattr(self._station.settings, row[NAME])
        return self._put(SETTING, b"settings/" + row[NAME].encode(), str(value), True)

    def _prepare_discovery(self) -> int:
        """One entity: made in one turn, written a few members a turn, so that others have theirs."""
        settings = self._station.settings
        if not settings.discovery_prefix or self._entity >= len(POINTS):
            return NONE
        if self._found is None:
            self._find_entity()
            return LATER
        topic, payload, names = self._found
        end = self._written + MEMBERS_A_TURN
        if not self._written:
            self.length = 0
        text = b"%s%s" % (b"," if self._written else b"{", telemetry.members(payload, names[self._written : end]))
        self.payload[self.length : self.length + len(text)] = text
        self.length += len(text)
        self._written = end
        if end < len(names):
            return LATER
        self.payload[self.length] = CLOSING_BRACE
        self.length += 1
        self.topic = topic
        self.retain = True
        return DISCOVERY

    def _find_entity(self) -> None:
        """Make the next entity, or step over a row that is none."""
        settings = self._station.settings
        if self._discovery is None:
            self._discovery = homeassistant.Discovery(settings.device_id, self._station.board.name)
        entity = self._discovery.at(self._entity)
        if entity is None:
            self._entity += 1
            return
        topic = ("/%s/%s" % (settings.discovery_prefix, entity[0])).encode()
        self._found = (topic, entity[1], list(entity[1]))
        self._written = 0

    def begin_telemetry(self) -> int:
        """Write the head of the telemetry of now; return how many pieces follow."""
        self._written = 0
        clock = self._station.clock
        now_s = clock.now_s()
        uptime_ms = clock.uptime_ms(ticks_ms())
        self.length = self._station.reader.write_head(
            self.payload,
            b'"t_s":%d.%03d,"time":%s,%s'
            % (uptime_ms // 1000, uptime_ms % 1000, b"null" if now_s is None else b"%d" % now_s, self._profile),
        )
        return self._station.reader.pieces

    def add_telemetry(self, piece: int) -> None:
        """Write one piece of the points; after the last, payload and topic are complete."""
        self.length = self._station.reader.write_piece(self.payload, self.length, piece)
        self.topic = b"telemetry"
        self.retain = False
