# SPDX-License-Identifier: MIT
"""On the board, in virtual time: the InfyPower driver on the board's own CAN controller; the module is in the plant.

Prints `set NAME VALUE` and `wire FAULT` for the host (tests/bus/can_bench.py), and one JSON object: what each step
of the story came to.
"""

import asyncio
import json
from time import ticks_diff, ticks_ms

from board.board import Board

from evse.drivers.can_bus import CanBus
from evse.drivers.inverter_infypower import BIT_RATE, OURS, OURS_MASK, InverterInfypower

GROUP_ADDRESS = 0x01
WINDOW_MV = (300000, 450000)
BOARD = Board()
BUS = CanBus(BOARD.open_can(BIT_RATE, OURS, OURS_MASK))


async def feed():
    """Keep the board's watchdog quiet."""
    while True:
        BOARD.watchdog.feed()
        await asyncio.sleep_ms(200)


async def fault(text):
    """Have the host do something and give it time."""
    print(text)
    await asyncio.sleep_ms(20)


def build(window_mv=WINDOW_MV):
    return InverterInfypower(BUS, GROUP_ADDRESS, 4000, window_mv)


async def refusal(driver):
    try:
        await driver.connect()
    except OSError as error:
        return str(error)
    return ""


async def drive(driver, power_w, enable=1, times=8):
    """Command and poll a few times, as the task does; return what it reports."""
    for _ in range(times):
        result = await driver.command(power_w, enable)
        await driver.poll()
        await asyncio.sleep_ms(50)
    return {"result": result, "power_w": driver.power_w, "on": driver.on, "sent_w": driver.sent_w}


async def normal(report):
    driver = build()
    report["connect"] = await refusal(driver)
    report["ratings"] = [driver.charge_w, driver.discharge_w, driver.can_export, driver.modules, driver.on]
    report["charge"] = await drive(driver, 5000)
    report["export"] = await drive(driver, -3000)
    report["trip"] = await driver.trip(0, 1)
    await driver.poll()
    report["tripped_w"] = driver.power_w
    report["off"] = await drive(driver, 0, 0, 2)
    await fault("set refuse 0")
    await drive(driver, 5000)
    return driver


async def silence(report, driver):
    """A stop that is not taken: nothing is said until the module stops itself."""
    await fault("set refuse 3")
    report["refused_stop"] = await drive(driver, 0, 0, 2)
    before = BUS.transactions
    await asyncio.sleep_ms(11000)
    report["silent"] = [await driver.poll(), BUS.transactions - before]
    await fault("set refuse 0")
    report["again"] = [await refusal(driver), (await drive(driver, 1000))["power_w"]]


async def polls(driver, times=10):
    """Poll some times; return [how many were good, whether any power but the true one was believed, worst ms]."""
    good = wrong = worst_ms = 0
    for _ in range(times):
        start_ms = ticks_ms()
        if await driver.poll():
            good += 1
            wrong += driver.power_w != 1000 or driver.voltage_mv != 400000
        worst_ms = max(worst_ms, ticks_diff(ticks_ms(), start_ms))
        await asyncio.sleep_ms(20)
    return [good, wrong, worst_ms]


FAULTS = (
    ("drop", "wire drop"), ("module_deaf", "wire deaf"), ("twice", "wire twice"), ("late", "wire late"),
    ("stranger", "wire stranger"), ("error", "wire error"), ("short", "wire short"), ("noisy", "wire noisy"),
    ("babble", "set every_us 2500"), ("babble_full", "set every_us 1100"), ("stuck", "set stuck 1"),
    ("cut", "set dead 1"), ("wrong_rate", "set bit_rate 250000"), ("silent", "set deaf 1"),
)  # fmt: skip
CURES = ("wire good", "set every_us 0", "set stuck 0", "set dead 0", "set bit_rate 125000", "set deaf 0")


async def faults(report, driver):
    """Each fault for a while; then a calm bus, on which it is back by itself."""
    found = report["faults"] = {}
    for name, begin in FAULTS:
        await drive(driver, 1000, 1, 3)
        await fault(begin)
        during = await polls(driver)
        for cure in CURES:
            await fault(cure)
        start_ms = ticks_ms()
        while not await driver.poll() and ticks_diff(ticks_ms(), start_ms) < 20000:
            await asyncio.sleep_ms(20)
        found[name] = during + [ticks_diff(ticks_ms(), start_ms)] + (await polls(driver))[:2]
    report["restarts"] = BUS.restarts
    report["overruns"] = BUS._port.overruns


async def trips(report, driver):
    """Trips among reads that keep the bus full: how long until the module has taken zero."""
    worst_ms = 0
    going = [1]

    async def reader():
        while going[0]:
            await driver.poll()

    tasks = [asyncio.create_task(reader()) for _ in range(3)]
    for number in range(30):
        await asyncio.sleep_ms(20 + number % 17)
        start_ms = ticks_ms()
        if await driver.trip(0, 1):
            report["trip_lost"] = 1
        worst_ms = max(worst_ms, ticks_diff(ticks_ms(), start_ms))
    going[0] = 0
    for task in tasks:
        await task
    report["worst_trip_ms"] = worst_ms


async def refusals(report):
    await fault("set deaf 1")
    report["refuses_deaf"] = await refusal(build())
    await fault("set deaf 0")
    await asyncio.sleep_ms(500)  # the next probe
    await fault("wire error")
    report["refuses_error"] = await refusal(build())
    await fault("wire good")
    report["refuses_window"] = await refusal(build((0, 0)))
    report["refuses_too_high"] = await refusal(build((300000, 1100000)))
    await fault("set one_way 1")
    one_way = build()
    report["one_way"] = [await refusal(one_way), one_way.can_export, one_way.discharge_w]
    report["one_way"].append((await drive(one_way, -2000))["power_w"])


async def story():
    report = {}
    asyncio.create_task(feed())
    driver = await normal(report)
    await silence(report, driver)
    await faults(report, driver)
    await drive(driver, 1000, 1, 3)
    await trips(report, driver)
    await refusals(report)
    print("report", json.dumps(report))


asyncio.run(story())
