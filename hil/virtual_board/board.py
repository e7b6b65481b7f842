# SPDX-License-Identifier: MIT
"""VirtualBoard: the firmware on a MicroPython VM, a plant, and the clock between them."""

from __future__ import annotations

import ast
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hil.plant.interface import BoardInputs, BoardOutputs, Plant
from hil.virtual_board import wire
from hil.virtual_board.bridge import Bridge
from hil.virtual_board.console import PipeConsole, TerminalConsole
from hil.virtual_board.errors import PlantFailed, VirtualBoardError
from hil.virtual_board.faults import Faults
from hil.virtual_board.lines import NEVER_US, SerialLine
from hil.virtual_board.parts.ade9000 import Ade9000
from hil.virtual_board.parts.analog import Analog
from hil.virtual_board.process import MODULES, Process, Watchdog, describe_death, find_micropython

ROOT = Path(__file__).parents[2]
BOOT_US = 250_000  # power or reset to the first line of boot.py; the pins float
STEP_US = 10_000  # the world moves in steps of this at most, so that hooks and spontaneous devices are seen in time
FLAVOURS = {"esp32": "virtual", "stm32": "stm32h743_ref"}
FRAM_SIZE = 32768

Hook = Callable[[int, BoardOutputs, BoardInputs], None]


def read_pins(path: Path) -> dict[str, dict]:
    """Return the literal dicts of a board's pins.py."""
    try:
        tree = ast.parse(path.read_text())
    except OSError as error:
        known = ", ".join(sorted(p.parent.name for p in ROOT.glob("boards/*/pins.py")))
        raise VirtualBoardError(f"no board {path.parent.name!r}: choose one of {known}") from error
    return {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)}


