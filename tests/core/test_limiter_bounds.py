# SPDX-License-Identifier: MIT
"""Every bound of the limiters, each alone: at it, one below, one above. Fast, no board."""

from limit_rig import ready, settings_of
from vehicle_rig import Profile, Ratings

from evse import faults
from evse.image import Image
from evse.limit.energy import V2xRequest
from evse.limit.grid import EnterRamp, VoltWatt
from evse.limit.limiter import UNLIMITED_W
from evse.limit.permission import Permission
from evse.limit.rating import LEAST_PILOT_MA, Cable, Inverter, Rating, Vehicle
from evse.limit.soc import TAPER_LEAST_W, SocGuard
from evse.limit.temperature import BatteryTemperature, Temperature, share_permille


def spoil(image, what):
    owner, name, value = what
    setattr(getattr(image, owner), name, value)


REFUSALS = (
    (("status", "fault_count", 1), faults.REASON_FAULT),
    (("protection", "trip", 1), faults.REASON_TRIP),
    (("protection", "inhibit", 1), faults.REASON_ENTER_SERVICE),
    (("inputs", "afe_ok", 0), faults.REASON_ENTER_SERVICE),
    (("protection", "cessation", 1), faults.REASON_MOMENTARY_CESSATION),
    (("inputs", "inverter_ok", 0), faults.REASON_INVERTER_STALE),
    (("inputs", "pilot_state", faults.PILOT_B), faults.REASON_VEHICLE_NOT_READY),
    (("outputs", "closed", 0), faults.REASON_CONTACTOR_OPEN),
    (("request", "session_state", faults.SESSION_CLOSING), faults.REASON_CONTACTOR_OPEN),
)


def test_permission_refuses_for_each_reason_alone_in_this_order():
    for first in range(len(REFUSALS)):
        image = ready(Image())
        part = Permission(image)
        part.run()
        assert (part.import_w, part.export_w) == (UNLIMITED_W, UNLIMITED_W)
        for what, _ in REFUSALS[first:]:
            spoil(image, what)
        part.run()
        assert (part.import_w, part.export_w) == (0, 0)
        assert part.import_reason == part.export_reason == REFUSALS[first][1], first


def test_permission_with_each_reason_and_no_other():
    for what, reason in REFUSALS:
        image = ready(Image())
        spoil(image, what)
        part = Permission(image)
        part.run()
        assert part.import_w == 0 and part.export_w == 0 and part.import_reason == part.export_reason == reason


def test_permission_in_d_and_while_stopping():
    for name, value in (("pilot_state", faults.PILOT_D),):
        image = ready(Image())
        setattr(image.inputs, name, value)
        image.request.session_state = faults.SESSION_STOPPING
        part = Permission(image)
        part.run()
        assert part.import_w == part.export_w == UNLIMITED_W


def test_rating_is_the_smaller_and_follows_settings_at_once():
    settings = settings_of(import_rating_w=5000, export_rating_w=4000)

    class Small:
        import_w, export_w, current_ma = 4500, 3500, 32000

    part = Rating(settings, Small)
    part.run()
    assert (part.import_w, part.export_w) == (4500, 3500)
    settings.put(import_rating_w=4499, export_rating_w=0)
    part.run()
    assert (part.import_w, part.export_w) == (4499, 0)
    assert part.export_reason == faults.REASON_EXPORT_DISABLED
    settings.put(export_rating_w=1)
    part.run()
    assert part.export_w == 1 and part.export_reason == faults.REASON_RATING_EXPORT


def cable(cable_ma, **values):
    image = Image()
    image.inputs.cable_ma = cable_ma
    part = Cable(image, settings_of(**values), Profile, Ratings)
    part.run()
    return image.limits.offer_ma, part


def test_cable_carries_both_ways_and_offers_no_more():
    offer, part = cable(20000)
    assert (part.import_w, part.export_w) == (4600, 4600) and offer == 20000
    part._inputs.cable_ma = 13000
    part.run()
    assert part.import_w == 2990
    offer, part = cable(63000, import_rating_w=22080)
    assert part.import_w == 32000 * 230 // 1000 and offer == 32000
    assert cable(32000, import_rating_w=4600)[0] == 20000


