# SPDX-License-Identifier: MIT
"""Taking turns on a wire: one transfer at a time, urgent ones first. Awaiting a transfer makes no object.

`await coroutine()` costs a generator each time. Here a task awaits a Turn, taken from the wire's pool and given back
when its transfer is over; the wire is a machine of steps, asked again after as many ms as its last step said. Who waits
for the wire costs nothing meanwhile: whoever leaves it hands it to the next and wakes its task, as asyncio's Lock does.
"""

import asyncio
from time import ticks_ms

from evse.link import modbus

READ, WRITE, TRIP = 0, 1, 2  # priorities
HITS_TO_HURRY = 8
YIELD_MS = 5  # a device that is this late with its answer makes way for a trip
COARSE_AFTER_MS = 10  # this long past the expected answer, look less often
COARSE_MS = 5
START, PREPARE, LISTEN = 0, 1, 2  # phases of a transfer
DONE = -1

_core = getattr(asyncio, "core", None)  # MicroPython's scheduler; CPython only imports this file
_STOPS = {}  # result -> the StopIteration that carries it; made once each, at most 256


class Exchange:
    """A question that is asked again and again. All attributes may be changed between transactions.

    priority: READ, WRITE (before reads) or TRIP (before everything, and ends the wait for a device that has not begun
    to answer). timeout_ms: from the end of the request to the end of the answer. retries: further tries after a missing
    or broken answer. result: modbus.OK or another of modbus.RESULTS.
    """

    def __init__(self, priority: int, timeout_ms: int):
        self.priority = priority
        self.timeout_ms = timeout_ms
        self.retries = 1
        self.result = modbus.OK
        self.wait_ms = 0  # how long the device takes to turn around, as learnt
        self.hits = 0  # answers in a row that were there at the first look; below 0: that were not
        self.stamp_ms = 0  # ticks when the answer was whole

    def later(self, looks: int) -> None:
        """The answer was not there at the first look: a little later next time, more each time in a row.

        Not by all it was late, or one slow answer would slow down the next hundred.
        """
        misses = 1 - self.hits if self.hits < 0 else 1
        self.hits = -misses
        wait_ms = self.wait_ms + (misses if misses < looks and self.wait_ms else looks)
        most_ms = self.timeout_ms // 2
        self.wait_ms = wait_ms if wait_ms < most_ms else most_ms

    def sooner(self) -> None:
        """The answer was there at the first look: after some of these try earlier, a look too early costs a wake-up."""
        if self.hits < HITS_TO_HURRY:
            self.hits = self.hits + 1 if self.hits > 0 else 1
        else:
            self.wait_ms -= 1


class Turn:
    """Awaitable for one transfer at a time; `await` gives transfer.result."""

    def __init__(self, wire):
        self._wire = wire
        self.transfer = None
        self.task = None  # who waits for the wire
        self.after = None  # the next in the queue or in the pool

    def __iter__(self):
        return self

    __await__ = __iter__

    def __next__(self):
        """Go on until the transfer has to wait, or is over."""
        wire = self._wire
        if wire.holder is not self and not wire.enter(self):
            return
        transfer = self.transfer
        try:
            pause_ms = wire.step(transfer)
        except BaseException:  # the port failed under it
            wire.drop(self)
            raise
        if pause_ms >= 0:
            core = _core
            core._task_queue.push(core.cur_task, core.ticks_add(core.ticks(), pause_ms))
            return
        wire.leave(self)
        result = transfer.result
        if result not in _STOPS:
            _STOPS[result] = StopIteration(result)
        stop = _STOPS[result]
        stop.__traceback__ = None
        raise stop

    def remove(self, _task) -> None:
        """Leave the queue: the scheduler asks for it when the task that waits is cancelled."""
        self._wire.unlink(self)

    def throw(self, error, *_details):
        """The awaiting task was cancelled: let go of the wire and pass the exception on."""
        self._wire.drop(self)
        raise error

    def close(self) -> None:
        """The awaiting task was thrown away."""
        self._wire.drop(self)


