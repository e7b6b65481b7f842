# SPDX-License-Identifier: MIT
"""The parts of MicroPython's `micropython` module that firmware uses, for CPython.

`native` and `viper` return the function as it is: CPython runs the same arithmetic, only slower.
`schedule` queues like the port does and `run_scheduled` plays the VM's pause between bytecodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

SCHEDULE_DEPTH = 8  # ESP32 and STM32; the port raises when it is full
_queue: list[tuple[Callable[[Any], Any], Any]] = []


def const(value: int) -> int:
    """Return value; the MicroPython compiler folds it."""
    return value


def native(function: F) -> F:
    """Return function unchanged."""
    return function


def viper(function: F) -> F:
    """Return function unchanged."""
    return function


def opt_level(level: int = 0) -> int:
    """Accept an optimisation level."""
    return level


def alloc_emergency_exception_buf(size: int) -> None:
    """Accept a size in bytes; CPython needs no such buffer."""
    if size < 0:
        raise ValueError("emergency exception buffer of %d bytes; give 0 or more" % size)


def schedule(function: Callable[[Any], Any], argument: Any) -> None:
    """Queue function(argument) for run_scheduled(); RuntimeError when 8 are waiting, as on the ports."""
    if len(_queue) >= SCHEDULE_DEPTH:
        raise RuntimeError("schedule queue full")
    _queue.append((function, argument))


def run_scheduled() -> int:
    """Run what is queued now and return how many ran."""
    count = len(_queue)
    for _ in range(count):
        function, argument = _queue.pop(0)
        function(argument)
    return count


def heap_lock() -> int:
    """CPython cannot lock its heap: allocation is proved on the 31-bit VM, never here."""
    raise RuntimeError("heap_lock proves nothing on CPython; run this on a MicroPython VM")
