# SPDX-License-Identifier: MIT
"""`why` explains each blocking situation in one correct sentence; each is made with the rig."""

from vehicle_rig import Rig

from evse import faults
from evse.decide.why import shown, why


def sentence(rig):
    text = why(rig.image, rig.settings)
    assert text[-1] == "." and text[0] == text[0].upper(), text
    assert "\n" not in text and len(text) < 160, text
    return text


def energised(**settings):
    rig = Rig(ramp_up_permille_min=0, ramp_export_permille_min=0, ramp_down_permille_min=0, **settings)
    rig.energise()
    return rig


def exporting(power_w=-5000, **settings):
    rig = energised(**settings)
    rig.mail("lease", power_w=power_w, duration_ms=600000)
    rig.run(100)
    return rig


def says(rig, *words):
    text = sentence(rig)
    for word in words:
        assert word in text, text


def test_starting():
    rig = Rig()
    rig.run(100)
    says(rig, "self-test is still running")


def test_no_vehicle():
    rig = Rig()
    rig.run(1000)
    says(rig, "No vehicle is plugged in")


def test_vehicle_not_ready():
    rig = Rig()
    rig.run(1000)
    rig.vehicle("B")
    rig.run(200)
    says(rig, "plugged in but does not ask")


def test_ventilation():
    rig = Rig()
    rig.run(1000)
    rig.vehicle("D")
    rig.run(200)
    says(rig, "ventilation")


def test_emergency_stop():
    rig = energised()
    rig.world.estop = 1
    rig.run(100)
    says(rig, "estop", "Emergency stop is pressed")


def test_diode():
    rig = energised()
    rig.pin.diode = False
    rig.run(200)
    says(rig, "pilot_diode", "no diode")


def test_residual_current():
    rig = energised()
    rig.world.leakage = True
    rig.run(50)
    rig.world.leakage = False
    rig.run(1000)
    says(rig, "rcd_trip", "Residual current tripped")


def test_weld():
    rig = energised()
    rig.world.welded = True
    rig.vehicle("B")
    rig.run(1000)
    says(rig, "contactor_weld", "welded")


def test_two_faults_say_that_there_are_more():
    rig = energised()
    rig.world.leakage = True
    rig.world.estop = 1
    rig.run(100)
    says(rig, "estop", "1 more")


def test_trip_names_element_value_and_threshold():
    rig = energised()
    protection = rig.image.protection
    protection.trip = 1
    protection.trip_element = faults.ELEMENT_OV1
    protection.trip_phase = 2
    protection.trip_value = 263400
    protection.trip_threshold = 262200
    rig.run(20)
    says(rig, "ov1 on L2 at 263.4 V", "threshold 262.2 V.")
    protection.wait_ms = 11001
    says(rig, "262.2 V; 12 s more of a healthy grid until reconnecting.")
    protection.unhealthy = faults.ELEMENT_OF1
    rig.image.inputs.frequency_uhz = 52000000
    says(rig, "; still outside the limits: frequency 52.000 Hz.")
    protection.trip_element = faults.ELEMENT_INVERTER_TRIP
    says(rig, "inverter_trip on L2; still outside")


def test_enter_service_wait():
    rig = Rig()
    rig.image.protection.service = 0
    rig.image.protection.inhibit = 1
    rig.image.protection.wait_ms = 12300
    rig.run(1000)
    rig.vehicle("C")
    rig.run(200)
    says(rig, "Waiting 13 s more")


def waiting(**protection):
    rig = Rig(phases=3)
    rig.image.protection.service = 0
    rig.image.protection.inhibit = 1
    for name, value in protection.items():
        setattr(rig.image.protection, name, value)
    rig.run(1000)
    rig.vehicle("C")
    rig.run(200)
    rig.image.inputs.phase_mv[:] = [230000, 230000, 230000]
    return rig


def test_grid_outside_names_the_phase():
    rig = waiting(wait_ms=20000, unhealthy=faults.ELEMENT_UV1)
    rig.image.inputs.phase_mv[1] = 180000
    says(rig, "outside the limits for reconnecting: voltage 180.0 V on L2.")
    rig = waiting(wait_ms=20000, unhealthy=faults.ELEMENT_OV1)
    rig.image.inputs.phase_mv[2] = 260000
    says(rig, "outside the limits for reconnecting: voltage 260.0 V on L3.")


def test_frequency_outside():
    rig = waiting(wait_ms=20000, unhealthy=faults.ELEMENT_OF1)
    rig.image.inputs.frequency_uhz = 51500000
    says(rig, "outside the limits for reconnecting: frequency 51.500 Hz.")
    rig.image.inputs.frequency_ok = 0
    rig.image.protection.unhealthy = faults.ELEMENT_UF1
    says(rig, "no frequency is seen")


def test_an_element_that_has_not_reset():
    rig = waiting(wait_ms=20000)
    rig.image.protection.element_active[faults.ELEMENT_OV_MEAN] = 1
    says(rig, "element ov_mean has not reset")


def test_the_wait_names_what_broke_it_off():
    rig = waiting(wait_ms=19500, wait_element=faults.ELEMENT_AFE)
    says(rig, "The grid measurement (AFE) was lost", "for 20 s more")
    for element, word in ((faults.ELEMENT_UV1, "voltage was too low"), (faults.ELEMENT_OF1, "frequency was too high")):
        rig.image.protection.wait_element = element
        says(rig, word, "for 20 s more")


def test_afe():
    rig = energised()
    rig.image.inputs.afe_ok = 0
    rig.run(20)
    says(rig, "No fresh grid measurement")


def test_locked():
    rig = energised()
    rig.mail("user", lock=1)
    rig.run(8000)
    says(rig, "locked by its user")


