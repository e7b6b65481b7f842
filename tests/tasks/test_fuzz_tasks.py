# SPDX-License-Identifier: MIT
"""Random console lines, bytes, MQTT payloads, streams, settings, stored records on the real VM: nothing escapes.

20 000 of each by default (10 000 of settings, 2 500 of records). BACKFEED_FUZZ=1000000 for the long run,
BACKFEED_FUZZ_SEED for another part of it.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from backfeed import vm
from backfeed.bench.plain import PLAIN, environment

SEED = os.environ.get("BACKFEED_FUZZ_SEED", "1")
COUNT = int(os.environ.get("BACKFEED_FUZZ", "20000"))
SHARE = {"records": 8, "settings": 2} if "BACKFEED_FUZZ" not in os.environ else {}  # in the short run: the dearest
GROWTH_MAX_BYTES = 4096  # names met for the first time are interned; anything that leaked would be far more
HEAP = "768k"


@pytest.mark.parametrize("kind", ["lines", "bytes", "payloads", "streams", "settings", "records"])
def test_nothing_escapes(kind: str) -> None:
    count = COUNT // SHARE.get(kind, 1)
    command = [*vm.unix_vm(), "-X", f"heapsize={HEAP}", str(PLAIN / "fuzz_app.py"), kind, str(count), SEED]
    run = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60 + COUNT // 50)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    result = json.loads(run.stdout.splitlines()[-1])
    assert result["count"] == count
    assert result["passed"] > count // 10, "hardly an input gets anywhere"
    assert result["growth"] <= GROWTH_MAX_BYTES
