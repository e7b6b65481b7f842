# SPDX-License-Identifier: MIT
"""All five stages of the firmware on recorded inputs, for benches and proofs: no machine, no plant, no tasks.

`rows.bin` holds int32 rows of WIDTH, one for each 10 ms; see backfeed/bench/inputs.py, which writes them.
Gate, contactor and inverter answer the outputs as healthy hardware does; grid, vehicle and battery are the recording's.
"""

from array import array

import evse.cycle as cycle_module
from evse.actuate import Actuate
from evse.cycle import Cycle
from evse.decide import Decide
from evse.image import Image
from evse.limit import Limit
from evse.profiles.loader import load
from evse.protect import Protect
from evse.sense import Sense
from evse.store.settings import Settings

WIDTH = 9
MV, MA, VAR, PERIOD, SEQUENCE, HIGH_MV, PROXIMITY_MV, SOC_PERMILLE, LEASE_W = range(WIDTH)
MAIL_EVERY = 10  # cycles
NO_LEASE = 1 << 20
LEASE_MS = 60000


class Rows:
    """The recording and where it stands."""

    def __init__(self, path):
        self.data = array("i")
        with open(path, "rb") as file:
            while True:
                chunk = file.read(WIDTH * 4 * 64)
                if not chunk:
                    break
                self.data.extend(array("i", chunk))
        self.count = len(self.data) // WIDTH
        self.at = 0

    def get(self, column):
        return self.data[self.at * WIDTH + column]


class Clock:
    """Time of the cycle, 10 ms a row."""

    def __init__(self):
        self.ms = 0

    def ticks_ms(self):
        return self.ms

    def ticks_us(self):
        return (self.ms * 1000) & 0x3FFFFFFF


class Afe:
    """What the AFE's driver offers."""

    def __init__(self, rows):
        self._rows = rows
        self.power_w = 0  # of an inverter that follows its setpoint at once
        self.ok = 1
        self.sequence = 0
        self.crc_errors = 0
        self.phase_mv = [0, 0, 0]
        self.phase_ma = [0, 0, 0]
        self.phase_w = [0, 0, 0]
        self.phase_var = [0, 0, 0]
        self.phase_period = [0, 0, 0]
        self.import_wh = [0, 0, 0]
        self.export_wh = [0, 0, 0]

    def read(self):
        rows = self._rows
        self.phase_mv[0] = rows.get(MV)
        self.phase_ma[0] = rows.get(MA)
        self.phase_w[0] = self.power_w
        self.phase_var[0] = rows.get(VAR)
        self.phase_period[0] = rows.get(PERIOD)
        self.sequence = rows.get(SEQUENCE)


class Pilot:
    """What the pilot offers: the recorded vehicle, seen through the duty that is driven now."""

    def __init__(self, rows):
        self._rows = rows
        self._permille = 1000
        self.high_mv = 12000
        self.low_mv = 12000

    def duty(self, permille):
        self._permille = permille

    def read(self):
        high_mv = self._rows.get(HIGH_MV)
        if self._permille < 1000:
            self.high_mv = high_mv if self._permille else -12000  # 0: state F, steady -12 V
            self.low_mv = -12000
        else:
            if high_mv < 9000:
                high_mv = 9000  # without PWM no vehicle asks for power
            self.high_mv = high_mv
            self.low_mv = high_mv


class Pins:
    """Outputs and the feedback that healthy hardware gives."""

    def __init__(self, rows):
        self._rows = rows
        self._arm = 0
        self._coil = 0
        self._test = 0
        self.contactor_open = 1
        self.gate_up = 0
        self.rcd_tripped = 0
        self.estop = 0
        self.proximity_mv = 0
        self.board_cdeg = 2500
        self.connector_cdeg = 2500
        self.edges = 0

    def gate_edge(self):
        self.edges += 1

    def gate_arm(self, level):
        self._arm = level

    def contactor(self, level):
        self._coil = level

    def rcd_test(self, level):
        self._test = level

    def lock(self, level):
        pass

    def lamp(self, level):
        pass

    def read(self):
        self.contactor_open = 0 if self._coil and self._arm else 1
        self.gate_up = self._arm
        self.rcd_tripped = self._test
        self.proximity_mv = self._rows.get(PROXIMITY_MV)


class Ratings:
    """Those of the virtual board."""

    import_w = 22080
    export_w = 22080
    current_ma = 32000


class Board:
    """What the stages use of a board."""

    name = "bench"
    port = "bench"
    proximity_supply_mv = 3300
    proximity_pullup_ohm = 1000

    def __init__(self, rows):
        self.afe = Afe(rows)
        self.pilot = Pilot(rows)
        self.inputs = Pins(rows)
        self.outputs = self.inputs
        self.ratings = Ratings()


class Scan:
    """A built cycle and its clock; step() feeds one row and runs one scan."""

    def __init__(self, path, changes):
        self.rows = Rows(path)
        self.clock = Clock()
        cycle_module.ticks_ms = self.clock.ticks_ms
        cycle_module.ticks_us = self.clock.ticks_us
        settings = Settings()
        for name in changes:
            settings.set(name, changes[name], 2)
        board = Board(self.rows)
        self.board = board
        self.image = Image()
        profile = load(settings.profile)
        stages = (
            Sense(self.image, settings, profile, board),
            Protect(self.image, settings, profile),
            Decide(self.image, settings, profile),
            Limit(self.image, settings, profile, board.ratings),
            Actuate(self.image, settings, board),
        )
        self.cycle = Cycle(self.image, *stages, board.outputs.gate_edge)
        self.energised = 0

    def _mail(self, now_ms):
        mail = self.image.mail
        inverter = mail.inverter
        inverter.begin()
        inverter.state = 3
        inverter.connected = 1
        inverter.power_w = self.board.afe.power_w
        inverter.charge_w = 7400
        inverter.discharge_w = 7400
        inverter.end(now_ms)
        battery = mail.battery
        battery.begin()
        battery.soc_permille = self.rows.get(SOC_PERMILLE)
        battery.soc_ok = 1
        battery.cdeg = 2500
        battery.end(now_ms)

    def _lease(self, power_w, now_ms):
        lease = self.image.mail.lease
        lease.begin()
        lease.power_w = power_w
        lease.duration_ms = LEASE_MS
        lease.service = 5
        lease.end(now_ms)

    def step(self):
        clock = self.clock
        clock.ms += 10
        rows = self.rows
        if rows.at % MAIL_EVERY == 0:
            self._mail(clock.ms)
        lease_w = rows.get(LEASE_W)
        if lease_w != NO_LEASE:
            self._lease(lease_w, clock.ms)
        self.cycle.run()
        outputs = self.image.outputs
        self.board.afe.power_w = outputs.inverter_w if outputs.contactor and outputs.gate_arm else 0
        self.energised += outputs.contactor
        rows.at += 1

    def run(self, count):
        for _ in range(count):
            self.step()
