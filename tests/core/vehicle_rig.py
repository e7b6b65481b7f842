# SPDX-License-Identifier: MIT
"""The stages from the pilot to the pins with a small board that behaves: mirror contact, gate
monostable, residual-current test, pilot levels of a real vehicle. Grid and inverter are set through
the image, as sense and protect would. Runs on CPython and MicroPython.
"""

from evse import points
from evse.actuate import Actuate
from evse.decide import Decide
from evse.image import Image
from evse.limit import Limit
from evse.sense.battery import BatteryMail
from evse.sense.feedback import Feedback
from evse.sense.pilot import Pilot
from evse.sense.proximity import Proximity

VEHICLE_MV = {"A": 12000, "B": 9000, "C": 6000, "D": 3000, "E": 0}


class Settings:
    """The defaults of the table, as attributes."""

    def __init__(self):
        self.changed = 0
        for row in points.SETTINGS:
            setattr(self, row[points.NAME], row[points.DEFAULT])

    def put(self, **values):
        for name, value in values.items():
            assert hasattr(self, name), name
            setattr(self, name, value)
        self.changed += 1


class Profile:
    """A 50 Hz profile: G98's droop, no volt-watt."""

    nominal_mv = 230000
    nominal_uhz = 50000000
    over_start_uhz = 50400000
    over_droop_permille = 100
    under_start_uhz = 49500000
    under_import_only = 0
    under_droop_permille = 100
    droop_response_ms = 0
    volt_watt = (0, (243800, 253000), (1000, 200))
    volt_var = (0, (), ())


class Ratings:
    import_w = 22080
    export_w = 22080
    current_ma = 32000


class PilotPin:
    """What the peak detectors see of a vehicle behind our generator."""

    def __init__(self):
        self.high_mv = 12000
        self.low_mv = 12000
        self.duty_permille = 1000
        self.vehicle_mv = 12000
        self.diode = True
        self.high_override_mv = None
        self.writes = 0

    def duty(self, permille):
        assert 0 <= permille <= 1000
        self.duty_permille = permille
        self.writes += 1

    def read(self):
        duty = self.duty_permille
        high = self.vehicle_mv
        low = -12000
        if self.vehicle_mv == 0:
            low = 0  # shorted to earth
        elif not self.diode:
            low = -self.vehicle_mv
        if duty == 0:
            high = low
        elif duty == 1000:
            low = high
        self.high_mv = high if self.high_override_mv is None else self.high_override_mv
        self.low_mv = low


class World:
    """Contactor, gate and residual-current sensor behind the pins; times in cycles of 10 ms."""

    def __init__(self):
        self.gate_armed = 0
        self.coil = 0
        self.rcd_test_pin = 0
        self.lock_pin = 0
        self.lamp_pin = 0
        self.calls = 0
        self.main_closed = False
        self.moving = 0
        self.welded = False
        self.dead_coil = False
        self.dead_gate = False
        self.dead_rcd = False
        self.leakage = False
        self.edges = True
        # Feedback
        self.contactor_open = True
        self.gate_up = 0
        self.rcd_tripped = 0
        self.estop = 0
        self.proximity_mv = 0
        self.board_cdeg = 2500
        self.connector_cdeg = 2500

    def contactor(self, on):
        self.coil = on
        self.calls += 1

    def gate_arm(self, on):
        self.gate_armed = on
        self.calls += 1

    def gate_edge(self):
        pass

    def rcd_test(self, on):
        self.rcd_test_pin = on
        self.calls += 1

    def lock(self, on):
        self.lock_pin = on

    def lamp(self, n):
        self.lamp_pin = n

    def advance(self):
        """One cycle of the hardware: the contactor takes two cycles to move."""
        self.gate_up = 1 if self.gate_armed and self.edges and not self.dead_gate else 0
        energised = self.coil and self.gate_up and not self.dead_coil
        if bool(energised) == self.main_closed:
            self.moving = 0
        else:
            self.moving += 1
            if self.moving >= 2:
                self.main_closed = bool(energised)
                self.moving = 0
        if self.welded:
            self.main_closed = True
        self.contactor_open = not self.main_closed
        self.rcd_tripped = 1 if self.leakage or (self.rcd_test_pin and not self.dead_rcd) else 0

    def read(self):
        pass


