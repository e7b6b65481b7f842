# SPDX-License-Identifier: MIT
"""One file per part, each behind the contract of its kind (see README.md)."""
