# SPDX-License-Identifier: MIT
"""Who gets the wire: priorities, order of coming, cancelled tasks, a failing port; on the MicroPython VM."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from backfeed import vm
from backfeed.vm31 import run_on_31bit

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "tests" / "link" / "vm" / "turn_runs.py"
TIMEOUT = 16


def story(name: str) -> dict:
    environment = dict(os.environ, MICROPYPATH=f"{ROOT / 'firmware'}:.frozen")
    done = subprocess.run(
        [*vm.unix_vm(), str(RUNNER), name], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr + done.stdout
    report: dict = json.loads(done.stdout)
    return report


def test_urgent_first_then_in_the_order_of_coming() -> None:
    report = story("order")
    assert report["log"] == ["first", "t1", "t2", "w1", "w2", "r1", "r2", "r3"]
    assert [label for label, _ in report["done"]] == report["log"]
    assert report["entered"] == 8, "who waits is not woken before its turn"
    assert report["free"]


def test_cancelled_tasks_leave_queue_and_wire() -> None:
    report = story("cancelled")
    assert report["log"][:3] == ["a", "hung up", "b"], "the wire is hung up when its task is cancelled"
    assert "c" not in report["log"]
    assert [label for label, _ in report["done"]] == ["b", "e", "later"]
    assert report["free"]


def test_cancelled_between_being_handed_the_wire_and_running() -> None:
    report = story("handed")
    assert report["log"] == ["a", "c"], "nothing was sent, so nothing is hung up"
    assert report["free"]


def test_a_failing_port_is_told_to_its_task_and_frees_the_wire() -> None:
    assert story("broken_port") == {"caught": "port", "done": [["b", 0]], "free": True}


def test_tries() -> None:
    report = story("retries")
    assert report["log"] == ["lost"] * 3 + ["refused", "lost", "trip"]
    assert report["done"] == [["lost", TIMEOUT], ["refused", 2], ["lost", TIMEOUT], ["trip", 0]]
    assert report["counters"] == [6, 4, 1]


EXCHANGE = """
from time import sleep_ms
from evse.drivers.turn import DONE
def exchange(transfer):
    turn = bus.transact(transfer)
    bus.enter(turn)
    while True:
        pause_ms = bus.step(transfer)
        if pause_ms == DONE:
            break
        sleep_ms(pause_ms)
    bus.leave(turn)
    return transfer.result
"""
MASTER = """
import micropython
from evse.drivers.modbus_bus import ModbusBus, Transfer
from evse.link import crc
class Uart:
    answer = b""
    def any(self):
        return len(self.answer)
    def readinto(self, buffer, count):
        at = 0
        for byte in self.answer:
            buffer[at] = byte
            at += 1
        self.answer = b""
        return at
    def write(self, view):
        if view[1] == self.deaf:
            return
        self.answer = READS[view[5]] if view[1] == 3 else WROTE
def sealed(frame):
    check = crc.modbus(frame, 0, len(frame))
    return frame + bytes((check & 255, check >> 8))
READS = {count: sealed(bytes((1, 3, 2 * count)) + bytes(range(2 * count))) for count in (4, 5, 40)}
WROTE = sealed(bytes((1, 16, 0, 100, 0, 2)))
uart = Uart()
bus = ModbusBus(uart, 115200, lambda level: None)
read = Transfer(1, 3, 100, 40, bytearray(80))
write = Transfer(1, 16, 100, 2, bytearray(4))
read.timeout_ms = 20
def everything():
    uart.deaf = 0
    results = exchange(read) | exchange(write) << 8
    uart.deaf = 3
    results |= exchange(read) << 16
    uart.deaf = 0
    return results
everything()
everything()
micropython.heap_lock()
try:
    found = everything()
finally:
    micropython.heap_unlock()
print(found, read.data == bytes(range(80)), bus.timeouts, bus.broken)
"""


def test_an_exchange_on_the_31_bit_vm_allocates_nothing() -> None:
    out = run_on_31bit(EXCHANGE + MASTER).split()
    assert out == [str(TIMEOUT << 16), "True", "6", "0"], "answers, a write, a silent device; then the probe first"


CAN = """
import micropython
from evse.drivers import can_mcp2515 as mcp
from evse.drivers.can_bus import CanBus
from evse.drivers.inverter_infypower import InverterInfypower
class Spi:
    full = 0
    mode = 0x80
    def write_readinto(self, sent, received):
        first = sent[0]
        if first == mcp.STATUS:
            received[1] = self.full
        elif first == mcp.READ:
            if sent[1] == mcp.CANSTAT:
                received[2] = self.mode
            elif sent[1] == mcp.CNF3:
                received[2], received[3], received[4] = 1, 0xB5, 3
            else:
                received[2], received[3] = 0, self.mode
        elif first == mcp.WRITE and sent[1] == mcp.CANCTRL:
            self.mode = 0
        elif first in mcp.SEND:
            self.full = 1
        elif first in mcp.LOAD_TX:
            self.code = sent[7]
        elif first == mcp.READ_RX[0]:
            for i in range(13):
                received[1 + i] = ANSWER[i]
            received[7] = self.code
            self.full = 0
ANSWER = bytes((0x17, 0x0B, 0xF0, 5, 8, 0x10, 0, 0, 0, 0x3F, 0xFF, 0xFF, 0xFF))
bus = CanBus(mcp.Mcp2515(Spi(), lambda level: None, 125000, 0xF000, 0xFF00, 16000000))
driver = InverterInfypower(bus, 1, 4000, (300000, 450000))
def everything():
    results = 0
    for transfer in driver._asks:
        results += exchange(transfer)
    return results
driver._asks = driver._asks[:2]
everything()
micropython.heap_lock()
try:
    found = everything()
finally:
    micropython.heap_unlock()
print(found, bus.timeouts, bus._port.error or "fine")
"""


def test_can_on_the_31_bit_vm_allocates_nothing() -> None:
    assert run_on_31bit(EXCHANGE + CAN).split() == ["0", "0", "fine"]
