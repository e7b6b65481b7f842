# SPDX-License-Identifier: MIT
"""What hangs on the board's pins: the parts' side of the world."""