class Wire:
    """What all masters have in common: the queue, the tries, the counters, and how long a device usually takes.

    A master says how to `prepare` (ms until it can send, 0 = now), `send` (ms until the first look), `look` (ms until
    the next look, 0 = over, exchange.result holds), and `hang_up` when a transfer is dropped in the middle.
    """

    def __init__(self):
        self.holder = None  # the turn that has the wire
        self._first = None  # of those that wait: by priority, then in the order of coming
        self._idle = None
        self._phase = START
        self._tries = 0
        self._exchange = None  # on the wire now: the transfer, or what has to go before it
        self._looks = 0  # in vain
        # Counters, for a person
        self.transactions = 0
        self.timeouts = 0
        self.broken = 0
        self.exceptions = 0

    def transact(self, transfer) -> Turn:
        """Run one transfer, with its retries, when awaited; that gives its result (modbus.OK or one of RESULTS)."""
        turn = self._idle
        if turn is None:
            turn = Turn(self)
        else:
            self._idle = turn.after
        turn.transfer = transfer
        return turn

    # --- the queue ---

    def enter(self, turn) -> int:
        """Give the turn the wire and return 1, or put it into the queue."""
        if self.holder is None:
            self.holder = turn
            self._phase = START
            return 1
        turn.task = _core.cur_task
        turn.task.data = turn  # so that cancelling finds `remove`
        priority = turn.transfer.priority
        before = None
        after = self._first
        while after is not None and after.transfer.priority >= priority:
            before = after
            after = after.after
        turn.after = after
        if before is None:
            self._first = turn
        else:
            before.after = turn
        return 0

    def leave(self, turn) -> None:
        """Hand the wire to the next; the turn goes back into the pool."""
        following = self._first
        self.holder = following
        if following is not None:
            self._first = following.after
            self._phase = START
            _core._task_queue.push(following.task)
        self._put_back(turn)

    def drop(self, turn) -> None:
        """End a turn before its transfer is over."""
        if self.holder is turn:
            if self._phase != START:
                self.hang_up()
            self.leave(turn)
            return
        self.unlink(turn)
        self._put_back(turn)

    def _put_back(self, turn) -> None:
        turn.transfer = None
        turn.after = self._idle
        self._idle = turn

    def unlink(self, turn) -> None:
        """Take a turn out of the queue, if it is there."""
        before = None
        waiting = self._first
        while waiting is not None and waiting is not turn:
            before = waiting
            waiting = waiting.after
        if waiting is None:
            return
        if before is None:
            self._first = turn.after
        else:
            before.after = turn.after

    def urgent(self, transfer) -> int:
        """Return 1 when a trip waits that this transfer has to make way for."""
        first = self._first
        return 1 if first is not None and first.transfer.priority == TRIP and transfer.priority != TRIP else 0

    # --- the transfer that has the wire ---

    def step(self, transfer) -> int:
        """Go on; return ms until the next step, or DONE when transfer.result holds."""
        phase = self._phase
        if phase != PREPARE:
            if phase == LISTEN:
                pause_ms = self.look(self._exchange)
                if pause_ms:
                    return pause_ms
                if not self._further(transfer):
                    return DONE
            else:
                self._tries = transfer.retries + 1
                self._exchange = self.first(transfer)
            self._phase = PREPARE
        pause_ms = self.prepare()
        if pause_ms:
            return pause_ms
        self._phase = LISTEN
        self._looks = 0
        return self.send(self._exchange)

    def _further(self, transfer) -> int:
        """Count what is over; return 1 when there is more to do for the transfer."""
        exchange = self._exchange
        self.count(exchange)
        if exchange is not transfer:
            if exchange.result < modbus.TIMEOUT:  # an exception will do
                self._exchange = transfer
                return 1
            transfer.result = exchange.result
        self._tries -= 1
        if transfer.result < modbus.TIMEOUT or not self._tries or self.urgent(transfer):
            return 0
        self._exchange = self.first(transfer)
        return 1

    def first(self, transfer):
        """Return what has to be exchanged first."""
        return transfer

    def hang_up(self) -> None:
        """Leave the wire as it has to be left when nothing more is awaited."""

    def look_again_ms(self, late_ms: int) -> int:
        """Count a look in vain; return ms until the next. late_ms: since the answer was expected."""
        self._looks += 1
        return 1 if late_ms < COARSE_AFTER_MS else COARSE_MS

    def count(self, exchange) -> None:
        """Count the exchange that is over, and learn from it."""
        self.transactions += 1
        result = exchange.result
        if result < modbus.TIMEOUT:
            exchange.stamp_ms = ticks_ms()
            if self._looks:
                exchange.later(self._looks)
            elif exchange.wait_ms:
                exchange.sooner()
            if result:
                self.exceptions += 1
        elif result == modbus.TIMEOUT:
            self.timeouts += 1
        elif result != modbus.ABORTED:
            self.broken += 1
