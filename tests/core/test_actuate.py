# SPDX-License-Identifier: MIT
"""Actuate: self-test, inverter image and read-back, pins told once and refreshed, lock and lamp."""

from vehicle_rig import Rig

from evse import faults
from evse.actuate import panel


def test_self_test_passes_in_half_a_second():
    rig = Rig()
    rig.run(490)
    assert rig.image.status.selftest == 0
    rig.cycle()
    assert rig.image.status.selftest == 1 and not rig.image.outputs.contactor


def test_self_test_fails_on_each_of_its_checks_and_runs_again_after_clear():
    for name in ("welded", "leakage"):
        rig = Rig()
        setattr(rig.world, name, True)
        rig.run(1000)
        assert rig.image.status.selftest == 2 and rig.image.status.fault[faults.FAULT_SELFTEST], name
        setattr(rig.world, name, False)
        rig.vehicle("C")
        rig.run(2000)
        assert rig.image.status.selftest == 2 and not rig.image.outputs.contactor
        rig.image.status.clear_request = 2
        rig.run(400)
        assert rig.image.status.selftest == 0 and not rig.image.outputs.contactor
        rig.run(1000)
        assert rig.image.status.selftest == 1 and rig.image.outputs.closed


def test_a_gate_that_is_up_at_boot_fails_the_self_test():
    rig = Rig()
    rig.check = lambda r: setattr(r.world, "gate_up", 1)
    rig.run(600)
    assert rig.image.status.selftest == 2


def test_settling_inputs_do_not_fail_the_self_test():
    rig = Rig()
    rig.world.leakage = True
    rig.world.rcd_tripped = 1
    rig.run(190)
    rig.world.leakage = False
    rig.run(400)
    assert rig.image.status.selftest == 1


def test_inverter_image_is_zero_unless_closed():
    rig = Rig()
    rig.check = lambda r: check_image(r.image)
    rig.energise()
    rig.run(3000)
    rig.vehicle("B")
    rig.run(100)


def check_image(image):
    outputs = image.outputs
    if not outputs.closed:
        assert (outputs.inverter_enable, outputs.inverter_w, outputs.inverter_var, outputs.lease_ok) == (0, 0, 0, 0)
    else:
        assert outputs.inverter_w == image.limits.allowed_w


def test_lease_only_while_the_inverter_answers():
    rig = Rig()
    rig.energise()
    assert rig.image.outputs.lease_ok == 1
    rig.image.inputs.inverter_ok = 0
    rig.cycle()
    assert rig.image.outputs.lease_ok == 0 and rig.image.outputs.inverter_w == 0


def test_urgent_on_a_stop_and_on_a_step_but_not_on_a_slow_ramp():
    rig = Rig(ramp_up_permille_min=60)
    rig.energise()
    urgent = rig.image.outputs.urgent
    rig.run(10000)
    assert rig.image.outputs.urgent == urgent
    assert rig.image.outputs.inverter_w > 0
    rig.image.inputs.frequency_uhz = 51000000
    rig.cycle()
    rig.cycle()
    assert rig.image.outputs.urgent == urgent + 1
    rig.image.protection.trip = 1
    rig.cycle()
    assert rig.image.outputs.urgent == urgent + 2


def test_the_first_change_after_a_steady_second_is_urgent_and_wakes_its_sender():
    rig = Rig(charge_w=0, ramp_up_permille_min=600)
    rig.energise()
    rig.run(2000)
    woken = []
    rig.image.outputs.wake = lambda: woken.append(rig.image.outputs.inverter_w)
    urgent = rig.image.outputs.urgent
    rig.settings.charge_w = 7360
    rig.settings.changed += 1
    rig.run(1000)
    assert rig.image.outputs.inverter_w > 0
    assert rig.image.outputs.urgent == urgent + 1
    assert len(woken) == 1


def read_back(command_w, actual_w, ms):
    rig = Rig(charge_w=0, ramp_up_permille_min=0, ramp_export_permille_min=0)
    rig.energise()
    rig.mail("lease", power_w=command_w, duration_ms=3600000)
    rig.run(100)
    rig.perfect = False
    rig.image.inputs.inverter_w = actual_w
    rig.run(ms)
    return rig.image.status.fault[faults.FAULT_INVERTER_READBACK]


def test_read_back_of_more_than_commanded_or_the_wrong_way_is_a_fault():
    for command_w, actual_w, bad in (
        (3000, 3736, 0),
        (3000, 3737, 1),
        (3000, 0, 0),
        (3000, -736, 0),
        (3000, -737, 1),
        (-3000, -3736, 0),
        (-3000, -3737, 1),
        (-3000, 736, 0),
        (-3000, 737, 1),
        (0, 737, 1),
        (0, -737, 1),
    ):
        assert read_back(command_w, actual_w, 10900) == 0, (command_w, actual_w)
        assert read_back(command_w, actual_w, 11200) == bad, (command_w, actual_w)


def test_pins_are_told_once_and_refreshed():
    rig = Rig()
    rig.energise()
    rig.run(1000)
    calls = rig.world.calls
    rig.run(1600)
    assert rig.world.calls - calls == 3 * 10, "contactor, gate and RCD test, once each 160 ms"
    rig.world.lock_pin = 0
    rig.run(160)
    assert rig.world.lock_pin == 1, "a disturbed pin is put right"


def test_duty_pin_follows_the_request():
    rig = Rig()
    rig.energise()
    assert rig.pin.duty_permille == 533
    writes = rig.pin.writes
    rig.run(1000)
    assert rig.pin.writes == writes, "a duty written anew would disturb the PWM"


def test_lock_and_lamp():
    rig = Rig()
    rig.run(1000)
    assert (rig.world.lock_pin, rig.world.lamp_pin) == (0, panel.LAMP_READY)
    rig.energise()
    rig.run(100)
    assert (rig.world.lock_pin, rig.world.lamp_pin) == (1, panel.LAMP_CHARGING)
    rig.mail("lease", power_w=-3000, duration_ms=60000)
    rig.run(10000)
    assert rig.world.lamp_pin == panel.LAMP_DISCHARGING
    rig.vehicle("A")
    rig.run(200)
    assert (rig.world.lock_pin, rig.world.lamp_pin) == (0, panel.LAMP_READY)
    rig.image.protection.trip = 1
    rig.run(100)
    assert rig.world.lamp_pin == panel.LAMP_FAULT
