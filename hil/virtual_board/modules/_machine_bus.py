# SPDX-License-Identifier: MIT
"""SPI and I2C controllers and what hangs on them."""

import _machine_pin
from _board import BUSES, PINS, PORT
from _machine_pin import Pin
from _part_ade9000 import Ade9000
from _part_mb85rc256v import Mb85rc256v
from _part_mcp2515 import Mcp2515

port = __import__("_port_" + PORT)


def _check_wire(pin, signal, bus):
    """An explicitly named pin must be the one that is wired."""
    if pin is None:
        return
    if port.FIXED_BUSES:
        raise ValueError("explicit choice of %s is not implemented" % signal)
    if not isinstance(pin, Pin):
        pin = Pin(pin)
    if pin.id != PINS[signal]:
        raise ValueError("%s: %r is not wired to %s" % (bus, pin, signal))


class SPI:
    """MSB first. BUSES says which carries the AFE and which a CAN controller; any other has nothing on it."""

    MSB, LSB = 0, 1

    def __init__(self, id, baudrate=500000, *, polarity=0, phase=0, bits=8, firstbit=0, sck=None, mosi=None, miso=None):
        if id not in port.SPI_IDS:
            raise ValueError("SPI(%r) doesn't exist" % (id,))
        if bits != 8 or firstbit != SPI.MSB:
            raise ValueError("SPI(%r): 8 bits MSB first only" % (id,))
        self._part = None
        if id == BUSES["afe_spi"]:
            self._wire(id, "afe", "ADE9000", 20, baudrate, polarity, phase, sck, mosi, miso)
            self._part = Ade9000()
            self.write_readinto = self._part.exchange  # a driver calls it each cycle
            _machine_pin.select_state = self._part.state
        elif id == BUSES.get("can_spi"):
            self._wire(id, "can", "MCP2515", 10, baudrate, polarity, phase, sck, mosi, miso)
            self._part = Mcp2515.shared()
            _machine_pin.chip_listener = self._part.select

    def _wire(self, id, part, name, most_mhz, baudrate, polarity, phase, sck, mosi, miso):
        if not port.FIXED_BUSES and (sck is None or mosi is None or miso is None):
            raise ValueError("SPI(%r): sck, mosi and miso of this board must be named" % (id,))
        for pin, signal in ((sck, "_sck"), (mosi, "_mosi"), (miso, "_miso")):
            _check_wire(pin, part + signal, "SPI(%r)" % (id,))
        if baudrate > most_mhz * 1_000_000:
            raise ValueError("SPI(%r): %s takes %d MHz at most" % (id, name, most_mhz))
        if polarity != phase:
            raise ValueError("SPI(%r): %s takes mode 0 or 3" % (id, name))

    def write_readinto(self, write_buf, read_buf):
        if len(write_buf) != len(read_buf):
            raise ValueError("buffers must be the same length")
        if self._part is None:
            for i in range(len(read_buf)):
                read_buf[i] = 0xFF
        else:
            self._part.exchange(write_buf, read_buf)

    def write(self, buf):
        if self._part is not None:
            self._part.exchange(buf, bytearray(len(buf)))

    def readinto(self, buf, write=0):
        out = bytearray(len(buf))
        for i in range(len(out)):
            out[i] = write
        self.write_readinto(out, buf)

    def read(self, nbytes, write=0):
        buf = bytearray(nbytes)
        self.readinto(buf, write)
        return bytes(buf)

    def deinit(self):
        self._part = None


class I2C:
    """The bus named in BUSES carries the FRAM; an address where nothing is does not acknowledge."""

    def __init__(self, id, *, scl=None, sda=None, freq=400000, timeout=50000):
        if id not in port.I2C_IDS:
            raise ValueError("I2C(%r) doesn't exist" % (id,))
        if not 1 <= freq <= 1_000_000:
            raise ValueError("I2C(%r): %d Hz is not within 1..1000000" % (id, freq))
        self._parts = {}
        if id == BUSES["fram_i2c"]:
            if not port.FIXED_BUSES and (scl is None or sda is None):
                raise ValueError("I2C(%r): scl and sda of this board must be named" % (id,))
            _check_wire(scl, "fram_scl", "I2C(%r)" % (id,))
            _check_wire(sda, "fram_sda", "I2C(%r)" % (id,))
            self._parts[0x50] = Mb85rc256v.shared()

    def _part(self, addr):
        part = self._parts.get(addr)
        if part is None:
            raise OSError(19)  # ENODEV: no acknowledge
        return part

    def scan(self):
        return sorted(self._parts)

    def writeto(self, addr, buf, stop=True):
        self._part(addr).write(buf)
        return len(buf) + 1

    def writevto(self, addr, vector, stop=True):
        part = self._part(addr)
        whole = bytearray()
        for buf in vector:
            whole += buf
        part.write(whole)
        return len(whole) + 1

    def readfrom_into(self, addr, buf, stop=True):
        self._part(addr).readinto(buf)

    def readfrom(self, addr, nbytes, stop=True):
        buf = bytearray(nbytes)
        self.readfrom_into(addr, buf)
        return bytes(buf)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        part = self._part(addr)
        part.address(memaddr, addrsize)
        part.readinto(buf)

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        buf = bytearray(nbytes)
        self.readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)
        return bytes(buf)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        part = self._part(addr)
        part.address(memaddr, addrsize)
        part.store(buf)
