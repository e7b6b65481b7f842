# SPDX-License-Identifier: MIT
"""Modbus frames on buffers that the caller owns; no I/O, no allocation.

Sources: Modbus application protocol V1.1b3; Modbus over serial line V1.02; Modbus messaging on TCP/IP V1.0b. The
unit and the PDU look the same on both wires, so every function takes `at`, where the unit byte stands: 0 in an RTU
frame, 6 behind a TCP header.
"""

from evse.link import crc

READ_HOLDING = 3
READ_INPUT = 4
WRITE_SINGLE = 6  # one register; what some devices take instead of function 16
WRITE_MULTIPLE = 16

READ_MAX = 125  # registers in one read
WRITE_MAX = 123  # registers in one write
RTU_MAX = 256  # bytes of a frame
TCP_HEAD = 6  # bytes before the unit: transaction, protocol, length
TCP_MAX = 260

# Result of a transaction. 1..11 are the device's own exception codes.
OK = 0
TIMEOUT = 16
BAD_FRAME = 17  # something came, but no whole frame for us
ABORTED = 18  # gave way to an urgent write
CLOSED = 19  # no connection

RESULTS = {
    OK: "ok",
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target does not respond",
    TIMEOUT: "no answer",
    BAD_FRAME: "broken frame",
    ABORTED: "gave way to an urgent write",
    CLOSED: "not connected",
}


def put_read(buffer, at: int, unit: int, function: int, address: int, count: int) -> int:
    """Write a read request; return the end of the PDU. function 3 or 4, count 1..125 registers."""
    buffer[at] = unit
    buffer[at + 1] = function
    buffer[at + 2] = address >> 8 & 0xFF
    buffer[at + 3] = address & 0xFF
    buffer[at + 4] = count >> 8 & 0xFF
    buffer[at + 5] = count & 0xFF
    return at + 6


def put_write(buffer, at: int, unit: int, address: int, data, count: int) -> int:
    """Write a request for function 16 with `count` registers (1..123) from data, big endian; return its end."""
    put_read(buffer, at, unit, WRITE_MULTIPLE, address, count)
    length = count * 2
    buffer[at + 6] = length
    for i in range(length):
        buffer[at + 7 + i] = data[i]
    return at + 7 + length


def put_request(buffer, at: int, unit: int, function: int, address: int, count: int, data) -> int:
    """Write the request of any function from data, big endian; return the end of its PDU. count 1 for function 6."""
    if function < WRITE_SINGLE:
        return put_read(buffer, at, unit, function, address, count)
    if function == WRITE_MULTIPLE:
        return put_write(buffer, at, unit, address, data, count)
    return put_read(buffer, at, unit, function, address, repeated(function, count, data))


def repeated(function: int, count: int, data) -> int:
    """Return what stands behind the address in the request and in the answer to a write: count, or function 6's value.

    To be given as `count` where an answer is judged.
    """
    return data[0] << 8 | data[1] if function == WRITE_SINGLE else count


def close_rtu(buffer, end: int) -> int:
    """Append the CRC of buffer[0:end]; return the frame's length."""
    check = crc.modbus(buffer, 0, end)
    buffer[end] = check & 0xFF
    buffer[end + 1] = check >> 8
    return end + 2


def close_tcp(buffer, end: int, transaction: int) -> int:
    """Fill in the TCP header of the request whose unit stands at TCP_HEAD; return the frame's length."""
    _put16(buffer, 0, transaction)
    _put16(buffer, 2, 0)
    _put16(buffer, 4, end - TCP_HEAD)
    return end


def reply_bytes(function: int, count: int) -> int:
    """Return the length of unit + PDU of the good answer to a request."""
    return 6 if function == WRITE_MULTIPLE or function == WRITE_SINGLE else 3 + 2 * count


def check_reply(buffer, at: int, end: int, unit: int, function: int, address: int, count: int) -> int:
    """Judge unit + PDU in buffer[at:end]: OK, the exception code (1..255), or -1 when it is not our answer."""
    length = end - at
    if length < 3 or buffer[at] != unit:
        return -1
    code = buffer[at + 1]
    if code != function:
        return buffer[at + 2] if code == function | 0x80 and length == 3 and buffer[at + 2] else -1
    if function == WRITE_MULTIPLE or function == WRITE_SINGLE:
        same = length == 6 and _get16(buffer, at + 2) == address and _get16(buffer, at + 4) == count
        return OK if same else -1
    return OK if length == 3 + 2 * count and buffer[at + 2] == 2 * count else -1


def find_rtu(buffer, start: int, received: int, unit: int, function: int, address: int, count: int) -> int:
    """Look in buffer[start:received] for our answer among noise and echo.

    Returns 2 x offset + (1 for an exception answer), or -1 when there is none yet. A frame counts only with the right
    unit, function, length and CRC, so whatever else is on the line cannot pass for it.
    """
    good = reply_bytes(function, count) + 2
    for at in range(start, received - 4):
        if buffer[at] != unit:
            continue
        code = buffer[at + 1]
        if code == function:
            length = good
        elif code == function | 0x80:
            length = 5
        else:
            continue
        end = at + length
        if end > received or _get16_low_first(buffer, end - 2) != crc.modbus(buffer, at, end - 2):
            continue
        result = check_reply(buffer, at, end - 2, unit, function, address, count)
        if result >= 0:
            return 2 * at + (1 if result else 0)
    return -1


def tcp_length(buffer, received: int, at: int = 0) -> int:
    """Return the length of the TCP frame in buffer[at:received]; 0 when more is needed, -1 when it is not Modbus."""
    if received - at < TCP_HEAD + 2:
        return 0
    length = _get16(buffer, at + 4)
    if buffer[at + 2] or buffer[at + 3] or not 2 < length <= TCP_MAX - TCP_HEAD:
        return -1
    return TCP_HEAD + length


def transaction(buffer) -> int:
    """Return the transaction number of a TCP frame."""
    return _get16(buffer, 0)


def _get16(buffer, at: int) -> int:
    return buffer[at] << 8 | buffer[at + 1]


def _get16_low_first(buffer, at: int) -> int:
    return buffer[at] | buffer[at + 1] << 8


def _put16(buffer, at: int, value: int) -> None:
    buffer[at] = value >> 8 & 0xFF
    buffer[at + 1] = value & 0xFF
