# SPDX-License-Identifier: MIT
# ruff: noqa: F821  (metadata, package and module belong to the manifest language)
"""What a frozen build takes in. No package of micropython-lib is needed: MQTT is our own (docs/decisions.md)."""

metadata(version="0.1.0", description="Controller firmware of a bidirectional EV charger", license="MIT")

package("evse")
module("boot.py")
module("main.py")
