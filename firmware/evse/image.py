# SPDX-License-Identifier: MIT
"""The process image: everything one cycle reads, decides and writes.

Plain objects with plain ints; the unit stands in the name; + is charging (import), - is
discharging (export), for reactive power + is absorbed. Sense fills `Inputs`, protect
`Protection`, decide `Request`, limit `Limits`, actuate `Outputs`. Whatever a person can see is
read from here through `points`. Tasks hand values in through `Mail` and read the rest.

Every attribute is created in __init__: the cycle allocates nothing.
"""

from array import array

from evse.faults import FAULTS, PILOT_UNKNOWN

PHASES = 3
NEVER_MS = (1 << 29) - 1  # age of a value that was never received, ms


class Inputs:
    """What sense believes about the world, with the age of each thing that can grow old."""

    def __init__(self):
        self.now_ms = 0  # ticks at the start of this cycle
        self.elapsed_ms = 10  # since the cycle before
        # Grid, from the AFE. phase lists are L1..L3; unused phases read 0.
        self.afe_ok = 0  # 1: fresh, plausible, CRC good
        self.afe_age_ms = NEVER_MS
        self.phase_mv = [0] * PHASES  # one-cycle RMS, refreshed each half cycle
        self.phase_ma = [0] * PHASES
        self.phase_w = [0] * PHASES
        self.phase_var = [0] * PHASES
        self.grid_w = 0
        self.grid_var = 0
        self.voltage_live = 0  # 1: some phase above 20 % of nominal, so a frequency may be believed
        self.frequency_ok = 0
        self.frequency_uhz = 0  # filtered, of the healthiest phase
        self.cycle_uhz = 0  # of that phase's last line cycle, unfiltered: what the active method answers to
        self.phase_uhz = [0] * PHASES
        self.rocof_ok = 0
        self.rocof_mhz_s = 0  # over 240 ms
        self.rocof_from_uhz = 0  # frequency at the beginning of those 240 ms
        self.rocof_fast_mhz_s = 0  # over five line cycles, noisier: to see a ramp end
        self.phase_jump_mdeg = 0  # of the last line cycle against the one before
        # Control pilot and proximity
        self.pilot_state = PILOT_UNKNOWN
        self.pilot_high_mv = 0
        self.pilot_low_mv = 0
        self.pilot_diode_ok = 0  # 1: PWM is on and its low half proves the vehicle's diode
        self.cable_ma = 0  # from proximity; 0 = unknown
        # Feedback
        self.contactor_open_proven = 0  # mirror contact: 1 = main contacts are open
        self.gate_up = 0
        self.rcd_tripped = 0
        self.estop = 0
        self.board_cdeg = 0  # temperatures, hundredths of a degree C
        self.connector_cdeg = 0
        # Battery and vehicle
        self.soc_ok = 0
        self.soc_permille = 0
        self.soc_reason = 0  # REASON_* while soc_ok is 0
        self.soc_age_ms = NEVER_MS
        self.battery_ok = 0
        self.battery_cdeg = 0
        self.vehicle_charge_w = 0  # most the vehicle takes; 0 = not stated
        self.vehicle_discharge_w = 0  # most it gives (a magnitude); 0 = not stated
        self.v2x_min_request_wh = 0  # ISO 15118-20: positive = below the V2X range, no discharge
        self.v2x_max_request_wh = 0  # negative = above it, discharge only
        # Inverter
        self.inverter_ok = 0
        self.inverter_age_ms = NEVER_MS
        self.inverter_state = 0  # SunSpec 701 InvSt
        self.inverter_connected = 0
        self.inverter_w = 0
        self.inverter_var = 0
        self.inverter_mv = -1  # at its AC terminals, line to neutral (mean of the phases); -1 = it does not tell
        self.inverter_alarms = 0  # SunSpec 701 Alrm, low 30 bits
        self.inverter_charge_w = 0  # its rating now, magnitudes
        self.inverter_discharge_w = 0
        self.inverter_response_ms = 0  # from setpoint to power, at worst, as its driver declares; 0 = not told yet
        self.inverter_var_response_ms = 0  # the same for reactive power; NEVER_MS = it takes no reactive setpoint
        self.inverter_islanding = 0  # INVERTER_ISLANDING_STATES; written by its task, for people: no stage uses it
        # Site meter
        self.meter_ok = 0
        self.meter_w = 0
        self.meter_age_ms = NEVER_MS


