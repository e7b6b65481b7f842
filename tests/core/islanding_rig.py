# SPDX-License-Identifier: MIT
"""The active method with a line whose frequency the test sets, and its parts alone, for tests of both."""

from evse.faults import ELEMENT_ISLANDING
from evse.image import Image
from evse.protect.islanding import PROBE, QUIET, Islanding
from evse.protect.islanding.course import Course
from evse.protect.islanding.push import Push

NOMINAL_MV = 230000
RATING_W = 7360


class Profile:
    nominal_mv = NOMINAL_MV
    nominal_uhz = 50000000
    stages = ()
    volt_var = (0, (), ())


class Settings:
    def __init__(self, rating_w=RATING_W):
        self.changed = 1
        self.phases = 1
        self.device_id = "unit"
        self.export_rating_w = rating_w
        self.islanding_enable = 1
        self.islanding_perturb_permille = 15
        self.islanding_probe_permille = 120
        self.islanding_gain_permille_hz = 100
        self.islanding_half_ms = 100


class Rig:
    """A line whose frequency a rule of the test sets from the last push."""

    def __init__(self, export_w=7000, settings=None, profile=None):
        self.image = Image()
        self.settings = settings or Settings()
        self.islanding = Islanding(self.image, self.settings, profile or Profile())
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


class Die:
    """Chance that always gives the same, and notes what it was asked."""

    def __init__(self, value=0):
        self.value = value
        self.spreads = []
        self.stirs = []

    def draw(self, spread, stir):
        self.spreads.append(spread)
        self.stirs.append(stir)
        return self.value


class Parts:
    """Course and push of a unit of 10 kW that exports its rating, and the part that a test adds to them."""

    def __init__(self, part):
        self.image = Image()
        self.settings = Settings(10000)
        self.image.inputs.grid_w = -10000
        self.image.inputs.phase_mv[0] = 230000
        self.course = Course()
        self.course.start(50000)
        self.push = Push(self.image, Profile())
        self.push.configure(self.settings)
        self.die = Die()
        self.part = part(self.image, self.course, self.push, self.die)
        self.part.configure(self.settings)

    @property
    def sent(self):
        return self.image.protection.perturb_var

    def read(self, mhz, elapsed_ms=10):
        """Give one reading; return what the part says to it."""
        inputs = self.image.inputs
        inputs.now_ms += elapsed_ms
        inputs.cycle_uhz = mhz * 1000
        self.course.take(mhz)
        return self.part.run(elapsed_ms)

    def hold(self, mhz, cycles):
        """Give the same reading so often; return the first thing said that is not 0."""
        for _ in range(cycles):
            said = self.read(mhz)
            if said:
                return said
        return 0


def last_event(image):
    """Return (code, subject, value) of the newest event."""
    row = [0] * 5
    image.events.read(image.events.count - 1, row)
    return row[1], row[2], row[3]


def started(cycles=60, **more):
    rig = Rig(**more)
    rig.run(cycles)
    assert rig.islanding.state == QUIET
    return rig


def probing():
    rig = started()
    rig.run(1, 50300)
    assert rig.islanding.state == PROBE
    return rig


def volts(rig, *phases):
    for phase in range(3):
        rig.image.inputs.phase_mv[phase] = phases[phase] if phase < len(phases) else NOMINAL_MV


def fall(rig, *phases):
    """Let the voltage fall for one cycle; tell whether that decides."""
    volts(rig, *phases)
    rig.run(1)
    return rig.islanding.detected


def dead_cycles(rig, most=300):
    """Count the cycles until the bus is decided to be dead; most: not within so many."""
    for n in range(1, most):
        rig.run(1)
        if rig.islanding.detected:
            return n
    return most
