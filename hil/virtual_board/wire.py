# SPDX-License-Identifier: MIT
"""Layout of the messages between the virtual board and the host; the board's side is modules/_link.py.

Board to host, 64 bytes and events: length, kind, flags or code, pilot duty, now, target, gate edge, PWM, watchdog,
pins.
Host to board, 384 bytes and events: length of events, flags, time, pins, ADC inputs in uV, AFE registers, energy.
All little endian, but the AFE's registers, which stand as they leave the part: most significant byte first.
"""

from collections.abc import Iterator
from struct import Struct

OUT = Struct("<IBBHqqqIIqx15s")  # slot 0 is the gate edge, which is counted instead
IN_HEAD = Struct("<IBBHqq")  # extra, flags, spi fault, spare, now, wake
IN_SIZE = 384
EVENT = Struct("<BBHIq")  # kind, channel, spare, length, t_us

SYNC, RESET, EXIT, POWER_LOST = 1, 2, 3, 4
TX_UART, TX_UART_CUT, TX_AFE, TX_CONNECT, TX_SEND, TX_CLOSE, TX_CAN, TX_TAKEN = 1, 2, 3, 4, 5, 6, 7, 8
RX_UART, RX_CONNECTED, RX_DATA, RX_CLOSED, RX_FRAM_CUT, RX_CAN = 1, 2, 3, 4, 5, 6
FLAG_STDIN, FLAG_NET, FLAG_EVENTS = 1, 2, 4
AWAITS_UART = 1  # flags of a SYNC: the program sleeps until its UART has something

DIGITAL_OUT = ("gate_edge", "gate_arm", "contactor", "rcd_test", "cable_lock", "lamp", "inverter_de")
DIGITAL_IN = ("gate_feedback", "contactor_mirror", "rcd_trip", "estop")
ANALOG_IN = (
    "pilot_high_adc",
    "pilot_low_adc",
    "proximity_adc",
    "board_temperature_adc",
    "connector_temperature_adc",
)
IN_DIGITAL = 24
IN_ANALOG = 32
IN_AFE = 64
IN_PERIOD = 308
IN_SEQUENCE = 324
IN_LINES = 328
IN_ENERGY = 336

UART_HEAD = Struct("<HI")  # bits per character, baud rate


def events(message: bytes, at: int) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield (kind, channel, t_us, data) of a message's events from offset `at`."""
    while at < len(message):
        kind, channel, _, length, t_us = EVENT.unpack_from(message, at)
        at += EVENT.size
        yield kind, channel, t_us, message[at : at + length]
        at += length


def event(kind: int, channel: int, t_us: int, data: bytes = b"") -> bytes:
    """Return one event as bytes."""
    return EVENT.pack(kind, channel, 0, len(data), t_us) + data
