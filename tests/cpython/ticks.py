# SPDX-License-Identifier: MIT
"""Give CPython's `time` the ticks functions of MicroPython, with the 2^30 period of the ports."""

from __future__ import annotations

import time

PERIOD = 1 << 30
HALF = PERIOD >> 1


def ticks_ms() -> int:
    """Return milliseconds, 0..2^30 - 1."""
    return time.monotonic_ns() // 1_000_000 % PERIOD


def ticks_us() -> int:
    """Return microseconds, 0..2^30 - 1."""
    return time.monotonic_ns() // 1_000 % PERIOD


def ticks_add(ticks: int, delta: int) -> int:
    """Return ticks + delta within the period."""
    return (ticks + delta) % PERIOD


def ticks_diff(end: int, start: int) -> int:
    """Return end - start, wrap-safe: -2^29..2^29 - 1."""
    return (end - start + HALF) % PERIOD - HALF


def sleep_ms(milliseconds: int) -> None:
    """Sleep for milliseconds."""
    time.sleep(milliseconds / 1000)


def sleep_us(microseconds: int) -> None:
    """Sleep for microseconds."""
    time.sleep(microseconds / 1_000_000)


def install() -> None:
    """Put every function above on `time`, where firmware imports it from."""
    for function in (ticks_ms, ticks_us, ticks_add, ticks_diff, sleep_ms, sleep_us):
        if not hasattr(time, function.__name__):
            setattr(time, function.__name__, function)
