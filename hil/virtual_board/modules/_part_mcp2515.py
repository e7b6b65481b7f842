# SPDX-License-Identifier: MIT
"""MCP2515: SPI instructions, registers, filters, buffers, error counters.

Source: Microchip data sheet "MCP2515 Stand-Alone CAN Controller with SPI", chapters 3 (transmission), 4 (reception),
5 (bit timing), 6 (errors), 10 (modes), 11 (registers), 12 (instructions). Written from that paper, not from a driver.
Not modelled: pins of its own (INT, RXnBF, TXnRTS), sleep, one-shot, loopback.
"""

from _can_wire import EXTENDED, REMOTE, CanWire
from _link import world

_CRYSTAL_HZ = 16_000_000
_CONFIG = 4  # operation modes, bits 7..5 of CANCTRL and CANSTAT
_NORMAL = 0
# Only in configuration mode can these be written; the filters and masks read 0 in the others.
_FILTERS = ((0x00, 0x0C), (0x10, 0x1C), (0x20, 0x28))
_TIMING = (0x28, 0x29, 0x2A)
# Where a bit can be changed alone: BFPCTRL, TXRTSCTRL, CANCTRL, CNFx, CANINTE, CANINTF, EFLG, TXBnCTRL, RXBnCTRL.
_BITWISE = (0x0C, 0x0D, 0x0F, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x2D, 0x30, 0x40, 0x50, 0x60, 0x70)
_WRITABLE = {0x0C: 0x3F, 0x0D: 0x07, 0x2D: 0xC0, 0x60: 0x64, 0x70: 0x60}  # bits; others whole
_RECOVERY_BITS = 128 * 11
_JOIN_BITS = 11


