# SPDX-License-Identifier: MIT
"""Contactor sequence: each step's time, each failure's fault and latch rule, bounded retries."""

from vehicle_rig import Rig

from evse import faults
from evse.actuate import contactor


def fault(rig, name):
    return rig.image.status.fault[getattr(faults, "FAULT_" + name)]


def asking(**world):
    """A vehicle that asks, with a broken part."""
    rig = Rig()
    for name, value in world.items():
        setattr(rig.world, name, value)
    rig.run(1000)
    rig.vehicle("C")
    return rig


def until(rig, name, most_ms):
    spent_ms = 0
    while not fault(rig, name):
        rig.cycle()
        spent_ms += 10
        assert spent_ms <= most_ms, (name, contactor.STEPS[rig.actuate.contactor.step])
    rig.run(50)
    return spent_ms


def clear(rig, level=1):
    rig.image.status.clear_request = level
    rig.run(20)


def test_steps_in_order_and_nothing_early():
    rig = asking()
    steps = []

    def check(r):
        step = contactor.STEPS[r.actuate.contactor.step]
        if not steps or steps[-1] != step:
            steps.append(step)
        outputs = r.image.outputs
        assert not outputs.contactor or outputs.gate_arm
        assert not outputs.gate_arm or not outputs.rcd_test
        assert not outputs.closed or outputs.contactor

    rig.check = check
    rig.run(1000)
    assert steps == ["open", "test", "release", "arm", "close", "closed"]
    assert len(rig.events(faults.EVENT_CONTACTOR_CLOSED)) == 1


def test_rcd_self_test_fails():
    rig = asking(dead_rcd=True)
    until(rig, "RCD_TEST", 700)
    assert not rig.world.rcd_test_pin
    rig.run(60000)
    assert fault(rig, "RCD_TEST") and not rig.image.outputs.contactor
    rig.world.dead_rcd = False
    clear(rig)
    rig.run(1000)
    assert rig.image.outputs.closed


def test_rcd_that_does_not_let_go():
    rig = asking()
    rig.check = lambda r: setattr(r.world, "leakage", r.world.leakage or bool(r.image.outputs.rcd_test))
    until(rig, "RCD_TEST", 1000)


def test_own_test_interrupted_is_no_trip():
    rig = asking()
    while not rig.image.outputs.rcd_test:
        rig.cycle()
    rig.vehicle("A")
    rig.run(1000)
    assert rig.image.status.fault_count == 0


def test_residual_current_opens_in_the_same_cycle_and_needs_a_person():
    rig = Rig()
    rig.energise()
    rig.world.rcd_tripped = 1
    rig.world.leakage = True
    rig.cycle()
    assert (rig.world.coil, rig.world.gate_armed) == (0, 0)
    rig.world.leakage = False
    rig.run(600000)
    assert fault(rig, "RCD_TRIP") and not rig.image.outputs.contactor, "never without a person"
    clear(rig)
    rig.run(1000)
    assert rig.image.outputs.closed


def test_gate_that_does_not_rise():
    rig = asking(dead_gate=True)
    until(rig, "GATE_FEEDBACK", 1000)
    assert not rig.world.main_closed


def test_gate_that_drops_under_load():
    rig = Rig()
    rig.energise()
    rig.world.edges = False
    spent_ms = until(rig, "GATE_FEEDBACK", 200)
    assert spent_ms <= 110 and not rig.image.outputs.contactor


def test_gate_that_does_not_fall():
    rig = Rig()
    rig.energise()
    rig.vehicle("B")
    rig.check = lambda r: setattr(r.world, "gate_up", 1)
    until(rig, "GATE_FEEDBACK", 300)


def test_dead_coil_is_retried_twice_and_then_a_fault():
    rig = asking(dead_coil=True)
    attempts = [0]
    before = [0]

    def check(r):
        if r.world.coil and not before[0]:
            attempts[0] += 1
        before[0] = r.world.coil

    rig.check = check
    until(rig, "CONTACTOR_NO_CLOSE", 8000)
    rig.run(60000)
    assert attempts[0] == 3
    clear(rig)
    until(rig, "CONTACTOR_NO_CLOSE", 8000)
    assert attempts[0] == 6


