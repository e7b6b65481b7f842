# SPDX-License-Identifier: MIT
"""What the tasks have to say in words: a bounded ring of lines, read by `log` on the console.

The cycle has its event ring; this is for text (a refused broker, an exception's message). Never a secret.
"""

from time import ticks_ms

TEXT_MAX = 160  # characters kept of one line


class Notes:
    """The last `depth` lines; `count` goes on counting."""

    def __init__(self, depth: int = 32):
        self._rows = [None] * depth
        self.count = 0

    def say(self, who: str, text: str) -> None:
        """Keep one line of `who`; control characters become spaces so that a terminal stays sane."""
        clean = "".join([c if " " <= c < "\x7f" else " " for c in text[:TEXT_MAX]])
        self._rows[self.count % len(self._rows)] = (ticks_ms(), who, clean)
        self.count += 1

    def latest(self, count: int):
        """Yield the last `count` rows (ticks_ms, who, text), oldest first."""
        first = max(0, self.count - min(count, len(self._rows)))
        for number in range(first, self.count):
            yield self._rows[number % len(self._rows)]
