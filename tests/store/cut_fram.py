# SPDX-License-Identifier: MIT
"""A FRAM that loses power after so many bytes: what was written before the cut stays, the rest never happens."""


class PowerCut(Exception):
    """The supply is gone."""


class CutFram:
    """Memory of size bytes; `cut_after` counts the bytes still written before the cut, -1 = never."""

    def __init__(self, size=32768, fill=0):
        self.size = size
        self.data = bytearray(bytes((fill,)) * size)
        self.cut_after = -1
        self.written = 0

    def readinto(self, address, buffer):
        """Fill buffer; outside the part is an error, as in the drivers."""
        if address < 0 or address + len(buffer) > self.size:
            raise ValueError("read of %d bytes at %d" % (len(buffer), address))
        buffer[:] = self.data[address : address + len(buffer)]

    def write(self, address, buffer):
        """Write byte by byte, as the part does."""
        if address < 0 or address + len(buffer) > self.size:
            raise ValueError("write of %d bytes at %d" % (len(buffer), address))
        for i in range(len(buffer)):
            if self.cut_after == 0:
                raise PowerCut
            if self.cut_after > 0:
                self.cut_after -= 1
            self.data[address + i] = buffer[i]
            self.written += 1


def cut_during(memory, cut, write, points):
    """Run write with the supply cut after so many bytes; return 1 when it came back, that is: acknowledged.

    points: [count of the cuts made].
    """
    memory.cut_after = cut
    points[0] += 1
    try:
        write()
    except PowerCut:
        return 0
    finally:
        memory.cut_after = -1
    return 1