def test_cable_never_offers_less_than_a_pilot_can_say_unless_nothing():
    least_w = LEAST_PILOT_MA * 230 // 1000
    assert cable(32000, import_rating_w=least_w)[0] == LEAST_PILOT_MA
    assert cable(32000, import_rating_w=least_w - 1)[0] == LEAST_PILOT_MA
    assert cable(32000, import_rating_w=1)[0] == LEAST_PILOT_MA
    assert cable(32000, import_rating_w=0)[0] == 0
    assert cable(5999, import_rating_w=1)[0] == 1000 // 230
    assert cable(6000, import_rating_w=1)[0] == LEAST_PILOT_MA
    assert cable(0)[0] == 0


def test_cable_on_three_phases():
    offer, part = cable(16000, phases=3, import_rating_w=11040)
    assert part.import_w == 16000 * 690 // 1000 and offer == 16000


def test_vehicle_and_inverter_at_zero_and_beside():
    image = Image()
    part = Vehicle(image)
    for stated, room in ((1, 1), (2, 2), (0, UNLIMITED_W), (-1, 0), (7000, 7000)):
        image.inputs.vehicle_charge_w = stated
        image.inputs.vehicle_discharge_w = stated
        part.run()
        assert (part.import_w, part.export_w) == (room, room), stated
    image.inputs.vehicle_discharge_w = 300
    part.run()
    assert (part.import_w, part.export_w) == (7000, 300)
    part = Inverter(image)
    for rated, room in ((1, 1), (0, 0), (-1, 0), (7400, 7400)):
        image.inputs.inverter_charge_w = rated
        image.inputs.inverter_discharge_w = rated
        part.run()
        assert (part.import_w, part.export_w) == (room, room), rated


def soc_guard(soc, **values):
    image = Image()
    image.inputs.soc_ok = 1
    image.inputs.soc_permille = soc
    part = SocGuard(image, settings_of(**values))
    part.run()
    return image, part


FLOOR = {"soc_floor_permille": 200, "soc_hysteresis_permille": 20, "soc_taper_permille": 50}


