# SPDX-License-Identifier: MIT
"""station_app.py with a hasty console: idle after a second, half a line forgotten after half of one."""

import sys

from evse.tasks import console

console.IDLE_MS = 1000
console.CUT_MS = 500

with open(sys.argv[0].rsplit("/", 1)[0] + "/station_app.py") as file:
    exec(file.read())
