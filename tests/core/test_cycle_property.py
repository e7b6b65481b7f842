# SPDX-License-Identifier: MIT
"""Random worlds, ages, faults and commands over the whole chain from pilot to pins; every invariant each cycle."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from vehicle_rig import Rig

from evse import faults

RAMP_UP = 6000  # permille per minute of 7360 W: 7.36 W a cycle
RAMP_DOWN = 30000


class Charger(RuleBasedStateMachine):
    """Anything may happen between two runs; nothing unsafe may follow."""

    @initialize(
        up=st.sampled_from([0, 10, RAMP_UP]), down=st.sampled_from([0, 10, RAMP_DOWN]), soc=st.integers(0, 1000)
    )
    def build(self, up, down, soc):
        self.rig = Rig(ramp_up_permille_min=up, ramp_export_permille_min=up, ramp_down_permille_min=down)
        self.rig.soc = soc
        self.before_w = 0
        self.before_droop_w = 0
        self.blocked = True  # export is blocked from the floor until the hysteresis is passed
        self.rig.check = self.check
        self.rig.energise() if soc else self.rig.run(3000)

    @rule(ms=st.sampled_from([10, 20, 50, 100, 300, 1000, 4000]))
    def wait(self, ms):
        self.rig.run(ms)

    @rule(elapsed=st.integers(0, 200))
    def late_cycle(self, elapsed):
        self.rig.cycle(elapsed)

    @rule(state=st.sampled_from("ABCCCCDE"))
    def vehicle(self, state):
        self.rig.vehicle(state)
        self.rig.run(60)

    @rule(mv=st.integers(-14000, 14000))
    def pilot_glitch(self, mv):
        self.rig.pin.high_override_mv = mv
        self.rig.run(30)
        self.rig.pin.high_override_mv = None

    @rule(
        name=st.sampled_from(["trip", "inhibit", "cessation"]),
        ms=st.sampled_from([10, 50, 500]),
        back=st.sampled_from([0, 300, 1000]),
    )
    def grid(self, name, ms, back):
        protection = self.rig.image.protection
        setattr(protection, name, 1)
        if name != "cessation":
            protection.ramp_permille = 0
        self.rig.run(ms)
        setattr(protection, name, 0)
        protection.ramp_permille = back
        self.rig.run(100)

    @rule(share=st.integers(0, 1000))
    def enter_ramp(self, share):
        self.rig.image.protection.ramp_permille = share

    @rule(ok=st.booleans())
    def afe(self, ok):
        self.rig.image.inputs.afe_ok = int(ok)
        self.rig.cycle()

    @rule(uhz=st.integers(47000000, 53000000), ok=st.booleans())
    def frequency(self, uhz, ok):
        self.rig.image.inputs.frequency_uhz = uhz
        self.rig.image.inputs.frequency_ok = int(ok)
        self.rig.cycle()

    @rule(power=st.integers(-30000, 30000), duration=st.sampled_from([0, 100, 5000, 10**8]), late=st.integers(0, 6000))
    def lease(self, power, duration, late):
        self.rig.mail("lease", power_w=power, duration_ms=duration, reactive_var=power)
        self.rig.image.mail.lease.stamp_ms -= late
        self.rig.cycle()

    @rule(stop=st.integers(0, 1), lock=st.integers(0, 1), power=st.integers(-5, 9000))
    def user(self, stop, lock, power):
        self.rig.mail("user", stop=stop, lock=lock, power_w=power)

    @rule(soc=st.one_of(st.none(), st.integers(-5, 1010)))
    def charge(self, soc):
        self.rig.soc = soc

    @rule(step=st.integers(-40, 40))
    def charge_moves(self, step):
        if self.rig.soc is not None:
            self.rig.soc = max(0, min(1000, self.rig.soc + step))
            self.rig.run(1000)

    @rule(
        charge=st.integers(-1, 9000), discharge=st.integers(-1, 9000), least=st.integers(-5, 5), most=st.integers(-5, 5)
    )
    def vehicle_limits(self, charge, discharge, least, most):
        if self.rig.soc is not None:
            self.rig.mail_soc(
                self.rig.soc, charge_w=charge, discharge_w=discharge, v2x_min_wh=least, v2x_max_wh=most, cdeg=2500
            )

    @rule(charge=st.integers(-10, 9000), discharge=st.integers(-10, 9000), ok=st.booleans())
    def inverter(self, charge, discharge, ok):
        inputs = self.rig.image.inputs
        inputs.inverter_charge_w, inputs.inverter_discharge_w, inputs.inverter_ok = charge, discharge, int(ok)

    @rule(board=st.integers(-6000, 16000), connector=st.integers(-6000, 9000))
    def temperature(self, board, connector):
        self.rig.world.board_cdeg, self.rig.world.connector_cdeg = board, connector

    @rule(
        name=st.sampled_from(["welded", "dead_coil", "dead_gate", "dead_rcd", "leakage"]), ms=st.sampled_from([20, 400])
    )
    def broken_part(self, name, ms):
        setattr(self.rig.world, name, True)
        self.rig.run(ms)
        setattr(self.rig.world, name, False)

    @rule(level=st.integers(1, 2))
    def clear(self, level):
        self.rig.world.estop = 0
        self.rig.run(50)
        self.rig.image.status.clear_request = level
        self.rig.run(500)

    @rule()
    def estop(self):
        self.rig.world.estop = 1

    @rule(import_w=st.integers(0, 8000), export_w=st.integers(0, 8000), cable=st.integers(6000, 63000))
    def ratings(self, import_w, export_w, cable):
        self.rig.settings.put(import_rating_w=import_w, export_rating_w=export_w, cable_ma=cable)
        self.rig.run(60)

    @rule()
    def healthy_again(self):
        rig = self.rig
        rig.healthy()
        rig.world.estop = 0
        rig.world.board_cdeg = rig.world.connector_cdeg = 2500
        rig.vehicle("C")
        rig.mail("user", stop=0, lock=0)
        rig.run(100)
        rig.image.status.clear_request = 2
        rig.run(1500)

    def check(self, rig):
        self.check_switch(rig)
        self.check_power(rig)
        self.check_ramp(rig)

    def check_switch(self, rig):
        image = rig.image
        inputs, outputs, protection = image.inputs, image.outputs, image.protection
        if outputs.contactor or outputs.gate_arm:
            assert inputs.pilot_state in (faults.PILOT_C, faults.PILOT_D)
            assert not image.status.fault_count and not protection.trip and not protection.inhibit
            assert inputs.afe_ok and not inputs.estop and image.status.selftest == 1
        assert rig.world.coil == outputs.contactor and rig.world.gate_armed == outputs.gate_arm
        assert outputs.closed <= outputs.contactor <= outputs.gate_arm
        if not outputs.closed:
            assert outputs.inverter_w == outputs.inverter_enable == outputs.lease_ok == outputs.inverter_var == 0
        if inputs.cable_ma == 0 or image.limits.offer_ma < 6000:
            assert outputs.duty_permille in (0, 1000) or rig.image.request.duty_permille != 0

    def check_power(self, rig):
        image = rig.image
        inputs, limits, settings_ = image.inputs, image.limits, rig.settings
        power_w = limits.allowed_w
        floor = settings_.soc_floor_permille
        if not inputs.soc_ok or inputs.soc_permille <= floor:
            self.blocked = True
        elif inputs.soc_permille >= floor + settings_.soc_hysteresis_permille:
            self.blocked = False
        if not inputs.soc_ok or inputs.soc_permille <= floor:
            assert power_w >= 0, "export below the floor or with an unknown charge"
        assert -settings_.export_rating_w <= power_w <= settings_.import_rating_w
        assert limits.import_w >= 0 and limits.export_w >= 0
        assert -limits.export_w <= power_w <= limits.import_w
        for limiter in limits.limiters[:9]:  # the hard ones
            assert limits.import_w <= limiter.import_w and limits.export_w <= limiter.export_w
        if power_w and not image.protection.cessation:
            assert inputs.inverter_ok
        want_w = image.request.want_w
        if power_w * want_w < 0 or (want_w == 0 and power_w):
            assert abs(power_w) <= abs(self.before_w) and power_w * self.before_w > 0, "a limit flipped the sign"
        assert abs(power_w) < 1 << 30

    def check_ramp(self, rig):
        limits = rig.image.limits
        power_w = limits.allowed_w
        elapsed_ms = min(rig.image.inputs.elapsed_ms, 100)
        settings_ = rig.settings
        droop_w = abs(rig.image.request.droop_w - self.before_droop_w)
        grown_w = abs(power_w) - (abs(self.before_w) if power_w * self.before_w >= 0 else 0)
        if grown_w > 0:
            rate = settings_.ramp_up_permille_min if power_w > 0 else settings_.ramp_export_permille_min
            rating_w = settings_.import_rating_w if power_w > 0 else settings_.export_rating_w
            if rate:
                most_w = rating_w * rate * elapsed_ms / 60000000 + 1
                if rig.image.request.droop_w == 0 and self.before_droop_w == 0:
                    assert grown_w <= most_w, (grown_w, most_w)
                elif droop_w == 0 and self.steady_droop:
                    assert grown_w <= most_w + abs(rig.image.request.droop_w)
        self.steady_droop = droop_w == 0
        self.before_w = power_w
        self.before_droop_w = rig.image.request.droop_w

    steady_droop = True


TestCharger = Charger.TestCase
TestCharger.settings = settings(
    max_examples=300,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