def test_soc_floor_hysteresis_and_taper_at_each_bound():
    for soc, room in ((200, 0), (219, 0), (220, 7360 * 20 // 50), (249, 7360 * 49 // 50), (250, UNLIMITED_W)):
        _, part = soc_guard(soc, **FLOOR)
        assert part.export_w == room, soc
    image, part = soc_guard(300, **FLOOR)
    for soc, room in ((201, 7360 // 50), (200, 0), (219, 0), (220, 7360 * 20 // 50)):
        image.inputs.soc_permille = soc
        part.run()
        assert part.export_w == room, soc


def test_soc_taper_has_a_least_power():
    image, part = soc_guard(300, export_rating_w=2000, **FLOOR)
    image.inputs.soc_permille = 201
    part.run()
    assert part.export_w == TAPER_LEAST_W and part.export_reason == faults.REASON_SOC_TAPER


def test_soc_reserve_above_floor_names_itself():
    _, part = soc_guard(400, soc_reserve_permille=400, **FLOOR)
    assert part.export_w == 0 and part.export_reason == faults.REASON_SOC_RESERVE
    _, part = soc_guard(200, soc_reserve_permille=200, **FLOOR)
    assert part.export_reason == faults.REASON_SOC_FLOOR
    _, part = soc_guard(201, soc_reserve_permille=201, **FLOOR)
    assert part.export_reason == faults.REASON_SOC_RESERVE


def test_soc_unknown_exports_nothing_and_lets_the_vehicle_charge():
    image, part = soc_guard(980, **FLOOR)
    assert part.import_w == 0
    image.inputs.soc_ok = 0
    image.inputs.soc_reason = faults.REASON_SOC_STALE
    part.run()
    assert (part.import_w, part.export_w, part.export_reason) == (UNLIMITED_W, 0, faults.REASON_SOC_STALE)
    image.inputs.soc_ok = 1
    part.run()
    assert part.import_w == 0, "the same charge is looked at anew"


def test_a_changed_setting_counts_for_an_unchanged_charge():
    image, part = soc_guard(300, **FLOOR)
    part._settings.put(soc_floor_permille=300)
    part.run()
    assert part.export_w == 0
    part._settings.put(soc_floor_permille=200)
    part.run()
    assert part.export_w == UNLIMITED_W


def test_temperature_share_at_each_bound():
    for cdeg, share in (
        (6000, 1000),
        (6001, (7500 - 6001) * 1000 // 1500),
        (7499, 0),
        (7484, 10),
        (7500, 0),
        (-5000, 1000),
        (-5001, 0),
        (15000, 0),
        (15001, 0),
    ):
        assert share_permille(cdeg, 6000, 7500) == share, cdeg
    assert share_permille(15000, 16000, 17000) == 1000
    assert share_permille(15001, 16000, 17000) == 0, "a sensor that reads more than a sensor can"


def test_temperature_looks_at_both_sensors_and_at_settings():
    image = Image()
    settings = settings_of()
    part = Temperature(image, settings)
    image.inputs.board_cdeg = image.inputs.connector_cdeg = 2500
    part.run()
    assert part.import_w == UNLIMITED_W
    image.inputs.board_cdeg = 7250
    part.run()
    assert part.import_w == part.export_w == 3680
    settings.put(board_derate_cdeg=7250)
    part.run()
    assert part.import_w == UNLIMITED_W
    image.inputs.connector_cdeg = 7500
    part.run()
    assert part.import_w == 0 and image.status.cause[faults.FAULT_OVER_TEMPERATURE] == 1
    image.inputs.connector_cdeg = 6001
    part.run()
    assert part.import_w == 0 and image.status.cause[faults.FAULT_OVER_TEMPERATURE] == 1, "not before it is cool"
    image.inputs.connector_cdeg = 6000
    part.run()
    assert part.import_w == UNLIMITED_W and image.status.cause[faults.FAULT_OVER_TEMPERATURE] == 0


def test_a_setting_that_changes_later_is_seen_again():
    image = Image()
    settings = settings_of()
    part = Temperature(image, settings)
    image.inputs.board_cdeg = image.inputs.connector_cdeg = 7000
    part.run()
    before = part.import_w
    part.run()
    settings.put(connector_stop_cdeg=9000)
    part.run()
    assert part.import_w > before
    calls = []
    part._judge = lambda: calls.append(1)
    part.run()
    assert not calls, "nothing new, nothing to judge"


def test_battery_window_and_its_way_back():
    image = Image()
    part = BatteryTemperature(image, settings_of())
    image.inputs.battery_ok = 1
    for cdeg, room in (
        (-1000, UNLIMITED_W),
        (-1001, 0),
        (-801, 0),
        (-800, UNLIMITED_W),
        (5000, UNLIMITED_W),
        (5001, 0),
        (4801, 0),
        (4800, UNLIMITED_W),
    ):
        image.inputs.battery_cdeg = cdeg
        part.run()
        assert part.import_w == part.export_w == room, cdeg
    image.inputs.battery_ok = 0
    image.inputs.battery_cdeg = 9000
    part.run()
    assert part.import_w == UNLIMITED_W
    image.inputs.battery_ok = 1
    for cdeg, room in ((-27316, UNLIMITED_W), (-27315, UNLIMITED_W), (-27314, 0)):
        image.inputs.battery_cdeg = cdeg
        part.run()
        assert part.import_w == part.export_w == room, "absolute zero is an inverter that does not tell"


class Watts(Profile):
    volt_watt = (1, (250000, 260000), (1000, 0))


def test_volt_watt_reads_the_highest_phase():
    image = Image()
    part = VoltWatt(image, settings_of(), Watts)
    rooms = ((250000, UNLIMITED_W), (250010, 7352), (255000, 3680), (260000, 0), (270000, 0), (240000, UNLIMITED_W))
    for mv, room in rooms:
        for phase in range(3):
            image.inputs.phase_mv[0] = image.inputs.phase_mv[1] = image.inputs.phase_mv[2] = 230000
            image.inputs.phase_mv[phase] = mv
            part.run()
            assert part.export_w == room and part.import_w == UNLIMITED_W, (mv, phase)


def test_enter_ramp_at_each_bound():
    image = Image()
    part = EnterRamp(image, settings_of())
    for share, room in ((0, 0), (-1, 0), (1, 7), (999, 7352), (1000, UNLIMITED_W), (500, 3680)):
        image.protection.ramp_permille = share
        part.run()
        assert part.import_w == part.export_w == room, share


def test_v2x_requests_at_zero_and_beside():
    image = Image()
    part = V2xRequest(image)
    rows = ((0, 0, 1, 1), (1, 0, 0, 1), (-1, 0, 1, 1), (0, -1, 1, 0), (0, 1, 1, 1), (2, -2, 0, 0))
    for least, most, export_w, import_w in rows:
        image.inputs.v2x_min_request_wh = least
        image.inputs.v2x_max_request_wh = most
        part.run()
        assert part.export_w == export_w * UNLIMITED_W and part.import_w == import_w * UNLIMITED_W, (least, most)
