# SPDX-License-Identifier: MIT
"""The whole firmware beside a broker of the plant, exact in virtual time: leases while the clock jumps, events that a
buffer cannot hold, and the cycle beside bad brokers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backfeed.bench import jitter
from backfeed.bench.online import energise, online, publish
from backfeed.bench.plant_broker import WAYS, PlantBroker, thousand_a_second
from evse.tasks.mqtt_outbox import EVENTS_MAX
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

LEASE_S = 30
ABUSE_S = 10
TICK_MS = 20  # two cycles
SETTINGS = {**jitter.SETTINGS, "telemetry_ms": 1000, "summer_time": "eu", "utc_offset_min": 60}
BEFORE_WINTER_S = 1792889995  # 2026-10-25T00:59:55Z: five seconds before summer time ends


@contextmanager
def served() -> Iterator[tuple[VirtualBoard, Station, PlantBroker]]:
    """A board that has told its broker everything, with power flowing."""
    station, broker = Station(), PlantBroker()
    with online(station, broker, SETTINGS) as board:
        energise(board, station)
        board.run(5)
        yield board, station, broker


def command(board: VirtualBoard, broker: PlantBroker, name: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Publish a command; return its acknowledgement."""
    heard = len(broker.messages("ack"))
    publish(board, broker, f"command/{name}", payload)
    assert board.run_while(lambda: len(broker.messages("ack")) == heard, 2)
    answer: dict[str, Any] = broker.messages("ack")[-1][1]
    return answer


def test_a_jump_of_the_clock_neither_ends_nor_prolongs_a_lease() -> None:
    with served() as (board, _station, broker):
        assert command(board, broker, "time", {"unix_s": BEFORE_WINTER_S - 10})["result"] == "accepted"
        setpoint = {"power_w": -1500, "duration_s": LEASE_S}
        assert command(board, broker, "setpoint", setpoint)["result"] == "accepted"
        board.run(4)
        for unix_s in (BEFORE_WINTER_S, BEFORE_WINTER_S + 86400, BEFORE_WINTER_S - 2 * 86400, 4102444000, 1704067200):
            assert command(board, broker, "time", {"unix_s": unix_s})["result"] == "accepted"
            board.run(4)  # the first of them crosses the end of summer time
        board.run(LEASE_S)
        events = [event for _, event in broker.messages("events")]
        begun = next(event for event in events if event["event"] == "lease")
        ended = next(event for event in events if event["event"] == "lease_end")
        assert abs((ended["t_s"] - begun["t_s"]) * 1000 - LEASE_S * 1000) <= TICK_MS
        times = [event["t_s"] for event in events]
        assert times == sorted(times), "uptime does not jump with the clock"
        told = [message for _, message in broker.messages("telemetry") if message["lease_ms"]]
        for before, after in zip(told, told[1:], strict=False):
            assert abs(before["lease_ms"] - after["lease_ms"] - (after["t_s"] - before["t_s"]) * 1000) <= TICK_MS


def test_a_stamp_is_judged_by_the_clock_of_now() -> None:
    with served() as (board, _station, broker):
        setpoint = {"power_w": 1000, "duration_s": 60, "ts": BEFORE_WINTER_S}
        assert "clock is not set" in command(board, broker, "setpoint", setpoint)["reason"]
        command(board, broker, "time", {"unix_s": BEFORE_WINTER_S})
        assert command(board, broker, "setpoint", setpoint)["result"] == "accepted"
        command(board, broker, "time", {"unix_s": BEFORE_WINTER_S + 3600})
        assert "stale" in command(board, broker, "setpoint", setpoint)["reason"]


def test_events_beyond_the_buffer_are_counted() -> None:
    with served() as (board, _station, broker):
        board.console.write(b"mode script\runlock user\r")
        board.run(1)
        before = broker.messages("events")[-1][1]["seq"] + 1
        broker.listening = False
        broker.hang_up(board.now_us)
        board.run(1)
        changes = EVENTS_MAX // 2 + 10  # each makes two events: the old value and the new
        for number in range(changes):
            board.console.write(f"set soc_max_permille {900 + number}\r".encode())
            board.run(0.2)
        broker.listening = True
        heard = len(broker.messages("events"))
        board.run(30)
        later = [event for _, event in broker.messages("events")[heard:]]
        numbers = [event["seq"] for event in later]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        lost = numbers[0] - before
        assert lost >= 2 * changes - EVENTS_MAX
        assert {event["lost"] for event in later} == {lost}


@pytest.mark.parametrize("way", [None, thousand_a_second], ids=["good", "flood"])
def test_the_cycle_does_not_feel_the_broker(way: Any) -> None:
    found = jitter.abuse(way, ABUSE_S)
    assert found.overruns == 0
    assert found.cycles >= 100 * ABUSE_S
    assert found.late_worst_us <= 1000
    assert found.resumed_s <= 61


def test_every_way_to_be_bad_is_measured() -> None:
    assert {way.__name__ for way in WAYS} >= {
        "black_hole", "slow_reader", "half_open", "cut_each_packet", "megabyte", "thousand_a_second",
    }  # fmt: skip
