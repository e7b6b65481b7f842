# SPDX-License-Identifier: MIT
"""Install the 31-bit VM: `python -m backfeed.vm31`."""

from __future__ import annotations

import sys

from backfeed.errors import BackfeedError
from backfeed.vm31 import module

try:
    module()
except BackfeedError as error:
    error.show()
    sys.exit(error.exit_code)
