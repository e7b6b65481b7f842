# SPDX-License-Identifier: MIT
"""Serial lines between the board's UARTs and the plant's devices, byte-exact in time."""

from __future__ import annotations

from collections.abc import Callable

from hil.plant.interface import SerialDevice
from hil.virtual_board import wire

NEVER_US = 1 << 60
# A device says what it sent only when the plant has run on. After a request the plant is therefore looked at again
# this soon (3.5 characters from 19200 Bd up are 1.75 ms), and each millisecond until it has answered.
FIRST_LOOK_US = 2000
LOOK_US = 1000
LAST_LOOK_US = 12_000


class SerialLine:
    """One line. `disturb` may change or drop what passes: disturb(to_board, data) -> data."""

    def __init__(self, channel: int, device: SerialDevice | None) -> None:
        self.channel = channel
        self.device = device
        self.disturb: Callable[[bool, bytes], bytes] | None = None
        self.next_us = NEVER_US  # when something happens on the line
        self.work_us = NEVER_US  # the same, but for bytes that reach the board
        self.sent_bytes = 0
        self._leaving: list[tuple[int, int, int, bytes]] = []  # start, char bits, baud, data
        self._arriving: list[tuple[int, bytes]] = []
        self._look_us = NEVER_US
        self._asked_us = 0

    def send(self, start_us: int, payload: bytes) -> None:
        """Take what the board began to write at start_us."""
        bits, baud = wire.UART_HEAD.unpack_from(payload)
        self._leaving.append((start_us, bits, baud, payload[wire.UART_HEAD.size :]))
        self._schedule()

    def cut(self, t_us: int) -> None:
        """The RS-485 driver was switched off at t_us: what had not left by then is lost."""
        kept = []
        for start_us, bits, baud, data in self._leaving:
            whole = max(0, (t_us - start_us) * baud // (bits * 1_000_000))
            if whole and data[:whole]:
                kept.append((start_us, bits, baud, data[:whole]))
        self._leaving = kept
        self._schedule()

    def _poll(self) -> None:
        """Collect what the device has sent."""
        if self.device is None:
            return
        sent = self.device.transmit()
        if sent:
            for arrival_us, data in sent:
                passed = self.disturb(True, data) if self.disturb else data
                if passed:
                    self._arriving.append((arrival_us, passed))
            self._arriving.sort(key=lambda item: item[0])
            self._look_us = NEVER_US  # it has answered
            self._schedule()

    def step(self, t_us: int) -> list[tuple[int, bytes]]:
        """Deliver to the device what has left by t_us; return what has reached the board. After each advance."""
        self._poll()
        if self.next_us > t_us:
            return []
        while self._leaving and self._end_us(self._leaving[0]) <= t_us:
            first = self._leaving.pop(0)
            data = self.disturb(False, first[3]) if self.disturb else first[3]
            self.sent_bytes += len(first[3])
            if self.device is not None and data:
                self._asked_us = self._end_us(first)
                self.device.receive(data, self._asked_us)
                self._look_us = self._asked_us + FIRST_LOOK_US
        self._poll()
        if self._look_us <= t_us:  # whatever else is still on its way: an old answer may be later than a new one
            self._look_us = NEVER_US if t_us - self._asked_us >= LAST_LOOK_US else t_us + LOOK_US
        reached = []
        while self._arriving and self._arriving[0][0] <= t_us:
            reached.append(self._arriving.pop(0))
        self._schedule()
        return reached

    def _schedule(self) -> None:
        work_us = self._look_us
        if self._leaving:
            work_us = min(work_us, self._end_us(self._leaving[0]))
        self.work_us = work_us
        self.next_us = min(work_us, self._arriving[0][0]) if self._arriving else work_us

    @staticmethod
    def _end_us(item: tuple[int, int, int, bytes]) -> int:
        start_us, bits, baud, data = item
        return start_us + -(-len(data) * bits * 1_000_000 // baud)
