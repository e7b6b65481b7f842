# SPDX-License-Identifier: MIT
"""Voltage, current, state and direction are four questions; a reading is only what was true together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from evse.drivers.inverter_infypower import CURRENT, MODE_STATUS, SPREAD_MS, VOLTAGE, InverterInfypower
from evse.drivers.turn import READ
from evse.link import modbus, sunspec

VALUES = {VOLTAGE: 400_000, CURRENT: 5_000, MODE_STATUS: 1}
START_MS = 1000


class Answers:
    """A bus that answers question k at at_ms[k], and each setting; `then` happens after question 1."""

    def __init__(self, at_ms: list[int], then: Callable[[], Awaitable[int]] | None = None) -> None:
        self.at_ms = at_ms
        self.then = then
        self.asked = 0

    async def transact(self, transfer) -> int:
        if transfer.priority != READ:
            return modbus.OK
        sunspec.put32(transfer.answer, 2, VALUES.get(sunspec.raw16(transfer.data, 0), 0))
        transfer.stamp_ms = self.at_ms[self.asked]
        self.asked += 1
        if self.asked == 2 and self.then is not None:
            await self.then()
        return modbus.OK


def reading(at_ms: list[int]) -> tuple[int, InverterInfypower]:
    driver = InverterInfypower(Answers(at_ms), 1, 4000, (300_000, 450_000))
    return asyncio.run(driver.poll()), driver


@pytest.mark.parametrize(("late_ms", "taken"), [(0, 1), (SPREAD_MS, 1), (SPREAD_MS + 1, 0)])
@pytest.mark.parametrize("since", [1, 2, 3])
def test_what_took_too_long_together_is_no_reading(late_ms: int, taken: int, since: int) -> None:
    at_ms = [START_MS if k < since else START_MS + late_ms for k in range(4)]
    found, driver = reading(at_ms)
    assert found == taken
    assert (driver.stamp_ms, driver.power_w) == ((START_MS, -2000) if taken else (0, 0)), "as old as its oldest part"


@pytest.mark.parametrize(("power_w", "taken"), [(-2000, 0), (0, 1)])
def test_a_reading_across_a_turn_of_direction_is_none(power_w: int, taken: int) -> None:
    """The current was charging and the direction, asked later, would call it export. A stop turns nothing."""
    bus = Answers([START_MS] * 4)
    driver = InverterInfypower(bus, 1, 4000, (300_000, 450_000))
    driver.can_export = 1
    bus.then = lambda: driver.command(power_w, 1)
    assert asyncio.run(driver.poll()) == taken
    bus.asked = 0
    bus.then = None
    assert asyncio.run(driver.poll()) == 1 and driver.power_w == -2000
