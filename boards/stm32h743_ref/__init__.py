# SPDX-License-Identifier: MIT
"""On the board's file system this folder is the package `board`."""
