# SPDX-License-Identifier: MIT
"""MCP2515 CAN controller on SPI, with the face of `can_port.py`, for ports without machine.CAN.

Source: Microchip DS20001801J (registers chapter 11, instructions chapter 12, bit timing chapter 5). The part has an SPI
of its own: a task uses it, and the cycle, which may interrupt the task, must not find it half way through a message.

Buffers: what is urgent goes out of TXB2 at the highest priority, everything else of TXB0 and TXB1. Setpoints reach the
bus in the order they were given: what has not left when the next is sent is taken back. Both receive buffers take our
identifiers, RXB1 what comes while RXB0 is full.
"""

from time import sleep_us

from evse.drivers.can_bus import FRAME_BYTES
from evse.drivers.turn import TRIP

RESET, READ, WRITE, MODIFY, STATUS = 0xC0, 0x03, 0x02, 0x05, 0xA0
LOAD_TX = (0x40, 0x42, 0x44)
SEND = (0x81, 0x82, 0x84)
READ_RX = (0x90, 0x94)
CANSTAT, CANCTRL = 0x0E, 0x0F
CNF3, CANINTE, EFLG = 0x28, 0x2B, 0x2D  # CNF3, CNF2, CNF1 follow each other; behind EFLG stands a copy of CANSTAT
TX_CONTROL = (0x30, 0x40, 0x50)
RX_CONTROL = (0x60, 0x70)
FILTERS = (0x00, 0x04, 0x08, 0x10, 0x14, 0x18)
MASKS = (0x20, 0x24)
TX_PENDING = (0x04, 0x10, 0x40)  # bits of STATUS
RX_FULL = (0x01, 0x02)
TXREQ, HIGHEST = 0x08, 0x03  # bits of TXBnCTRL
ROLL_OVER = 0x04
NORMAL, CONFIGURATION, MODES = 0x00, 0x80, 0xE0  # of CANCTRL and CANSTAT
BUS_OFF, PASSIVE, OVERFLOWS = 0x20, 0x10, 0xC0  # bits of EFLG
EXTENDED, REMOTE = 0x08, 0x40  # bits of xxxSIDL and xxxDLC
QUANTA = 16  # a bit: 1 synchronisation, 6 propagation, 7 phase 1, 2 phase 2; sampled at 87.5 %
CNF2_VALUE, CNF3_VALUE = 0x80 | 6 << 3 | 5, 1
PRESCALER_MOST = 64
URGENT_BUFFER = 2
RESET_US = 50  # 128 clocks of the slowest usual crystal (4 MHz) are 32 us
JOIN_US, JOIN_LOOKS = 250, 20  # 11 recessive bits and a whole frame of others before it


