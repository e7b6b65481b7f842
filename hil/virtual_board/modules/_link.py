# SPDX-License-Identifier: MIT
"""The virtual board's only way out: two pipes to the host, and the virtual clock.

One message each way per step of time; steps in which nothing can happen outside need none. The board says what
its pins are (now) and until when it has nothing to do (target); the host lets the world run, stops early when
something arrives, and answers with the inputs at that time.
Layout: hil/virtual_board/wire.py; a test compares the two.
"""

# ruff: noqa: SIM115  (the link is open as long as the board lives)
import os
import struct

import uctypes

OUT_SIZE = 64
IN_SIZE = 384
EVENT = "<BBHIq"
EVENT_SIZE = 16
EVENT_AFE = EVENT + "HI"  # address, value
EXTRA_SIZE = 65536

SYNC, RESET, EXIT, POWER_LOST = 1, 2, 3, 4  # kinds of message to the host
TX_UART, TX_UART_CUT, TX_AFE, TX_CONNECT, TX_SEND, TX_CLOSE, TX_CAN, TX_TAKEN = 1, 2, 3, 4, 5, 6, 7, 8
RX_UART, RX_CONNECTED, RX_DATA, RX_CLOSED, RX_FRAM_CUT, RX_CAN = 1, 2, 3, 4, 5, 6
FLAG_STDIN, FLAG_NET, FLAG_EVENTS = 1, 2, 4
AWAITS_UART = 1  # flags of a SYNC

DIGITAL_OUT = ("gate_edge", "gate_arm", "contactor", "rcd_test", "cable_lock", "lamp", "inverter_de")
DIGITAL_IN = ("gate_feedback", "contactor_mirror", "rcd_trip", "estop")
ANALOG_IN = (
    "pilot_high_adc",
    "pilot_low_adc",
    "proximity_adc",
    "board_temperature_adc",
    "connector_temperature_adc",
)
OUT_SLOTS = 48  # offsets of the byte slots
TIMES, TIMES_AT = "<qq", 8  # now and target
IN_FLAGS, IN_SPI_FAULT = 4, 5
IN_SLOTS = 24
IN_AFE = 64
IN_PERIOD = 308

FAR_US = 1 << 60

_OUT = {
    "length": uctypes.UINT32 | 0,
    "kind": uctypes.UINT8 | 4,
    "flags": uctypes.UINT8 | 5,
    "duty_u16": uctypes.UINT16 | 6,
    "gate_edge_us": uctypes.INT64 | 24,
    "gate_edges": uctypes.UINT32 | 32,
    "pwm_hz": uctypes.UINT32 | 36,
    "wdt_us": uctypes.INT64 | 40,
}
_IN = {
    "extra": uctypes.UINT32 | 0,
    "now_us": uctypes.INT64 | 8,
    "wake_us": uctypes.INT64 | 16,
    "uv": (uctypes.ARRAY | 32, uctypes.UINT32 | len(ANALOG_IN)),
    "afe_sequence": uctypes.UINT32 | 324,
    "energy": (uctypes.ARRAY | 336, uctypes.INT64 | 6),
}


