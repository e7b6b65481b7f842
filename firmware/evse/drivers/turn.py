# SPDX-License-Identifier: MIT
"""A place in a bus's queue that is used again: awaiting a transfer makes no object.

`await coroutine()` costs a generator object each time. Here the generator belongs to the Turn and serves transfer after
transfer; what the task awaits is the Turn itself, taken from the bus's pool and given back when the transfer is over.
"""

_STOPS = {}  # result -> the StopIteration that carries it; made once each, at most 256


def _stop(result: int):
    stop = _STOPS.get(result)
    if stop is None:
        stop = _STOPS[result] = StopIteration(result)
    stop.__traceback__ = None
    return stop


class Turn:
    """Awaitable for one transfer at a time; `await` gives transfer.result.

    pool.serve(turn) makes the generator. It runs turn.transfer, sets turn.done = 1, yields, and begins again. It may
    wait by `yield from asyncio.sleep_ms(...)` and must not yield while it cleans up after an exception.
    """

    def __init__(self, pool):
        self._pool = pool
        self._steps = pool.serve(self)
        self.transfer = None
        self.done = 0
        self.after = None  # next idle turn of the pool

    def __iter__(self):
        return self

    __await__ = __iter__

    def __next__(self):
        """Go on until the transfer has to wait, or is over."""
        alive = 0
        try:
            next(self._steps)
            alive = 1
        finally:
            if not alive:  # the port failed under it
                self._renew()
        if self.done:
            result = self.transfer.result
            self._give_back()
            raise _stop(result)

    def throw(self, error, *_details):
        """The awaiting task was cancelled: let go of the line and pass the exception on."""
        try:
            self._steps.throw(error)
        finally:
            self._renew()

    def close(self):
        """The awaiting task was thrown away."""
        self._steps.close()
        self._renew()

    def _renew(self) -> None:
        self._steps = self._pool.serve(self)
        self._give_back()

    def _give_back(self) -> None:
        self.done = 0
        self.transfer = None
        self._pool.give_back(self)


class Turns:
    """The pool of one bus: as many turns as tasks ever waited at once."""

    def __init__(self, serve):
        self.serve = serve
        self._idle = None

    def take(self, transfer) -> Turn:
        """Return an idle turn that will run the transfer; await it at once."""
        turn = self._idle
        if turn is None:
            turn = Turn(self)
        else:
            self._idle = turn.after
            turn.after = None
        turn.transfer = transfer
        return turn

    def give_back(self, turn) -> None:
        turn.after = self._idle
        self._idle = turn
