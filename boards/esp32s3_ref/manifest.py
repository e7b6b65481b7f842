# SPDX-License-Identifier: MIT
# ruff: noqa: F821  (include belongs to the manifest language)
"""A frozen build for esp32s3_ref: the firmware. The wiring stays on the file system, as the package `board`."""

include("../../firmware/manifest.py")
