# SPDX-License-Identifier: MIT
"""Collect plain test functions a second time, to run them on the MicroPython unix VM.

One VM process a file, one pytest item a function (`test_fixed.py::test_clamp[micropython]`), and
the VM's own traceback as failure text. Which files: every tests/core/test_*.py that is not
*_property.py, and any test file with the line `# runs on: cpython, micropython`.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backfeed import vm

TESTS = Path(__file__).parent
FIRMWARE = TESTS.parent / "firmware"
RUNNER = TESTS / "run_on_micropython.py"
MARK = "\x1f"
OPT_IN = "# runs on: cpython, micropython"
TIMEOUT_S = 300
HEAP = "16m"  # tests may keep tables; the product's heap has its own budget and test


class MicroPythonFailure(Exception):
    """A test failed on the VM; the text is the VM's."""


def wanted(path: Path) -> bool:
    """Return whether the file's tests also run on MicroPython."""
    if not path.name.startswith("test_") or path.suffix != ".py" or path.stem.endswith("_property"):
        return False
    if path.parent == TESTS / "core":
        return True
    return any(line.strip() == OPT_IN for line in path.read_text().splitlines()[:12])


class MicroPythonFile(pytest.File):
    """The tests of one file; runs them all in one VM process when the first is asked for."""

    def collect(self) -> Iterator[MicroPythonItem]:
        for node in ast.parse(self.path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
                yield MicroPythonItem.from_parent(self, name=node.name + "[micropython]", line=node.lineno)

    def outcome(self, test: str) -> str:
        """Return "" when the test passed on the VM, else why not."""
        if not hasattr(self, "_outcomes"):
            names = [item.test for item in self.session.items if item.parent is self]
            self._outcomes = run_file(self.path, names)
        return self._outcomes[test]


class MicroPythonItem(pytest.Item):
    """One test function on the VM."""

    def __init__(self, *, line: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.test = self.name.removesuffix("[micropython]")
        self.line = line

    def runtest(self) -> None:
        failure = self.parent.outcome(self.test)
        if failure:
            raise MicroPythonFailure(failure)

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, MicroPythonFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, self.line - 1, f"{self.test} on MicroPython"


def run_file(path: Path, names: list[str]) -> dict[str, str]:
    """Run the named tests of a file in one VM; return name -> failure text, "" when it passed."""
    environment = dict(os.environ, MICROPYPATH=f"{FIRMWARE}:.frozen")
    command = [*vm.unix_vm(), "-X", f"heapsize={HEAP}", str(RUNNER), str(path.parent), path.stem, *names]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment)
    except subprocess.TimeoutExpired as expired:
        text = (expired.stdout or b"").decode(errors="replace")
        return outcomes(text, names, f"the VM did not end within {TIMEOUT_S} s")
    return outcomes(
        run.stdout, names, f"the VM ended with code {run.returncode}\n{run.stdout[-2000:]}{run.stderr[-2000:]}"
    )


def outcomes(stdout: str, names: list[str], unfinished: str) -> dict[str, str]:
    """Turn the runner's stdout into name -> failure text; a test without an end gets `unfinished`."""
    found = dict.fromkeys(names, unfinished)
    output: list[str] = []
    for line in stdout.split("\n"):
        if not line.startswith(MARK):
            output.append(line)
            continue
        verdict, _, name = line[1:].partition(" ")
        if verdict == "begin":
            output = []
        elif name in found:
            found[name] = "" if verdict == "ok" else with_source("\n".join(output))
    return found


def with_source(traceback: str) -> str:
    """Add the source line to each frame of a MicroPython traceback, as CPython does."""
    lines = []
    for line in traceback.splitlines():
        lines.append(line)
        frame = re.match(r'  File "([^"]+)", line (\d+)', line)
        if frame and Path(frame[1]).is_file():
            source = Path(frame[1]).read_text().splitlines()
            lines.append("    " + source[int(frame[2]) - 1].strip())
    return "\n".join(lines)
