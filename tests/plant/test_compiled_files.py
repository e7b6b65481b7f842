# SPDX-License-Identifier: MIT
"""Numba's cache knows a compiled function's own file only; a changed callee must give the cache a new folder."""

from __future__ import annotations

from pathlib import Path

from backfeed.checkout import HIL
from hil.plant import compiled
from hil.plant.compiled import COMPILED_FILES

PLANT = HIL / "plant"


def test_every_file_with_compiled_code_is_in_the_caches_name() -> None:
    marked = {
        path.resolve()
        for path in HIL.rglob("*.py")
        if any(line.startswith(("@compiled", "@pasted")) for line in path.read_text().splitlines())
    }
    assert len(marked) > 5
    assert marked <= {(PLANT / name).resolve() for name in COMPILED_FILES}


def test_a_change_in_any_of_them_gives_another_folder(tmp_path: Path, monkeypatch) -> None:
    here = tmp_path / "hil" / "plant"
    for name in COMPILED_FILES:
        copy = here / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((PLANT / name).read_bytes())
    monkeypatch.setattr(compiled, "_HERE", here)
    before = compiled._digest()
    for name in COMPILED_FILES:
        (here / name).write_bytes((here / name).read_bytes() + b"#")
        after = compiled._digest()
        assert after != before, name
        before = after
