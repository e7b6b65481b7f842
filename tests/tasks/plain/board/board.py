# SPDX-License-Identifier: MIT
"""Board of the contract without power electronics: what the tasks touch, and nothing that only the cycle needs."""

import os
import sys


class Ratings:
    """What contactor, wiring and connector carry."""

    import_w = 7360
    export_w = 7360
    current_ma = 32000


class RamMemory:
    """FRAM in RAM; with PLAIN_FRAM set, kept in that file so that it survives a restart."""

    def __init__(self, size=32768):
        self.size = size
        self._data = bytearray(size)
        self._path = os.getenv("PLAIN_FRAM")
        if self._path:
            try:
                with open(self._path, "rb") as file:
                    file.readinto(self._data)
            except OSError:
                pass  # first start

    def readinto(self, address, buffer):
        if address < 0 or address + len(buffer) > self.size:
            raise ValueError("FRAM range")
        buffer[:] = self._data[address : address + len(buffer)]

    def write(self, address, buffer):
        if address < 0 or address + len(buffer) > self.size:
            raise ValueError("FRAM range")
        self._data[address : address + len(buffer)] = buffer
        if self._path:
            with open(self._path, "wb") as file:
                file.write(self._data)


class Watchdog:
    """Counts feeds."""

    def __init__(self):
        self.feeds = 0

    def feed(self):
        self.feeds += 1


class Afe:
    """Counts energy: 1 mWh of import a look on L1."""

    def __init__(self):
        self._looks = 0

    def energy_mwh(self, phase, exported):
        if phase == 0 and not exported:
            self._looks += 1
            return self._looks
        return 0


class Board:
    """See the module."""

    name = "plain"
    reset_cause = "power"
    ratings = Ratings

    def __init__(self):
        self.port = os.getenv("PLAIN_PORT") or "stm32"
        self.memory = RamMemory()
        self.watchdog = Watchdog()
        self.afe = Afe()
        self.console = (sys.stdin.buffer, sys.stdout.buffer)

    def reset(self):
        sys.exit(42)
