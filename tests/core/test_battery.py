# SPDX-License-Identifier: MIT
"""SOC is believed only when known, fresh and plausible: never a jump, a zero or a frozen value."""

from vehicle_rig import Rig

from evse import faults


def plugged(soc=500):
    rig = Rig()
    rig.soc = soc
    rig.energise()
    rig.run(2000)
    return rig


def state(rig):
    inputs = rig.image.inputs
    return inputs.soc_ok, inputs.soc_reason


def test_known():
    rig = plugged()
    assert state(rig) == (1, 0) and rig.image.inputs.soc_permille == 500


def test_never_received():
    assert state(plugged(None)) == (0, faults.REASON_SOC_UNKNOWN)


def test_vehicle_that_says_it_does_not_know():
    rig = Rig()
    rig.soc = None
    rig.energise()
    rig.mail("battery", soc_permille=500, soc_ok=0, cdeg=2000, charge_w=3000)
    rig.run(100)
    assert state(rig) == (0, faults.REASON_SOC_UNKNOWN)
    assert rig.image.inputs.vehicle_charge_w == 3000 and rig.image.inputs.battery_ok == 1


def test_stale_after_the_setting_and_fresh_again():
    rig = plugged()
    rig.soc = None
    rig.run(29000)
    assert state(rig) == (1, 0)
    rig.run(2000)
    assert state(rig) == (0, faults.REASON_SOC_STALE)
    rig.mail_soc(500)
    rig.run(20)
    assert state(rig) == (1, 0)


def test_zero_and_above_full_are_implausible():
    for soc in (0, -5, 1001, 65535):
        rig = plugged()
        rig.soc = soc
        rig.run(1500)
        assert state(rig) == (0, faults.REASON_SOC_IMPLAUSIBLE), soc
        rig.soc = 500
        rig.run(10000)
        assert state(rig) == (1, 0), soc


def test_first_reading_of_zero():
    assert state(plugged(0)) == (0, faults.REASON_SOC_IMPLAUSIBLE)


def test_jump_both_ways_at_the_bound():
    for step, ok in ((50, 1), (51, 0), (-50, 1), (-51, 0)):
        rig = plugged()
        rig.soc = 500 + step
        rig.run(1000)
        assert rig.image.inputs.soc_ok == ok, step


def test_a_long_silence_allows_more():
    rig = plugged()
    rig.soc = None
    rig.run(120000)
    rig.mail_soc(600)
    rig.run(20)
    assert state(rig) == (1, 0)


def test_doubt_ends_after_agreeing_readings():
    rig = plugged()
    rig.soc = 700
    rig.run(1000)
    assert rig.image.inputs.soc_ok == 0
    rig.run(4000)
    assert rig.image.inputs.soc_ok == 0
    rig.run(2000)
    assert rig.image.inputs.soc_ok == 1 and rig.image.inputs.soc_permille == 700


def test_frozen_while_energy_moves():
    rig = plugged()
    rig.image.budget.charged_wh += 3601  # 6 % of 60 kWh
    rig.run(1000)
    assert state(rig) == (0, faults.REASON_SOC_IMPLAUSIBLE)
    rig.run(20000)
    assert rig.image.inputs.soc_ok == 0, "a value that still stands is still frozen"
    rig.soc = 505
    rig.run(8000)
    assert rig.image.inputs.soc_ok == 1


def test_not_frozen_while_it_moves():
    rig = plugged()
    for n in range(20):
        rig.image.budget.charged_wh += 3000
        rig.soc = 501 + n
        rig.run(1000)
        assert rig.image.inputs.soc_ok == 1


def test_another_vehicle_is_another_battery():
    rig = plugged()
    rig.mail_soc(500, discharge_w=2000, v2x_min_wh=100)
    rig.run(20)
    rig.soc = None
    rig.vehicle("A")
    rig.run(100)
    inputs = rig.image.inputs
    assert state(rig) == (0, faults.REASON_SOC_UNKNOWN)
    assert (inputs.vehicle_discharge_w, inputs.v2x_min_request_wh, inputs.battery_ok) == (0, 0, 0)
    rig.vehicle("B")
    rig.run(100)
    assert inputs.soc_ok == 0, "the last vehicle's charge is not this one's"
    rig.mail_soc(900)
    rig.run(20)
    assert state(rig) == (1, 0)


def test_old_message_does_not_look_fresh_when_the_ticks_wrap():
    rig = plugged()
    rig.soc = None
    box = rig.image.mail.battery
    # 12.4 days are one round of the ticks: let the age run there in large steps.
    for _ in range(130):
        for part in rig.parts:
            rig.image.inputs.elapsed_ms = 8388608
            rig.now_ms = (rig.now_ms + 8388608) & 0x3FFFFFFF
            rig.image.inputs.now_ms = rig.now_ms
            part.run()
    rig.image.inputs.now_ms = box.stamp_ms + 5
    rig.parts[3].run()
    assert rig.image.inputs.soc_ok == 0


def test_half_written_message_is_not_read():
    rig = plugged()
    rig.soc = None
    box = rig.image.mail.battery
    box.begin()
    box.soc_permille = 505
    rig.run(50)
    assert rig.image.inputs.soc_permille == 500
    box.end(rig.now_ms)
    rig.run(10)
    assert rig.image.inputs.soc_permille == 505