class Mcp2515:
    """One part behind one chip select."""

    _one = None

    @classmethod
    def shared(cls):
        """Return the board's part: it keeps its registers when the SPI is opened again."""
        if cls._one is None:
            cls._one = cls()
        return cls._one

    def __init__(self):
        self._registers = bytearray(128)
        self._wire = CanWire(self)
        self._selected = False
        self._count = 0
        self._command = 0
        self._address = 0
        self._mask = 0
        self._reset()

    def _reset(self):
        for number in range(3):
            if self._registers[0x30 + 16 * number] & 8:
                self._wire.withdraw(number)
        for address in range(128):
            self._registers[address] = 0
        self._mode = _CONFIG
        self._join_us = None  # when normal mode begins
        self._control = 0x87
        self._transmit_errors = self._receive_errors = 0
        self._recovered_us = None

    # --- SPI ---

    def select(self, level):
        self._selected = not level
        if level and self._count and self._command & 0xF9 == 0x90:
            self._registers[0x2C] &= ~(1 << (self._command >> 2 & 1)) & 0xFF
        self._count = 0

    def exchange(self, sent, received):
        """Clock len(sent) bytes both ways."""
        if len(sent) != len(received):
            raise ValueError("buffers must be the same length")
        self._catch_up()
        for i in range(len(sent)):
            received[i] = self._clock(sent[i]) if self._selected else 0xFF

    def _clock(self, byte):
        place = self._count
        self._count = place + 1
        if place == 0:
            self._begin(byte)
            return 0xFF  # high impedance, pulled up
        command = self._command
        if command == 0x03 or command & 0xF9 == 0x90:
            if command == 0x03 and place == 1:
                self._address = byte
                return 0xFF
            value = self._read(self._address & 0x7F)
            self._address += 1
            return value
        if command == 0x02 or command & 0xF8 == 0x40:
            if command == 0x02 and place == 1:
                self._address = byte
            else:
                self._write(self._address & 0x7F, byte)
                self._address += 1
        elif command == 0x05:
            self._modify(place, byte)
        elif command == 0xA0:
            return self._status()
        elif command == 0xB0:
            return self._receive_status()
        return 0xFF

    def _begin(self, byte):
        self._command = byte
        if byte == 0xC0:
            self._reset()
        elif byte & 0xF8 == 0x80:
            for number in range(3):
                if byte >> number & 1:
                    self._write(0x30 + 16 * number, self._registers[0x30 + 16 * number] | 8)
        elif byte & 0xF9 == 0x90:
            self._address = (0x61, 0x66, 0x71, 0x76)[byte >> 1 & 3]
        elif byte & 0xF8 == 0x40 and byte & 7 < 6:
            self._address = (0x31, 0x36, 0x41, 0x46, 0x51, 0x56)[byte & 7]

    def _modify(self, place, byte):
        if place == 1:
            self._address = byte & 0x7F
        elif place == 2:
            self._mask = byte if self._address in _BITWISE or self._address & 0x0F == 0x0F else 0xFF
        elif place == 3:
            old = self._read(self._address)
            self._write(self._address, old & ~self._mask & 0xFF | byte & self._mask)

    def _status(self):
        flags = self._registers[0x2C]
        value = flags & 3
        for number in range(3):
            if self._registers[0x30 + 16 * number] & 8:
                value |= 4 << 2 * number
            if flags >> (2 + number) & 1:
                value |= 8 << 2 * number
        return value

    def _receive_status(self):
        registers = self._registers
        full = registers[0x2C] & 3
        value = full << 6
        if full:
            base = 0x60 if full & 1 else 0x70
            if registers[base + 2] & 8:
                value |= 0x10 | (0x08 if registers[base + 5] & 0x40 else 0)
            elif registers[base + 2] & 0x10:
                value |= 0x08
            value |= registers[base] & (1 if full & 1 else 7)
        return value

    # --- registers ---

    def _read(self, address):
        low = address & 0x0F
        if low == 0x0E:
            return self._mode << 5
        if low == 0x0F:
            return self._control
        if address == 0x1C:
            return min(self._transmit_errors, 255)
        if address == 0x1D:
            return min(self._receive_errors, 255)
        if address == 0x2D:
            return self._flags()
        if self._mode != _CONFIG and _within(address, _FILTERS):
            return 0
        return self._registers[address]

    def _write(self, address, value):
        low = address & 0x0F
        if low == 0x0F:
            self._set_control(value)
        elif low == 0x0E or address in (0x1C, 0x1D) or address > 0x70 or 0x60 < address < 0x70:
            return  # read only
        elif address in (0x30, 0x40, 0x50):
            self._set_transmit(address, value)
        elif (_within(address, _FILTERS) or address in _TIMING or address == 0x0D) and self._mode != _CONFIG:
            return
        elif 0x30 < address < 0x60 and self._registers[address & 0xF0] & 8:
            return  # the buffer waits to be sent
        else:
            writable = _WRITABLE.get(address, 0xFF)
            self._registers[address] = self._registers[address] & ~writable & 0xFF | value & writable

    def _set_control(self, value):
        self._control = value
        wanted = value >> 5
        if wanted == _NORMAL and self._mode != _NORMAL:
            if self._join_us is None:
                self._join_us = world.now + self._bits_us(_JOIN_BITS)
        else:
            self._join_us = None
            self._mode = wanted
        if value & 0x10:  # ABAT
            for number in range(3):
                self._abort(number)

    def _set_transmit(self, address, value):
        number = (address >> 4) - 3
        old = self._registers[address]
        if value & 8 and not old & 8:
            self._registers[address] = value & 0x0B
            if self._mode == _NORMAL and self._recovered_us is None:
                self._offer(number)
        elif not value & 8 and old & 8:
            self._abort(number)
        else:
            self._registers[address] = old & ~3 & 0xFF | value & 3

    def _abort(self, number):
        """Asked for only: a frame that is on the bus goes out, and the bus says so."""
        address = 0x30 + 16 * number
        if self._registers[address] & 8:
            self._registers[address] = self._registers[address] & ~8 & 0xFF | 0x40
            self._wire.withdraw(number)

    def _offer(self, number):
        base = 0x30 + 16 * number
        registers = self._registers
        size = min(registers[base + 5] & 0x0F, 8)
        identifier = registers[base + 1] << 3 | registers[base + 2] >> 5
        if registers[base + 2] & 8:
            identifier = identifier << 18 | (registers[base + 2] & 3) << 16
            identifier |= registers[base + 3] << 8 | registers[base + 4] | EXTENDED
        if registers[base + 5] & 0x40:
            identifier |= REMOTE
        # Of equal priorities the higher buffer goes first.
        priority = (registers[base] & 3) * 3 + number
        self._wire.offer(number, priority, self._bit_rate(), identifier, registers[base + 6 : base + 6 + size])

    def _flags(self):
        transmit, receive = self._transmit_errors, self._receive_errors
        flags = self._registers[0x2D] & 0xC0
        if self._recovered_us is not None:
            flags |= 0x20
        if transmit > 127:
            flags |= 0x10
        if receive > 127:
            flags |= 0x08
        if transmit > 95:
            flags |= 0x05
        if receive > 95:
            flags |= 0x03
        return flags

    # --- time ---

    def _bit_rate(self):
        cnf3, cnf2, cnf1 = self._registers[0x28], self._registers[0x29], self._registers[0x2A]
        first = cnf2 >> 3 & 7
        second = cnf3 & 7 if cnf2 & 0x80 else max(first, 1)
        quanta = 1 + (cnf2 & 7) + 1 + first + 1 + second + 1
        return _CRYSTAL_HZ // (2 * ((cnf1 & 0x3F) + 1) * quanta)

    def _bits_us(self, bits):
        return bits * 1_000_000 // self._bit_rate() + 1

    def _catch_up(self):
        if self._join_us is not None and world.now >= self._join_us:
            self._join_us = None
            self._mode = _NORMAL
        if self._recovered_us is not None and world.now >= self._recovered_us:
            self._recovered_us = None
            self._transmit_errors = self._receive_errors = 0
            for number in range(3):
                if self._registers[0x30 + 16 * number] & 8:
                    self._offer(number)

    # --- from the bus ---

    def frame(self, identifier, data, bit_rate):
        """A frame has gone over the bus."""
        self._catch_up()
        if self._mode != _NORMAL or self._recovered_us is not None:
            return
        if abs(bit_rate - self._bit_rate()) * 50 > bit_rate:
            self._receive_errors = min(self._receive_errors + 1, 255)
            self._registers[0x2C] |= 0x80
            return
        self._receive_errors = max(self._receive_errors - 1, 0)
        registers = self._registers
        hit = self._match(0x60, 0x20, (0x00, 0x04), identifier)
        if hit >= 0:
            if not registers[0x2C] & 1:
                self._store(0, hit, identifier, data)
            elif not registers[0x60] & 4:
                registers[0x2D] |= 0x40
            elif not registers[0x2C] & 2:
                self._store(1, hit, identifier, data)
            else:
                registers[0x2D] |= 0x80
            return
        hit = self._match(0x70, 0x24, (0x08, 0x10, 0x14, 0x18), identifier)
        if hit >= 0:
            if registers[0x2C] & 2:
                registers[0x2D] |= 0x80
            else:
                self._store(1, hit + 2, identifier, data)

    def _match(self, control, mask, filters, identifier):
        """Return which filter lets it in, -1 when none."""
        mode = self._registers[control] >> 5 & 3
        if mode == 3:
            return 0
        if not identifier & EXTENDED:
            return -1  # the filters of this model are for 29 bits
        asked = self._identifier(mask)
        for number in range(len(filters)):
            wanted = self._registers[filters[number] + 1] & 8
            if wanted and not (self._identifier(filters[number]) ^ identifier) & asked & 0x1FFFFFFF:
                return number
        return -1

    def _identifier(self, address):
        high, low, byte1, byte0 = self._registers[address : address + 4]
        return high << 21 | (low & 0xE0) << 13 | (low & 3) << 16 | byte1 << 8 | byte0

    def _store(self, buffer, hit, identifier, data):
        registers = self._registers
        base = 0x60 + 16 * buffer
        if identifier & EXTENDED:
            registers[base + 1] = identifier >> 21 & 0xFF
            registers[base + 2] = identifier >> 13 & 0xE0 | 8 | identifier >> 16 & 3
            registers[base + 3] = identifier >> 8 & 0xFF
            registers[base + 4] = identifier & 0xFF
            registers[base + 5] = len(data) | (0x40 if identifier & REMOTE else 0)
        else:
            registers[base + 1] = identifier >> 3 & 0xFF
            registers[base + 2] = (identifier & 7) << 5 | (0x10 if identifier & REMOTE else 0)
            registers[base + 5] = len(data)
        for i in range(len(data)):
            registers[base + 6 + i] = data[i]
        registers[base] = registers[base] & 0x64 | hit
        registers[0x2C] |= 1 << buffer

    def sent(self, number):
        """Our frame has gone out and was acknowledged."""
        address = 0x30 + 16 * number
        self._registers[address] &= 0x03
        self._registers[0x2C] |= 4 << number
        self._transmit_errors = max(self._transmit_errors - 1, 0)

    def failed(self, number, acknowledge):
        """Our frame was destroyed, or nobody acknowledged it: error counters as in chapter 6."""
        self._registers[0x30 + 16 * number] |= 0x10
        self._registers[0x2C] |= 0x80
        if acknowledge and self._transmit_errors > 127:
            return  # alone on the bus: no bus-off for that
        self._transmit_errors += 8
        if self._transmit_errors > 255 and self._recovered_us is None:
            self._recovered_us = world.now + self._bits_us(_RECOVERY_BITS)
            for buffer in range(3):
                if self._registers[0x30 + 16 * buffer] & 8:
                    self._wire.withdraw(buffer)


def _within(address, ranges):
    for first, end in ranges:
        if first <= address < end:
            return True
    return False
