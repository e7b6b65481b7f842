# SPDX-License-Identifier: MIT
"""How a virtual board can end. Each says what happened, with the last thing the firmware printed."""


class VirtualBoardError(Exception):
    """Something that ends the run; the message is for a person."""


class BoardDied(VirtualBoardError):
    """The MicroPython process ended by itself."""


class BoardHung(VirtualBoardError):
    """The firmware did not come back within the real-time limit of one step."""


class PlantFailed(VirtualBoardError):
    """The plant raised; the cause is chained."""


class BrokerLost(VirtualBoardError):
    """The MQTT broker is gone or does not answer."""
