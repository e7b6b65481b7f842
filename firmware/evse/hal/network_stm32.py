# SPDX-License-Identifier: MIT
"""Ethernet; comes up by itself when a cable is in."""

import network


class Network:
    """The RMII interface of the board."""

    def __init__(self):
        self._lan = None

    def start(self, settings) -> None:
        self._lan = network.LAN()
        self._lan.active(True)

    def up(self) -> int:
        """1: link and address."""
        return 1 if self._lan is not None and self._lan.isconnected() else 0
