# SPDX-License-Identifier: MIT
"""`network`: WLAN on esp32, LAN on stm32. A scenario takes the line up and down."""

from _board import PORT
from _link import world

STA_IF, AP_IF = 0, 1
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = 1000, 1001, 1010
_WLAN_US = 1_500_000  # association and DHCP
_LAN_US = 1_000_000  # link and DHCP


class _Interface:
    def __init__(self):
        self._active = False
        self._since_us = -1

    def active(self, value=None):
        if value is None:
            return self._active
        self._active = bool(value)
        self._changed()
        return self._active

    def _changed(self):
        if not self._active:
            self._since_us = -1

    def _up(self, delay_us):
        return bool(self._since_us >= 0 and world.net_up and world.now >= self._since_us + delay_us)

    def ifconfig(self, value=None):
        return ("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1") if self.isconnected() else ("0.0.0.0",) * 4

    def config(self, *names, **values):
        if names == ("mac",):
            return b"\x02VB\x00\x00\x01"
        return None


class _WLAN(_Interface):
    """Station interface; any network name is in range while the line is up."""

    IF_STA, IF_AP = STA_IF, AP_IF

    def __init__(self, interface=STA_IF):
        if interface not in (STA_IF, AP_IF):
            raise ValueError("unknown interface: %r" % (interface,))
        super().__init__()

    def connect(self, ssid=None, key=None, *, bssid=None):
        if not self._active:
            raise OSError("Wifi Not Started")
        self._since_us = world.now

    def disconnect(self):
        self._since_us = -1

    def isconnected(self):
        return self._up(_WLAN_US)

    def status(self, what=None):
        if what == "rssi":
            return -55
        if self.isconnected():
            return STAT_GOT_IP
        return STAT_IDLE if self._since_us < 0 else STAT_CONNECTING


class _LAN(_Interface):
    """RMII Ethernet; up a second after it is made active."""

    def _changed(self):
        self._since_us = world.now if self._active else -1

    def isconnected(self):
        return self._up(_LAN_US)

    def status(self):
        return 3 if self.isconnected() else 1


if PORT == "esp32":
    WLAN = _WLAN
else:
    LAN = _LAN


def hostname(name=None):
    return "backfeed"
