# SPDX-License-Identifier: MIT
"""Turns on a wire without hardware, on the MicroPython VM: prints JSON of what one story came to.

micropython turn_runs.py STORY
"""

import asyncio
import json
import sys

from evse.drivers.turn import READ, TRIP, WRITE, Exchange, Wire


class Slow(Wire):
    """Answers after `takes_ms` steps of a millisecond; keeps a log of what was sent and given up."""

    def __init__(self, takes_ms=3):
        super().__init__()
        self.takes_ms = takes_ms
        self.log = []
        self.entered = 0
        self.left_ms = 0
        self.fails = 0

    def enter(self, turn):
        self.entered += 1
        return super().enter(turn)

    def prepare(self):
        return 0

    def send(self, exchange):
        if self.fails:
            raise OSError("port")
        self.log.append(exchange.label)
        self.left_ms = self.takes_ms
        return 1

    def look(self, exchange):
        self.left_ms -= 1
        exchange.result = exchange.answers
        return 1 if self.left_ms > 0 else 0

    def hang_up(self):
        self.log.append("hung up")


def ask(label, priority=READ, answers=0):
    transfer = Exchange(priority, 200)
    transfer.label = label
    transfer.answers = answers
    return transfer


async def run(wire, transfer, done):
    done.append([transfer.label, await wire.transact(transfer)])


def start(wire, done, *transfers):
    return [asyncio.create_task(run(wire, transfer, done)) for transfer in transfers]


async def order():
    """Seven tasks come while one is on the wire."""
    wire, done = Slow(), []
    tasks = start(
        wire, done, ask("first"), ask("r1"), ask("r2"), ask("w1", WRITE), ask("r3"), ask("t1", TRIP), ask("w2", WRITE),
        ask("t2", TRIP),
    )  # fmt: skip
    for task in tasks:
        await task
    return {"log": wire.log, "done": done, "entered": wire.entered, "free": wire.holder is None}


async def cancelled():
    """One is cancelled on the wire, one in the queue, and the one that is just being handed the wire."""
    wire, done = Slow(), []
    tasks = start(wire, done, ask("a"), ask("b"), ask("c"), ask("d"), ask("e"))
    await asyncio.sleep_ms(1)
    tasks[2].cancel()
    tasks[0].cancel()
    while "b" not in wire.log:
        await asyncio.sleep_ms(0)
    while wire.holder is not None and "b" not in [label for label, _ in done]:
        await asyncio.sleep_ms(0)
    tasks[3].cancel()  # has been handed the wire and not run yet, or is on it: the next must get it either way
    for at in (1, 4):
        await tasks[at]
    await run(wire, ask("later"), done)
    return {"log": wire.log, "done": done, "free": wire.holder is None and wire._first is None}


async def handed():
    """The wire is handed to a task that is cancelled before it runs."""
    wire, done = Slow(), []
    tasks = start(wire, done, ask("a"), ask("b"), ask("c"))
    await asyncio.sleep_ms(0)
    leave = wire.leave

    def leave_and_cancel(turn):
        leave(turn)
        wire.leave = leave
        tasks[1].cancel()

    wire.leave = leave_and_cancel
    await tasks[0]
    await tasks[2]
    return {"log": wire.log, "done": done, "free": wire.holder is None and wire._first is None}


async def broken_port():
    """The port raises under the first; the second finds the wire free."""
    wire, done = Slow(), []
    wire.fails = 1
    caught = ""
    try:
        await wire.transact(ask("a"))
    except OSError as error:
        caught = str(error)
    wire.fails = 0
    await run(wire, ask("b"), done)
    return {"caught": caught, "done": done, "free": wire.holder is None}


async def retries():
    """No answer, then an exception code; a trip that comes in between ends the tries."""
    wire, done = Slow(), []
    lost = ask("lost", READ, 16)
    lost.retries = 2
    await run(wire, lost, done)
    await run(wire, ask("refused", WRITE, 2), done)
    tasks = start(wire, done, lost, ask("trip", TRIP))
    for task in tasks:
        await task
    return {"log": wire.log, "done": done, "counters": [wire.transactions, wire.timeouts, wire.exceptions]}


print(json.dumps(asyncio.run(globals()[sys.argv[1]]())))
