# SPDX-License-Identifier: MIT
"""Watches the watchers: runs every task, restarts one that fails or falls silent, feeds the watchdog.

The watchdog is fed only when the cycle has completed since the last look (or boot holds the charger
safe without one). Ten times a second. A critical task that keeps failing sets the fault `task`.
"""

import asyncio
from time import ticks_diff, ticks_ms

import micropython
from evse.faults import FAULT_TASK

LOOK_MS = 100
CTRL_C = 3
BACKOFF_MS = 1000
BACKOFF_MAX_MS = 60000
STEADY_MS = 60000  # a task that ran this long has recovered
FAILURES_MAX = 5  # of a critical task in a row, then the fault


class Keeper:
    """One task with its count of failures."""

    def __init__(self, task):
        self.task = task
        self.name = getattr(task, "name", type(task).__name__)
        self.failures = 0  # in a row
        self.restarts = 0  # since boot
        self.started_ms = 0
        self.waiting = 1  # 1: not started yet, or between two runs
        self.silent = 0  # 1: cancelled because its heartbeat stopped
        self.handle = None


class Supervisor:
    """Owner of all other tasks. station.tasks lists them; each has name, critical, patience_ms, beat_ms, run()."""

    name = "supervisor"

    def __init__(self, station):
        self._station = station
        self._status = station.image.status
        self._outputs = station.image.outputs
        self._cycles = -1
        self._energised = 0
        self.keepers = [Keeper(task) for task in station.tasks]
        station.keepers = self.keepers

    async def run(self) -> None:
        """Start all tasks and watch them for ever."""
        for keeper in self.keepers:
            keeper.handle = asyncio.create_task(self._keep(keeper))
        while True:
            self.look()
            self._apply_staged()
            await asyncio.sleep_ms(LOOK_MS)

    def _apply_staged(self) -> None:
        """Put settings in force that waited for power to stop."""
        settings = self._station.settings
        count = settings.apply_staged()
        if count:
            settings.save()
            self._station.notes.say("settings", "%d staged settings are in force now" % count)

    def look(self) -> None:
        """Feed the watchdog if the cycle lives; cancel tasks that fell silent."""
        cycles = self._status.cycles
        if self._station.cycle is None or cycles != self._cycles:
            self._station.board.watchdog.feed()
        self._cycles = cycles
        self._guard_keyboard()
        now_ms = ticks_ms()
        failing = 0
        for keeper in self.keepers:
            self._look_at(keeper, now_ms)
            if keeper.failures >= FAILURES_MAX and getattr(keeper.task, "critical", True):
                failing = 1
        self._status.cause[FAULT_TASK] = failing

    def _guard_keyboard(self) -> None:
        """Ctrl-C stops the program (service) only while the contactor is open; else it is a key like others."""
        energised = self._outputs.contactor
        if energised != self._energised:
            self._energised = energised
            micropython.kbd_intr(-1 if energised else CTRL_C)

    @staticmethod
    def _look_at(keeper: Keeper, now_ms: int) -> None:
        if keeper.waiting:
            return
        task = keeper.task
        patience_ms = getattr(task, "patience_ms", 0)
        if patience_ms and ticks_diff(now_ms, task.beat_ms) > patience_ms:
            keeper.silent = 1
            keeper.waiting = 1
            keeper.handle.cancel()
        elif keeper.failures and ticks_diff(now_ms, keeper.started_ms) > STEADY_MS:
            keeper.failures = 0

    async def _keep(self, keeper: Keeper) -> None:
        while True:
            keeper.started_ms = ticks_ms()
            keeper.task.beat_ms = keeper.started_ms
            keeper.waiting = 0
            text = await self._once(keeper)
            keeper.failures += 1
            keeper.restarts += 1
            self._station.notes.say(keeper.name, text)
            await asyncio.sleep_ms(min(BACKOFF_MS << min(keeper.failures - 1, 6), BACKOFF_MAX_MS))

    async def _once(self, keeper: Keeper) -> str:
        """Run the task until it fails; return why in words."""
        try:
            await keeper.task.run()
            text = "ended, restarting"
        except asyncio.CancelledError:
            if not keeper.silent:
                raise
            keeper.silent = 0
            text = "gave no sign of life for %d ms, restarting" % keeper.task.patience_ms
        except Exception as error:  # the one place where anything unexpected ends up: told, counted, restarted
            text = "failed with %s: %s; restarting" % (type(error).__name__, error)
        keeper.waiting = 1
        return text
