# SPDX-License-Identifier: MIT
"""Every bound of the limiters, each part alone: at it, one below, one above. Fast, no board."""

from vehicle_rig import Profile, Ratings, Settings

from evse import faults
from evse.image import Image
from evse.limit import Limit
from evse.limit.energy import DailyBudget, V2xRequest
from evse.limit.grid import EnterRamp, VoltWatt
from evse.limit.limiter import UNLIMITED_W
from evse.limit.permission import Permission
from evse.limit.ramp import Ramp, Rate
from evse.limit.rating import LEAST_PILOT_MA, Cable, Inverter, Rating, Vehicle
from evse.limit.soc import TAPER_LEAST_W, SocGuard
from evse.limit.temperature import BatteryTemperature, Temperature, share_permille


def settings_of(**values):
    settings = Settings()
    settings.put(**values)
    return settings


def ready(image):
    """Everything that Permission asks for."""
    image.inputs.afe_ok = 1
    image.inputs.inverter_ok = 1
    image.inputs.pilot_state = faults.PILOT_C
    image.protection.inhibit = 0
    image.outputs.closed = 1
    image.request.session_state = faults.SESSION_ENERGISED
    return image


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


def budget_of(**values):
    image = Image()
    image.inputs.afe_ok = 1
    image.outputs.closed = 1
    part = DailyBudget(image, settings_of(**values))
    part.run()
    return image, part


def pass_ms(image, part, ms):
    image.inputs.now_ms += ms
    part.run()


def test_budget_counts_to_the_wh_and_stops_at_it():
    image, part = budget_of(discharge_budget_wh=2)
    image.inputs.grid_w = -36000
    for _ in range(9):
        pass_ms(image, part, 10)
    assert image.budget.day_discharge_wh == 0 and part.export_w == UNLIMITED_W
    pass_ms(image, part, 10)
    assert image.budget.day_discharge_wh == 1 and image.budget.discharged_wh == 1 and part.export_w == UNLIMITED_W
    for _ in range(10):
        pass_ms(image, part, 10)
    assert image.budget.day_discharge_wh == 2 and part.export_w == 0
    image.inputs.grid_w = 36000
    for _ in range(25):
        pass_ms(image, part, 10)
    assert image.budget.charged_wh == 2 and image.budget.day_discharge_wh == 2
    assert image.budget.cycles_milli == 2 * 1000 // 60000


def test_budget_counts_only_what_flows_and_a_late_cycle_as_100_ms():
    image, part = budget_of()
    image.inputs.grid_w = -36000
    pass_ms(image, part, 5000)
    assert image.budget.discharged_wh == 1
    image.outputs.closed = 0
    pass_ms(image, part, 100)
    assert image.budget.discharged_wh == 1
    image.outputs.closed = 1
    image.inputs.afe_ok = 0
    image.inputs.inverter_w = -72000
    pass_ms(image, part, 100)
    assert image.budget.discharged_wh == 3
    image.inputs.now_ms -= 50
    part.run()
    assert image.budget.discharged_wh == 5, "time that runs backwards counts as the longest"


def test_the_day_ends_at_local_midnight_and_not_at_the_first_sight_of_the_clock():
    image, part = budget_of()
    image.budget.day_discharge_wh = 7
    image.request.minute_of_week = 1439
    for _ in range(10):
        pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 7
    image.request.minute_of_week = 1440
    for _ in range(9):
        pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 7, "looked at once a second"
    pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 0
    image.budget.day_discharge_wh = 5
    for _ in range(20):
        pass_ms(image, part, 100)
    assert image.budget.day_discharge_wh == 5


def rate_of(rating_w, permille_min):
    rate = Rate()
    rate.configure(rating_w, permille_min)
    return rate


def test_rate_is_exact_over_an_hour_for_odd_numbers():
    for rating_w, permille_min in ((7360, 10), (22080, 12345), (7361, 999), (1, 600000), (32767, 1)):
        rate = rate_of(rating_w, permille_min)
        total = sum(rate.advance(10) for _ in range(60000))
        assert total == rating_w * permille_min * 10 // 1000, (rating_w, permille_min)
    rate.configure(32767, 0)
    assert rate.step == 1


