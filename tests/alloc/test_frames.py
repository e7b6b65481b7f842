# SPDX-License-Identifier: MIT
"""Every function the cycle runs has a frame that fits the C stack: a larger one would take heap at each call."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from frames import LARGEST_WORDS, Frame, compiled

from backfeed.vm import unix_vm

EVSE = Path(__file__).parents[2] / "firmware" / "evse"
STAGES = ("sense", "protect", "decide", "limit", "actuate")
HAL = ("inputs", "outputs", "pilot", "ratings", "thermistor", "watchdog")
FILES = ("cycle.py", "fixed.py", "image.py", "mailbox.py", "link/crc.py", "tasks/recorder.py")
# Called by tasks or at start only; everything else in these files may run in a cycle.
OUTSIDE = {"decide/why.py": None, "fixed.py": ("ratio",), "link/crc.py": ("_table", "modbus")}


def in_cycle() -> list[Path]:
    """Return the sources of what the cycle runs."""
    stages = [path for stage in STAGES for path in sorted((EVSE / stage).rglob("*.py"))]
    parts = [*(EVSE / "hal" / f"{name}.py" for name in HAL), *sorted((EVSE / "drivers").glob("ade9000*.py"))]
    return [*stages, *parts, *(EVSE / name for name in FILES)]


def runs_at_start(frame: Frame) -> bool:
    """Whether a frame is a module's, a class body's or a constructor's."""
    last = frame.name.split(".")[-1]
    return "__init__" in frame.name or last == "<module>" or last[0].isupper()


@pytest.mark.parametrize("path", in_cycle(), ids=lambda path: str(path.relative_to(EVSE)))
def test_no_frame_of_the_cycle_goes_to_the_heap(path: Path) -> None:
    outside = OUTSIDE.get(path.relative_to(EVSE).as_posix(), ())
    if outside is None:
        return
    frames = [frame for frame in compiled(path) if not runs_at_start(frame) and frame.name not in outside]
    large = {frame.name: frame.words for frame in frames if frame.on_heap}
    assert not large, f"more than {LARGEST_WORDS} words: fewer locals, or a function for the innermost expression"


NEST = """
import gc
def {name}({arguments}):
    return gc.mem_alloc()
"""


def test_the_vm_agrees_on_which_frames_go_to_the_heap(tmp_path: Path) -> None:
    """A call with a frame on the heap has more memory allocated inside than one without; sizes as the file says."""
    names = [f"with_{count}" for count in range(4, 16)]
    source = tmp_path / "nest.py"
    source.write_text(
        "".join(
            NEST.format(name=name, arguments=", ".join(f"a{at}=0" for at in range(count)))
            for name, count in zip(names, range(4, 16), strict=True)
        )
    )
    calls = "\n".join(f"print({name!r}, {name}() - small())" for name in names)
    asked = tmp_path / "ask.py"
    asked.write_text(f"{source.read_text()}\ndef small():\n    return gc.mem_alloc()\n{calls}\n")
    said = subprocess.run([*unix_vm(), str(asked)], capture_output=True, text=True, check=True).stdout
    taken = {name: int(bytes_taken) for name, bytes_taken in (line.split() for line in said.splitlines())}
    read = {frame.name: frame.on_heap for frame in compiled(source) if frame.name != "<module>"}
    assert read == {name: bytes_taken > 0 for name, bytes_taken in taken.items()}
    assert True in read.values() and False in read.values()


def test_a_generators_frame_is_its_own(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text("def many(a, b, c, d, e, f, g, h, i, j, k, m):\n    yield a\n")
    frames = [frame for frame in compiled(source) if frame.name == "many"]
    assert frames[0].words > LARGEST_WORDS and not frames[0].on_heap


def test_what_a_try_costs_is_counted(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    body = "    f()\n"
    source.write_text(f"def plain(f):\n{body}def guarded(f):\n    try:\n    {body}    except OSError:\n        pass\n")
    words = {frame.name: frame.words for frame in compiled(source)}
    assert words["guarded"] > words["plain"] + 2
