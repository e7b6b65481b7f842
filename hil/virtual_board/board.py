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
from typing import TYPE_CHECKING

from hil.plant.interface import Plant
from hil.virtual_board import wire
from hil.virtual_board.bridge import Bridge
from hil.virtual_board.console import PipeConsole, TerminalConsole
from hil.virtual_board.errors import VirtualBoardError
from hil.virtual_board.exchange import RUNNING, STEP_US, Exchange
from hil.virtual_board.lines import NEVER_US
from hil.virtual_board.process import MODULES, Process, Watchdog, describe_death, find_micropython

if TYPE_CHECKING:
    from paho.mqtt.client import Client

ROOT = Path(__file__).parents[2]
BOOT_US = 250_000  # power or reset to the first line of boot.py; the pins float
PATIENCE_S = 10.0  # real time that the broker has for an answer
FLAVOURS = {"esp32": "virtual", "stm32": "stm32h743_ref"}
FRAM_SIZE = 32768


def read_pins(path: Path) -> dict[str, dict]:
    """Return the literal dicts of a board's pins.py."""
    try:
        tree = ast.parse(path.read_text())
    except OSError as error:
        known = ", ".join(sorted(p.parent.name for p in ROOT.glob("boards/*/pins.py")))
        raise VirtualBoardError(f"no board {path.parent.name!r}: choose one of {known}") from error
    return {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


class VirtualBoard(Exchange):
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
        self.realtime = realtime
        self.board_path = ROOT / "boards" / (FLAVOURS[flavour] if flavour else board)
        self.pins = read_pins(self.board_path / "pins.py")
        self.broker = broker
        self.resets: list[tuple[int, str]] = []
        self.finished = False
        self.exit_code: int | None = None
        self._creep_us = creep_us
        self._firmware = ROOT / firmware if firmware is not None else None
        self._heap, self._seed, self._entry, self._arguments = heap, seed, entry, arguments
        self._temporary = tempfile.mkdtemp(prefix="backfeed-board-")
        self.fram_path = Path(fram_path) if fram_path else Path(self._temporary) / "fram.bin"
        self.files = Path(files) if files else Path(self._temporary) / "files"
        self._watchdog = Watchdog(step_limit_s)
        self._process: Process | None = None
        known = dict(hosts or {})
        if broker:
            known["broker"] = broker
            known[f"{broker[0]}:{broker[1]}"] = broker
        super().__init__(
            plant,
            self.pins["SCALES"],
            (TerminalConsole if realtime else PipeConsole)(self._temporary),
            Bridge(known, latency_us, PATIENCE_S, realtime),
            seed,
        )
        self._starting: tuple[int, str] | None = None  # when and why the firmware starts next
        self._affinity: set[int] | None = None
        self._started_s = 0.0
        self._publisher: Client | None = None

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
            self._prepare_fram()
            self.line.device = self.plant.serial.get("inverter")
            self.bridge.devices.update(getattr(self.plant, "tcp", {}))
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

    def _prepare_fram(self) -> None:
        if not self.fram_path.exists():
            self.fram_path.write_bytes(bytes(FRAM_SIZE))
        size = self.fram_path.stat().st_size
        if size != FRAM_SIZE:
            raise VirtualBoardError(
                f"FRAM file {self.fram_path} holds {size} bytes, not {FRAM_SIZE}: name another file, or remove it"
            )

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
        self._float_pins()
        self._target = RUNNING
        self._wdt_us = 0
        self.resets.append((self.now_us + off_us, cause))
        self._starting = (self.now_us + off_us + (0 if self.realtime else BOOT_US), cause)

    def _wait_for_boot(self, limit_us: int) -> bool:
        """Let the world run while the board starts; False: limit reached first."""
        if self._starting is None:
            return True
        end_us, cause = self._starting
        while self.now_us < min(end_us, limit_us):
            self._advance(min(end_us, limit_us, self.now_us + STEP_US))
        if self.now_us < end_us:
            return False
        self._starting = None
        self._spawn(cause)
        return True

    def _spawn(self, cause: str) -> None:
        self._new_life()
        stdin, stdout = self.console.open()
        try:
            self._process = Process(
                self._command(), self._environment(cause), str(self.files), stdin, stdout, self.realtime
            )
        finally:
            self.console.opened()
        self._watchdog.watch(self._process.popen)
        self.console.pid = self._process.popen.pid

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
            elif self._target == RUNNING:
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
        if not self.realtime:
            self.bridge.settle(self.now_us)

    def _connect_publisher(self) -> Client:
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
        self._prompt = True

    # --- the process ---

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
        kind, code = self._take(message)
        if kind != wire.SYNC:
            self._leave(kind, code)

    def _send(self, message: bytes | bytearray) -> None:
        if self._process is not None:
            self._process.send(message)

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
            link = self._process.rx if self._process is not None else -1
            fds = [fd for fd in (link, *self.console.fds()) if fd >= 0]
            ready = select.select([*fds, *self.bridge.sockets()], [], [], wait_s)[0]
            self.console.serve()
            elapsed_us = max(self.now_us, int((time.monotonic() - self._started_s) * 1e6))
            while self.now_us < elapsed_us:
                self._advance(min(elapsed_us, self.now_us + STEP_US))
            if link in ready or (self._process is not None and self._process.rest):
                self._take_message()
            if self.finished:
                return
            self._collect()
            if self._wdt_us and self.now_us >= self._wdt_us:
                self._restart("wdt")
            elif self._target != RUNNING:
                self._answer()