class Protection:
    """What protect says. May only ever take permission away."""

    def __init__(self):
        self.trip = 0  # 1: latched trip, contactor open, gate down
        self.trip_element = 0
        self.trip_phase = 0  # 1..3, 0 = all or none
        self.trip_value = 0  # in the element's unit
        self.trip_threshold = 0
        self.trip_ms = 0  # ticks
        self.trips = 0  # count since boot
        self.inhibit = 1  # 1: no power may flow now
        self.may_close = 0  # 1: in service, inside the enter-service window, nothing picked up; while the coil is off
        self.cessation = 0  # 1: momentary cessation: zero current, contactor stays closed
        self.service = 0  # 1: enter-service conditions met and waited for
        self.wait_ms = 0  # still to wait
        self.unhealthy = 0  # ELEMENT_* that keeps the wait from running now; 0 = the grid is within the window
        self.wait_element = 0  # ELEMENT_* that last broke the wait off, or service; 0 = the wait after boot
        self.element_active = bytearray(16)  # 1 = picked up, indexed by ELEMENT_*
        self.ramp_permille = 0  # enter-service ramp: share of rating allowed, 0..1000
        self.islanding_mhz = 0  # active method: correlation figure
        self.probing = 0  # active method: 1 while it pushes loudly; the frequency is then partly its own doing
        self.islanding_refused = 0  # REASON_* while the active method is refused: what the inverter cannot do
        self.perturb_var = 0  # active method: reactive power to add, VAr
        self.mean_mv = [0] * PHASES  # 10-minute means


class Request:
    """What decide wants."""

    def __init__(self):
        self.session_state = 0
        self.close_contactor = 0
        self.want_w = 0
        self.want_var = 0
        self.owner = 0  # SERVICE_*
        self.droop_w = 0
        self.droop_refused = 0  # REASON_* while frequency response is refused: what the inverter cannot do
        self.duty_permille = 1000  # pilot: 1000 = steady +12 V, 0 = steady -12 V (state F)
        self.stop = 0  # 1: ramp to zero, then open
        self.lease_ms = 0  # left on the remote setpoint
        self.lease_ended = 0  # 1: a lease ran out; power holds zero until someone speaks again
        self.minute_of_week = -1  # local time now, 0 = Monday 00:00; -1 = clock unknown
        self.departure_state = 0  # DEPARTURE_*
        self.departure_minutes = 0  # until departure
        self.departure_soc_permille = 0  # reachable by then (the target, when time is enough)
        self.reason = 0  # why nothing is wanted


class Limits:
    """What limit allows."""

    def __init__(self):
        self.allowed_w = 0
        self.allowed_var = 0
        self.reason = 0  # REASON_* of the smallest margin
        self.import_w = 0  # room for import now (magnitude)
        self.export_w = 0  # room for export now (magnitude)
        self.import_reason = 0
        self.export_reason = 0
        self.rating_w = 0  # import the hardware, cable, vehicle and inverter could carry (for planning)
        self.offer_ma = 0  # current the pilot may offer: board, cable and import rating
        self.limiters = ()  # limit's table of limiters, each with import_w, export_w and their reasons


class Outputs:
    """What actuate drives."""

    def __init__(self):
        self.contactor = 0
        self.gate_arm = 0
        self.duty_permille = 1000
        self.closed = 0  # 1: contactor proven closed by its mirror contact
        self.across_doubt = 0  # 1: the inverter's terminals are not shown dead behind the open contactor
        self.rcd_test = 0
        self.lock = 0
        self.lamp = 0
        self.inverter_enable = 0
        self.inverter_w = 0
        self.inverter_var = 0
        self.lease_ok = 0  # 1: the inverter task may renew the inverter's lease
        self.urgent = 0  # counts up when the inverter task must write at once
        self.wake = None  # called when a command cannot wait; must be safe in an interrupt (ThreadSafeFlag.set)


class Status:
    """Faults and the cycle's own figures."""

    def __init__(self):
        self.fault = bytearray(len(FAULTS))  # 1 = active, indexed by FAULT_*; latched by decide/latch.py
        self.cause = bytearray(len(FAULTS))  # 1 = its cause is present now; written by whoever sees it
        self.fault_count = 0
        self.clear_request = 0  # 0 none, 1 person, 2 installer; cleared by the cycle
        self.cycles = 0
        self.overruns = 0
        self.late_worst_us = 0
        self.duration_us = 0
        self.duration_worst_us = 0
        self.selftest = 0  # 0 running, 1 passed, 2 failed
        self.locked = 0


