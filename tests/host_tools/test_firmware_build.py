# SPDX-License-Identifier: MIT
"""The whole firmware compiles for every processor of the boards, and what is sent is what was built."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from backfeed import firmware_build
from backfeed.checkout import FIRMWARE
from backfeed.errors import InputError, PartError

ARCHITECTURES = ("xtensawin", "armv7emsp", "armv7emdp")
MPY_MAGIC = b"M\x06"  # .mpy version 6: MicroPython 1.23 and newer


@pytest.mark.parametrize("march", ARCHITECTURES)
def test_the_firmware_compiles(march: str) -> None:
    files = firmware_build.compile_tree(FIRMWARE, "", march)
    assert len(files) > 20
    for file in files:
        if file.path.endswith(".mpy"):
            assert file.content[:2] == MPY_MAGIC, file.path


def test_a_file_that_does_not_compile_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def f(:\n")
    with pytest.raises(PartError, match="broken.py"):
        firmware_build.compile_tree(tmp_path, "", "xtensawin")


def test_boot_and_main_stay_source_and_the_rest_is_compiled(tmp_path: Path) -> None:
    for name in ("boot.py", "main.py", "evse/main.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x = 1\n")
    paths = [file.path for file in firmware_build.compile_tree(tmp_path, "", None)]
    assert sorted(paths) == ["boot.py", "evse/main.mpy", "main.py"]


def test_an_unknown_board_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="--board toaster: no such board; choose"):
        firmware_build.board_definition("toaster")


def test_the_hash_is_of_the_content() -> None:
    file = firmware_build.BoardFile("a", b"abc")
    assert file.sha256 == hashlib.sha256(b"abc").hexdigest()