def test_a_second_attempt_that_works():
    rig = asking(dead_coil=True)
    rig.run(600)
    rig.world.dead_coil = False
    rig.run(3000)
    assert rig.image.outputs.closed and not rig.image.status.fault_count
    assert len(rig.events(faults.EVENT_CONTACTOR_RETRY)) == 1


def test_welded_after_opening():
    rig = Rig()
    rig.energise()
    rig.world.welded = True
    rig.vehicle("B")
    spent_ms = until(rig, "CONTACTOR_WELD", 400)
    assert spent_ms <= 250
    rig.world.welded = False
    rig.run(1000)
    clear(rig, 1)
    assert fault(rig, "CONTACTOR_WELD"), "the hardware has to be looked at"
    clear(rig, 2)
    assert not fault(rig, "CONTACTOR_WELD")


def test_welded_at_boot_never_closes():
    rig = Rig()
    rig.world.welded = True
    rig.world.main_closed = True
    rig.world.contactor_open = False
    rig.vehicle("C")
    for _ in range(500):
        rig.cycle()
        assert rig.image.outputs.contactor == 0
    assert fault(rig, "CONTACTOR_WELD")
    assert rig.image.status.selftest == 2 and fault(rig, "SELFTEST")


def test_falls_open_under_load():
    rig = Rig()
    rig.energise()
    rig.run(1000)
    rig.world.dead_coil = True
    spent_ms = until(rig, "CONTACTOR_DROPOUT", 100)
    assert spent_ms <= 70
    rig.run(60000)
    assert not rig.image.outputs.contactor


def test_bounce_is_counted_and_a_single_one_forgiven():
    rig = Rig()
    rig.energise()
    rig.run(1000)

    def bounce():
        rig.world.contactor_open = True
        rig.cycle()
        rig.world.contactor_open = False
        rig.run(200)

    for _ in range(3):
        bounce()
    assert rig.image.outputs.closed
    rig.run(11000)
    for _ in range(3):
        bounce()
    assert rig.image.outputs.closed
    bounce()
    assert fault(rig, "CONTACTOR_BOUNCE") and not rig.image.outputs.contactor


def test_inverter_must_answer_and_stand_at_zero():
    rig = Rig()
    rig.perfect = False
    rig.image.inputs.inverter_ok = 0
    rig.run(1000)
    rig.vehicle("C")
    rig.run(3000)
    assert not rig.image.outputs.contactor and not rig.image.outputs.rcd_test
    rig.image.inputs.inverter_ok = 1
    rig.image.inputs.inverter_w = 200
    rig.run(1000)
    assert not rig.image.outputs.contactor
    rig.image.inputs.inverter_w = -200
    rig.run(1000)
    assert not rig.image.outputs.contactor
    rig.image.inputs.inverter_w = 199
    rig.run(1000)
    assert rig.image.outputs.closed


def test_every_fault_opens_in_every_state():
    for code in range(1, len(faults.FAULTS)):
        for ms in (0, 40, 50, 60, 70, 80, 90, 300):
            rig = asking()
            rig.run(ms)
            rig.image.status.fault[code] = 1  # as a stage that sets it itself
            rig.cycle()
            assert (rig.world.coil, rig.world.gate_armed) == (0, 0), (faults.FAULTS[code][0], ms)


def test_emergency_stop_within_two_samples():
    rig = Rig()
    rig.energise()
    rig.world.estop = 1
    rig.cycle()
    assert rig.world.coil == 1, "one sample may be noise"
    rig.cycle()
    assert (rig.world.coil, rig.world.gate_armed) == (0, 0)
    rig.world.estop = 0
    rig.run(60000)
    assert fault(rig, "ESTOP")


def test_broken_feedback_wires_read_as_the_fault():
    rig = Rig()
    rig.energise()
    rig.world.estop = None
    rig.run(30)
    assert fault(rig, "ESTOP")
    rig = Rig()
    rig.run(1000)
    rig.world.rcd_tripped = None
    rig.parts[1].run()
    assert rig.image.inputs.rcd_tripped == 1
    rig.world.contactor_open = None
    rig.world.gate_up = None
    rig.parts[1].run()
    assert rig.image.inputs.contactor_open_proven == 0 and rig.image.inputs.gate_up == 0
