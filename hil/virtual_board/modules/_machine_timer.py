# SPDX-License-Identifier: MIT
"""Timer on virtual time: ids, hardness and missed ticks as on the port."""

import sys

from _board import PORT
from _link import FAR_US, world

from micropython import heap_lock, heap_unlock

port = __import__("_port_" + PORT)
_users = {}
_SLOW_US = 500_000


class Timer:
    """esp32: hardware ids, soft callbacks only. stm32: virtual timers (-1), soft or hard."""

    ONE_SHOT, PERIODIC = 0, 1

    def __init__(self, id=-1, **options):
        if id not in port.TIMER_IDS:
            raise ValueError("Timer(%r) doesn't exist" % (id,))
        if id != -1:
            if id in _users and _users[id] is not self:
                _users[id].deinit()
            _users[id] = self
        self.due_us = FAR_US
        self._hard = False
        self._feeds = False
        if options:
            self.init(**options)

    def init(self, *, mode=1, freq=-1, period=-1, callback=None, hard=None):
        if hard and not port.HARD_TIMERS:
            raise ValueError("hard Timers are not implemented")
        if mode not in (0, 1):
            raise ValueError("invalid Timer mode")
        if freq != -1:
            self._period_us = int(1000000 / freq)
        elif period > 0:
            self._period_us = period * 1000
        else:
            raise ValueError("Timer needs freq or period above zero")
        if PORT == "stm32":
            self._period_us = max(1000, self._period_us // 1000 * 1000)  # virtual timers have a 1 ms grain
        self._mode = mode
        self._callback = callback
        self._hard = port.HARD_TIMERS if hard is None else hard
        self.due_us = world.now + self._period_us
        if self not in world.timers:
            world.timers.append(self)
        if world.realtime and self._period_us >= _SLOW_US and not self._hard:
            self._try_feeding()

    def _try_feeding(self):
        """Find out, by an early first call, whether this timer feeds the watchdog.

        The unix port runs no timer while its prompt waits for a key; the host is told that the watchdog is looked
        after, or it would reset the board under the person at the prompt.
        """
        world.fed = False
        self._callback(self)
        if world.fed:
            self._feeds = True
            world.outputs.wdt_us = FAR_US
            world.sync(world.now)

    def deinit(self):
        self.due_us = FAR_US
        if self._feeds:
            self._feeds = False
            world.outputs.wdt_us = world.now + 1_000_000
        if self in world.timers:
            world.timers.remove(self)

    def value(self):
        return (self._period_us - (self.due_us - world.now)) // 1000

    def fire(self):
        """Run the callback once; a tick that a full queue would drop is dropped."""
        if self._mode == 0:
            self.deinit()
        else:
            missed = (world.now - self.due_us) // self._period_us + 1 - port.TIMER_QUEUE
            if missed > 0:
                self.due_us += missed * self._period_us
            self.due_us += self._period_us
        if self._callback is None:
            return
        if self._hard:
            self._fire_hard()
        else:
            try:
                self._callback(self)
            except Exception as error:
                sys.print_exception(error)  # the scheduler prints and goes on

    def _fire_hard(self):
        heap_lock()
        try:
            self._callback(self)
            heap_unlock()
        except Exception as error:
            heap_unlock()
            print("uncaught exception in Timer interrupt handler")
            sys.print_exception(error)
            self._callback = None
            self.deinit()
