# SPDX-License-Identifier: MIT
"""A board for running the tasks alone on the plain unix VM: RAM for FRAM, the process's own console."""
