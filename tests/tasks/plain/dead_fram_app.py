# SPDX-License-Identifier: MIT
"""station_app.py on a board whose FRAM does not answer while there is a file `dead`."""

import os
import sys

from board.board import RamMemory

WRITE = RamMemory.write


def write(self, address, buffer):
    if "dead" in os.listdir("."):
        raise OSError(5)
    WRITE(self, address, buffer)


RamMemory.write = write

with open(sys.argv[0].rsplit("/", 1)[0] + "/station_app.py") as file:
    exec(file.read())
