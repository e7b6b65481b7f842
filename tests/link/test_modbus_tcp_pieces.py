# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""An answer in pieces: believed from a device that keeps its frames, not from one that spoiled a frame lately."""

from errno import EAGAIN

from evse.drivers import modbus_tcp
from evse.drivers.modbus_bus import Transfer
from evse.link import modbus

READ_HOLDING = 3
COUNT = 10
GOOD = bytes(range(1, 1 + 2 * COUNT))


class Peer:
    """A socket whose answers to the requests are cut at the given places; each look finds one piece."""

    def __init__(self):
        self.cut = ()  # where the next answer is cut
        self.lost = 0  # bytes missing at its end
        self._pieces = []

    def write(self, request):
        frame = bytes(request[:4]) + bytes((0, 3 + len(GOOD), request[6], request[7], len(GOOD))) + GOOD
        frame = frame[: len(frame) - self.lost]
        ends = tuple(self.cut) + (len(frame),)
        start = 0
        for end in ends:
            self._pieces.append(frame[start:end])
            start = end
        return len(request)

    def readinto(self, buffer, _count=0):
        if not self._pieces:
            raise OSError(EAGAIN, "nothing yet")
        piece = self._pieces.pop(0)
        for i in range(len(piece)):
            buffer[i] = piece[i]
        return len(piece)

    def close(self):
        self._pieces = []


class Rig:
    """The master with such a peer, on a clock of its own."""

    def __init__(self):
        self.now_ms = 0
        self.bus = modbus_tcp.ModbusTcp("127.0.0.1")

    def __enter__(self):
        self._ticks_ms = modbus_tcp.ticks_ms
        modbus_tcp.ticks_ms = lambda: self.now_ms
        return self

    def __exit__(self, *_error):
        modbus_tcp.ticks_ms = self._ticks_ms

    def ask(self, cut=(), lost=0):
        """Ask on a new connection; return the result and what the buffer holds."""
        peer = Peer()
        peer.cut = cut
        peer.lost = lost
        self.bus._socket = peer
        self.bus._received = 0
        transfer = Transfer(1, READ_HOLDING, 100, COUNT, bytearray(2 * COUNT))
        self.bus.send(transfer)
        while self.bus.look(transfer):
            self.now_ms += 10
        return transfer.result, bytes(transfer.data)


def test_an_answer_in_pieces_is_believed():
    with Rig() as rig:
        for cut in ((6,), (7,), (12,), (5, 9, 20)):
            assert rig.ask(cut) == (modbus.OK, GOOD)


def test_not_from_a_device_that_spoiled_a_frame_lately():
    """Whatever comes next could be the end of half an answer: TCP has no check sum of frames."""
    nothing = bytes(2 * COUNT)
    with Rig() as rig:
        assert rig.ask(lost=5) == (modbus.BAD_FRAME, nothing)
        assert rig.ask((12,)) == (modbus.BAD_FRAME, nothing)
        assert rig.ask() == (modbus.OK, GOOD), "what comes whole is believed"
        spoiled_ms = rig.bus._spoiled_ms
        rig.now_ms = spoiled_ms + modbus_tcp.WARY_MS - 100
        assert rig.ask((12,)) == (modbus.BAD_FRAME, nothing)
        rig.now_ms = spoiled_ms + modbus_tcp.WARY_MS
        assert rig.ask((12,)) == (modbus.OK, GOOD), "a device that writes in pieces comes back by itself"
