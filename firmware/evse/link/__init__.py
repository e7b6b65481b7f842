# SPDX-License-Identifier: MIT
"""Protocol codecs on buffers that the caller owns: no I/O, no state of the world."""