class Budget:
    """Battery energy counted by limit; the energy task may restore it at boot and stores it."""

    def __init__(self):
        self.day_discharge_wh = 0  # since the budget's day began: rule in limit/energy.py
        self.day_run_minutes = 0  # run time since then, to 1440
        self.weekday = -1  # of the day that goes on, 0 = Monday; -1 = the clock was unknown so far
        self.charged_wh = 0  # lifetime
        self.discharged_wh = 0  # lifetime, a magnitude
        self.cycles_milli = 0  # equivalent full cycles, thousandths


class Energy:
    """Registers for life and of the session, in Wh. Written by the records task; the cycle does not use them."""

    def __init__(self):
        self.import_wh = 0
        self.export_wh = 0
        self.phase_import_wh = [0] * PHASES
        self.phase_export_wh = [0] * PHASES
        self.session_import_wh = 0  # since the vehicle was plugged in
        self.session_export_wh = 0
        self.session_s = 0


class Events:
    """Ring of (ticks_ms, code, subject, value, phase), written in the cycle, drained by the journal task.

    When the reader is slow the oldest are overwritten and `lost` counts them: the cycle never waits.
    """

    WIDTH = 5

    def __init__(self, depth: int = 64):
        self.depth = depth
        self.count = 0
        self._rows = array("i", [0] * (depth * self.WIDTH))

    def emit(self, ticks_ms: int, code: int, subject: int = 0, value: int = 0, phase: int = 0) -> None:
        """Record one event. Codes are EVENT_*; see faults.EVENTS for the meaning of subject and value."""
        rows = self._rows
        at = self.count % self.depth * self.WIDTH
        rows[at] = ticks_ms
        at += 1  # one by one: the frame of `rows[at + 4] = phase` would be a word too large for the stack
        rows[at] = code
        at += 1
        rows[at] = subject
        at += 1
        rows[at] = value
        at += 1
        rows[at] = phase
        self.count += 1

    def read(self, sequence: int, row) -> int:
        """Copy event `sequence` into row (5 ints: ticks_ms, code, subject, value, phase).

        Returns 1 when copied, 0 when it was overwritten or does not exist yet.
        """
        if sequence >= self.count or sequence < self.count - self.depth:
            return 0
        at = sequence % self.depth * self.WIDTH
        for i in range(self.WIDTH):
            row[i] = self._rows[at + i]
        return 1


class Box:
    """A mailbox: a task writes between begin() and end(), the cycle reads only when it is whole.

    On STM32 the cycle interrupts tasks between any two bytecodes; an odd sequence means half written.
    """

    def __init__(self, fields):
        for name in fields:
            setattr(self, name, 0)
        self.sequence = 0
        self.stamp_ms = 0
        self.received = 0

    def begin(self) -> None:
        self.sequence |= 1

    def end(self, now_ms: int) -> None:
        """Close the write; now_ms: ticks when the value was true."""
        self.stamp_ms = now_ms
        self.received = 1
        self.sequence = (self.sequence + 1) & 0xFFFFFF


class Mail:
    """Mailboxes from tasks to the cycle."""

    def __init__(self):
        # response_ms, var_response_ms: as in Inputs; stale_ms: believed this long, 0 = as the settings say
        self.inverter = Box(
            ("state", "connected", "power_w", "reactive_var", "alarms", "charge_w", "discharge_w")
            + ("response_ms", "var_response_ms", "stale_ms", "terminal_mv")
        )
        self.battery = Box(("soc_permille", "soc_ok", "cdeg", "charge_w", "discharge_w", "v2x_min_wh", "v2x_max_wh"))
        self.meter = Box(("power_w",))
        # A setpoint is a lease: value, how long it holds, and who asked.
        self.lease = Box(("power_w", "reactive_var", "duration_ms", "service"))
        self.user = Box(("power_w", "stop", "lock"))  # power_w: 0 = as settings.charge_w says
        self.clock = Box(("minute_of_week",))  # local time; 0 = Monday 00:00
        self.target = Box(("soc_permille", "minute_of_week"))  # one-off departure; soc_permille 0 withdraws it


class Image:
    """All of it: one object handed to every stage."""

    def __init__(self):
        self.inputs = Inputs()
        self.protection = Protection()
        self.request = Request()
        self.limits = Limits()
        self.outputs = Outputs()
        self.status = Status()
        self.budget = Budget()
        self.energy = Energy()
        self.mail = Mail()
        self.events = Events()
