# SPDX-License-Identifier: MIT
"""What every FRAM driver does: bounds, short transfers, and proof. For tasks only, never the cycle.

Neither bus has a check sum. So a transfer is read until two in a row are alike, and what was written is read back;
after TRIES it is an OSError that names the address. A record is then either what was written or refused, never a
neighbour of it.
"""

from errno import EIO, ETIMEDOUT

CHUNK = 32  # bytes a transfer: bounds how long the bus and the other tasks wait (0.8 ms at 400 kHz)
TRIES = 3


class Fram:
    """Non-volatile memory of `size` bytes. A subclass moves bytes: _get(address, view), _put(address, view)."""

    def __init__(self, size: int):
        self.size = size
        self.errors = 0  # transfers that failed or did not prove right, each tried again
        self._again = memoryview(bytearray(CHUNK))

    def readinto(self, address: int, buffer) -> None:
        """Fill buffer from address on; OSError when the part does not answer, ValueError outside 0..size."""
        self._check(address, len(buffer))
        view = memoryview(buffer)
        for start in range(0, len(buffer), CHUNK):
            self._proven(address + start, view[start : start + CHUNK], 0)

    def write(self, address: int, buffer) -> None:
        """Write buffer from address on, in rising order; a byte is kept once it has been clocked in."""
        self._check(address, len(buffer))
        view = memoryview(buffer)
        for start in range(0, len(buffer), CHUNK):
            self._proven(address + start, view[start : start + CHUNK], 1)

    def _get(self, address: int, view) -> None:
        raise NotImplementedError

    def _put(self, address: int, view) -> None:
        raise NotImplementedError

    def _recover(self) -> None:
        """Free a bus that is held, where that can be done."""

    def _proven(self, address: int, part, writing: int) -> None:
        again = self._again[: len(part)]
        failure = None
        for _ in range(TRIES):
            try:
                if writing:
                    self._put(address, part)
                else:
                    self._get(address, part)
                self._get(address, again)
                if part == again:
                    return
                failure = None
            except OSError as error:
                failure = error
                if error.errno == ETIMEDOUT:
                    self._recover()
            self.errors += 1
        if failure is not None:
            raise failure
        words = "does not keep what is written" if writing else "does not read twice alike"
        raise OSError(EIO, "FRAM address 0x%04X %s" % (address, words))

    def _check(self, address: int, length: int) -> None:
        if address < 0 or address + length > self.size:
            raise ValueError("FRAM range %d..%d is not within 0..%d" % (address, address + length, self.size))
