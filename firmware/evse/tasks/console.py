# SPDX-License-Identifier: MIT
"""Serial console for a technician's terminal and for scripts: reads a byte, edits, runs a verb, answers.

Replies end in one line, `OK key=value ...` or `ERR code text`. Bounded everywhere: line length,
output a turn, time a terminal may stall. The verbs are in verbs.py.
"""

import asyncio
import gc
from time import ticks_add, ticks_diff, ticks_ms

from evse.points import ACCESS
from evse.tasks import line_editor, verbs
from evse.tasks.access import Access
from evse.tasks.station import VERSION
from evse.tasks.terminal import Terminal

IDLE_MS = 600000  # access falls back to its base
CUT_MS = 60000  # a line half typed this long ago is dropped
GONE_MS = 500
LIST_MAX = 24  # candidates shown for Tab
WIDTH = 79  # a terminal's 80 columns wrap once the last is written
INDENT = "    "


class ConsoleTask:
    """One session on board.console."""

    name = "console"
    critical = False
    patience_ms = 0  # waits for a person as long as it takes; every write is bounded

    def __init__(self, station):
        self.station = station
        self.access = Access(station.board.memory, lambda: station.clock.uptime_ms(ticks_ms()))
        self.level = self.access.base()
        self.editor = line_editor.LineEditor()
        self.state = ""
        self.beat_ms = ticks_ms()
        self._terminal = Terminal(station.board.console)
        self._key_ms = 0  # uptime of the last key: ticks would wrap on a console left alone for a week

    def now_ms(self) -> int:
        """Return ticks, for the verbs."""
        return ticks_ms()

    async def run(self) -> None:
        """Serve for ever."""
        await self.line("")
        await self.line("backfeed %s ready on %s: `help` lists the verbs" % (VERSION, self.station.board.name))
        await self._prompt()
        while True:
            line = await self.next_line()
            if line == line_editor.LEAVE:
                line = "lock"  # ends your access, as it ends a shell
                await self.line(line)
            if line is not None:
                await self.execute(line)
            await self._prompt()

    async def _prompt(self) -> None:
        if not self.editor.quiet:
            await self._terminal.write(b"> ")

    async def line(self, text: str) -> None:
        """Write one line; at a terminal a long one goes on indented below."""
        while not self.editor.quiet and len(text) > WIDTH:
            at = text.rfind(" ", 1, WIDTH + 1)
            if at <= len(INDENT):
                at = WIDTH  # one long word
            await self.data(text[:at].rstrip())
            text = INDENT + text[at:].lstrip()
        await self.data(text)

    async def data(self, text: str) -> None:
        """Write one line as it is, however long."""
        await self._terminal.write(text.encode() + b"\r\n")
        self.beat_ms = ticks_ms()

    async def _key(self) -> int:
        """Return the next byte; what was left behind before it (access, half a line) is gone."""
        while True:
            byte = await self._terminal.read()
            now_ms = self.station.clock.uptime_ms(ticks_ms())
            quiet_ms = now_ms - self._key_ms
            self._key_ms = now_ms
            if quiet_ms > IDLE_MS or byte < 0:
                self.level = self.access.base()
                self.editor.quiet = False  # a script that is gone leaves no mute terminal behind
            if quiet_ms > CUT_MS or byte < 0:
                self.editor.drop()
            if byte >= 0:
                return byte
            await asyncio.sleep_ms(GONE_MS)  # unplugged

    async def next_line(self):
        """Return the next line typed, LEAVE for Ctrl-D, or None when it was given up (Ctrl-C) or too long."""
        self.editor.start()
        while True:
            action = self.editor.feed(await self._key())
            if self.editor.echo and not self.editor.quiet and (action or not self.editor.hidden):
                await self._terminal.write(self.editor.echo)
            if action == line_editor.BREAK:
                self.editor.quiet = False  # somebody at the keys: a program says `mode script` after it
                return None
            if action == line_editor.END:
                return line_editor.LEAVE
            if action == line_editor.COMPLETE and not self.editor.hidden:
                await self._complete()
            if action == line_editor.LINE:
                if not self.editor.overlong:
                    return self.editor.line
                await self.line("ERR overlong line of more than %d characters" % line_editor.LINE_MAX)
                return None

    async def secret(self, prompt: str):
        """Return a line typed unseen; "" when it was given up, and for a script, which is never asked."""
        if self.editor.quiet:
            return ""
        await self._terminal.write(prompt.encode())
        self.editor.hidden = True
        try:
            line = await self.next_line()
            return "" if line in (None, line_editor.LEAVE) else line
        finally:
            self.editor.hidden = False

    async def key_within(self, wait_ms: int) -> bool:
        """Wait for a key, which is swallowed; return whether one came, or the terminal is gone."""
        end_ms = ticks_add(ticks_ms(), wait_ms)
        while True:
            left_ms = ticks_diff(end_ms, ticks_ms())
            if left_ms <= 0:
                return False
            try:
                byte = await asyncio.wait_for_ms(self._terminal.read(), left_ms)
            except asyncio.TimeoutError:  # noqa: UP041 (not the builtin on MicroPython)
                continue
            if not self.editor.second_half(byte):
                return True

    async def execute(self, line: str) -> None:
        """Run one line and answer; an empty line answers nothing."""
        words = line.split()
        if not words:
            return
        try:
            row = verbs.find(words[0])
            if row is None:
                raise verbs.VerbError("unknown", "verb '%s'; `help` lists them" % words[0][:20])
            if self.level < row[verbs.WHO]:
                raise verbs.VerbError(
                    "access", "%s needs %s access; unlock first" % (row[verbs.NAME], ACCESS[row[verbs.WHO]])
                )
            result = await verbs.load(row)(self, words[1:])
            await self.line("OK %s" % result if result else "OK")
        except verbs.VerbError as error:
            await self.line("ERR %s %s" % error.args)
        except MemoryError:  # no piece of heap long enough just now
            gc.collect()
            await self.line("ERR memory not enough just now; try again")
        except OSError as error:  # the FRAM: nothing else that a verb asks can fail so
            await self.line(
                "ERR hardware the memory does not answer (%s): nothing is kept; see `bringup memory`" % error
            )
        if self.station.reboot:
            await self.station.restart()

    async def _complete(self) -> None:
        """Complete the last word as far as it goes, or list what it may become."""
        from evse.tasks import completion  # bytes on the heap only for who uses it

        text = self.editor.text()
        names = completion.candidates(text)
        if not names:
            return
        head, space, word = text.rpartition(" ")
        common = completion.common(names)
        if len(names) > 1 and common == word:
            if not self.editor.quiet:
                await self.line("")
                await self.line("  ".join(names[:LIST_MAX]) + ("  ..." if len(names) > LIST_MAX else ""))
                await self._prompt()
                await self._terminal.write(text.encode())
            return
        self.editor.replace(head + space + common + (" " if len(names) == 1 else ""))
        if not self.editor.quiet:
            await self._terminal.write(self.editor.echo)
