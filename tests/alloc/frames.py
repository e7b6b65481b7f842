# SPDX-License-Identifier: MIT
"""Frame sizes of compiled functions, read from .mpy files: the VM puts a frame above LARGEST_WORDS on the heap.

Such a call may start a garbage collection in the middle of a cycle, though nothing in its source allocates.
Sources: MicroPython py/objfun.c (VM_MAX_STATE_ON_STACK), py/bc.h (prelude of a function), py/persistentcode.c and
tools/mpy-tool.py (layout of .mpy version 6), py/makeqstrdata.py (numbers of static names).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backfeed.firmware_build import compile_file

LARGEST_WORDS = 11
HANDLER_WORDS = 3  # of each level of try or with
HEADER_BYTES = 4
STATIC_NAMES = {7: "<module>", 17: "__init__"}
BYTECODE = 0  # kind of code; anything else is native and has no frame of this sort
CONSTANTS = range(1, 5)  # kinds of object without data: None, False, True, ...
STRINGS = (5, 6)  # str and bytes end with a zero byte that their length leaves out
TUPLE = 10


@dataclass(frozen=True)
class Frame:
    """One function: name with the scopes around it, and the words of its frame: locals, stack and handlers."""

    name: str
    words: int
    generator: bool

    @property
    def on_heap(self) -> bool:
        return self.words > LARGEST_WORDS and not self.generator


def compiled(source: Path) -> list[Frame]:
    """Return the frames of a source file as mpy-cross compiles it."""
    return list(_Reader(compile_file(source, source.name, None)).frames())


class _Reader:
    """Walks through one .mpy file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = HEADER_BYTES
        names, objects = self._number(), self._number()
        self._names = [self._name() for _ in range(names)]
        for _ in range(objects):
            self._skip_object()

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _number(self) -> int:
        value = 0
        while True:
            byte = self._byte()
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value

    def _name(self) -> str:
        size, static = divmod(self._number(), 2)
        if static:
            return STATIC_NAMES.get(size, f"<static {size}>")
        start = self._at
        self._at += size + 1
        return self._data[start : start + size].decode()

    def _skip_object(self) -> None:
        kind = self._byte()
        if kind in CONSTANTS:
            return
        size = self._number()
        if kind == TUPLE:
            for _ in range(size):
                self._skip_object()
        else:
            self._at += size + (kind in STRINGS)

    def frames(self, scope: str = "") -> Iterator[Frame]:
        """Yield this code's frame, then those of the code inside it."""
        head = self._number()
        end = self._at + (head >> 3)
        name = scope + "<native>"
        if head & 3 == BYTECODE:
            frame = self._frame(scope)
            name = frame.name
            yield frame
        self._at = end
        if head & 4:
            inside = "" if name == "<module>" else name + "."
            for _ in range(self._number()):
                yield from self.frames(inside)

    def _frame(self, scope: str) -> Frame:
        byte = self._byte()
        state, handlers, flags = byte >> 3 & 15, byte >> 2 & 1, 0
        shift = 0
        while byte & 0x80:
            byte = self._byte()
            state |= (byte & 0x30) << 2 * shift
            handlers |= (byte & 2) << shift
            flags |= (byte >> 6 & 1) << shift
            shift += 1
        while self._byte() & 0x80:
            pass  # sizes of line information and closed-over variables
        name = scope + self._names[self._number()]
        return Frame(name, state + 1 + HANDLER_WORDS * handlers, bool(flags & 1))
