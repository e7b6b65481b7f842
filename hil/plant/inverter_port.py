# SPDX-License-Identifier: MIT
"""The inverter's RS-485 port: Modbus RTU, exact to the byte at the line's speed.

A request ends with a silence of 3.5 characters (1.75 ms above 19200 Bd); the answer's first bit
leaves `turnaround_ms` after that. While it answers, the half-duplex line deafens it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.plant import modbus_server as modbus
from hil.plant.state import FOREVER_US, NEVER_US
from hil.plant.sunspec_inverter import SunSpecInverter

if TYPE_CHECKING:
    from hil.plant.station import Station

CHARACTER_BITS = 10  # 8N1, as most SunSpec devices are set
MIN_FRAME = 8  # shortest request of the functions served


class InverterPort(SunSpecInverter):
    """`SerialDevice` of the station's inverter, with the faults of a bad link."""

    def __init__(self, station: Station, baud: int = 115200, address: int = 1, turnaround_ms: float = 2.0):
        self.baud = baud
        self.address = address
        self.turnaround_ms = turnaround_ms
        self.comms_timeout_us = 0  # 0 = off: power goes to zero when no valid frame came for this long
        self.silent = False
        self.extra_ms = 0.0
        self.wrong_crc = False
        self.wrong_unit = False
        self.exception = 0
        self.half_frame = False
        self.noise = b""
        self.requests = 0
        self.bad_frames = 0
        self._buffer = bytearray()
        self._frame_due_us = FOREVER_US
        self._busy_until_us = NEVER_US
        self._queue: list[tuple[int, bytes]] = []
        super().__init__(station)

    @property
    def character_us(self) -> float:
        """Duration of one character on the line, us."""
        return CHARACTER_BITS * 1e6 / self.baud

    @property
    def silence_us(self) -> int:
        """Silence that ends a frame, us."""
        return 1750 if self.baud > 19200 else round(3.5 * 11e6 / self.baud)

    @property
    def due_us(self) -> int:
        """When something of its own happens next: a frame ends or a timer runs out."""
        return min(self._frame_due_us, self.lease_due_us, self.var_lease_due_us, self.heartbeat_due_us)

    def receive(self, data: bytes, t_us: int) -> None:
        """Take bytes whose last stop bit ended at plant time t_us."""
        first_us = t_us - len(data) * self.character_us
        if self._frame_due_us <= first_us:
            self.tick(t_us)
        if first_us < self._busy_until_us:
            return
        self._buffer += data
        end_us = t_us + self.silence_us
        if len(self._buffer) >= MIN_FRAME and modbus.crc16(self._buffer) == 0:
            # Complete: work it out now, so that the answer is on time however coarsely the caller steps.
            frame, self._buffer = bytes(self._buffer), bytearray()
            self._frame_due_us = FOREVER_US
            self.elapse(end_us)
            self._take(frame, end_us)
        else:
            self._frame_due_us = end_us

    def transmit(self) -> list[tuple[int, bytes]]:
        """Return and forget (time of the last stop bit in us, bytes) sent since the last call."""
        queue = self._queue
        if queue:
            self._queue = []
        return queue

    def tick(self, now_us: int) -> None:
        """Do what has come due until now_us."""
        if self._frame_due_us <= now_us:
            at_us, self._frame_due_us = self._frame_due_us, FOREVER_US
            frame, self._buffer = bytes(self._buffer), bytearray()
            self.elapse(at_us)
            self._take(frame, at_us)
        self.elapse(now_us)

    def _take(self, frame: bytes, at_us: int) -> None:
        if len(frame) < 4 or modbus.crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
            self.bad_frames += 1
            return
        if frame[0] not in (self.address, 0) or self.silent:
            return
        self.requests += 1
        reply = modbus.answer(self, frame[1:-2])
        if frame[0] == 0:
            return
        if self.exception:
            reply = bytes((frame[1] | 0x80, self.exception))
        self._send(reply, at_us)

    def _send(self, pdu: bytes, at_us: int) -> None:
        frame = modbus.sealed(bytes((self.address ^ (0x55 if self.wrong_unit else 0),)) + pdu)
        if self.wrong_crc:
            frame = frame[:-1] + bytes((frame[-1] ^ 0x5A,))
        if self.half_frame:
            frame = frame[: len(frame) // 2]
        frame = self.noise + frame
        start_us = at_us + round((self.turnaround_ms + self.extra_ms) * 1000)
        end_us = start_us + round(len(frame) * self.character_us)
        self._busy_until_us = end_us
        self._queue.append((end_us, frame))
