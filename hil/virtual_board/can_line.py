# SPDX-License-Identifier: MIT
"""The CAN bus between the board's controller and the plant's nodes: arbitration, frame times, errors.

The board offers frames by transmit buffer; it hears of each what became of it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.plant.interface import CanNode
from hil.virtual_board import wire
from hil.virtual_board.lines import NEVER_US

EXTENDED = 1 << 31
OFFER = struct.Struct("<BII")
FRAME_BITS = 67  # of a 29-bit data frame without data, with the space between frames
STUFFED = 1.12  # with the bits stuffed in, typically
ERROR_BITS = 23  # error flag, delimiter, interframe space
TRIES = 32  # of a node's frame, before that node gives up
# Not acknowledged this often it is error passive and alone. It would repeat at once; here it is spared most of that.
ALONE_TRIES, ALONE_US = 17, 5000


Disturb = Callable[[bool, int, bytes], "list[tuple[int, int, bytes]] | None"]


@dataclass
class Frame:
    """A frame that waits for the bus, or has it."""

    ready_us: int
    identifier: int
    data: bytes
    tag: int = -1  # the board's transmit buffer
    priority: int = 0
    bit_rate: int = 0
    node: CanNode | None = None
    tries: int = 0
    withdrawn: bool = False  # while it was on the bus


class CanLine:
    """One bus. What may be wrong with it:

    disturb(to_board, identifier, data): None = destroyed on the wire, so that its sender repeats it; else what arrives
    instead, a list of (delay_us, identifier, data). stuck: held dominant. dead: the wire to the board is cut.
    """

    def __init__(self, nodes: Sequence[CanNode] = (), bit_rate: int = 125_000) -> None:
        self.nodes = nodes
        self.bit_rate = bit_rate
        self.disturb: Disturb | None = None
        self.stuck = False
        self.dead = False
        self.next_us = NEVER_US  # when something happens on the bus
        self.frames = 0
        self.errors = 0
        self._waiting: list[Frame] = []
        self._on: Frame | None = None
        self._begun_us = 0
        self._end_us = 0
        self._free_us = 0
        self._late: list[tuple[int, int, bytes]] = []  # for the board, delayed by a fault
        self._told: list[bytes] = []

    # --- from the board ---

    def take(self, tag: int, t_us: int, payload: bytes) -> None:
        """Take a frame that the board offers, or its withdrawal (no payload)."""
        if self._on is not None and t_us <= self._begun_us:  # it has not begun: the bus is still open to all
            self._waiting.append(self._on)
            self._on = None
        self._waiting = [frame for frame in self._waiting if frame.tag != tag]
        if self._on is not None and self._on.tag == tag:
            self._on.withdrawn = True
        if payload:
            priority, bit_rate, identifier = OFFER.unpack_from(payload)
            data = payload[OFFER.size :]
            self._waiting.append(Frame(max(t_us, 0), identifier, data, tag, priority, bit_rate))
        self._start()

    def reset(self) -> None:
        """The board lost its controller's state: nothing of its waits any more."""
        self._waiting = [frame for frame in self._waiting if frame.tag < 0]
        if self._on is not None and self._on.tag >= 0:
            self._on = None
        self._told.clear()
        self._start()

    # --- in time ---

    def step(self, t_us: int) -> list[bytes]:
        """Let the bus run to t_us; return the events for the board."""
        self._collect()
        while self._on is not None and self._end_us <= t_us:
            frame, self._on = self._on, None
            self._finish(frame, self._end_us)
            self._collect()
        for late in [late for late in self._late if late[0] <= t_us]:
            self._late.remove(late)
            self._tell_frame(*late)
        self._start()
        told, self._told = self._told, []
        return told

    def _collect(self) -> None:
        for node in self.nodes:
            for t_us, identifier, data in node.transmit():
                self._waiting.append(Frame(t_us, identifier | EXTENDED, data, node=node))
        self._start()

    def _start(self) -> None:
        """Give the free bus to the frame that wins it."""
        if self._on is None and self._waiting:
            start_us = max(self._free_us, min(frame.ready_us for frame in self._waiting))
            ready = [frame for frame in self._waiting if frame.ready_us <= start_us]
            ours = [frame for frame in ready if frame.tag >= 0]
            if ours:  # the controller lets one of its own take part
                first = max(ours, key=lambda frame: frame.priority)
                ready = [frame for frame in ready if frame.tag < 0 or frame is first]
            self._on = min(ready, key=lambda frame: frame.identifier)
            self._waiting.remove(self._on)
            bits = (FRAME_BITS + 8 * len(self._on.data)) * STUFFED
            self._begun_us = start_us
            self._end_us = start_us + round(bits * 1e6 / self.bit_rate)
        self.next_us = NEVER_US if self._on is None else self._end_us
        for late_us, _identifier, _data in self._late:
            self.next_us = min(self.next_us, late_us)

    def _finish(self, frame: Frame, end_us: int) -> None:
        self._free_us = end_us
        arrivals: list[tuple[int, int, bytes]] | None = [(0, frame.identifier & ~EXTENDED, frame.data)]
        from_board = frame.tag >= 0
        if self.disturb is not None:
            arrivals = self.disturb(not from_board, frame.identifier & ~EXTENDED, frame.data)
        mismatch = from_board and abs(frame.bit_rate - self.bit_rate) * 50 > self.bit_rate
        alone = from_board and (self.dead or not self.nodes)
        if arrivals is None or self.stuck or mismatch or alone:
            self._fail(frame, end_us, alone and not self.stuck and not mismatch)
            return
        self.frames += 1
        if from_board:
            self._tell(1, end_us, bytes((frame.tag,)))
        for delay_us, identifier, data in arrivals:
            self._deliver(frame, end_us + delay_us, identifier, data)

    def _deliver(self, frame: Frame, t_us: int, identifier: int, data: bytes) -> None:
        for node in self.nodes:
            if node is not frame.node:
                node.receive(identifier, data, t_us)
        if frame.tag < 0 and not self.dead:
            self._late.append((t_us, identifier, data))

    def _fail(self, frame: Frame, end_us: int, acknowledge: bool) -> None:
        """An error frame: everybody drops it, its sender tries again."""
        self.errors += 1
        self._free_us = end_us + round(ERROR_BITS * 1e6 / self.bit_rate)
        frame.ready_us = self._free_us
        frame.tries += 1
        if acknowledge and frame.tries > ALONE_TRIES:
            frame.ready_us += ALONE_US
        if frame.tag >= 0:
            self._tell(2, end_us, bytes((frame.tag, acknowledge)))
            if not frame.withdrawn:
                self._waiting.append(frame)
        elif frame.tries < TRIES:
            self._waiting.append(frame)

    def _tell_frame(self, t_us: int, identifier: int, data: bytes) -> None:
        self._tell(0, t_us, struct.pack("<II", self.bit_rate, identifier | EXTENDED) + data)

    def _tell(self, channel: int, t_us: int, payload: bytes) -> None:
        self._told.append(wire.event(wire.RX_CAN, channel, t_us, payload))
