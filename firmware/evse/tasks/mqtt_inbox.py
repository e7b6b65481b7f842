# SPDX-License-Identifier: MIT
"""What comes in over MQTT: `command/<name>` and `set/<name>`, checked, carried out, acknowledged.

Never acts on a retained message, a stale timestamp, an oversize payload or a flood; every refusal is
acknowledged with its reason.
"""

import gc
import json
from time import ticks_diff, ticks_ms

from evse.points import ACCESS
from evse.store.settings import STAGED, SettingError
from evse.tasks.commands import Refused

PAYLOAD_MAX = 512  # bytes
STALE_S = 30  # a command's `ts` may differ this much from our clock
RATE_PER_S = 20
BURST = 40
REASON_MAX = 200  # characters
ID_MAX = 36  # characters, as OCPP's identifiers


class Bucket:
    """Token bucket on ticks: RATE_PER_S messages a second, BURST at once."""

    def __init__(self):
        self._tokens = BURST * 1000
        self._stamp_ms = ticks_ms()

    def take(self) -> bool:
        """Return whether one more message may be looked at."""
        now_ms = ticks_ms()
        passed_ms = min(ticks_diff(now_ms, self._stamp_ms), 10000)
        self._stamp_ms = now_ms
        self._tokens = min(self._tokens + passed_ms * RATE_PER_S, BURST * 1000)
        if self._tokens < 1000:
            return False
        self._tokens -= 1000
        return True

    @property
    def calm(self) -> bool:
        """Whether a second has been as quiet as it should be."""
        return self._tokens >= RATE_PER_S * 1000


class Inbox:
    """Carries out messages; outbox.ack(dict) takes the answers."""

    def __init__(self, station, outbox):
        self._station = station
        self._outbox = outbox
        self._bucket = Bucket()
        self.flooded = False
        self._last = None  # (topic, payload, answer) of the last message, for redeliveries
        self.accepted = 0
        self.refused = 0
        self.dropped = 0

    def admit(self) -> bool:
        """Return whether one more message may be looked at; one beyond the rate is dropped, a flood answered once."""
        if self._outbox.may_ack() and self._bucket.take():
            if self.flooded and self._bucket.calm:
                self.flooded = False
            return True
        self.dropped += 1
        if not self.flooded:
            self.flooded = True
            self.refused += 1
            self._outbox.ack(
                {
                    "id": None,
                    "command": "",
                    "result": "refused",
                    "reason": "more than %d messages/s or %d unanswered" % (RATE_PER_S, BURST),
                }
            )
        return False

    def message(self, path: str, payload, retain: bool, whole: bool, duplicate: bool) -> None:
        """Take one message. path: the topic after `backfeed/<id>/`; payload: bytes; whole: nothing was cut off."""
        if duplicate and self._last is not None and self._last[0] == (path, payload):
            self._outbox.ack(self._last[1])
            return
        answer = {"id": None, "command": path[:40]}
        try:
            if path == "meter":
                self._meter(payload, retain, whole)
                return  # a reading a second is not acknowledged, only its refusal
            self._obey(path, payload, retain, whole, answer)
            self.accepted += 1
            answer["result"] = "accepted"
        except (Refused, SettingError) as error:
            self._refuse(answer, str(error))
        except RuntimeError:  # nested deeper than the VM's stack
            self._refuse(answer, "payload is nested too deep")
        except MemoryError:  # no piece of heap long enough just now
            gc.collect()
            self._refuse(answer, "not enough memory just now; send it again")
        self._last = ((path, payload), answer)
        self._outbox.ack(answer)

    def _refuse(self, answer: dict, reason: str) -> None:
        self.refused += 1
        reason = one_line(reason)  # it may quote the payload
        answer["result"] = "refused"
        answer["reason"] = reason
        self._station.notes.say("mqtt", "%s refused: %s" % (answer["command"], reason))

    def _obey(self, path: str, payload, retain: bool, whole: bool, answer: dict) -> None:
        kind, _slash, name = path.partition("/")
        if kind not in ("command", "set") or not name:
            raise Refused("topic '%s' is unknown; use command/<name> or set/<name>" % path[:40])
        if not whole or len(payload) > PAYLOAD_MAX:
            raise Refused("payload is larger than %d bytes" % PAYLOAD_MAX)
        arguments = parse(payload, kind == "set")
        answer["id"] = identifier(arguments)
        if retain:
            raise Refused("retained messages never command; publish without retain")
        self._fresh(arguments)
        settings = self._station.settings
        access = ACCESS.index(settings.mqtt_access)
        if kind == "command":
            self._station.commands.run(name, arguments, access, "mqtt")
        else:
            self._set(name, arguments, access)

    def _meter(self, payload, retain: bool, whole: bool) -> None:
        """Pass a reading of the site meter on: a number, or {"power_w": W, "ts": Unix s}."""
        task = self._station.meter_task
        if task is None:
            raise Refused("no meter is set up: set meter_kind to mqtt, then reboot")
        if not whole or len(payload) > PAYLOAD_MAX:
            raise Refused("payload is larger than %d bytes" % PAYLOAD_MAX)
        if retain:
            raise Refused("a retained reading has no age; publish without retain")
        reading = parse(payload, True)
        if "value" in reading:
            reading = {"power_w": reading["value"]}
        self._fresh(reading)
        task.hear(reading)

    def _fresh(self, arguments: dict) -> None:
        """Refuse a command whose `ts` (Unix s) is old, ahead, or cannot be judged."""
        if "ts" not in arguments:
            return
        stamp_s = arguments.pop("ts")
        if type(stamp_s) not in (int, float):
            raise Refused("ts=%s is not Unix seconds" % str(stamp_s)[:20])
        now_s = self._station.clock.now_s()
        if now_s is None:
            raise Refused("ts cannot be judged: the clock is not set; set it with command/time or leave ts out")
        if not -STALE_S <= now_s - stamp_s <= STALE_S:
            raise Refused("ts=%s is stale: more than %d s from now (%d)" % (str(stamp_s)[:20], STALE_S, now_s))

    def _set(self, name: str, arguments: dict, access: int) -> None:
        if "value" not in arguments or len(arguments) != 1:
            raise Refused('give {"value": ...} or the bare value')
        settings = self._station.settings
        before = settings.asked()
        result = settings.set(name, arguments["value"], access)
        settings.save()
        self._station.settings_changed(before, "mqtt")
        if result == STAGED:
            self._station.notes.say("mqtt", "%s takes effect when no power can flow" % name)


def one_line(text: str) -> str:
    """Return at most REASON_MAX characters of text, with what is not printable ASCII as '?'."""
    return "".join([character if " " <= character < "\x7f" else "?" for character in text[:REASON_MAX]])


def parse(payload, bare: bool) -> dict:
    """Return a payload as a dict of arguments; bare: a value alone is taken as {"value": it}."""
    try:
        text = bytes(payload).decode()
    except ValueError:
        raise Refused("payload is not UTF-8") from None
    try:
        arguments = json.loads(text)
    except ValueError:
        if not bare or text[:1] in ("{", "["):
            raise Refused("payload is not JSON: '%s'" % text[:24]) from None
        arguments = text
    if isinstance(arguments, dict):
        return arguments
    if not bare:
        raise Refused('payload is not a JSON object: give {"id": ..., ...}')
    return {"value": arguments}


def identifier(arguments: dict):
    """Take the id out of the arguments; None when there is none."""
    given = arguments.pop("id", None)
    if given is None or type(given) is int:
        return given
    if isinstance(given, str) and len(given) <= ID_MAX:
        return given
    raise Refused("id must be a whole number or at most %d characters" % ID_MAX)
