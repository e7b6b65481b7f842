# SPDX-License-Identifier: MIT
"""Loss of mains: run every trial once, write build/bench/lom.html, and answer for each figure."""

from __future__ import annotations

import functools
import json
import sys

from backfeed.bench import lom_measure, lom_page
from backfeed.checkout import BUILD

PAGE = BUILD / "bench" / "lom.html"


@functools.cache
def _measured() -> lom_measure.Lom:
    lom = lom_measure.measure(lambda what: print(f"lom: {what}", file=sys.stderr, flush=True))
    lom_page.write(lom, PAGE)
    return lom


def measure(name: str) -> float:
    """Return one figure; the first call runs everything (some minutes)."""
    return _measured().values()[name]


if __name__ == "__main__":
    print(json.dumps(_measured().values(), indent=1))
