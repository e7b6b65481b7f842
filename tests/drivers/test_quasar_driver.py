# SPDX-License-Identifier: MIT
"""The Quasar driver's edges, without a board: what it believes, what it sends, when it falls silent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from evse.drivers.inverter_choice import HostError, host_port
from evse.drivers.inverter_quasar import InverterQuasar
from evse.link import modbus, sunspec


class Line:
    """A bus that keeps what is written and answers with `result`. Registers: {address: value}."""

    host = "10.0.0.1"
    baud = 1000000

    def __init__(self) -> None:
        self.registers: dict[int, int] = {526: 0, 537: 4, 538: 60, 539: 0, 540: 0, 541: 0, 542: 0}
        self.written: list[tuple[int, int]] = []
        self.result = modbus.OK
        self.stamp_ms = 0

    async def transact(self, transfer: Any) -> int:
        self.stamp_ms += 100
        transfer.stamp_ms = self.stamp_ms
        if self.result:
            return self.result
        if transfer.function == modbus.WRITE_SINGLE:
            self.written.append((transfer.address, sunspec.raw16(transfer.data, 0)))
        else:
            for k in range(transfer.count):
                sunspec.put16(transfer.data, k, self.registers[transfer.address + k])
        return modbus.OK


@pytest.fixture
def rig() -> tuple[Line, InverterQuasar]:
    line = Line()
    driver = InverterQuasar(line, 1, 4000)
    driver.charge_w = driver.discharge_w = 7400
    return line, driver


def poll(line: Line, driver: InverterQuasar, **registers: int) -> int:
    for name, value in registers.items():
        line.registers[{"power": 526, "state": 537, "soc": 538}[name]] = value & 0xFFFF
    return asyncio.run(driver.poll())


@pytest.mark.parametrize("percent", [0, 1, 101, 200, 65535])
def test_no_charge_is_believed_that_never_was_one(rig, percent):
    line, driver = rig
    assert poll(line, driver, soc=percent) == 1
    assert driver.soc_ok == 0 and driver.soc_stamp_ms == 0


@pytest.mark.parametrize(("percent", "reads"), [(2, 1), (97, 1), (98, 3), (100, 3)])
def test_a_charge_is_believed_after_so_many_reads(rig, percent, reads):
    line, driver = rig
    for number in range(1, reads + 1):
        poll(line, driver, soc=percent)
        assert driver.soc_ok == (1 if number >= reads else 0)
    assert driver.soc_permille == 10 * percent


def test_a_hiccup_while_power_flows_lets_the_reading_age(rig):
    line, driver = rig
    poll(line, driver, soc=60, power=-3000, state=11)
    stamp_ms = driver.soc_stamp_ms
    poll(line, driver, soc=1)
    assert driver.soc_ok == 1 and driver.soc_permille == 600 and driver.soc_stamp_ms == stamp_ms


def test_the_held_charge_ends_with_the_vehicle_and_with_its_time(rig):
    line, driver = rig
    poll(line, driver, soc=60)
    poll(line, driver, soc=0, power=0)
    assert driver.soc_stamp_ms == driver.stamp_ms, "held while it rests"
    line.stamp_ms += 900_000
    stamp_ms = driver.soc_stamp_ms
    poll(line, driver, soc=0)
    assert driver.soc_stamp_ms == stamp_ms, "15 minutes are over"
    poll(line, driver, soc=0, state=0)
    assert driver.soc_ok == 0 and driver.soc_stamp_ms == driver.stamp_ms, "no vehicle: said at once"


@pytest.mark.parametrize(("power", "state"), [(9000, 1), (-9000, 11), (0, 12), (0, 65535)])
def test_the_impossible_is_no_status(rig, power, state):
    line, driver = rig
    assert poll(line, driver, power=power, state=state) == 0
    assert driver.stamp_ms == 0


def test_only_changes_are_written_and_zero_is_a_stop(rig):
    line, driver = rig
    for power_w in (-2000, -2000, 1500, 0, 0):
        assert asyncio.run(driver.command(power_w, 1)) == 0
    assert line.written == [(260, 0x10000 - 2000), (257, 1), (260, 1500), (257, 2), (260, 0)]


def test_without_permission_it_is_a_stop(rig):
    line, driver = rig
    asyncio.run(driver.command(-2000, 1))
    assert asyncio.run(driver.trip(-2000, 0)) == 0
    assert line.written[-2:] == [(257, 2), (260, 0)]


def test_more_than_it_can_is_never_written(rig):
    line, driver = rig
    asyncio.run(driver.command(-9000, 1))
    assert line.written[0] == (260, 0x10000 - 7400)


def test_it_falls_silent_when_a_stop_is_not_taken(rig):
    """Any message would re-arm the idle timeout, which is the one stop left."""
    line, driver = rig
    asyncio.run(driver.command(-2000, 1))
    line.result = modbus.TIMEOUT
    assert asyncio.run(driver.command(0, 1)) == modbus.TIMEOUT
    line.result = modbus.OK
    before = line.stamp_ms
    assert poll(line, driver) == 0
    asyncio.run(driver.poll_slow())
    assert asyncio.run(driver.command(-2000, 1)) != 0
    assert line.stamp_ms == before, "not one more message"
    assert "did not take a stop" in " ".join(driver.warnings())


def test_a_start_that_may_have_been_taken_is_ended_by_a_stop(rig):
    line, driver = rig
    sunspec_writes = line.written

    async def lost(transfer: Any) -> int:
        result = await Line.transact(line, transfer)
        return modbus.TIMEOUT if transfer.address == 257 and sunspec_writes[-1][1] == 1 else result

    line.transact = lost
    assert asyncio.run(driver.command(3000, 1)) == modbus.TIMEOUT
    asyncio.run(driver.command(0, 1))
    assert (257, 2) in line.written


@pytest.mark.parametrize(
    "text", ["", "quasar", "1.2.3", "1.2.3.400", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:70000", "a.b.c.d"]
)
def test_a_wrong_host_is_named(text):
    with pytest.raises(HostError, match="inverter_host="):
        host_port("inverter_host", text)


def test_a_right_host():
    assert host_port("inverter_host", "192.168.1.20") == ("192.168.1.20", 502)
    assert host_port("inverter_host", "192.168.1.20:1502") == ("192.168.1.20", 1502)
