# SPDX-License-Identifier: MIT
"""What differs between boards and ports, behind the attributes of `board` (see README.md)."""