class VirtualBoard:
    """The board under simulation. Use as a context manager, or start() and stop().

    plant: the world (hil.plant.interface.Plant). board: folder under boards/. flavour: "esp32" or "stm32" instead of
    a board. realtime: paced by the wall clock, console on a pseudo-terminal. fram_path: file of the FRAM's 32 KiB,
    made when absent; a temporary one when None. firmware: folder, or None for the board's own files only
    (`files`). broker: (host, port) that `publish` uses and that the name "broker" leads to. heap: VM heap, such as
    "256K". entry: MicroPython script to run instead of boot.py and main.py, with `arguments`. files: the board's
    filesystem, the VM's working folder. creep_us: virtual time each read of the clock takes (0: none).
    """

    def __init__(
        self,
        plant: Plant,
        board: str = "virtual",
        flavour: str | None = None,
        realtime: bool = False,
        fram_path: str | Path | None = None,
        firmware: str | Path | None = "firmware",
        broker: tuple[str, int] | None = None,
        heap: str | None = None,
        seed: int = 0,
        entry: str | Path | None = None,
        arguments: tuple[str, ...] = (),
        files: str | Path | None = None,
        step_limit_s: float = 20.0,
        creep_us: int = 0,
        latency_us: int = 5000,
        hosts: dict[str, tuple[str, int]] | None = None,
    ) -> None:
        if flavour is not None and flavour not in FLAVOURS:
            raise VirtualBoardError(f"no flavour {flavour!r}: choose esp32 or stm32")
        self.plant = plant
        self.realtime = realtime
        self.board_path = ROOT / "boards" / (FLAVOURS[flavour] if flavour else board)
        self.pins = read_pins(self.board_path / "pins.py")
        self.broker = broker
        self.now_us = 0
        self.outputs = BoardOutputs()
        self.inputs = BoardInputs()
        self.hooks: list[Hook] = []
        self.faults = Faults(seed)
        self.resets: list[tuple[int, str]] = []
        self.finished = False
        self.exit_code: int | None = None
        self.syncs = 0
        self.line = SerialLine(0, None)
        self._creep_us = creep_us
        self._firmware = ROOT / firmware if firmware is not None else None
        self._heap, self._seed, self._entry, self._arguments = heap, seed, entry, arguments
        self._temporary = tempfile.mkdtemp(prefix="backfeed-board-")
        self.fram_path = Path(fram_path) if fram_path else Path(self._temporary) / "fram.bin"
        self.files = Path(files) if files else Path(self._temporary) / "files"
        self._watchdog = Watchdog(step_limit_s)
        self._process: Process | None = None
        self.console: PipeConsole | TerminalConsole = (TerminalConsole if realtime else PipeConsole)(self._temporary)
        scales = self.pins["SCALES"]
        self._afe = Ade9000(scales["afe_voltage_full_mv"], scales["afe_current_full_ma"])
        self._analog = Analog(scales)
        known = dict(hosts or {})
        if broker:
            known["broker"] = broker
            known[f"{broker[0]}:{broker[1]}"] = broker
        self.bridge = Bridge(known, latency_us, 10.0, realtime)
        self._message = bytearray(wire.IN_SIZE)
        self._events: list[bytes] = []
        self._target: int | None = None
        self._sequence = -1
        self._pins_seen = b""
        self._duty_seen = -1
        self._gate_us = -(10**9)
        self._gate_edges = 0  # of the lives before this one
        self._wdt_us = 0
        self._limit_us = NEVER_US
        self._starting: tuple[int, str] | None = None  # when and why the firmware starts next
        self._affinity: set[int] | None = None
        self._started_s = 0.0
        self._publisher = None

    # --- life ---

    def __enter__(self) -> VirtualBoard:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> VirtualBoard:
        """Power up: the world runs through the boot time, then the firmware starts."""
        try:
            self.files.mkdir(parents=True, exist_ok=True)
            (Path(self._temporary) / "board").symlink_to(self.board_path)
            if not self.fram_path.exists() or self.fram_path.stat().st_size != FRAM_SIZE:
                self.fram_path.write_bytes(bytes(FRAM_SIZE))
            self.line.device = self.plant.serial.get("inverter")
            if not self.realtime:
                self._pin_to_one_core()
            self._watchdog.start()
            self._started_s = time.monotonic() - self.now_us / 1e6
            self._boot("power")
            self._wait_for_boot(NEVER_US)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything; safe at any time and more than once."""
        self._watchdog.end()
        self._end_process()
        self.console.close()
        if self._publisher is not None:
            self._publisher.loop_stop()
            self._publisher.disconnect()
            self._publisher = None
        if self._affinity is not None:
            os.sched_setaffinity(0, self._affinity)
            self._affinity = None
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _pin_to_one_core(self) -> None:
        # On one core a round trip costs a context switch; on two it costs a wake-up, ten times as much.
        self._affinity = os.sched_getaffinity(0)
        cores = sorted(self._affinity)
        os.sched_setaffinity(0, {cores[os.getpid() % len(cores)]})

    def _boot(self, cause: str, off_us: int = 0) -> None:
        """Let the pins float; the firmware starts after off_us without supply and the boot time."""
        self._gate_edges, self._gate_us = self.outputs.gate_edges, self.outputs.gate_edge_us
        self.outputs = BoardOutputs(
            pilot_duty=1.0, gate_edges=self._gate_edges, gate_edge_us=self._gate_us, **self.faults.stuck_outputs
        )
        self._target = None
        self._wdt_us = 0
        self.resets.append((self.now_us + off_us, cause))
        self._starting = (self.now_us + off_us + (0 if self.realtime else BOOT_US), cause)

    def _wait_for_boot(self, limit_us: int) -> bool:
        """Let the world run while the board starts; False: limit reached first."""
        end_us, cause = self._starting
        while self.now_us < min(end_us, limit_us):
            self._advance(min(end_us, limit_us, self.now_us + STEP_US))
        if self.now_us < end_us:
            return False
        self._starting = None
        self._spawn(cause)
        return True

    def _spawn(self, cause: str) -> None:
        self._events.clear()
        self._target = None
        self._wdt_us = 0
        self._sequence = -1
        self._pins_seen = b""
        self._duty_seen = -1
        self._afe.write(0x481, 1)
        stdin, stdout = self.console.open()
        try:
            self._process = Process(
                self._command(), self._environment(cause), str(self.files), stdin, stdout, self.realtime
            )
        finally:
            self.console.opened()
        self._watchdog.watch(self._process.popen)

    def _command(self) -> list[str]:
        command = [find_micropython()]
        if self._heap:
            command += ["-X", f"heapsize={self._heap}"]
        if self.realtime:
            command.append("-i")
        return [*command, str(MODULES / "_launch.py")]

    def _environment(self, cause: str) -> dict[str, str]:
        path = [str(MODULES)]
        if self._firmware is not None:
            # The board's folder is the package `board`, as on its file system.
            path += [str(self._firmware), self._temporary]
        path += [".frozen"] if self._firmware is not None else ["", "lib", ".frozen"]
        return {
            "MICROPYPATH": ":".join(path),
            "VB_MODE": "realtime" if self.realtime else "lockstep",
            "VB_PINS": str(self.board_path / "pins.py"),
            "VB_FRAM": str(self.fram_path.resolve()),
            "VB_CAUSE": cause,
            "VB_SEED": str(self._seed),
            "VB_CREEP_US": str(self._creep_us),
            "VB_ENTRY": str(Path(self._entry).resolve()) if self._entry else "",
            "VB_ARGS": "\n".join(self._arguments),
            "VB_ROOT": f"{self._firmware}/" if self._firmware is not None else "",
        }

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None
        self.bridge.close_all()

    def _restart(self, cause: str, off_us: int = 0) -> None:
        self.console.drain(self.now_us)
        self._end_process()
        self._boot(cause, off_us)

    # --- what a scenario does ---

    def run(self, duration_s: float) -> None:
        """Let duration_s of the board's time pass."""
        self.run_until(self.now_us + round(duration_s * 1e6))

    def run_until(self, t_us: int) -> None:
        """Let time run to t_us (us since power-up); all that is due at t_us has happened when this returns."""
        if self.realtime:
            self._run_realtime(t_us)
            return
        self._limit_us = t_us
        while not self.finished:
            if self._starting is not None:
                if not self._wait_for_boot(t_us):
                    return
            elif self._target is None:
                self._take_message()
            elif not self._step(t_us):
                return

    def run_while(self, condition: Callable[[], bool], limit_s: float, step_s: float = 0.01) -> bool:
        """Run until condition() is false; return False when limit_s passed first."""
        end_us = self.now_us + round(limit_s * 1e6)
        while condition():
            if self.now_us >= end_us or self.finished:
                return False
            self.run(step_s)
        return True

    def console_write(self, text: str | bytes) -> None:
        """Type on the console."""
        if not self.faults.console_dropped:
            self.console.write(text.encode() if isinstance(text, str) else text)

    def publish(self, topic: str, payload: str | bytes, qos: int = 1, retain: bool = False) -> None:
        """Publish to the firmware through the broker; it is on the firmware's socket a latency from now."""
        client = self._publisher or self._connect_publisher()
        info = client.publish(topic, payload, qos=qos, retain=retain)
        try:
            info.wait_for_publish(10)
        except (RuntimeError, ValueError) as error:
            raise VirtualBoardError(f"cannot publish to {topic}: {error}") from error
        if not info.is_published():
            raise VirtualBoardError(f"the broker did not take a message for {topic} within 10 s")
        self.bridge.settle(self.now_us)

    def _connect_publisher(self):
        from paho.mqtt import client as mqtt

        if self.broker is None:
            raise VirtualBoardError("publish() needs VirtualBoard(broker=(host, port))")
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="backfeed-scenario")
        client.connect(*self.broker)
        client.loop_start()
        self._publisher = client
        return client

    def network_down(self) -> None:
        """Take the network line down: open connections hang, new ones are refused."""
        self.bridge.cut(self.now_us)

    def network_up(self) -> None:
        """Bring the line back; connections from before are reset by their peer."""
        self.bridge.close_all()
        self.bridge.up = True

    def restart(self) -> None:
        """Press the reset button."""
        self._restart("hard")

    def power_cut(self, off_s: float = 1.0) -> None:
        """Take the supply away for off_s, then give it back; the FRAM keeps what it has."""
        self._restart("power", round(off_s * 1e6))

    def cut_power_after_fram_bytes(self, count: int) -> None:
        """The supply goes as soon as `count` more bytes have been written to the FRAM."""
        self._events.append(wire.event(wire.RX_FRAM_CUT, 0, self.now_us, count.to_bytes(4, "little")))

    # --- one step ---

    def _take_message(self) -> None:
        """Wait for the board to say what it does and until when it has nothing to do."""
        process = self._process
        if process is None:
            raise VirtualBoardError("the virtual board is not running: call start() first")
        message = process.receive(self._watchdog)
        self.console.drain(self.now_us)
        if not message:
            self._dead(process)
            return
        self.syncs += 1
        length, kind, code, duty, now_us, target_us, edge_us, edges, hz, self._wdt_us, pins = wire.OUT.unpack_from(
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
        if kind == wire.SYNC:
            self._target = target_us
        else:
            self._leave(kind, code)

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
        elif kind == wire.TX_CONNECT:
            self.bridge.connect(channel, t_us, data.decode())
        elif kind == wire.TX_SEND:
            self.bridge.send(channel, t_us, data)
        elif kind == wire.TX_CLOSE:
            self.bridge.close(channel)

    def _leave(self, kind: int, code: int) -> None:
        if kind == wire.RESET:
            self._restart("hard" if code == 1 else "soft")
        elif kind == wire.POWER_LOST:
            self.power_cut()
        else:
            self.exit_code = code
            self.finished = True
            self._end_process()

    def _dead(self, process: Process) -> None:
        if self.realtime and not self._watchdog.bitten:
            self._restart("soft")  # Ctrl-D at the prompt, or reset from the REPL
            return
        error = describe_death(process, self._watchdog, self.now_us, self.console.tail())
        self._end_process()
        raise error

    def _step(self, limit_us: int) -> bool:
        """Move the world on, at most to limit_us; answer the board when its time has come. False: limit reached."""
        now_us, target_us = self.now_us, self._target
        faults = self.faults
        stalled = faults.stall_until_us > now_us
        if (self._events or self.console.fresh) and not stalled:
            self._answer()  # a scenario did something just now
            return True
        t_us = faults.stall_until_us if stalled else target_us
        if t_us > limit_us:
            t_us = limit_us
        if t_us > now_us + STEP_US:
            t_us = now_us + STEP_US
        line, bridge = self.line, self.bridge
        if line.next_us < t_us:
            t_us = line.next_us
        if bridge.next_us < t_us:
            t_us = bridge.next_us
        if self._wdt_us and self._wdt_us < t_us:
            t_us = self._wdt_us
        if t_us > now_us:
            self._advance(t_us)
            now_us = t_us
        arrived = line.step(now_us)
        if arrived:
            for at_us, data in arrived:
                self._events.append(wire.event(wire.RX_UART, 0, at_us, data))
        bridge.check(now_us)
        if bridge.next_us <= now_us:
            self._events.extend(bridge.take(now_us))
        if self._wdt_us and now_us >= self._wdt_us:
            self._restart("wdt")
            return True
        if now_us < faults.stall_until_us:
            return now_us < limit_us
        if now_us >= target_us or self._events or self.console.fresh:
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

    def _answer(self) -> None:
        message, inputs, faults = self._message, self.inputs, self.faults
        reading = inputs.afe
        if reading.sequence != self._sequence and not faults.afe_frozen:
            self._sequence = reading.sequence
            self._afe.encode(reading, message, wire.IN_AFE)
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
        extra = b"".join(self._events) if self._events else b""
        wake_us = min(self.line.next_us, self.bridge.next_us, self._limit_us, self.now_us + STEP_US)
        wire.IN_HEAD.pack_into(message, 0, len(extra), flags, faults.spi, 0, self.now_us, wake_us)
        self._target = None
        if extra:
            self._events.clear()
            self._process.send(bytes(message) + extra)
        else:
            self._process.send(message)

    # --- real time ---

    def _run_realtime(self, t_us: int) -> None:
        """Serve the board, its console and its sockets, paced by the wall clock."""
        import select

        while not self.finished:
            if self._starting is not None:
                self._wait_for_boot(NEVER_US)
            elapsed_us = int((time.monotonic() - self._started_s) * 1e6)
            if elapsed_us >= t_us:
                return
            wait_s = min(10_000, t_us - elapsed_us) / 1e6
            fds = [self._process.rx, *self.console.fds(), *self.bridge.sockets()]
            ready = select.select(fds, [], [], wait_s)[0]
            self.console.serve()
            elapsed_us = max(self.now_us, int((time.monotonic() - self._started_s) * 1e6))
            while self.now_us < elapsed_us:
                self._advance(min(elapsed_us, self.now_us + STEP_US))
            if self._process.rx in ready:
                self._take_message()
            if self.finished:
                return
            self.bridge.check(self.now_us)
            for at_us, data in self.line.step(self.now_us):
                self._events.append(wire.event(wire.RX_UART, 0, at_us, data))
            self._events.extend(self.bridge.take(self.now_us))
            if self._wdt_us and self.now_us >= self._wdt_us:
                self._restart("wdt")
            elif self._target is not None:
                self._answer()
