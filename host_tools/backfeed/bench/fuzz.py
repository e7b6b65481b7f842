# SPDX-License-Identifier: MIT
"""Random and mutated input through every parser and task on the MicroPython VM: how many, and how many got out.

BACKFEED_FUZZ sets how many inputs are shared out among the parsers of link, drivers and store (1 000 000); the tasks
(console lines and keys, MQTT payloads and streams, settings, stored records) get their shares besides.
"""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache

from backfeed import vm
from backfeed.checkout import FIRMWARE, ROOT
from backfeed.errors import PartError

COUNT = int(os.environ.get("BACKFEED_FUZZ", "1000000"))
SEED = 1
HEAP = "768k"  # a parser that keeps anything runs out of it
PARSERS = ROOT / "tests" / "link" / "vm" / "fuzz.py"
TASKS = ROOT / "tests" / "tasks" / "plain"
# Of COUNT, by what one input costs: a line runs a verb, a record opens every store. The long run gives each a million.
TASK_PERMILLE = {"lines": 50, "bytes": 100, "payloads": 50, "streams": 100, "settings": 75, "records": 15}


def fuzz(script: str, modules: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a fuzzer on the VM."""
    command = [*vm.unix_vm(), "-X", f"heapsize={HEAP}", script, *words]
    environment = dict(os.environ, MICROPYPATH=f"{modules}{FIRMWARE}:.frozen")
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60 + COUNT // 500, check=False
    )


def task(kind: str, count: int) -> dict:
    """Fuzz one task; an exception that gets out ends the run and is counted once."""
    done = fuzz(str(TASKS / "fuzz_app.py"), f"{TASKS}:", kind, str(count), str(SEED))
    return {"inputs": count, "escapes": 1 if done.returncode else 0, "first": done.stdout[-300:]}


@cache
def run() -> dict[str, dict]:
    """Run the fuzzers once; return their report, parser by parser."""
    done = fuzz(str(PARSERS), "", str(COUNT), str(SEED))
    if done.returncode:
        raise PartError(f"the fuzzer ended with code {done.returncode}: {done.stderr[-300:]}")
    report: dict[str, dict] = json.loads(done.stdout)
    for kind, permille in TASK_PERMILLE.items():
        report[kind] = task(kind, COUNT * permille // 1000)
    return report


def measure(name: str) -> float:
    """Return all parsers' and tasks' inputs or escapes."""
    return float(sum(row[name.partition("_")[2]] for row in run().values()))
