# SPDX-License-Identifier: MIT
"""Who may import whom (docs/architecture.md, section 3), read from the sources themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FIRMWARE = ROOT / "firmware"
BOARDS = ROOT / "boards"
HOST = ROOT / "host_tools" / "backfeed"

STAGES = {"sense", "protect", "decide", "limit", "actuate"}
BASE = {"fixed", "faults", "points", "image", "mailbox", "reactive"}
# What the first package of each firmware part may name inside evse. A part may always import itself.
ALLOWED = {
    "fixed": set(),
    "faults": set(),
    "points": set(),
    "reactive": set(),
    "image": {"fixed", "faults", "points"},
    "mailbox": {"fixed", "image"},
    **{stage: BASE for stage in STAGES},
    "cycle": BASE | STAGES,
    "profiles": BASE,
    "link": {"fixed", "faults", "points"},
    "drivers": BASE | {"link", "hal"},
    "hal": BASE,
    "store": BASE | {"link", "profiles"},
    "tasks": BASE | {"cycle", "link", "store", "profiles", "hal", "drivers", "decide"},
}
HARDWARE = {"machine", "pyb", "esp32", "stm"}
MAY_TOUCH_HARDWARE = {"hal", "drivers"}
NEVER_IN_THE_CYCLE = {"asyncio", "socket", "network", "select", "json", "os"}


def imports(path: Path) -> set[str]:
    """Return every module a file imports, dotted, with `from a import b` as a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; name the package"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def parts(path: Path) -> set[str]:
    """Return the evse parts a file imports: `evse.link.crc.crc16` is link."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("evse.")}


def firmware_files() -> list[Path]:
    return sorted(
        path for path in (FIRMWARE / "evse").rglob("*.py") if path.name != "__init__.py" or path.stat().st_size
    )


def part_of(path: Path) -> str:
    return path.relative_to(FIRMWARE / "evse").parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", firmware_files(), ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_a_part_imports_only_what_stands_below_it(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        assert not imports(path)
        return
    assert part in ALLOWED, f"evse/{part} is not a part of the house: see docs/architecture.md"
    beyond = parts(path) - ALLOWED[part] - {part}
    assert not beyond, f"evse/{part} must not import {', '.join(sorted(beyond))}"


@pytest.mark.parametrize("path", firmware_files(), ids=lambda path: str(path.relative_to(FIRMWARE)))
def test_only_hal_and_drivers_touch_hardware_and_stages_stay_pure(path: Path) -> None:
    part = part_of(path)
    roots = {name.split(".")[0] for name in imports(path)}
    if part not in MAY_TOUCH_HARDWARE:
        assert not roots & HARDWARE
    if part in STAGES | BASE | {"cycle"}:
        assert not roots & NEVER_IN_THE_CYCLE


def test_boot_and_main_leave_hardware_to_the_board() -> None:
    for path in FIRMWARE.glob("*.py"):
        roots = {module.split(".")[0] for module in imports(path)}
        assert not roots & HARDWARE, f"{path.name}: only hal, drivers and boards import machine"


def test_nobody_imports_main() -> None:
    for path in firmware_files():
        assert "main" not in {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", sorted(HOST.rglob("*.py")), ids=lambda path: str(path.relative_to(HOST)))
def test_host_tools_read_the_tables_and_no_other_firmware(path: Path) -> None:
    assert parts(path) <= {"points", "faults"}


def test_hil_plant_never_imports_firmware() -> None:
    for path in (ROOT / "hil" / "plant").rglob("*.py"):
        assert parts(path) <= {"points", "faults"}, path