class Board:
    def __init__(self):
        self.pilot = PilotPin()
        self.outputs = World()
        self.inputs = self.outputs
        self.ratings = Ratings()


class Rig:
    """Everything wired; `run(ms)` moves time on in cycles. The grid is healthy, the inverter perfect."""

    def __init__(self, **settings):
        self.image = Image()
        self.settings = Settings()
        self.settings.put(**settings)
        self.board = Board()
        self.world = self.board.outputs
        self.pin = self.board.pilot
        profile = Profile()
        self.parts = (
            Pilot(self.image, self.settings, profile, self.board),
            Feedback(self.image, self.settings, profile, self.board),
            Proximity(self.image, self.settings, profile, self.board),
            BatteryMail(self.image, self.settings, profile, self.board),
        )
        self.decide = Decide(self.image, self.settings, profile)
        self.limit = Limit(self.image, self.settings, profile, self.board.ratings)
        self.actuate = Actuate(self.image, self.settings, self.board)
        self.now_ms = 5000
        self.perfect = True  # the inverter does what it is told
        self.soc = 500  # None: the vehicle says nothing
        self.soc_period_ms = 1000
        self._soc_ms = 0
        self.check = None  # called after each cycle
        self.rows = []
        self.seen = 0
        self.healthy()

    def healthy(self):
        """A grid and an inverter without fault, enter-service wait over."""
        inputs = self.image.inputs
        inputs.afe_ok = 1
        inputs.afe_age_ms = 10
        inputs.voltage_live = 1
        inputs.frequency_ok = 1
        inputs.frequency_uhz = 50000000
        inputs.phase_mv[0] = 230000
        inputs.inverter_ok = 1
        inputs.inverter_connected = 1
        inputs.inverter_state = 3
        inputs.inverter_charge_w = 22080
        inputs.inverter_discharge_w = 22080
        protection = self.image.protection
        protection.inhibit = 0
        protection.may_close = 1
        protection.trip = 0
        protection.service = 1
        protection.ramp_permille = 1000

    def vehicle(self, state):
        self.pin.vehicle_mv = VEHICLE_MV[state]

    def cycle(self, elapsed_ms=10):
        self.now_ms = (self.now_ms + elapsed_ms) & 0x3FFFFFFF
        inputs = self.image.inputs
        inputs.now_ms = self.now_ms
        inputs.elapsed_ms = elapsed_ms
        self._soc_ms += elapsed_ms
        if self.soc is not None and self._soc_ms >= self.soc_period_ms:
            self._soc_ms = 0
            self.mail_soc(self.soc)
        for part in self.parts:
            part.run()
        self.decide.run()
        self.limit.run()
        self.actuate.run()
        self.world.advance()
        if self.perfect:
            inputs.inverter_w = self.image.outputs.inverter_w if self.world.main_closed else 0
            inputs.grid_w = inputs.inverter_w
        if self.check:
            self.check(self)

    def run(self, ms):
        for _ in range(ms // 10):
            self.cycle()

    def mail_soc(self, permille, **more):
        box = self.image.mail.battery
        box.begin()
        box.soc_permille = permille
        box.soc_ok = 1
        box.cdeg = 2500
        for name, value in more.items():
            setattr(box, name, value)
        box.end(self.now_ms)

    def mail(self, name, **values):
        box = getattr(self.image.mail, name)
        box.begin()
        for field, value in values.items():
            setattr(box, field, value)
        box.end(self.now_ms)

    def energise(self):
        """Plug in, ask, close; return ms from C to closed."""
        self.run(1000)
        self.vehicle("B")
        self.run(1000)
        self.vehicle("C")
        spent_ms = 0
        while not self.image.outputs.closed:
            self.cycle()
            spent_ms += 10
            assert spent_ms < 5000, self.image.request.session_state
        self.run(50)
        return spent_ms

    def events(self, code):
        """Return [(subject, value)] of the events of one code still in the ring."""
        row = [0] * 5
        found = []
        events = self.image.events
        for sequence in range(max(0, events.count - events.depth), events.count):
            if events.read(sequence, row) and row[1] == code:
                found.append((row[2], row[3]))
        return found
