# SPDX-License-Identifier: MIT
"""machine.CAN of the stm32 port (MicroPython >= 1.28) on the board's FDCAN1, as its documentation has it.

Source: MicroPython documentation, "class CAN". Not modelled: interrupts, loopback and silent modes, CAN FD.
"""

from _board import BUSES
from _can_wire import EXTENDED, REMOTE, CanWire

_QUEUE = 3  # transmit buffers
_FIFO = 3  # received messages per FIFO; two of them
_ID = 0x1FFFFFFF


class CAN:
    """One controller; `send` queues by identifier, `recv` gives what passed the filters."""

    FLAG_RTR, FLAG_EXT_ID, FLAG_UNORDERED = 1, 2, 8
    MODE_NORMAL, MODE_SLEEP, MODE_LOOPBACK, MODE_SILENT, MODE_SILENT_LOOPBACK = 0, 1, 2, 3, 4
    STATE_STOPPED, STATE_ACTIVE, STATE_WARNING, STATE_PASSIVE, STATE_BUS_OFF = 0, 1, 2, 3, 4
    RECV_ERR_FULL, RECV_ERR_OVERRUN = 1, 2
    TX_QUEUE_LEN, FILTERS_MAX = _QUEUE, 64

    def __init__(self, id, *args, **kwargs):
        if id != BUSES.get("can"):
            raise ValueError("CAN(%r) doesn't exist" % (id,))
        self._wire = CanWire(self)
        self._filters = ()
        self._views = {}
        self.init(*args, **kwargs)

    def init(self, bitrate, mode=0, sample_point=75, sjw=1, tseg1=None, tseg2=None):
        if not 10_000 <= bitrate <= 1_000_000:
            raise ValueError("invalid bitrate")
        if mode != CAN.MODE_NORMAL:
            raise ValueError("the virtual board's CAN knows the normal mode only")
        self._bit_rate = bitrate
        self._queue = [None] * _QUEUE  # identifier of what waits in each buffer
        self._received = []
        self._lost = 0
        self._transmit_errors = 0
        self._off = False

    def set_filters(self, filters):
        if filters is None:
            filters = ((0, 0, 0), (0, 0, CAN.FLAG_EXT_ID))
        for identifier, mask, flags in filters:
            most = _ID if flags & CAN.FLAG_EXT_ID else 0x7FF
            if not 0 <= identifier <= most or not 0 <= mask <= most:
                raise ValueError("invalid id")
        self._filters = tuple([tuple(one) for one in filters])

    def send(self, id, data, flags=0):
        if self._off:
            raise OSError(19)
        if len(data) > 8:
            raise ValueError("too long")
        if not 0 <= id <= (_ID if flags & CAN.FLAG_EXT_ID else 0x7FF):
            raise ValueError("invalid id")
        if id in self._queue and not flags & CAN.FLAG_UNORDERED:
            return None  # the order of equal identifiers cannot be kept
        for index in range(_QUEUE):
            if self._queue[index] is None:
                self._queue[index] = id
                marks = (EXTENDED if flags & CAN.FLAG_EXT_ID else 0) | (REMOTE if flags & CAN.FLAG_RTR else 0)
                order = 0x1FFFFFFF - (id if flags & CAN.FLAG_EXT_ID else id << 18)
                self._wire.offer(index, order, self._bit_rate, id | marks, data)
                return index
        return None

    def cancel_send(self, index):
        if self._queue[index] is None:
            return False
        self._queue[index] = None
        self._wire.withdraw(index)
        return True

    def recv(self, arg=None):
        if not self._received:
            return None
        identifier, data, flags = self._received.pop(0)
        if arg is None:
            arg = [0, None, 0, 0]
            arg[1] = memoryview(bytearray(data))
        else:
            whole = self._views.setdefault(id(arg), arg[1])  # the port resizes the view itself
            whole[: len(data)] = data
            arg[1] = whole[: len(data)]
        full = CAN.RECV_ERR_FULL if len(self._received) == _FIFO * 2 - 1 else 0
        arg[0], arg[2], arg[3] = identifier, flags, CAN.RECV_ERR_OVERRUN if self._lost else full
        self._lost = 0
        return arg

    def state(self):
        if self._off:
            return CAN.STATE_BUS_OFF
        if self._transmit_errors > 127:
            return CAN.STATE_PASSIVE
        return CAN.STATE_WARNING if self._transmit_errors > 95 else CAN.STATE_ACTIVE

    def restart(self):
        for index in range(_QUEUE):
            self.cancel_send(index)
        self._transmit_errors = 0
        self._off = False

    def deinit(self):
        self.restart()
        self._received.clear()
        self._filters = ()

    # --- from the bus ---

    def frame(self, identifier, data, bit_rate):
        """A frame has gone over the bus."""
        if self._off or abs(bit_rate - self._bit_rate) * 50 > bit_rate:
            return
        flags = (CAN.FLAG_EXT_ID if identifier & EXTENDED else 0) | (CAN.FLAG_RTR if identifier & REMOTE else 0)
        identifier &= _ID
        for wanted, mask, of in self._filters:
            if of & CAN.FLAG_EXT_ID == flags & CAN.FLAG_EXT_ID and not (wanted ^ identifier) & mask:
                if len(self._received) >= _FIFO * 2:
                    self._lost = 1
                else:
                    self._received.append((identifier, data, flags))
                return

    def sent(self, index):
        """Our frame has gone out and was acknowledged."""
        self._queue[index] = None
        self._transmit_errors = max(self._transmit_errors - 1, 0)

    def failed(self, _index, acknowledge):
        """Our frame was destroyed, or nobody acknowledged it."""
        if acknowledge and self._transmit_errors > 127:
            return
        self._transmit_errors += 8
        if self._transmit_errors > 255:
            self._off = True
            for index in range(_QUEUE):
                self.cancel_send(index)
