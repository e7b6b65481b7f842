# SPDX-License-Identifier: MIT
# ruff: noqa: F821  (execfile is a builtin of the unix port)
"""Starts the firmware on the virtual board: boot.py, then main.py, as a port does."""

import os
import random
import select
import sys

import _link

import micropython

_BIG_MS = 1 << 40  # far ahead of the machine's own clock, which the C task queue takes for "now"


def _asyncio_ticks():
    world = _link.world
    return (world.now - world.boot_us) // 1000 + _BIG_MS


def _patch_asyncio():
    from asyncio import core

    core.ticks = _asyncio_ticks
    core.ticks_add = lambda ticks, delta: ticks + delta
    core.ticks_diff = lambda end, start: end - start
    if core.select is not select:
        raise RuntimeError("asyncio was imported before the virtual board's select")


def _exists(name):
    try:
        os.stat(name)
        return True
    except OSError:
        return False


def _run():
    entry = os.getenv("VB_ENTRY")
    if entry:
        sys.argv[:] = [entry] + (os.getenv("VB_ARGS") or "").split("\n")
        execfile(entry)
        return True
    root = os.getenv("VB_ROOT") or ""
    for name in ("boot", "main"):
        for suffix in (".py", ".mpy"):
            path = root + name + suffix
            if _exists(path):
                if suffix == ".py":
                    execfile(path)
                else:
                    __import__(name)
                break
    return False


class _MicroPython:
    """The unix port's `micropython` with what a board's has besides."""

    def __init__(self, of_port):
        self._of_port = of_port  # kept here: boot.py and main.py share this file's globals

    def __getattr__(self, name):
        if name == "_of_port":
            raise AttributeError(name)  # not there yet: asking for it again would never end
        return getattr(self._of_port, name)

    def alloc_emergency_exception_buf(self, size):
        """The unix port has its own buffer."""


sys.modules["micropython"] = _MicroPython(micropython)
random.seed(int(os.getenv("VB_SEED") or 0))
_patch_asyncio()
_done = False
try:
    _done = _run()
except SystemExit as stop:
    _code = stop.args[0] if stop.args else 0
    if not _link.world.realtime:
        _link.world.leave(_link.EXIT, int(_code or 0) & 0xFF)
except BaseException as error:
    sys.print_exception(error)
    if not _link.world.realtime:
        _link.world.leave(_link.EXIT, 1)
if not _link.world.realtime:
    if _done:
        _link.world.leave(_link.EXIT, 0)
    # The program has ended: a board shows its prompt while its timers run on.
    while True:
        _link.world.advance(_link.FAR_US)
