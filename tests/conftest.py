# SPDX-License-Identifier: MIT
"""Test plumbing: firmware on CPython's path, and the same plain tests on a MicroPython VM."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
for folder in (ROOT, ROOT / "firmware", TESTS / "cpython", TESTS):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import micropython_collector  # noqa: E402
import ticks  # noqa: E402
from backfeed import vm31 as vm_of_31_bits  # noqa: E402
from backfeed.errors import PartError  # noqa: E402

ticks.install()

# Kept with the checkout's neighbours, never a part of it: tests that use them skip where absent.
RECORDINGS = ROOT.parent / "shared" / "recordings"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a file's tests for the MicroPython VM, beside pytest's own collection for CPython."""
    if micropython_collector.wanted(file_path):
        return micropython_collector.MicroPythonFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave what is there now out of garbage collections: the firmware's loader makes one for each profile."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def recordings() -> Path:
    """Folder of real recordings; the test skips where it is absent."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings in {RECORDINGS.parent.name}/{RECORDINGS.name} beside the checkout")
    return RECORDINGS


@pytest.fixture(scope="session")
def vm31() -> None:
    """The MicroPython VM with small ints of 31 bits; the test skips where node or the npm package cannot be had."""
    try:
        vm_of_31_bits.node()
        vm_of_31_bits.module()
    except PartError as error:
        pytest.skip(str(error.message))
