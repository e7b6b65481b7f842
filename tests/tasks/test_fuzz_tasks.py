# SPDX-License-Identifier: MIT
"""Random console lines, bytes, MQTT payloads, streams, settings, stored records on the real VM: nothing escapes.

20 000 of each by default; BACKFEED_FUZZ=1000000 for the long run.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from plain_station import HERE, vm_environment

from backfeed import vm

COUNT = int(os.environ.get("BACKFEED_FUZZ", "20000"))
GROWTH_MAX_BYTES = 4096  # names met for the first time are interned; anything that leaked would be far more
HEAP = "512k"


@pytest.mark.parametrize("kind", ["lines", "bytes", "payloads", "streams", "settings", "records"])
def test_nothing_escapes(kind: str) -> None:
    command = [*vm.unix_vm(), "-X", f"heapsize={HEAP}", str(HERE / "plain" / "fuzz_app.py"), kind, str(COUNT), "1"]
    run = subprocess.run(command, env=vm_environment(), capture_output=True, text=True, timeout=60 + COUNT // 50)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    result = json.loads(run.stdout.splitlines()[-1])
    assert result["count"] == COUNT
    assert result["growth"] <= GROWTH_MAX_BYTES
