# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""FRAM drivers against peers that follow the parts' command sets."""

from evse.drivers.fram import CHUNK
from evse.drivers.fram_fm25w256 import FramFm25w256
from evse.drivers.fram_mb85rc256v import FramMb85rc256v


class I2cPart:
    """MB85RC256V: two address bytes, then data with a counting address."""

    def __init__(self, address=0x50):
        self.address = address
        self.data = bytearray(32768)
        self.longest = 0

    def _at(self, device, memory, addrsize):
        if device != self.address:
            raise OSError(19)  # nobody acknowledges
        assert addrsize == 16 and 0 <= memory < 32768
        return memory

    def readfrom_mem_into(self, device, memory, buffer, *, addrsize=8):
        at = self._at(device, memory, addrsize)
        self.longest = max(self.longest, len(buffer))
        buffer[:] = self.data[at : at + len(buffer)]

    def writeto_mem(self, device, memory, buffer, *, addrsize=8):
        at = self._at(device, memory, addrsize)
        self.longest = max(self.longest, len(buffer))
        self.data[at : at + len(buffer)] = buffer


class SpiPart:
    """FM25W256: WREN sets a latch that falls at the end of each write; no latch, no write."""

    def __init__(self):
        self.data = bytearray(32768)
        self._selected = 0
        self._bytes = b""
        self._latch = 0

    def cs(self, level):
        if level and self._selected:
            self._end()
        self._selected = not level
        self._bytes = b""

    def write(self, buffer):
        assert self._selected
        self._bytes += bytes(buffer)

    def readinto(self, buffer):
        assert self._selected and self._bytes[0] == 0x03 and len(self._bytes) == 3
        at = self._bytes[1] << 8 | self._bytes[2]
        buffer[:] = self.data[at : at + len(buffer)]

    def _end(self):
        code = self._bytes[0]
        if code == 0x06:
            self._latch = 1
        elif code == 0x02 and self._latch:
            at = self._bytes[1] << 8 | self._bytes[2]
            self.data[at : at + len(self._bytes) - 3] = self._bytes[3:]
            self._latch = 0


def drivers():
    i2c = I2cPart()
    spi = SpiPart()
    return ((FramMb85rc256v(i2c), i2c), (FramFm25w256(spi, spi.cs), spi))


def test_what_is_written_is_read():
    for fram, part in drivers():
        for address, length in ((0, 1), (7, 3), (100, CHUNK), (200, CHUNK + 1), (1000, 4096), (32767, 1)):
            wanted = bytes((address + 3 * i) & 0xFF for i in range(length))
            fram.write(address, wanted)
            assert part.data[address : address + length] == wanted
            found = bytearray(length)
            fram.readinto(address, found)
            assert found == wanted, (address, length)


def test_neighbours_stay():
    for fram, part in drivers():
        fram.write(50, b"\xff" * 10)
        fram.write(52, b"\x00" * 3)
        assert bytes(part.data[49:61]) == b"\x00\xff\xff\x00\x00\x00\xff\xff\xff\xff\xff\x00"


def test_outside_is_refused_with_the_range():
    for fram, part in drivers():
        before = bytes(part.data)
        for address, length in ((-1, 1), (32768, 1), (32760, 9)):
            for call in (fram.write, fram.readinto):
                try:
                    call(address, bytearray(length))
                except ValueError as error:
                    assert "0..32768" in str(error)
                else:
                    raise AssertionError("%d..%d was taken" % (address, address + length))
        assert bytes(part.data) == before


def test_transfers_on_i2c_are_short():
    part = I2cPart()
    FramMb85rc256v(part).write(0, bytes(1000))
    assert part.longest == CHUNK


def test_a_part_that_is_not_there_is_an_os_error():
    for call in ("write", "readinto"):
        try:
            getattr(FramMb85rc256v(I2cPart(0x51)), call)(0, bytearray(4))
        except OSError:
            continue
        raise AssertionError("a missing part was not noticed")


class Spoiled(I2cPart):
    """Spoils the transfers whose numbers stand in `bits` (one bit), `refused` (no acknowledge) or `held` (time-out)."""

    def __init__(self, bits=(), refused=(), held=()):
        super().__init__()
        self.turn = 0
        self.bits = bits
        self.refused = refused
        self.held = held
        self.stuck = 0

    def _at(self, device, memory, addrsize):
        self.turn += 1
        if self.turn in self.held:
            self.stuck = 1
        if self.stuck:
            raise OSError(110, "held")
        if self.turn in self.refused:
            raise OSError(19)
        return super()._at(device, memory, addrsize)

    def readfrom_mem_into(self, device, memory, buffer, *, addrsize=8):
        super().readfrom_mem_into(device, memory, buffer, addrsize=addrsize)
        if self.turn in self.bits:
            buffer[len(buffer) // 2] ^= 0x20

    def writeto_mem(self, device, memory, buffer, *, addrsize=8):
        at = self._at(device, memory, addrsize)
        self.data[at : at + len(buffer)] = buffer
        if self.turn in self.bits:
            self.data[at] ^= 1


def test_one_disturbance_is_seen_and_tried_again():
    wanted = bytes(range(CHUNK))
    for spoil in (
        {"bits": (1,)},
        {"bits": (2,)},
        {"refused": (1,)},
        {"refused": (2,)},
        {"bits": (1,), "refused": (3,)},
    ):
        part = Spoiled(**spoil)
        fram = FramMb85rc256v(part)
        fram.write(64, wanted)
        assert part.data[64 : 64 + CHUNK] == wanted and fram.errors >= 1, spoil
        part.turn = 0
        found = bytearray(CHUNK)
        fram.readinto(64, found)
        assert found == wanted, spoil


def test_what_is_not_kept_is_refused_with_its_address():
    part = Spoiled(bits=range(1, 100, 2))
    try:
        FramMb85rc256v(part).write(0x123, bytes(4))
    except OSError as error:
        assert "0x0123 does not keep what is written" in str(error)
    else:
        raise AssertionError("a write that was not kept was acknowledged")


def test_a_held_bus_is_freed():
    part = Spoiled(held=(2,))

    def reopen():
        part.stuck = 0
        return part

    fram = FramMb85rc256v(part, reopen=reopen)
    fram.write(0, b"abcd")
    assert part.data[:4] == b"abcd" and fram.errors == 1
    part = Spoiled(held=(1,))
    try:
        FramMb85rc256v(part, reopen=lambda: part).write(0, b"abcd")
    except OSError as error:
        assert error.errno == 110
    else:
        raise AssertionError("a bus that stays held was not noticed")
