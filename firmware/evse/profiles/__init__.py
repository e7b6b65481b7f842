# SPDX-License-Identifier: MIT
"""Grid codes as data, one file per code and edition. `loader.load` turns one into a Profile."""
