# SPDX-License-Identifier: MIT
"""Loss-of-mains trials: firmware stages on CPython against the compiled plant."""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
for _folder in (_ROOT / "firmware", _ROOT / "tests" / "cpython"):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))