def test_a_configured_rate_forgets_its_carry():
    rate = rate_of(7360, 10)
    for _ in range(70):
        rate.advance(10)
    rate.configure(7360, 10)
    assert [rate.advance(10) for _ in range(82)] == [0] * 81 + [1]
    for _ in range(70):
        rate.advance(10)
    rate.rest()
    assert (rate._rest_high, rate._rest_low) == (0, 0)


def ramp_of(up=6000, export=6000, down=6000):
    ramp = Ramp()
    ramp.up_import.configure(10000, up)
    ramp.up_export.configure(10000, export)
    ramp.down.configure(10000, down)
    return ramp


def test_ramp_each_way_by_its_own_rate():
    ramp = ramp_of(up=6000, export=12000, down=24000)
    ramp.move(5000, 10)
    assert ramp.power_w == 10
    ramp.power_w = 0
    ramp.move(-5000, 10)
    assert ramp.power_w == -20
    for start, target, after in (
        (100, 0, 60),
        (100, 90, 90),
        (-100, 0, -60),
        (-100, -90, -90),
        (30, 0, 0),
        (-30, 0, 0),
        (30, -500, 0),
        (-30, 500, 0),
        (1, -500, 0),
        (-1, 500, 0),
        (0, 7, 7),
        (0, -7, -7),
        (0, 1, 1),
        (0, -1, -1),
        (100, 105, 105),
        (-100, -105, -105),
        (1, 2, 2),
        (-1, -2, -2),
        (2, 1, 1),
        (-2, -1, -1),
    ):
        ramp.power_w = start
        ramp.move(target, 10)
        assert ramp.power_w == after, (start, target, ramp.power_w)


def test_ramp_goes_no_further_in_a_late_cycle_and_steps_where_it_has_no_rate():
    ramp = ramp_of()
    ramp.move(9000, 5000)
    assert ramp.power_w == 100
    ramp.move(9000, 100)
    assert ramp.power_w == 200
    ramp = ramp_of(up=0, export=0, down=0)
    ramp.move(9000, 10)
    assert ramp.power_w == 9000
    ramp.move(-8000, 10)
    assert ramp.power_w == -8000
    ramp.move(-1, 10)
    assert ramp.power_w == -1
    ramp = ramp_of(up=6000, export=6000, down=0)
    ramp.power_w = 500
    ramp.move(-9000, 10)
    assert ramp.power_w == -10, "a free fall, then the export's own rate"


def test_a_change_of_direction_or_a_halt_starts_without_carry():
    ramp = ramp_of(up=7, export=7, down=7)
    for _ in range(80):
        ramp.move(100, 10)
    assert ramp.power_w == 0
    ramp.move(0, 10)
    for _ in range(85):
        ramp.move(100, 10)
        assert ramp.power_w == 0
    ramp.move(100, 10)
    assert ramp.power_w == 1


class Rig:
    """Limit alone, with a contactor that is closed and nothing in the way."""

    def __init__(self, **values):
        self.image = ready(Image())
        self.settings = settings_of(ramp_up_permille_min=0, ramp_export_permille_min=0, ramp_down_permille_min=0)
        self.settings.put(**values)
        inputs = self.image.inputs
        inputs.soc_ok = 1
        inputs.soc_permille = 600
        inputs.cable_ma = 32000
        inputs.board_cdeg = inputs.connector_cdeg = 2500
        inputs.inverter_charge_w = inputs.inverter_discharge_w = 20000
        self.image.protection.ramp_permille = 1000
        self.limit = Limit(self.image, self.settings, Profile, Ratings)

    def run(self, want_w, cycles=1, droop_w=0):
        self.image.request.want_w = want_w + droop_w
        self.image.request.droop_w = droop_w
        for _ in range(cycles):
            self.image.inputs.now_ms += 10
            self.limit.run()
        return self.image.limits.allowed_w


