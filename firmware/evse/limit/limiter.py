# SPDX-License-Identifier: MIT
"""What every limiter is: a room for import, a room for export, and the reason for each."""

UNLIMITED_W = 1 << 20  # far above any rating


class Limiter:
    """Room in W (magnitudes, never negative). run() brings it up to date, once a cycle."""

    def __init__(self, reason: int, room_w: int = UNLIMITED_W):
        self.import_w = room_w
        self.export_w = room_w
        self.import_reason = reason
        self.export_reason = reason