def test_stopped():
    rig = energised()
    rig.mail("user", stop=1)
    rig.run(8000)
    says(rig, "Stopped by its user")


def test_stopping():
    rig = Rig(ramp_down_permille_min=15000)
    rig.energise()
    rig.run(15000)
    rig.mail("user", stop=1)
    rig.run(100)
    says(rig, "Stopping")


def test_inverter_silent_before_closing():
    rig = Rig()
    rig.run(1000)
    rig.image.inputs.inverter_ok = 0
    rig.image.inputs.inverter_age_ms = 3100
    rig.vehicle("C")
    rig.run(500)
    says(rig, "inverter has not answered for 3100 ms")


def test_cable_code_without_current():
    rig = Rig(cable_family="j1772")
    rig.world.proximity_mv = 3300 * 480 // 1480  # latch pressed
    rig.run(1000)
    rig.vehicle("C")
    rig.run(500)
    says(rig, "cable coding allows no current")


def test_soc_floor():
    rig = exporting()
    while rig.soc > 190:
        rig.soc -= 30
        rig.run(1000)
    says(rig, "Battery is at 17.0 %, its minimum is 20.0 %", "until 22.0 %")


def test_soc_reserve():
    rig = exporting(soc_reserve_permille=600)
    says(rig, "driver's reserve is 60.0 %")


def test_soc_unknown():
    rig = Rig()
    rig.soc = None
    rig.energise()
    rig.mail("lease", power_w=-3000, duration_ms=60000)
    rig.run(100)
    says(rig, "unknown")


def test_soc_stale():
    rig = exporting()
    rig.soc = None
    rig.run(35000)
    says(rig, "30 s is allowed", "s old")


def test_soc_implausible():
    rig = exporting()
    rig.soc = 0
    rig.run(2000)
    says(rig, "implausible")


def test_soc_max():
    rig = Rig(soc_max_permille=500)
    rig.energise()
    rig.run(2000)
    says(rig, "Battery is at 50.0 %, its maximum is 50.0 %")


def test_export_disabled():
    says(exporting(export_rating_w=0), "Export is switched off")


def test_rating():
    says(exporting(-9000), "rating", "-9000 W wanted, -7360 W allowed")


def test_cable_limits():
    rig = energised(import_rating_w=22080, charge_w=11000, cable_ma=20000)
    rig.run(200)
    says(rig, "cable", "11000 W wanted, 4600 W allowed")


def test_vehicle_limits():
    rig = exporting()
    rig.mail_soc(500, discharge_w=2000)
    rig.run(100)
    says(rig, "The vehicle limits the power", "-2000 W allowed")


def test_inverter_limits():
    rig = energised()
    rig.image.inputs.inverter_charge_w = 3000
    rig.run(100)
    says(rig, "The inverter limits the power", "3000 W allowed")


def test_temperature():
    rig = energised()
    rig.world.connector_cdeg = 6750
    rig.run(100)
    says(rig, "connector 67.5 C")


def test_battery_temperature():
    rig = exporting()
    rig.mail_soc(500, cdeg=-1500)
    rig.run(60)
    says(rig, "Battery is at -15.0 C, its window is -10.0 C to 50.0 C")


def test_daily_budget():
    rig = exporting(discharge_budget_wh=10)
    rig.run(12000)
    says(rig, "budget is used up: 10 of 10 Wh; renewed in 1440 min of running at the earliest.")
    rig.image.budget.day_run_minutes = 1379
    rig.image.request.minute_of_week = 5
    says(rig, "10 of 10 Wh; renewed in 1 min of running")
    rig.image.budget.day_run_minutes = 1380
    says(rig, "10 of 10 Wh.")


def test_v2x_request():
    rig = exporting()
    rig.mail_soc(500, v2x_min_wh=1500)
    rig.run(100)
    says(rig, "needs 1500 Wh more")


def test_lease_expired():
    rig = energised()
    rig.mail("lease", power_w=-3000, duration_ms=1000)
    rig.run(3000)
    says(rig, "lease ran out")


def test_momentary_cessation():
    rig = exporting()
    rig.image.protection.cessation = 1
    rig.run(20)
    says(rig, "momentary-cessation")


def test_enter_ramp():
    rig = exporting()
    rig.image.protection.ramp_permille = 100
    rig.run(60)
    says(rig, "ramping after reconnection", "-736 W allowed")


def test_ramp():
    rig = Rig()
    rig.energise()
    rig.run(1000)
    says(rig, "ramping")


def test_droop():
    rig = energised()
    rig.image.inputs.frequency_uhz = 49250000
    rig.run(20)
    says(rig, "49.250 Hz", "-368 W")


def test_departure():
    rig = energised(charge_w=0)
    rig.mail("clock", minute_of_week=480)
    rig.mail("target", soc_permille=800, minute_of_week=600)
    rig.run(2500)
    says(rig, "Departure is in 120 min and only", "charging comes first")


def test_departure_with_an_unknown_clock():
    rig = energised(charge_w=0)
    rig.mail("target", soc_permille=800, minute_of_week=600)
    rig.run(2500)
    says(rig, "clock is unknown")


def test_no_request():
    rig = energised(charge_w=0)
    rig.run(200)
    says(rig, "Nobody asks for power")


def test_nothing_limits():
    rig = energised(charge_w=3000)
    rig.run(200)
    says(rig, "Nothing limits the power: 3000 W wanted, 3000 W allowed by user")


def test_values_are_shown_in_their_unit():
    assert shown(-50, "mHz/s") == "-0.05 Hz/s"
    assert shown(49000123, "uHz") == "49.000 Hz"
    assert shown(12, "ms") == "12 ms"
