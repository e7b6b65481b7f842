# SPDX-License-Identifier: MIT
"""python -m tests.model"""

from tests.model.explore import main

raise SystemExit(main())
