# SPDX-License-Identifier: MIT
"""Line editing on a plain terminal, one byte at a time, without I/O: what to show is left in `echo`.

Arrows, Home, End, Delete and Backspace; Ctrl-A, -E, -B, -F, -D and -K as in a shell; Ctrl-U (clear), Ctrl-W (word),
Ctrl-C and Ctrl-X (give up), Tab. The line is bounded; what does not fit rings the bell and marks the line, so that it
is refused instead of cut.
"""

NOTHING, LINE, COMPLETE, BREAK, END = range(5)

LINE_MAX = 256  # `set profile_changes` and its 200 characters fit
HISTORY = 8
BELL = b"\x07"
LEAVE = "\x04"  # stands for the line that END means

_PLAIN, _ESCAPE, _BRACKET = 0, 1, 2
_PARAMETER_KEYS = {1: 0x48, 7: 0x48, 4: 0x46, 8: 0x46}  # ESC [ 1 ~ is Home, ESC [ 4 ~ is End


class LineEditor:
    """Feed bytes; on LINE, `line` is the text (`overlong`: it did not fit); on COMPLETE, `text()` is so far.

    END: Ctrl-D on an empty line. cursor: characters before it.
    """

    def __init__(self, line_max: int = LINE_MAX):
        self._buffer = bytearray(line_max)
        self._length = 0
        self.cursor = 0
        self._state = _PLAIN
        self._parameter = 0
        self._history = []
        self._recall = 0
        self._after_return = False
        self.overlong = False
        self.line = ""
        self.echo = b""
        self.quiet = False  # script mode: no echo
        self.hidden = False  # a PIN is typed: no echo, no history

    def text(self) -> str:
        """Return what is typed so far."""
        return self._part(0, self._length).decode()

    def _part(self, start: int, end: int) -> bytes:
        return bytes(memoryview(self._buffer)[start:end])

    def feed(self, byte: int) -> int:
        """Take one byte; return NOTHING, LINE, COMPLETE, BREAK or END."""
        self.echo = b""
        if self._state != _PLAIN:
            return self._sequence(byte)
        if self.second_half(byte):
            return NOTHING
        if byte in (0x0D, 0x0A):
            return self._finish()
        if 0x20 <= byte < 0x7F:
            return self._insert(byte)
        return self._control(byte)

    def second_half(self, byte: int) -> bool:
        """Whether byte is the LF of a CR LF."""
        after_return = self._after_return
        self._after_return = byte == 0x0D
        return byte == 0x0A and after_return

    def _insert(self, byte: int) -> int:
        if self._length >= len(self._buffer):
            self.overlong = True
            self.echo = BELL
            return NOTHING
        tail = self._part(self.cursor, self._length)
        self._buffer[self.cursor] = byte
        self._buffer[self.cursor + 1 : self._length + 1] = tail
        self._length += 1
        self.cursor += 1
        self.echo = bytes((byte,)) + tail + b"\b" * len(tail)
        return NOTHING

    def _control(self, byte: int) -> int:
        if byte == 0x1B:
            self._state = _ESCAPE
        elif byte == 0x09:
            if self.cursor == self._length:
                return COMPLETE
            self.echo = BELL
        elif byte in (0x03, 0x18):  # Ctrl-X for programs: Ctrl-C may stop the firmware before it gets here
            self._clear()
            self.echo = b"^C\r\n"
            return BREAK
        elif byte == 0x04 and not self._length:
            return END
        else:
            self._edit(byte)
        return NOTHING

    def _edit(self, byte: int) -> None:
        cursor, length = self.cursor, self._length
        if byte in (0x08, 0x7F):
            self._erase(cursor - 1, cursor)
        elif byte == 0x15:
            self._erase(0, length)
        elif byte == 0x17:
            self._erase(self._part(0, cursor).decode().rstrip().rfind(" ") + 1, cursor)
        elif byte == 0x0B:
            self._erase(cursor, length)
        elif byte == 0x04:
            self._erase(cursor, cursor + 1)
        else:
            self._move({0x01: 0, 0x05: length, 0x02: cursor - 1, 0x06: cursor + 1}.get(byte))

    def _move(self, cursor) -> None:
        if cursor is None or not 0 <= cursor <= self._length:
            return
        if cursor < self.cursor:
            self.echo = b"\b" * (self.cursor - cursor)
        else:
            self.echo = self._part(self.cursor, cursor)
        self.cursor = cursor

    def _sequence(self, byte: int) -> int:
        """Follow ESC [ A and its like; swallow every sequence that is none of ours."""
        if self._state == _ESCAPE:
            self._state = _BRACKET if byte in (0x5B, 0x4F) else _PLAIN
            self._parameter = 0
            return NOTHING
        if byte < 0x40:
            self._parameter = self._parameter * 10 + byte - 0x30 if 0x30 <= byte <= 0x39 and self._parameter < 9 else 99
            return NOTHING
        self._state = _PLAIN
        if byte == 0x7E and self._parameter == 3:
            self._erase(self.cursor, self.cursor + 1)
        elif byte == 0x7E:
            self._key(_PARAMETER_KEYS.get(self._parameter))
        elif not self._parameter:
            self._key(byte)
        return NOTHING

    def _key(self, final) -> None:
        if final == 0x41:
            self._show(self._recall + 1)
        elif final == 0x42:
            self._show(self._recall - 1)
        elif final == 0x43:
            self._move(self.cursor + 1)
        elif final == 0x44:
            self._move(self.cursor - 1)
        elif final == 0x48:
            self._move(0)
        elif final == 0x46:
            self._move(self._length)

    def _show(self, recall: int) -> None:
        """Replace the line with the history entry `recall` lines back; 0 is an empty line."""
        if not 0 <= recall <= len(self._history):
            return
        self._recall = recall
        self.replace(self._history[-recall] if recall else "")

    def replace(self, text: str) -> None:
        """Put text in place of the line."""
        text = text[: len(self._buffer)]
        over = max(0, self._length - len(text))
        self.echo = b"\b" * self.cursor + text.encode() + b" " * over + b"\b" * over
        self._length = self.cursor = len(text)
        self._buffer[: self._length] = text.encode()

    def _erase(self, start: int, end: int) -> None:
        """Take the characters start..end out; the cursor is left at start."""
        if not 0 <= start < end <= self._length:
            return
        tail = self._part(end, self._length)
        back = self.cursor - start
        self._buffer[start : start + len(tail)] = tail
        self._length -= end - start
        self.cursor = start
        self.overlong = False
        gone = end - start
        self.echo = b"\b" * back + tail + b" " * gone + b"\b" * (len(tail) + gone)

    def _clear(self) -> None:
        self._length = 0
        self.cursor = 0
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
        """Forget what is typed so far, also half a key."""
        self._clear()
        self._state = _PLAIN

    def _remember(self) -> None:
        line = self.line
        secret = line.lstrip().startswith(("unlock", "pin")) or "password" in line
        if not line or secret or self.hidden or self.overlong or (self._history and self._history[-1] == line):
            return
        self._history.append(line)
        if len(self._history) > HISTORY:
            self._history.pop(0)
