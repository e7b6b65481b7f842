# SPDX-License-Identifier: MIT
"""One step of the exchange between board and world: outputs in, plant on, inputs out; 100 times a virtual second."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hil.plant.interface import BoardInputs, BoardOutputs, Plant
from hil.virtual_board import wire
from hil.virtual_board.bridge import Bridge
from hil.virtual_board.can_line import CanLine
from hil.virtual_board.console import PipeConsole, TerminalConsole
from hil.virtual_board.errors import PlantFailed, VirtualBoardError
from hil.virtual_board.faults import Faults
from hil.virtual_board.lines import NEVER_US, SerialLine
from hil.virtual_board.parts.ade9000 import BLOCK, CONFIG1, Ade9000
from hil.virtual_board.parts.analog import Analog

STEP_US = 10_000  # the world moves in steps of this at most, so that hooks and spontaneous devices are seen in time
SOFTWARE_RESET = 1
RUNNING = -1  # in place of a target: the board has not said yet until when it has nothing to do

Hook = Callable[[int, BoardOutputs, BoardInputs], None]


class Exchange:
    """The world's side: plant, what the board drives and feels, lines, and the message to the board."""

    def __init__(
        self, plant: Plant, scales: dict[str, int], console: PipeConsole | TerminalConsole, bridge: Bridge, seed: int
    ) -> None:
        self.plant = plant
        self.console = console
        self.bridge = bridge
        self.faults = Faults(seed)
        self.line = SerialLine(0, None)
        self.can = CanLine(getattr(plant, "can", ()))
        self.now_us = 0
        self.outputs = BoardOutputs()
        self.inputs = BoardInputs()
        self.hooks: list[Hook] = []
        self.syncs = 0
        self._afe = Ade9000(scales["afe_voltage_full_mv"], scales["afe_current_full_ma"])
        self._analog = Analog(scales)
        self._message = bytearray(wire.IN_SIZE)
        self._registers = np.frombuffer(self._message, np.uint8)[wire.IN_AFE : wire.IN_AFE + BLOCK]
        self._events: list[bytes] = []  # for the board
        self._prompt = False  # one of them cannot wait until the board's time has come
        self._uart_awaited = False
        self._target = RUNNING  # until when the board has nothing to do
        self._limit_us = NEVER_US
        self._wdt_us = 0
        self._gate_edges = 0  # of the lives before this one
        self._new_life()

    def _new_life(self) -> None:
        """Forget what the life before had said."""
        self._events.clear()
        self.can.reset()
        self._prompt = False
        self._uart_awaited = False
        self._target = RUNNING
        self._wdt_us = 0
        self._sequence = -1
        self._pins_seen = b""
        self._duty_seen = -1
        self._afe.write(CONFIG1, SOFTWARE_RESET)

    def _float_pins(self) -> None:
        """Reset, or no supply: pull-downs hold the outputs low, the pilot driver rests at +12 V."""
        edges, edge_us = self.outputs.gate_edges, self.outputs.gate_edge_us
        self._gate_edges = edges
        self.outputs = BoardOutputs(gate_edges=edges, gate_edge_us=edge_us)
        for name, value in self.faults.stuck_outputs.items():
            setattr(self.outputs, name, value)

    # What the board does about it: see VirtualBoard.

    def _send(self, message: bytes | bytearray) -> None:
        raise NotImplementedError

    def _restart(self, cause: str, off_us: int = 0) -> None:
        raise NotImplementedError

    # --- from the board ---

    def _take(self, message: bytes) -> tuple[int, int]:
        """Take a message; return its kind and code."""
        self.syncs += 1
        (length, kind, code, duty, now_us, target_us, edge_us, edges, hz, self._wdt_us, pins) = wire.OUT.unpack_from(
            message
        )
        outputs = self.outputs
        if edges:  # stamped, so they are told before the time in between has passed
            outputs.gate_edges = self._gate_edges + edges
            outputs.gate_edge_us = edge_us
        if now_us > self.now_us and (pins != self._pins_seen or duty != self._duty_seen or kind != wire.SYNC):
            self._advance(now_us)  # with the outputs as they were
        if pins != self._pins_seen:
            self._pins_seen = pins
            self._set_pins(pins)
        if duty != self._duty_seen:
            self._duty_seen = duty
            outputs.pilot_duty = duty / 65535 if hz else 1.0
            outputs.pilot_frequency_hz = float(hz or 1000)
        if length > wire.OUT.size:
            for event in wire.events(message, wire.OUT.size):
                self._outgoing(*event)
        self._target = target_us
        self._uart_awaited = bool(code & wire.AWAITS_UART)  # of a SYNC; the others end this life anyway
        return kind, code

    def _set_pins(self, pins: bytes) -> None:
        outputs = self.outputs
        arm, contactor, rcd_test, lock, lamp = pins[:5]
        outputs.gate_arm = bool(arm)
        outputs.contactor = bool(contactor)
        outputs.rcd_test = bool(rcd_test)
        outputs.cable_lock = bool(lock)
        outputs.lamp = lamp
        if self.faults.stuck_outputs:
            for name, level in self.faults.stuck_outputs.items():
                setattr(outputs, name, level)

    def _outgoing(self, kind: int, channel: int, t_us: int, data: bytes) -> None:
        if kind == wire.TX_UART:
            self.line.send(t_us, data)
        elif kind == wire.TX_UART_CUT:
            self.line.cut(t_us)
        elif kind == wire.TX_AFE:
            self._afe.write(int.from_bytes(data[:2], "little"), int.from_bytes(data[2:], "little"))
            self._sequence = -1
        elif kind == wire.TX_CAN:
            self.can.take(channel, t_us, data)
        elif kind == wire.TX_CONNECT:
            self.bridge.connect(channel, t_us, data.decode())
        elif kind == wire.TX_SEND:
            self.bridge.send(channel, t_us, data)
        elif kind == wire.TX_CLOSE:
            self.bridge.close(channel)
        elif kind == wire.TX_TAKEN:
            self.bridge.taken(channel, t_us, int.from_bytes(data, "little"))

    # --- the world ---

    def _next_us(self, limit_us: int) -> int:
        """Return when the world has to stop next: the board's wish, a fault's, a line's, or limit_us."""
        now_us, faults = self.now_us, self.faults
        t_us = faults.stall_until_us if faults.stall_until_us > now_us else self._target
        if t_us > limit_us:
            t_us = limit_us
        if t_us > now_us + STEP_US:
            t_us = now_us + STEP_US
        line_us = self.line.next_us if self._uart_awaited else self.line.work_us
        if line_us < t_us:
            t_us = line_us
        if self.bridge.next_us < t_us:
            t_us = self.bridge.next_us
        if self.can.next_us < t_us:
            t_us = self.can.next_us
        if self._wdt_us and self._wdt_us < t_us:
            t_us = self._wdt_us
        return t_us

    def _collect(self) -> None:
        """Put what has reached the board by now into the next message."""
        for at_us, data in self.line.step(self.now_us):
            self._events.append(wire.event(wire.RX_UART, 0, at_us, data))
            self._prompt |= self._uart_awaited  # else it lies in the UART until the program looks
        if self.can.nodes or self.can.next_us <= self.now_us:
            self._events.extend(self.can.step(self.now_us))
        self.bridge.check(self.now_us)
        if self.bridge.next_us <= self.now_us:
            self._events.extend(self.bridge.take(self.now_us))
            self._prompt = True

    def _step(self, limit_us: int) -> bool:
        """Move the world on, at most to limit_us; answer the board when its time has come. False: limit reached."""
        stalled = self.faults.stall_until_us > self.now_us
        if (self._prompt or self.console.fresh) and not stalled:
            self._answer()  # a scenario did something just now
            return True
        t_us = self._next_us(limit_us)
        if t_us > self.now_us:
            self._advance(t_us)
        self._collect()
        now_us = self.now_us
        if self._wdt_us and now_us >= self._wdt_us:
            self._restart("wdt")
            return True
        if now_us >= self.faults.stall_until_us and (now_us >= self._target or self._prompt or self.console.fresh):
            self._answer()
            return True
        return now_us < limit_us

    def _advance(self, t_us: int) -> None:
        """Let the plant run to t_us; encode what the board then feels."""
        try:
            inputs = self.plant.advance(t_us, self.outputs)
        except VirtualBoardError:
            raise
        except Exception as error:
            raise PlantFailed(f"the plant failed at {t_us / 1e6:.6f} s: {type(error).__name__}: {error}") from error
        self.now_us = t_us
        self.inputs = inputs
        if self.hooks:
            for hook in self.hooks:
                hook(t_us, self.outputs, inputs)

    # --- to the board ---

    def _answer(self) -> None:
        message, inputs, faults = self._message, self.inputs, self.faults
        reading = inputs.afe
        if reading.sequence != self._sequence and not faults.afe_frozen:
            self._sequence = reading.sequence
            self._afe.encode(reading, self._registers)
            if faults.afe_bits:
                faults.flip_bits(message, wire.IN_AFE, wire.IN_PERIOD)
        self._analog.encode(inputs, message, wire.IN_ANALOG)
        at = wire.IN_DIGITAL
        message[at] = inputs.gate_up
        message[at + 1] = inputs.contactor_open
        message[at + 2] = not inputs.rcd_tripped
        message[at + 3] = not inputs.estop
        if faults.stuck_inputs:
            for name, level in faults.stuck_inputs.items():
                message[at + wire.DIGITAL_IN.index(name)] = level
        flags = wire.FLAG_NET if self.bridge.up else 0
        if self.console.fresh:
            self.console.fresh = False
            flags |= wire.FLAG_STDIN
        extra = b""
        if self._events:
            extra = b"".join(self._events)
            flags |= wire.FLAG_EVENTS
        wake_us = min(self.line.next_us, self.bridge.next_us, self.can.next_us, self._limit_us, self.now_us + STEP_US)
        wire.IN_HEAD.pack_into(message, 0, len(extra), flags, faults.spi, 0, self.now_us, wake_us)
        self._target = RUNNING
        if extra:
            self._events.clear()
            self._prompt = False
            self._send(bytes(message) + extra)
        else:
            self._send(message)