class Mcp2515:
    """spi: write_readinto(out, in), mode 0, at most 10 MHz; select: pin, low = selected.

    bit_rate in bit/s; identifier and mask: the 29-bit identifiers that are received. A part that does not answer shows
    as off(), with the reason in `error`; restart() tries again.
    """

    def __init__(self, spi, select, bit_rate: int, identifier: int, mask: int, crystal_hz: int):
        self._exchange = spi.write_readinto
        self._select = select
        self._prescaler = crystal_hz // (2 * QUANTA * bit_rate)
        if not 1 <= self._prescaler <= PRESCALER_MOST or self._prescaler * 2 * QUANTA * bit_rate != crystal_hz:
            text = "CAN bit rate of %d bit/s cannot be made from a crystal of %d Hz; use one of 8, 16 or 20 MHz"
            raise ValueError(text % (bit_rate, crystal_hz))
        self._identifier = identifier
        self._mask = mask
        self._out = {size: bytearray(size) for size in (1, 2, 3, 4, 5, 6, 14)}
        self._in = {size: bytearray(size) for size in self._out}
        self._next = 0  # which of TXB0 and TXB1
        self.ok = 0
        self.error = ""
        self.overruns = 0
        self.restart()

    # --- the port's face ---

    def send(self, identifier: int, data, priority: int) -> int:
        """Queue one frame of 8 bytes in place of what has not left yet; return 0 when there is no room or no part."""
        if not self.ok:
            return 0
        status = self._take_back(self._status())
        if priority == TRIP:
            number = URGENT_BUFFER
        else:
            number = self._next
            self._next = 1 - number
        if status & TX_PENDING[number]:  # on the bus just now
            return 0
        frame = self._out[14]
        frame[0] = LOAD_TX[number]
        self._put_identifier(frame, 1, identifier)
        frame[5] = FRAME_BYTES
        for i in range(FRAME_BYTES):
            frame[6 + i] = data[i]
        self._transfer(14)
        self._out[1][0] = SEND[number]
        self._transfer(1)
        return 1

    def receive(self, frame) -> int:
        """Take the next 29-bit data frame of 8 bytes into `frame`; return 0 when there is none."""
        if not self.ok:
            return 0
        full = self._status() & 3
        for number in range(2):
            if full & RX_FULL[number] and self._read_frame(number, frame):
                return 1
        return 0

    def off(self) -> int:
        """Return 1 when the part has left the bus, lost its settings or does not answer; count overruns.

        `error` also says when nothing that is sent gets through (error passive).
        """
        if not self.ok:
            return 1
        seen = self._read(EFLG, 2)
        flags = seen[2]
        if flags & BUS_OFF or seen[3] & MODES != NORMAL:
            lost = "MCP2515 was reset or does not answer: CANSTAT reads 0x%02X, not 0x00" % seen[3]
            self.error = "MCP2515 is off the bus after too many errors" if flags & BUS_OFF else lost
            return 1
        self.error = "nobody acknowledges on CAN or the bus is disturbed" if flags & PASSIVE else ""
        if flags & OVERFLOWS:
            self.overruns += 1
            self._modify(EFLG, OVERFLOWS, 0)
        return 0

    def restart(self) -> None:
        """Reset the part, set it up and go on the bus; `ok` and `error` say what came of it."""
        self.ok = 0
        self.error = self._set_up()
        if not self.error:
            self.ok = 1

    # --- set-up ---

    def _set_up(self) -> str:
        """Return "" or what is wrong."""
        self._out[1][0] = RESET
        self._transfer(1)
        sleep_us(RESET_US)
        mode = self._read(CANSTAT, 1)[2]
        if mode & MODES != CONFIGURATION:
            return "MCP2515 register CANSTAT reads 0x%02X after reset, not 0x80; check supply, crystal, SPI, CS" % mode
        out = self._out[6]
        out[0], out[1] = WRITE, CNF3
        out[2], out[3], out[4], out[5] = CNF3_VALUE, CNF2_VALUE, self._prescaler - 1, 0  # and no interrupts
        self._transfer(6)
        seen = self._read(CNF3, 3)
        if seen[2] != CNF3_VALUE or seen[3] != CNF2_VALUE or seen[4] != self._prescaler - 1:
            text = "MCP2515 registers CNF3..1 read 0x%02X%02X%02X, not as written; check SPI and its speed"
            return text % (seen[2], seen[3], seen[4])
        for address in FILTERS:
            self._write_identifier(address, self._identifier)
        for address in MASKS:
            self._write_identifier(address, self._mask)
        self._write(RX_CONTROL[0], ROLL_OVER)
        self._write(RX_CONTROL[1], 0)
        self._write(TX_CONTROL[URGENT_BUFFER], HIGHEST)
        self._write(CANCTRL, NORMAL)
        for _ in range(JOIN_LOOKS):
            if self._read(CANSTAT, 1)[2] & MODES == NORMAL:
                return ""
            sleep_us(JOIN_US)
        return "MCP2515 finds no silence on the CAN bus; check the wires, termination and bit rate"

    def _write_identifier(self, address: int, identifier: int) -> None:
        out = self._out[6]
        out[0], out[1] = WRITE, address
        self._put_identifier(out, 2, identifier)
        self._transfer(6)

    @staticmethod
    def _put_identifier(buffer, at: int, identifier: int) -> None:
        buffer[at] = identifier >> 21
        buffer[at + 1] = identifier >> 13 & 0xE0 | EXTENDED | identifier >> 16 & 3
        buffer[at + 2] = identifier >> 8 & 0xFF
        buffer[at + 3] = identifier & 0xFF

    # --- messages on the SPI ---

    def _take_back(self, status: int) -> int:
        """Withdraw what waits to be sent; return the status after it. What is on the bus goes out."""
        pending = 0
        for number in range(3):
            if status & TX_PENDING[number]:
                self._modify(TX_CONTROL[number], TXREQ, 0)
                pending = 1
        return self._status() if pending else status

    def _read_frame(self, number: int, frame) -> int:
        """Empty a receive buffer; return 1 when it held a frame of ours."""
        self._out[14][0] = READ_RX[number]
        self._transfer(14)
        seen = self._in[14]
        low = seen[2]
        if not low & EXTENDED or seen[5] & REMOTE or seen[5] & 0x0F < FRAME_BYTES:
            return 0
        frame.identifier = seen[1] << 21 | (low & 0xE0) << 13 | (low & 3) << 16 | seen[3] << 8 | seen[4]
        data = frame.data
        for i in range(FRAME_BYTES):
            data[i] = seen[6 + i]
        return 1

    def _status(self) -> int:
        self._out[2][0] = STATUS
        self._transfer(2)
        return self._in[2][1]

    def _read(self, address: int, count: int):
        """Return the bytes clocked in, of which those from index 2 on are the registers."""
        out = self._out[count + 2]
        out[0], out[1] = READ, address
        self._transfer(count + 2)
        return self._in[count + 2]

    def _write(self, address: int, value: int) -> None:
        out = self._out[3]
        out[0], out[1], out[2] = WRITE, address, value
        self._transfer(3)

    def _modify(self, address: int, mask: int, value: int) -> None:
        out = self._out[4]
        out[0], out[1], out[2], out[3] = MODIFY, address, mask, value
        self._transfer(4)

    def _transfer(self, size: int) -> None:
        self._select(0)
        self._exchange(self._out[size], self._in[size])
        self._select(1)
