# SPDX-License-Identifier: MIT
"""Modbus server side: PDU rules, RTU framing, and a small TCP server for host programs."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Callable
from typing import Protocol

from hil.plant.compiled import compiled

READ_HOLDING, READ_INPUT, WRITE_SINGLE, WRITE_MULTIPLE = 3, 4, 6, 16
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
MAX_READ, MAX_WRITE = 125, 123


class ModbusError(Exception):
    """A request that is answered with an exception code."""

    def __init__(self, code: int):
        super().__init__(f"Modbus exception {code}")
        self.code = code


class RegisterBank(Protocol):
    """What answers: registers by address."""

    def read(self, address: int, count: int) -> list[int]:
        """Return count registers, or raise ModbusError."""

    def write(self, address: int, words: list[int]) -> None:
        """Take registers as one transaction, or raise ModbusError with nothing changed."""


@compiled
def crc16(data):
    """Return the Modbus RTU checksum (polynomial 0xA001, start 0xFFFF) of bytes."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def sealed(frame: bytes) -> bytes:
    """Return frame with its checksum, low byte first."""
    return frame + crc16(frame).to_bytes(2, "little")


def _words(data: bytes) -> list[int]:
    return list(struct.unpack(f">{len(data) // 2}H", data))


def _read(bank: RegisterBank, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        raise ModbusError(ILLEGAL_VALUE)
    address, count = _words(pdu[1:])
    if not 1 <= count <= MAX_READ:
        raise ModbusError(ILLEGAL_VALUE)
    words = bank.read(address, count)
    return struct.pack(f">2B{count}H", pdu[0], 2 * count, *words)


def _write_single(bank: RegisterBank, pdu: bytes) -> bytes:
    if len(pdu) != 5:
        raise ModbusError(ILLEGAL_VALUE)
    address, word = _words(pdu[1:])
    bank.write(address, [word])
    return pdu


def _write_multiple(bank: RegisterBank, pdu: bytes) -> bytes:
    if len(pdu) < 8:
        raise ModbusError(ILLEGAL_VALUE)
    address, count = _words(pdu[1:5])
    if not 1 <= count <= MAX_WRITE or pdu[5] != 2 * count or len(pdu) != 6 + 2 * count:
        raise ModbusError(ILLEGAL_VALUE)
    bank.write(address, _words(pdu[6:]))
    return pdu[:5]


_FUNCTIONS: dict[int, Callable[[RegisterBank, bytes], bytes]] = {
    READ_HOLDING: _read,
    READ_INPUT: _read,
    WRITE_SINGLE: _write_single,
    WRITE_MULTIPLE: _write_multiple,
}


def answer(bank: RegisterBank, pdu: bytes) -> bytes:
    """Return the answer PDU to a request PDU, exception answers included."""
    try:
        function = _FUNCTIONS.get(pdu[0])
        if function is None:
            raise ModbusError(ILLEGAL_FUNCTION)
        return function(bank, pdu)
    except ModbusError as error:
        return bytes((pdu[0] | 0x80, error.code))


class _Handler(socketserver.BaseRequestHandler):
    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = self.request.recv(count - len(data))
            if not piece:
                return b""
            data += piece
        return data

    def handle(self) -> None:
        """Answer MBAP frames until the client hangs up."""
        while True:
            head = self._exactly(7)
            if not head:
                return
            pdu = self._exactly(int.from_bytes(head[4:6], "big") - 1)
            if not pdu:
                return
            with self.server.lock:  # type: ignore[attr-defined]
                reply = answer(self.server.bank, pdu)  # type: ignore[attr-defined]
            self.request.sendall(head[:4] + (len(reply) + 1).to_bytes(2, "big") + head[6:7] + reply)


class ModbusTcpServer(socketserver.ThreadingTCPServer):
    """Serves a register bank over Modbus TCP on a free local port; `lock` guards the bank."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, bank: RegisterBank, port: int = 0):
        super().__init__(("127.0.0.1", port), _Handler)
        self.bank = bank
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.server_address[1]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_details: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()
