# SPDX-License-Identifier: MIT
"""The active method with a line whose frequency the test sets, and its parts alone, for tests of both."""

from evse.faults import ELEMENT_ISLANDING
from evse.image import Image
from evse.protect.islanding import Islanding

RATING_W = 7360


class Profile:
    nominal_mv = 230000
    nominal_uhz = 50000000
    stages = ()


class Settings:
    def __init__(self):
        self.changed = 1
        self.phases = 1
        self.device_id = "unit"
        self.export_rating_w = RATING_W
        self.islanding_enable = 1
        self.islanding_perturb_permille = 15
        self.islanding_probe_permille = 120
        self.islanding_gain_permille_hz = 100
        self.islanding_half_ms = 100


class Rig:
    """A line whose frequency a rule of the test sets from the last push."""

    def __init__(self, export_w=7000, settings=None):
        self.image = Image()
        self.settings = settings or Settings()
        self.islanding = Islanding(self.image, self.settings, Profile())
        inputs = self.image.inputs
        inputs.grid_w = -export_w
        inputs.phase_mv[0] = 230000
        inputs.frequency_ok = 1
        inputs.cycle_uhz = 50000000
        self.image.outputs.contactor = 1
        self.sent = []
        self.mhz = 50000.0
        self.var = 0.0

    def cycle(self, mhz=None):
        inputs = self.image.inputs
        inputs.now_ms = (inputs.now_ms + 10) & 0x3FFFFFFF
        if mhz is not None:
            inputs.cycle_uhz = int(mhz * 1000)
        self.islanding.run()
        self.sent.append(self.image.protection.perturb_var)

    def run(self, cycles, mhz=50000):
        for _ in range(cycles):
            self.cycle(mhz)

    def island(self, cycles, gain_mhz=25000.0, lag=0.15):
        """Follow the push as a balanced island does: gain_mhz for as much var as is exported. Return cycles used."""
        inputs = self.image.inputs
        for n in range(cycles):
            self.var += 0.4 * (self.image.protection.perturb_var - self.var)
            settled = 50000.0 + gain_mhz * self.var / -inputs.grid_w
            self.mhz += lag * (settled - self.mhz)
            self.cycle(self.mhz)
            if self.islanding.detected:
                return n + 1
        return 0

    def events(self, code):
        row = [0] * 5
        found = 0
        for n in range(self.image.events.count):
            if self.image.events.read(n, row) and row[1] == code and row[2] == ELEMENT_ISLANDING:
                found += 1
        return found