def test_clamp_at_the_room_and_the_reason_there():
    rig = Rig()
    limits = rig.image.limits
    assert rig.run(7360) == 7360 and limits.reason == 0
    assert rig.run(7361) == 7360 and limits.reason == faults.REASON_RATING_IMPORT
    assert rig.run(-7360) == -7360 and limits.reason == 0
    assert rig.run(-7361) == -7360 and limits.reason == faults.REASON_RATING_EXPORT
    assert rig.run(0) == 0 and limits.reason == 0


def test_a_tie_names_the_first_of_each_group():
    rig = Rig()
    limits = rig.image.limits
    rig.image.inputs.soc_ok = 0
    rig.image.inputs.soc_reason = faults.REASON_SOC_STALE
    rig.image.status.fault_count = 1
    rig.run(-5000)
    assert limits.export_reason == limits.import_reason == faults.REASON_FAULT, "permission speaks before the guard"
    rig.image.status.fault_count = 0
    rig.image.inputs.inverter_discharge_w = rig.image.inputs.inverter_charge_w = 0
    rig.run(-5000, 6)
    assert limits.export_reason == faults.REASON_SOC_STALE, "fast before slow"
    assert limits.import_reason == faults.REASON_INVERTER_LIMIT
    rig.image.inputs.soc_ok = 1
    rig.image.inputs.v2x_min_request_wh = 1
    rig.image.inputs.v2x_max_request_wh = -1
    rig.run(-5000, 6)
    assert limits.export_reason == faults.REASON_INVERTER_LIMIT, "hard before soft"
    assert limits.import_reason == faults.REASON_INVERTER_LIMIT
    rig.image.inputs.inverter_discharge_w = rig.image.inputs.inverter_charge_w = 20000
    rig.image.inputs.battery_ok = 1
    rig.image.inputs.battery_cdeg = 6000
    rig.run(-5000, 6)
    assert limits.export_reason == faults.REASON_V2X_REQUEST and limits.import_reason == faults.REASON_V2X_ABOVE


def test_slow_limiters_speak_at_once_after_boot_and_after_a_change():
    rig = Rig()
    assert rig.run(5000) == 5000, "the first cycle knows them"
    rig.run(5000)
    rig.image.request.stop = 1
    rig.image.inputs.inverter_charge_w = 1000
    assert rig.run(5000) == 1000, "a stop asks them anew"


def test_planning_figure_is_the_smallest_of_what_is_fixed():
    rig = Rig()
    limits = rig.image.limits
    rig.run(0)
    assert limits.rating_w == 7360
    rig.image.inputs.inverter_charge_w = 1
    rig.run(0, 6)
    assert limits.rating_w == 1
    rig.image.inputs.inverter_charge_w = 0
    rig.run(0, 6)
    assert limits.rating_w == 7360
    rig.image.inputs.vehicle_charge_w = 3000
    rig.run(0, 6)
    assert limits.rating_w == 3000


def test_nothing_may_flow_so_nothing_is_kept():
    rig = Rig()
    rig.image.request.want_var = 500
    assert rig.run(5000) == 5000 and rig.image.limits.allowed_var == 500
    rig.image.protection.trip = 1
    assert rig.run(5000) == 0 and rig.limit.ramp.power_w == 0 and rig.image.limits.allowed_var == 0
    rig.image.protection.trip = 0
    rig.image.inputs.soc_permille = 980
    assert rig.run(5000) == 0 and rig.image.limits.allowed_var == 500, "one way is open: reactive power may flow"
    rig.image.inputs.soc_permille = 100
    assert rig.run(-5000) == 0 and rig.image.limits.allowed_var == 500


