# SPDX-License-Identifier: MIT
"""A Modbus TCP device of the plant, exact in virtual time: `station.tcp["192.168.1.60:502"] = TcpPort(bank)`.

The virtual board's bridge hands over what the board sent and asks what came back; no real socket is involved. (For a
real socket there is `modbus_server.ModbusTcpServer`, which serves the same banks.)
"""

from __future__ import annotations

from hil.plant import modbus_server as modbus
from hil.plant.modbus_server import RegisterBank

HEAD = 7  # transaction, protocol, length, unit


class TcpPort:
    """`SerialDevice` around a register bank. `listening` false: connections are refused; `silent`: no answers."""

    def __init__(self, bank: RegisterBank, answer_ms: float = 20.0):
        self.bank = bank
        self.answer_ms = answer_ms
        self.listening = True
        self.silent = False
        self.exception = 0  # answer everything with this code
        self.requests = 0
        self._buffer = bytearray()
        self._queue: list[tuple[int, bytes]] = []

    def receive(self, data: bytes, t_us: int) -> None:
        """Take bytes that reached the device at plant time t_us."""
        self._buffer += data
        while len(self._buffer) >= HEAD:
            length = 6 + int.from_bytes(self._buffer[4:6], "big")
            if len(self._buffer) < length:
                return
            frame = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._take(frame, t_us)

    def _take(self, frame: bytes, t_us: int) -> None:
        if self.silent:
            return
        self.requests += 1
        heard = getattr(self.bank, "heard", None)
        if heard is not None:
            heard(t_us)
        reply = modbus.answer(self.bank, frame[HEAD:])
        if self.exception:
            reply = bytes((frame[HEAD] | 0x80, self.exception))
        sealed = frame[:4] + (len(reply) + 1).to_bytes(2, "big") + frame[6:7] + reply
        self._queue.append((t_us + round(self.answer_ms * 1000), sealed))

    def transmit(self) -> list[tuple[int, bytes]]:
        """Return and forget (time at which it was sent in us, bytes) since the last call."""
        queue, self._queue = self._queue, []
        return queue
