# SPDX-License-Identifier: MIT
"""Line editing on a plain terminal, one byte at a time, without I/O: what to show is left in `echo`.

Backspace, Ctrl-U (clear), Ctrl-W (word), Ctrl-C (give up), up and down for history, Tab. The line is
bounded; what does not fit rings the bell and marks the line, so that it is refused instead of cut.
"""

NOTHING, LINE, COMPLETE, BREAK = 0, 1, 2, 3

LINE_MAX = 160
HISTORY = 8

_PLAIN, _ESCAPE, _BRACKET = 0, 1, 2


class LineEditor:
    """Feed bytes; on LINE, `line` is the text (`overlong`: it did not fit); on COMPLETE, `text()` is so far."""

    def __init__(self, line_max: int = LINE_MAX):
        self._buffer = bytearray(line_max)
        self._length = 0
        self._state = _PLAIN
        self._history = []
        self._recall = 0
        self._after_return = False
        self.overlong = False
        self.line = ""
        self.echo = b""
        self.quiet = False  # script mode: no echo

    def text(self) -> str:
        """Return what is typed so far."""
        return bytes(self._buffer[: self._length]).decode()

    def feed(self, byte: int) -> int:
        """Take one byte; return NOTHING, LINE, COMPLETE or BREAK."""
        self.echo = b""
        if self._state != _PLAIN:
            return self._sequence(byte)
        if byte == 0x0A and self._after_return:
            self._after_return = False
            return NOTHING  # the second half of CR LF
        self._after_return = byte == 0x0D
        if byte in (0x0D, 0x0A):
            return self._finish()
        if 0x20 <= byte < 0x7F:
            return self._insert(byte)
        return self._control(byte)

    def _insert(self, byte: int) -> int:
        if self._length >= len(self._buffer):
            self.overlong = True
            self.echo = b"\x07"
            return NOTHING
        self._buffer[self._length] = byte
        self._length += 1
        self.echo = bytes((byte,))
        return NOTHING

    def _control(self, byte: int) -> int:
        if byte in (0x08, 0x7F):
            self._erase(1)
        elif byte == 0x15:
            self._erase(self._length)
        elif byte == 0x17:
            self._erase(self._length - (self.text().rstrip().rfind(" ") + 1))
        elif byte == 0x1B:
            self._state = _ESCAPE
        elif byte == 0x09:
            return COMPLETE
        elif byte == 0x03:
            self._clear()
            self.echo = b"^C\r\n"
            return BREAK
        return NOTHING

    def _sequence(self, byte: int) -> int:
        """Follow ESC [ A (up) and ESC [ B (down); swallow every other sequence."""
        if self._state == _ESCAPE:
            self._state = _BRACKET if byte in (0x5B, 0x4F) else _PLAIN
            return NOTHING
        if byte < 0x40:
            return NOTHING  # parameters of a longer sequence
        self._state = _PLAIN
        if byte == 0x41:
            self._show(self._recall + 1)
        elif byte == 0x42:
            self._show(self._recall - 1)
        return NOTHING

    def _show(self, recall: int) -> None:
        """Replace the line with the history entry `recall` lines back; 0 is an empty line."""
        if not 0 <= recall <= len(self._history):
            return
        self._recall = recall
        self.replace(self._history[-recall] if recall else "")

    def replace(self, text: str) -> None:
        """Put text in place of the line."""
        text = text[: len(self._buffer)]
        erased = b"\b \b" * self._length
        self._length = len(text)
        self._buffer[: self._length] = text.encode()
        self.echo = erased + text.encode()

    def _erase(self, count: int) -> None:
        count = min(count, self._length)
        self._length -= count
        self.overlong = False
        self.echo = b"\b \b" * count

    def _clear(self) -> None:
        self._length = 0
        self._recall = 0
        self.overlong = False

    def _finish(self) -> int:
        self.line = self.text()
        self.echo = b"\r\n"
        overlong = self.overlong
        self._clear()
        self.overlong = overlong
        self._remember()
        return LINE

    def start(self) -> None:
        """Forget that the line before was overlong."""
        self.overlong = False

    def drop(self) -> None:
        """Forget what is typed so far."""
        self._clear()

    def _remember(self) -> None:
        line = self.line
        secret = line.startswith(("unlock", "pin")) or "password" in line
        if not line or secret or self.overlong or (self._history and self._history[-1] == line):
            return
        self._history.append(line)
        if len(self._history) > HISTORY:
            self._history.pop(0)