class World:
    """The link, the clock and the list of timers that run on it. `now` is world time in us."""

    def __init__(self):
        self.realtime = os.getenv("VB_MODE") == "realtime"
        self._write = open("/dev/fd/" + os.getenv("VB_TX"), "wb").write
        self._readinto = open("/dev/fd/" + os.getenv("VB_RX"), "rb").readinto
        self.box = bytearray(OUT_SIZE + EXTRA_SIZE)
        self.outputs = uctypes.struct(uctypes.addressof(self.box), _OUT, uctypes.LITTLE_ENDIAN)
        self._fixed = memoryview(self.box)[:OUT_SIZE]
        self.inbox = bytearray(IN_SIZE)
        self.inputs = uctypes.struct(uctypes.addressof(self.inbox), _IN, uctypes.LITTLE_ENDIAN)
        self._extra = 0
        self._awaiting = 0
        self.now = 0
        self.synced = 0  # world time of the inputs
        self.wake_us = 0  # until then nothing can come from outside
        self.dirty = False  # an output was driven since the last message
        self.reads = 0  # of the clock since the last message
        self.fed = False  # the watchdog, by whoever runs now
        self.timers = []
        self.handlers = {}  # (event, channel) -> callable(t_us, data)
        self.stdin_maybe = False
        self.input_serial = 0  # counts messages that brought input: streams need a look only then
        self.net_up = False
        self.wait_real = None  # real-time mode: sleeps until a world time or an input
        self.creep_us = int(os.getenv("VB_CREEP_US") or 0)
        self.outputs.length = OUT_SIZE
        self.outputs.kind = SYNC
        self.outputs.duty_u16 = 0
        self._begin()

    def _begin(self):
        self.sync(0)
        self.boot_us = self.now
        # Both tick counters wrap 60 s after boot, so that each run crosses the wrap.
        self.ticks_offset_us = (1 << 30) * 1000 - 60_000_000 - self.boot_us

    def queue(self, kind: int, channel: int, t_us: int, data=b"") -> None:
        """Put an event into the next message."""
        at = OUT_SIZE + self._extra
        size = len(data)
        if self._extra + EVENT_SIZE + size > EXTRA_SIZE:
            raise OSError(12)
        struct.pack_into(EVENT, self.box, at, kind, channel, 0, size, t_us)
        self.box[at + EVENT_SIZE : at + EVENT_SIZE + size] = data
        self._extra += EVENT_SIZE + size

    def queue_afe(self, t_us: int, address: int, value: int) -> None:
        """Put a register that was written into the next message; allocates nothing, for the cycle may write too."""
        at = OUT_SIZE + self._extra
        if self._extra + EVENT_SIZE + 6 > EXTRA_SIZE:
            raise OSError(12)
        struct.pack_into(EVENT_AFE, self.box, at, TX_AFE, 0, 0, 6, t_us, address, value)
        self._extra += EVENT_SIZE + 6

    def sync(self, target_us: int) -> None:
        """Send outputs and events as of now, let the world run to target_us at most, take its inputs."""
        struct.pack_into(TIMES, self.box, TIMES_AT, self.now, target_us)
        if self._extra:
            self.outputs.length = OUT_SIZE + self._extra
            self._write(memoryview(self.box)[: OUT_SIZE + self._extra])
            self._extra = 0
            self.outputs.length = OUT_SIZE
        else:
            self._write(self._fixed)
        if self._readinto(self.inbox) != IN_SIZE:
            raise SystemExit(70)  # the host is gone
        inputs = self.inputs
        self.now = self.synced = inputs.now_us
        self.wake_us = inputs.wake_us
        self.dirty = False
        self.reads = 0
        flags = self.inbox[IN_FLAGS]
        self.net_up = flags & FLAG_NET
        if flags & FLAG_STDIN:
            self.stdin_maybe = True
            self.input_serial += 1
        if flags & FLAG_EVENTS:
            self._events(inputs.extra)

    def _events(self, size: int) -> None:
        self.input_serial += 1
        buffer = bytearray(size)
        if self._readinto(buffer) != size:
            raise SystemExit(70)
        at = 0
        while at < size:
            kind, channel, _, length, t_us = struct.unpack_from(EVENT, buffer, at)
            at += EVENT_SIZE
            handler = self.handlers.get((kind, channel))
            if handler is not None:
                handler(t_us, memoryview(buffer)[at : at + length])
            at += length

    def advance(self, limit_us: int) -> None:
        """Let time run to the next thing that happens, limit_us at most; run the timers that are due."""
        due_us = FAR_US
        for timer in self.timers:
            if timer.due_us < due_us:
                due_us = timer.due_us
        if self.realtime:
            target = min(limit_us, due_us)
            self.wait_real(min(target, self.wake_us))
        elif limit_us < due_us:
            if limit_us < self.wake_us and not self.dirty:
                # Nothing can happen until then and nothing was driven: the world catches up with the next message.
                self.now = limit_us
                self.reads = 0
                return
            target = limit_us
        else:
            target = due_us
        self.sync(target)
        self._fire()

    def _fire(self) -> None:
        while True:
            first = None
            for timer in self.timers:
                if timer.due_us <= self.now and (first is None or timer.due_us < first.due_us):
                    first = timer
            if first is None:
                return
            first.fire()

    def await_uart(self, step: int) -> None:
        """Count who sleeps until the UART has something; for anyone else its bytes can wait."""
        self._awaiting += step
        self.outputs.flags = AWAITS_UART if self._awaiting else 0

    def refresh(self) -> None:
        """Bring the inputs up to now; whoever reads one while now != synced calls this first."""
        self.sync(self.now)

    def sleep_until(self, t_us: int) -> None:
        """Block; timers keep running, as interrupts do."""
        while self.now < t_us:
            self.advance(t_us)

    def leave(self, kind: int, value: int = 0) -> None:
        """Tell the host that this life of the board is over, and wait for the end."""
        self.outputs.kind = kind
        self.outputs.flags = value
        self.sync(self.now)
        while True:
            if not self._readinto(self.inbox):
                raise SystemExit(0)


world = World()
