# SPDX-License-Identifier: MIT
"""Parts of one buffer as memoryviews, each made once: slicing anew allocates at every frame."""


class Views:
    """Keeps each part that was ever asked for: meant for the few lengths in use on a wire."""

    def __init__(self, buffer):
        self._whole = memoryview(buffer)
        self._made = {}

    def part(self, start: int, end: int):
        """Return buffer[start:end] as a view; 0 <= start <= end < 1024."""
        key = start << 10 | end
        made = self._made
        if key not in made:
            made[key] = self._whole[start:end]
        return made[key]
