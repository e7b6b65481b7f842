# SPDX-License-Identifier: MIT
"""UART with byte times: bytes leave at the line's speed, and arrive when their last stop bit ends."""

import struct
from select import POLLIN, POLLOUT

import _link
import _machine_pin
from _board import BUSES, PINS, PORT
from _link import world
from _machine_pin import Pin

port = __import__("_port_" + PORT)
_FIFO = 128  # esp32: hardware FIFO in front of the ring


class UART:
    """Streams for asyncio (poll_events), read, readinto, readline, write, any, txdone, flush, deinit."""

    counted = world.await_uart  # by a poll that this UART is registered with
    RTS, CTS = 1, 2
    INV_TX, INV_RX = 4, 8

    def __init__(self, id, baudrate=115200, bits=8, parity=None, stop=1, **options):
        if id not in port.UART_IDS:
            raise ValueError("UART(%r) doesn't exist" % (id,))
        if PORT == "esp32" and id == 0:
            raise ValueError("UART(0) is the console")
        self._id = id
        self._channel = -1
        self._rx = bytearray()
        self._busy_until = 0
        self._from = 0
        self._enabled = True
        self.lost = 0
        self.init(baudrate, bits, parity, stop, **options)

    def init(
        self, baudrate=115200, bits=8, parity=None, stop=1, *, tx=None, rx=None, rts=None, cts=None,
        timeout=0, timeout_char=0, rxbuf=None, txbuf=None, invert=0, flow=0, read_buf_len=None,
    ):  # fmt: skip
        if not 300 <= baudrate <= 5_000_000:
            raise ValueError("UART(%r): %d Bd is not within 300..5000000" % (self._id, baudrate))
        if bits not in (7, 8, 9) or stop not in (1, 2) or parity not in (None, 0, 1):
            raise ValueError("UART(%r): bad framing" % (self._id,))
        if port.FIXED_BUSES and (tx is not None or rx is not None or txbuf is not None):
            raise TypeError("extra keyword arguments given")
        self._char_bits = 1 + bits + (0 if parity is None else 1) + stop
        self._baudrate = baudrate
        self._timeout_us = timeout * 1000
        self._rxbuf = rxbuf or read_buf_len or (256 if PORT == "esp32" else 64)
        self._txbuf = (txbuf or 256) + _FIFO
        self._wire(tx, rx)

    def _wire(self, tx, rx):
        if port.FIXED_BUSES:
            wired = self._id == BUSES["inverter_uart"]
        else:
            wired = _pin_id(tx) == PINS["inverter_tx"] and _pin_id(rx) == PINS["inverter_rx"]
            if self._id == BUSES["inverter_uart"] and not wired:
                raise ValueError("UART(%r): tx and rx are not the board's inverter line" % (self._id,))
        if wired:
            self._channel = 0
            world.handlers[(_link.RX_UART, 0)] = self._arrive
            if "inverter_de" in PINS:
                self._enabled = False
                _machine_pin.driver_listener = self._driver

    def _driver(self, level):
        """The RS-485 driver's enable: what has not left when it falls is lost."""
        self._enabled = bool(level)
        if not level and self._busy_until > world.now:
            world.queue(_link.TX_UART_CUT, self._channel, world.now)
            self._busy_until = world.now

    def _arrive(self, t_us, data):
        if self._enabled and "inverter_de" in PINS:
            self.lost += len(data)  # the receiver is off while the driver is on
            return
        room = self._rxbuf - len(self._rx)
        if len(data) > room:
            self.lost += len(data) - room
            data = data[:room]
        self._rx.extend(data)

    def _chars_us(self, count):
        return (count * self._char_bits * 1000000 + self._baudrate - 1) // self._baudrate

    def _pending(self):
        left_us = self._busy_until - world.now
        if left_us <= 0:
            return 0
        return (left_us * self._baudrate + self._char_bits * 1000000 - 1) // (self._char_bits * 1000000)

    def poll_events(self, flags):
        events = 0
        if flags & POLLIN and self._rx:
            events |= POLLIN
        if flags & POLLOUT and (port.UART_BLOCKS or self._pending() < self._txbuf):
            events |= POLLOUT
        return events

    def write(self, buf):
        count = len(buf)
        if not count:
            return 0
        if not port.UART_BLOCKS and self._pending() + count > self._txbuf:
            excess = self._pending() + count - self._txbuf
            world.sleep_until(world.now + self._chars_us(excess))
        start_us = max(world.now, self._busy_until)
        self._busy_until = start_us + self._chars_us(count)
        if self._channel >= 0 and self._enabled:
            # The head says how fast: bits per character, baud rate.
            head = struct.pack("<HI", self._char_bits, self._baudrate)
            world.queue(_link.TX_UART, self._channel, start_us, head + bytes(buf))
            # The device has it then; the first character of an answer takes as long again as one of ours.
            answer_us = self._busy_until + self._chars_us(1)
            if answer_us < world.wake_us:
                world.wake_us = answer_us
        if port.UART_BLOCKS:
            world.sleep_until(self._busy_until)
        return count

    def txdone(self):
        """Whether all has left. Asked in a loop it takes the time that the loop would; timers run meanwhile."""
        if self._busy_until > world.now:
            world.sleep_until(self._busy_until)
        return True

    def flush(self):
        world.sleep_until(self._busy_until)

    def any(self):
        return len(self._rx)

    def _take(self, count):
        data = bytes(self._rx[:count])
        self._rx = self._rx[count:]
        return data

    def read(self, nbytes=-1):
        if not self._rx and self._timeout_us:
            end_us = world.now + self._timeout_us
            world.await_uart(1)
            while not self._rx and world.now < end_us:
                world.advance(end_us)
            world.await_uart(-1)
        if not self._rx:
            return None
        return self._take(len(self._rx) if nbytes < 0 else nbytes)

    def readinto(self, buf, nbytes=-1):
        data = self.read(len(buf) if nbytes < 0 else min(nbytes, len(buf)))
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def readline(self):
        at = self._rx.find(b"\n")
        return self.read(len(self._rx) if at < 0 else at + 1)

    def deinit(self):
        world.handlers.pop((_link.RX_UART, self._channel), None)
        self._channel = -1


def _pin_id(pin):
    return pin.id if isinstance(pin, Pin) else pin
