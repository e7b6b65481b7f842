# SPDX-License-Identifier: MIT
"""The console's two streams, bounded: never blocks on a terminal that does not read, never floods a turn."""

import asyncio
import select

CHUNK_BYTES = 64  # a turn
STALL_MS = 2000  # then the terminal counts as not reading, and output is dropped until it does
_WAIT_MS = 10


class Terminal:
    """Byte input and bounded output. streams: (reader, writer) of the port's USB console."""

    def __init__(self, streams):
        source, self._sink = streams
        self._reader = asyncio.StreamReader(source)
        self._poller = select.poll()
        self._poller.register(self._sink, select.POLLOUT)
        self._stalled = False
        self.dropped = 0  # bytes that nobody read

    async def read(self) -> int:
        """Return the next byte, or -1 when the other end is gone for now."""
        try:
            data = await self._reader.read(1)
        except OSError:
            data = b""
        return data[0] if data else -1

    async def write(self, data) -> None:
        """Write data in small pieces; drop it when the terminal does not read for 2 s."""
        view = memoryview(data)
        at = 0
        waited_ms = 0
        while at < len(view):
            if self._writable():
                at += self._put(view[at : at + CHUNK_BYTES])
                waited_ms = 0
                self._stalled = False
                await asyncio.sleep_ms(0)
            elif self._stalled or waited_ms >= STALL_MS:
                self._stalled = True
                self.dropped += len(view) - at
                return
            else:
                await asyncio.sleep_ms(_WAIT_MS)
                waited_ms += _WAIT_MS

    def _writable(self) -> bool:
        for _stream, events in self._poller.poll(0):
            return bool(events & select.POLLOUT)
        return False

    def _put(self, piece) -> int:
        try:
            return self._sink.write(piece) or 0
        except OSError:
            return len(piece)  # unplugged: as good as written
