# SPDX-License-Identifier: MIT
"""Wi-Fi station. Joining is asynchronous on this port: start() returns at once."""

import network


class Network:
    """Without a network name the radio stays off."""

    def __init__(self):
        self._wlan = None

    def start(self, settings) -> None:
        """Join settings.wifi_ssid with settings.wifi_password; the port reconnects by itself."""
        name = getattr(settings, "wifi_ssid", "")
        if not name:
            return
        self._wlan = network.WLAN(network.STA_IF)
        self._wlan.active(True)
        if not self._wlan.isconnected():
            self._wlan.connect(name, getattr(settings, "wifi_password", ""))

    def up(self) -> int:
        """1: joined and with an address."""
        return 1 if self._wlan is not None and self._wlan.isconnected() else 0
