# SPDX-License-Identifier: MIT
"""The whole firmware, with a mark before and after each piece of work, for callgrind to count the instructions between.

A piece is what a task of the MQTT client does from one yield to the next, or a whole cycle. The marks are calls of
three functions of libm that the firmware never uses: callgrind writes its count at each (`--dump-before`).
Arguments: from and to, seconds since boot; every how many cycles one is marked.
"""

# ruff: noqa: F821  (execfile is a builtin of the unix port)
import asyncio
import gc
import os
import sys
from asyncio import core
from math import erf, erfc, lgamma

from _link import world

FROM_US, TO_US, EVERY = int(sys.argv[1]) * 1000000, int(sys.argv[2]) * 1000000, int(sys.argv[3])
NONE, MQTT = 0, 1
PIECES_A_COLLECTION = 40


def begin():
    lgamma(2.5)


def end_mqtt():
    erf(0.5)


def end_cycle():
    erfc(0.5)


def due():
    """Whether pieces are counted now."""
    return FROM_US <= world.now - world.boot_us < TO_US


class Piecewise:
    """A coroutine whose pieces are marked once it belongs to the MQTT client; tasks it makes belong to it too."""

    running = None
    counted = 0

    def __init__(self, coroutine):
        self._coroutine = coroutine
        self.owner = Piecewise.running.owner if Piecewise.running is not None else NONE

    def send(self, value):
        return self._piece(self._coroutine.send, value)

    def throw(self, error):
        return self._piece(self._coroutine.throw, error)

    def close(self):
        self._coroutine.close()

    def _piece(self, step, argument):
        before = Piecewise.running
        Piecewise.running = self
        counted = self.owner == MQTT and due()
        if counted:
            self._tidy()
            begin()
        try:
            return step(argument)
        finally:
            if counted:
                end_mqtt()
            Piecewise.running = before

    @staticmethod
    def _tidy():
        """Collect garbage now and then, so that no piece has to: it is the whole heap's cost."""
        Piecewise.counted += 1
        if Piecewise.counted % PIECES_A_COLLECTION == 1:
            gc.collect()


def mark_tasks():
    """Wrap every coroutine that becomes a task."""
    create = core.create_task

    def create_task(coroutine):
        return create(Piecewise(coroutine))

    core.create_task = asyncio.create_task = create_task


def mark_client():
    """Claim the task in which the MQTT client runs."""
    from evse.tasks.mqtt import MqttTask

    run = MqttTask.run

    async def claimed(self):
        Piecewise.running.owner = MQTT
        await run(self)

    MqttTask.run = claimed


def mark_cycle():
    """Mark one cycle of EVERY."""
    from evse.cycle import Cycle

    run = Cycle.run
    count = 0

    def marked(self, timer=None):
        nonlocal count
        count += 1
        if count % EVERY or not due():
            run(self, timer)
            return
        begin()
        run(self, timer)
        end_cycle()

    Cycle.run = marked


mark_tasks()
mark_client()
mark_cycle()
for part in ("boot.py", "main.py"):
    execfile((os.getenv("VB_ROOT") or "") + part)