def test_reactive_power_is_clamped_both_ways_with_the_perturbation():
    rig = Rig()
    most = 7360 * 440 // 1000
    for want, push, allowed in ((most, 0, most), (most, 1, most), (-most, -1, -most), (100, 20, 120), (100, -20, 80)):
        rig.image.request.want_var = want
        rig.image.protection.perturb_var = push
        rig.run(1000)
        assert rig.image.limits.allowed_var == allowed
    rig.image.request.want_var = rig.image.protection.perturb_var = 0
    rig.run(1000)
    assert rig.image.limits.allowed_var == 0


def test_base_follows_what_was_allowed_but_never_grows_by_a_limit():
    rig = Rig()
    rig.run(7000)
    rig.image.inputs.soc_permille = 980
    rig.run(7000, droop_w=500)
    assert rig.limit.ramp.power_w == 0
    rig.image.inputs.soc_permille = 600
    rig.run(-7000)
    rig.image.inputs.inverter_discharge_w = 2000
    rig.run(-7000, 6)
    assert rig.limit.ramp.power_w == -2000
    rig = Rig(ramp_up_permille_min=6000)
    rig.image.protection.trip = 1
    rig.run(-500, droop_w=500)
    assert rig.limit.ramp.power_w == 0, "nothing may flow, though base and response cancel"


def test_a_response_never_carries_power_over_zero_against_the_wish():
    rig = Rig(ramp_down_permille_min=600, ramp_up_permille_min=600)
    rig.run(3000, 300)
    assert rig.image.limits.allowed_w > 0
    rig.limit.ramp.power_w = 0
    rig.limit._droop_w = -100
    assert rig.run(1, droop_w=0) >= 0
    rig = Rig(ramp_down_permille_min=600)
    rig.limit._droop_w = 100
    assert rig.run(-1) <= 0


def test_soft_limits_fall_at_the_normal_rate_and_hard_ones_at_once():
    rig = Rig(ramp_down_permille_min=6000)
    rig.run(-7000, 10)
    rig.image.inputs.v2x_min_request_wh = 10
    rig.run(-7000, 6)
    first = rig.image.limits.allowed_w
    assert -7000 < first < -6900
    assert rig.run(-7000) - first in (7, 8), "7360 W * 6 / min is 7.36 W a cycle"
    rig.image.inputs.elapsed_ms = 5000
    first = rig.image.limits.allowed_w
    assert 73 <= rig.run(-7000) - first <= 74, "a late cycle falls no further than 100 ms"
    rig.image.inputs.elapsed_ms = 10
    rig.run(-7000, 1000)
    assert rig.image.limits.allowed_w == 0


def test_a_reason_is_reported_once_it_has_lasted():
    rig = Rig()
    rig.run(5000, 12)
    count = rig.image.events.count
    rig.run(9000, 9)
    assert rig.image.events.count == count
    rig.run(5000, 1)
    rig.run(9000, 9)
    assert rig.image.events.count == count, "flicker starts anew"
    rig.run(9000, 1)
    assert rig.image.events.count == count + 1
    rig.run(9000, 50)
    assert rig.image.events.count == count + 1


def test_what_has_not_changed_is_not_worked_out_again():
    settings = settings_of()
    image = Image()
    image.inputs.cable_ma = 32000
    image.inputs.soc_ok = 1
    image.inputs.soc_permille = 600
    for part in (Rating(settings, Ratings), Cable(image, settings, Profile, Ratings), SocGuard(image, settings)):
        part.run()
        part.import_w = part.export_w = -7
        part.run()
        assert (part.import_w, part.export_w) == (-7, -7), type(part)
        settings.put()
        part.run()
        assert part.import_w > 0 and part.export_w > 0


def test_what_is_left_of_a_charged_wh_is_no_discharge():
    image, part = budget_of()
    image.inputs.grid_w = 50000
    for _ in range(8):
        pass_ms(image, part, 10)
    assert (image.budget.charged_wh, image.budget.discharged_wh, image.budget.day_discharge_wh) == (1, 0, 0)
    image.inputs.grid_w = -50000
    for _ in range(9):
        pass_ms(image, part, 10)
    assert (image.budget.charged_wh, image.budget.discharged_wh) == (1, 1)
