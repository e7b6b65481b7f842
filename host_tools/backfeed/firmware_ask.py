# SPDX-License-Identifier: MIT
"""Ask the firmware itself, on the MicroPython unix VM: its own ranges and its own words, nothing said twice here."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backfeed import vm
from backfeed.checkout import FIRMWARE
from backfeed.errors import InputError, PartError
from backfeed.tables import points

FRAM_BYTES = 32768
TIMEOUT_S = 20

WRITE_SETTINGS = """
import json, sys
from evse.points import INSTALLER
from evse.store.settings import SettingError, Settings

class File:
    size = {size}
    def __init__(self, path):
        self.path = path
    def readinto(self, address, buffer):
        with open(self.path, 'rb') as f:
            f.seek(address)
            f.readinto(buffer)
    def write(self, address, buffer):
        with open(self.path, 'r+b') as f:
            f.seek(address)
            f.write(buffer)

settings = Settings(File(sys.argv[1]))
settings.load()
try:
    for name, value in json.loads(sys.stdin.read()).items():
        settings.set(name, value, INSTALLER)
    settings.save()
    print(json.dumps({{}}))
except SettingError as error:
    print(json.dumps({{"refused": str(error)}}))
"""

VERBS = """
import json
from evse.points import ACCESS
from evse.tasks.verbs import VERBS
print(json.dumps([[row[0], row[1], ACCESS[row[2]], row[5]] for row in VERBS]))
"""

ENTITIES = """
import json
from evse.link.homeassistant import entities
print(json.dumps(sum([1 for _ in entities('x', 'y')])))
"""

PROFILE = """
import json, sys
from evse.profiles.loader import ProfileError, load
from evse.faults import ELEMENTS
try:
    p = load(sys.argv[1])
    print(json.dumps({
        "name": p.name, "title": p.title, "edition": p.edition, "hash": p.hash, "unverified": list(p.unverified),
        "nominal_v": p.nominal_mv / 1000, "nominal_hz": p.nominal_uhz / 1000000,
        "wait_s": (max(p.enter_wait_ms, p.first_wait_ms) + p.enter_random_ms) / 1000,
        "enter_v": [p.enter_low_mv / 1000, p.enter_high_mv / 1000],
        "enter_hz": [p.enter_low_uhz / 1000000, p.enter_high_uhz / 1000000],
        "stages": [[ELEMENTS[s.element][0], s.threshold, s.over, s.delay_ms] for s in p.stages],
    }))
except ProfileError as error:
    print(json.dumps({"refused": str(error)}))
"""


def _ask(script: str, *arguments: str, told: str = "") -> Any:
    """Return what a script answers. told: its standard input; the VM takes no argument of more than 255 bytes."""
    environment = dict(os.environ, MICROPYPATH=f"{FIRMWARE}:.frozen")
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(script)
        file.flush()
        command = [*vm.unix_vm(), file.name, *arguments]
        try:
            run = subprocess.run(
                command, input=told, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment
            )
        except subprocess.TimeoutExpired:
            raise PartError(f"the MicroPython VM did not answer within {TIMEOUT_S} s") from None
    try:
        answer = json.loads(run.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        said = (run.stderr or run.stdout).strip().splitlines() or ["it said nothing"]
        raise PartError(f"the MicroPython VM failed (code {run.returncode}): {said[-1]}") from None
    return answer


def write_settings(fram: Path, values: Mapping[str, Any]) -> None:
    """Write settings into a FRAM image, made when absent, through the firmware's own checks."""
    if not fram.exists():
        fram.write_bytes(bytes(FRAM_BYTES))
    answer = _ask(WRITE_SETTINGS.format(size=FRAM_BYTES), str(fram), told=json.dumps(dict(values)))
    if "refused" in answer:
        raise InputError(f"setting {answer['refused']}")


def console_verbs() -> list[list[str]]:
    """Return [verb, arguments, access, what it does] of every verb of the console."""
    answer: list[list[str]] = _ask(VERBS)
    return answer


def entities() -> int:
    """Return how many Home Assistant entities the firmware makes of its points."""
    count: int = _ask(ENTITIES)
    return count


def profile(name: str) -> dict[str, Any]:
    """Return nominal_v, nominal_hz, wait_s, stages ... of a grid profile; InputError when there is no such profile."""
    if name not in points.PROFILE_NAMES:
        raise InputError(f"--profile {name}: unknown; choose {', '.join(points.PROFILE_NAMES)}.")
    answer: dict[str, Any] = _ask(PROFILE, name)
    if "refused" in answer:
        raise InputError(f"--profile {name}: {answer['refused']}")
    return answer
