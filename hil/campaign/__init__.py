# SPDX-License-Identifier: MIT
"""Fault campaigns: each fault in each session state of the whole firmware, judged by the plant's truth."""
