# SPDX-License-Identifier: MIT
"""The MQTT task on the real VM against real brokers, with paho as the other end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mqtt_peer import BASE, ID, Peer, fast_station, online, station

from backfeed.broker import Broker, free_port
from evse.points import MEASUREMENTS, NAME, SETTINGS, UNIT


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as found:
        yield found


def test_a_station_says_everything_it_knows(tmp_path: Path, broker: Broker) -> None:
    with Peer(broker) as peer, station(tmp_path, broker, emit_ms=100):
        assert peer.next("availability") == "online"
        telemetry = peer.next("telemetry")
        assert set(telemetry) == {"t_s", "time", "profile", "profile_hash"} | {row[NAME] for row in MEASUREMENTS}
        assert telemetry["session_state"] == "boot"
        state = peer.next("state")
        assert state["faults"] == []
        event = peer.next("events")
        assert {key: event[key] for key in ("event", "element", "phase", "unit", "lost")} == {
            "event": "pickup", "element": "ov1", "phase": 1, "unit": "mV", "lost": 0,
        }  # fmt: skip
        last = [row[NAME] for row in SETTINGS if row[UNIT] != "secret"][-1]
        peer.next("settings/" + last)


def test_no_secret_leaves(tmp_path: Path, broker: Broker) -> None:
    with Peer(broker) as peer, station(tmp_path, broker, mqtt_password="hunter2secret", mqtt_user="someone"):
        peer.next("settings/" + SETTINGS[-1][NAME])
        peer.ask("set/mqtt_password", "hunter3secret")
    told = [message.topic for message in peer.all if b"hunter" in message.payload]
    assert told == [BASE + "set/mqtt_password"]  # what we said ourselves


def test_a_setpoint_is_a_lease_and_acknowledged(tmp_path: Path, broker: Broker) -> None:
    with Peer(broker) as peer, station(tmp_path, broker) as vm:
        peer.next("availability", lambda text: text == "online")
        answer = peer.ask("command/setpoint", {"id": "a-1", "power_w": -3000, "duration_s": 2.5})
        assert answer == {"id": "a-1", "command": "command/setpoint", "result": "accepted"}
        report = vm.wait(lambda r: r["lease_received"])
        assert report["lease_w"] == -3000
        assert report["lease_sequence"] == 2


REFUSED = (
    ("command/setpoint", b"", "not JSON"),
    ("command/setpoint", b"{", "not JSON"),
    ("command/setpoint", b"\xff\xfe", "UTF-8"),
    ("command/setpoint", b"[1, 2]", "JSON object"),
    ("command/setpoint", b"3000", "JSON object"),
    ("command/setpoint", b"{}", "power_w is missing"),
    ("command/setpoint", {"id": 7, "power_w": 99999, "duration_s": 60}, "give -7360..7360 W"),
    ("command/setpoint", {"id": 7, "power_w": "3000", "duration_s": 60}, "not a number"),
    ("command/setpoint", {"id": 7, "power_w": True, "duration_s": 60}, "not a number"),
    ("command/setpoint", {"id": 7, "power_w": 3000}, "duration_s is missing"),
    ("command/setpoint", {"id": 7, "power_w": 3000, "duration_s": -1}, "give 0..3600 s"),
    ("command/setpoint", b'{"id":7,"power_w":1e999,"duration_s":60}', "out of range"),
    ("command/setpoint", {"id": 7, "power_w": 3000, "duration_s": 1e9}, "give 0..3600 s"),
    ("command/setpoint", {"id": 7, "power_w": 3000, "duration_s": 60, "powr": 1}, "'powr' is unknown"),
    ("command/setpoint", {"id": {}, "power_w": 3000, "duration_s": 60}, "id must be"),
    ("command/setpoint", {"id": "x" * 40, "power_w": 3000, "duration_s": 60}, "id must be"),
    ("command/setpoint", {"id": 7, "ts": 1, "power_w": 3000, "duration_s": 60}, "clock is not set"),
    ("command/setpoint", {"id": 7, "ts": "now", "power_w": 3000, "duration_s": 60}, "not Unix seconds"),
    ("command/setpoint", b'{"power_w":3000,"pad":"' + b"x" * 600 + b'"}', "larger than 512"),
    ("command/setpoint", b'{"pad":"' + b"x" * 1000000 + b'"}', "larger than 512"),
    ("command/nonsense", {"id": 7}, "command 'nonsense' is unknown"),
    ("command/time", {"unix_s": 5}, "outside 2024..2099"),
    ("set/nonsense", "5", "no such setting"),
    ("set/export_rating_w", "5000", "only the installer"),
    ("set/mqtt_password", "x", "only the installer"),
    ("set/soc_floor_permille", "9999", "give 100..500 permille"),
    ("set/soc_floor_permille", '{"value": "many"}', "not a whole number"),
    ("set/soc_floor_permille", '{"val": 300}', "bare value"),
)  # fmt: skip


def test_whatever_is_wrong_is_refused_in_one_line_and_changes_nothing(tmp_path: Path, broker: Broker) -> None:
    with Peer(broker) as peer, station(tmp_path, broker) as vm:
        peer.next("settings/" + SETTINGS[-1][NAME])
        for path, payload, said in REFUSED:
            answer = peer.ask(path, payload)
            assert answer["result"] == "refused", (path, payload, answer)
            assert said in answer["reason"], (path, payload, answer)
            assert "\n" not in answer["reason"]
        report = vm.wait(lambda r: r["refused"] == len(REFUSED))
        assert report["lease_received"] == 0
        assert report["accepted"] == 0
        assert report["restarts"]["mqtt"] == 0


def test_retained_commands_never_act(tmp_path: Path, broker: Broker) -> None:
    with Peer(broker) as peer:
        peer.publish("command/setpoint", {"id": "old", "power_w": -3000, "duration_s": 60}, retain=True)
        peer.next("command/setpoint")
        with station(tmp_path, broker) as vm:
            answer = peer.next("ack")
            assert answer["result"] == "refused"
            assert "retained" in answer["reason"]
            assert vm.wait(lambda r: r["refused"])["lease_received"] == 0
        peer.publish("command/setpoint", b"", retain=True)


def test_time_makes_stale_commands_visible(tmp_path: Path, broker: Broker) -> None:
    with Peer(broker) as peer, station(tmp_path, broker):
        peer.next("availability", lambda text: text == "online")
        assert peer.ask("command/time", {"unix_s": 1790000000})["result"] == "accepted"
        setpoint = {"power_w": 1000, "duration_s": 10}
        stale = peer.ask("command/setpoint", {**setpoint, "ts": 1790000000 - 60})
        assert "stale" in stale["reason"]
        ahead = peer.ask("command/setpoint", {**setpoint, "ts": 1790000000 + 600})
        assert "stale" in ahead["reason"]
        assert peer.ask("command/setpoint", {**setpoint, "ts": 1790000001})["result"] == "accepted"


def test_a_user_setting_is_set_and_said(tmp_path: Path, broker: Broker) -> None:
    with Peer(broker) as peer, station(tmp_path, broker):
        peer.next("settings/" + SETTINGS[-1][NAME])
        assert peer.ask("set/soc_floor_permille", "250")["result"] == "accepted"
        peer.next("settings/soc_floor_permille", lambda text: text == "250")


def test_view_access_commands_nothing(tmp_path: Path, broker: Broker) -> None:
    with Peer(broker) as peer, station(tmp_path, broker, mqtt_access="view") as vm:
        peer.next("availability", lambda text: text == "online")
        answer = peer.ask("command/setpoint", {"power_w": 1000, "duration_s": 10})
        assert "needs user access" in answer["reason"]
        assert vm.wait(lambda r: r["refused"])["lease_received"] == 0


def test_a_flood_is_dropped_and_the_rest_goes_on(tmp_path: Path, broker: Broker) -> None:
    with Peer(broker) as peer, station(tmp_path, broker) as vm:
        peer.next("availability", lambda text: text == "online")
        for number in range(400):
            peer.publish("command/setpoint", {"id": number, "power_w": 100, "duration_s": 1})
        report = vm.wait(lambda r: r["accepted"] + r["dropped"] >= 400)
        assert report["dropped"] >= 100
        peer.next("ack", lambda answer: "messages/s" in answer.get("reason", ""))
        peer.next("telemetry")
        assert vm.report()["restarts"]["mqtt"] == 0


def test_events_outlive_the_broker(tmp_path: Path) -> None:
    with Broker() as first, Peer(first) as peer, station(tmp_path, first, emit_ms=50) as vm:
        sequence = peer.next("events", lambda event: event["seq"] == 2)["seq"]
        port = first.port
        first.stop()
        vm.wait(lambda r: r["mqtt"].startswith("waiting") and r["waiting"] >= 5)
        with Broker(port=port) as second, Peer(second) as later:
            report = vm.wait(lambda r: r["connects"] == 2)
            numbers = [later.next("events")["seq"] for _ in range(10)]
            assert report["lost_events"] == 0
    assert numbers == list(range(numbers[0], numbers[0] + 10))
    assert numbers[0] >= sequence


def test_death_is_said_by_the_last_will(tmp_path: Path, broker: Broker) -> None:
    with Peer(broker) as peer, station(tmp_path, broker) as vm:
        peer.next("availability", lambda text: text == "online")
        vm.kill()
        assert peer.next("availability", lambda text: text != "online") == "offline"


def test_the_next_broker_of_the_list_is_tried(tmp_path: Path, broker: Broker) -> None:
    dead = free_port()
    with station(tmp_path, broker, mqtt_host=f"127.0.0.1:{dead},127.0.0.1:{broker.port}") as vm:
        report = vm.wait(online)
        assert report["mqtt"].endswith(str(broker.port))
        assert any("refused" in note for note in report["notes"])


def test_a_wrong_broker_entry_is_said(tmp_path: Path, broker: Broker) -> None:
    with station(tmp_path, broker, mqtt_host="127.0.0.1:notaport") as vm:
        report = vm.wait(lambda r: r["mqtt"].startswith("waiting"))
        assert "mqtt_host entry '127.0.0.1:notaport'" in report["mqtt"]


def test_amqtt_serves_too(tmp_path: Path) -> None:
    with Broker(kind="amqtt") as broker, Peer(broker) as peer, station(tmp_path, broker) as vm:
        vm.wait(online)
        answer = peer.ask("command/setpoint", {"id": "q", "power_w": 500, "duration_s": 5})
        assert answer["result"] == "accepted"
        peer.next("telemetry")


def test_discovery_says_every_entity_once(tmp_path: Path, broker: Broker) -> None:
    from evse.link import homeassistant

    wanted = {"homeassistant/" + topic: payload for topic, payload in homeassistant.entities(ID, "plain")}
    with Peer(broker) as peer, station(tmp_path, broker):
        heard: dict[str, Any] = {}
        last = list(wanted)[-1]
        heard[last] = json.loads(peer.raw(last))
        for message in list(peer.all):
            if message.topic.startswith("homeassistant/") and f"/{ID}/" in message.topic:
                heard[message.topic] = json.loads(message.payload)
    assert heard == wanted


def test_dns_waits_until_a_stall_is_harmless(tmp_path: Path, broker: Broker) -> None:
    chosen = {"mqtt_host": "localhost", "mqtt_port": broker.port, "device_id": ID}
    with fast_station(tmp_path, chosen, PLAIN_PORT="esp32", PLAIN_CONTACTOR="1") as vm:
        report = vm.wait(lambda r: r["cycles"] > 100)
        assert report["mqtt"] == "looking up localhost waits until no power flows"
        assert report["connects"] == 0
    with fast_station(tmp_path, chosen, PLAIN_PORT="stm32", PLAIN_CONTACTOR="1") as vm:
        vm.wait(online)  # its cycle runs in a hard interrupt
