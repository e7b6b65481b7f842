# SPDX-License-Identifier: MIT
"""The firmware's Modbus masters on the MicroPython VM against pymodbus servers, over a faulty PTY line and TCP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from modbus_peer import Line, Server
from pymodbus.constants import ExcCodes

from backfeed import vm

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "tests" / "link" / "vm" / "bus_runs.py"
FIRST = 100
REGISTERS = [(7 * i + 1) & 0xFFFF for i in range(200)]
OK, TIMEOUT, BAD_FRAME, CLOSED = 0, 16, 17, 19
READ, WRITE, TRIP = 0, 1, 2


def job(
    unit=1, function=3, address=FIRST, count=10, data="", retries=1, timeout_ms=200, repeat=1, priority=READ
) -> list:
    return [unit, function, address, count, data, retries, timeout_ms, repeat, priority]


def run(kind: str, where: str | int, jobs: object, baud: int = 115200, timeout_s: float = 60) -> dict:
    """Run jobs on the VM and return its report."""
    environment = dict(os.environ, MICROPYPATH=f"{ROOT / 'firmware'}:.frozen")
    command = [*vm.unix_vm(), str(RUNNER), kind, str(where), str(baud), json.dumps(jobs)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def expected(address: int, count: int, registers: list[int] = REGISTERS) -> str:
    return "".join(f"{value:04x}" for value in registers[address - FIRST : address - FIRST + count])


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.close()


@pytest.fixture
def server(line: Line) -> Iterator[Server]:
    server = Server({1: (FIRST, list(REGISTERS)), 2: (FIRST, list(reversed(REGISTERS)))}, line.device)
    yield server
    server.close()


@pytest.mark.parametrize("kind", ["rtu", "rtu_de"])
@pytest.mark.parametrize("baud", [9600, 19200, 38400, 115200])
def test_reads_and_writes(line, server, kind, baud):
    report = run(
        kind,
        line.master,
        [job(), job(function=4, count=1), job(count=125), job(function=16, data="12345678", count=2), job(count=2)],
        baud,
    )
    assert [code for code, _, _ in report["results"]] == [OK] * 5
    assert [data for _, data, _ in report["results"]] == [
        expected(FIRST, 10), expected(FIRST, 1), expected(FIRST, 125), "12345678", "12345678",
    ]  # fmt: skip
    assert server.writes == [(1, FIRST, [0x1234, 0x5678])]
    if kind == "rtu_de":
        assert report["de"] == [10, 0], "driver enable must rise and fall once a request"


def without(unit: int):
    """A line on which the device `unit` is not there."""
    return lambda to_device, data: b"" if to_device and data[0] == unit else data


def test_several_devices_on_one_line(line, server):
    line.fault = without(3)
    report = run("rtu", line.master, [job(unit=1), job(unit=2), job(unit=3, retries=0, timeout_ms=60), job(unit=1)])
    codes = [code for code, _, _ in report["results"]]
    assert codes == [OK, OK, TIMEOUT, OK]
    assert report["results"][1][1] == expected(FIRST, 10, list(reversed(REGISTERS)))
    assert report["timeouts"] == 1


def test_exception_codes_are_told_apart(line, server):
    server.before = lambda unit, function, address, count, values: ExcCodes.DEVICE_BUSY if address == 150 else None
    report = run("rtu", line.master, [job(address=5000), job(address=150, count=2), job()])
    assert [code for code, _, _ in report["results"]] == [2, 6, OK]
    assert report["exceptions"] == 2


def test_echo_of_our_own_request_is_skipped(line, server):
    # The echo comes back on the master's own side, as from a transceiver whose receiver stays on.
    def with_echo(to_device, data):
        if to_device:
            os.write(line._ends[0][0], data)
        return data

    line.fault = with_echo
    write = job(function=16, data="0102030405060708", count=4)
    report = run("rtu", line.master, [job(), job(count=1), write, job(count=4), job(address=103, count=100)])
    assert [code for code, _, _ in report["results"]] == [OK] * 5
    assert report["results"][3][1] == "0102030405060708"


def test_noise_before_and_after_an_answer(line, server):
    def noisy(to_device, data):
        return data if to_device else b"\x00\xff\x01\x03" + data + b"\xa5" * 5

    line.fault = noisy
    report = run("rtu", line.master, [job(repeat=20)])
    assert {code for code, _, _ in report["results"]} == {OK}
    assert {data for _, data, _ in report["results"]} == {expected(FIRST, 10)}


def test_a_split_answer_is_put_together(line, server):
    def split(to_device, data):
        return data if to_device else [(0.003, data[i : i + 3]) for i in range(0, len(data), 3)]

    line.fault = split
    report = run("rtu", line.master, [job(repeat=5, timeout_ms=400)])
    assert {code for code, _, _ in report["results"]} == {OK}


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="crc"),
        pytest.param(lambda data: bytes([data[0] ^ 3]) + data[1:], id="unit"),
        pytest.param(lambda data: data[: len(data) // 2], id="half frame"),
        pytest.param(lambda data: b"", id="drop"),
        pytest.param(lambda data: bytes(300), id="babble"),
        pytest.param(lambda data: data[:1] + bytes([4]) + data[2:], id="function"),
    ],
)
def test_a_spoiled_answer_is_never_taken(line, server, spoil):
    line.fault = lambda to_device, data: data if to_device else spoil(data)
    report = run("rtu", line.master, [job(retries=0, timeout_ms=80, repeat=5)])
    assert all(code in (TIMEOUT, BAD_FRAME) for code, _, _ in report["results"])
    assert all(set(data) == {"0"} for _, data, _ in report["results"]), "no byte of a spoiled frame may be used"
    assert all(elapsed < 400 for _, _, elapsed in report["results"])


def test_a_retry_recovers_a_lost_frame(line, server):
    lost = iter([True, False, False] * 50)  # the answer, not that to the probe after it, not that to the retry

    def lossy(to_device, data):
        return b"" if not to_device and next(lost) else data

    line.fault = lossy
    report = run("rtu", line.master, [job(retries=1, timeout_ms=60, repeat=6)])
    assert {code for code, _, _ in report["results"]} == {OK}
    assert report["timeouts"] == 6


def test_a_late_answer_is_not_taken_for_another_request(line, server):
    """The first answer comes after its timeout, in the middle of the next request, which reads another length."""
    first = threading.Event()

    def late(to_device, data):
        if not to_device and not first.is_set():
            first.set()
            return [(0.08, data)]
        return data

    line.fault = late
    report = run("rtu", line.master, [job(count=10, retries=0, timeout_ms=60), job(address=120, count=11, retries=2)])
    codes = [code for code, _, _ in report["results"]]
    assert codes == [TIMEOUT, OK]
    assert report["results"][1][1] == expected(120, 11)


def test_a_trip_goes_ahead_of_everything_queued(line, server):
    """Four tasks keep the line full with long reads; a fifth writes with trip priority."""
    reads = [[job(count=120, repeat=12)] for _ in range(4)]
    trip = [[job(repeat=1), job(function=16, data="0000", count=1, address=150, priority=TRIP, repeat=6)]]
    report = run("rtu", line.master, {"parallel": reads + trip}, baud=9600)
    in_flight_ms = 8 * 1.146 + 245 * 1.146 + 40  # one long answer, silence, scheduling
    own_ms = (11 + 8) * 1.146 + 40
    worst = max(elapsed for _, _, elapsed in report["results"][4][1:])
    print(f"worst trip write: {worst} ms, allowed {in_flight_ms + own_ms:.0f} ms")
    assert worst <= in_flight_ms + own_ms
    assert all(code == OK for results in report["results"] for code, _, _ in results)


def test_a_silent_device_does_not_hold_up_a_trip(line, server):
    line.fault = without(9)
    silent = [[job(unit=9, retries=5, timeout_ms=1000, repeat=3)]]
    trip = [[job(repeat=3), job(function=16, data="0000", count=1, address=150, priority=TRIP, repeat=10)]]
    report = run("rtu", line.master, {"parallel": silent + trip})
    worst = max(elapsed for _, _, elapsed in report["results"][1][3:])
    assert worst < 120, f"{worst} ms behind a device that does not answer"


def test_a_cancelled_task_lets_go_of_the_line(line, server):
    """Ten tasks are cancelled while they wait or are on the line; those that stay are served as before."""
    report = run("rtu", line.master, {"cancelled": [job(count=60, repeat=1)]}, baud=9600)
    assert [code for code, _, _ in report["results"]] == [OK] * 5
    assert report["de"] is None


def test_steady_state_allocation(line, server):
    report = run("rtu", line.master, {"allocation": [job(repeat=200)]})
    print(f"RTU: {report['allocation']} bytes a transaction")
    assert report["allocation"] == 0


@pytest.fixture
def tcp() -> Iterator[Server]:
    server = Server({1: (FIRST, list(REGISTERS))})
    yield server
    server.close()


def test_tcp_reads_and_writes(tcp):
    report = run("tcp", tcp.port, [job(), job(count=125), job(function=16, data="beef", count=1), job(address=9000)])
    assert [code for code, _, _ in report["results"]] == [OK, OK, OK, 2]
    assert report["results"][1][1] == expected(FIRST, 125)
    assert tcp.writes == [(1, FIRST, [0xBEEF])]


def test_tcp_allocation(tcp):
    report = run("tcp", tcp.port, {"allocation": [job(repeat=200)]})
    print(f"TCP: {report['allocation']} bytes a transaction")
    assert report["allocation"] == 0


def test_tcp_nobody_there():
    started = time.monotonic()
    report = run("tcp", 1, [job(retries=0)])
    assert report["results"][0][0] == CLOSED
    assert time.monotonic() - started < 10


class Raw:
    """A TCP server that answers each read of registers by the bytes that `spoil(number, frame)` makes of the answer."""

    def __init__(self, spoil):
        self._spoil = spoil
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        number = 0
        while True:
            try:
                peer, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with peer:
                while len(request := peer.recv(12)) == 12:
                    body = bytes(range(1, 1 + 2 * request[11]))
                    frame = request[:4] + (3 + len(body)).to_bytes(2, "big") + request[6:8] + bytes([len(body)]) + body
                    peer.sendall(self._spoil(number, frame))
                    number += 1

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda frame: frame[:20] * 2, id="half an answer twice"),
        pytest.param(lambda frame: frame[:15] + bytes(40), id="half an answer and rubbish"),
        pytest.param(lambda frame: frame + b"\x00\x01\x00", id="an answer and the beginning of something"),
        pytest.param(lambda frame: frame[:15], id="half an answer"),
        pytest.param(lambda frame: bytes(3) + frame, id="rubbish and an answer"),
    ],
)
def test_a_spoiled_stream_is_left_and_a_new_one_made(spoil):
    """TCP has no check sum of frames: what does not end where a frame ends is not believed."""
    server = Raw(lambda number, frame: spoil(frame) if number == 1 else frame)
    try:
        report = run("tcp", server.port, [job(count=10, retries=0, repeat=4)])
    finally:
        server.close()
    codes = [code for code, _, _ in report["results"]]
    assert codes == [OK, BAD_FRAME, OK, OK]
    good = bytes(range(1, 21)).hex()
    assert {data for _, data, _ in report["results"]} == {good}, "the spoiled one left the buffer as it was"
    assert server.connections == 2


def test_an_answer_that_comes_twice_is_taken_once():
    server = Raw(lambda number, frame: frame * 2)
    try:
        report = run("tcp", server.port, [job(count=10, retries=0, repeat=4)])
    finally:
        server.close()
    assert [code for code, _, _ in report["results"]] == [OK] * 4
    assert server.connections == 1
