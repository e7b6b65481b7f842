# SPDX-License-Identifier: MIT
"""Stage 1 of the scan: raw readings to units, plausibility and age. The only stage that reads drivers."""

from evse.sense.battery import BatteryMail
from evse.sense.feedback import Feedback
from evse.sense.grid import Grid
from evse.sense.inverter import InverterMail
from evse.sense.meter import MeterMail
from evse.sense.pilot import Pilot
from evse.sense.proximity import Proximity


class Sense:
    """Runs the parts in order: grid, mailboxes of the inverter and meter, then the vehicle's side."""

    def __init__(self, image, settings, profile, board):
        self._grid = Grid(image, settings, profile, board)
        self._inverter = InverterMail(image, settings, profile, board)
        self._meter = MeterMail(image, settings, profile, board)
        self._pilot = Pilot(image, settings, profile, board)
        self._proximity = Proximity(image, settings, profile, board)
        self._feedback = Feedback(image, settings, profile, board)
        self._battery = BatteryMail(image, settings, profile, board)

    def run(self) -> None:
        """Fill image.inputs. Called once per cycle."""
        self._grid.run()
        self._inverter.run()
        self._meter.run()
        self._pilot.run()
        self._proximity.run()
        self._feedback.run()
        self._battery.run()
