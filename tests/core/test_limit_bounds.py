# SPDX-License-Identifier: MIT
"""Limit as a whole: the clamp, the reason it names, what it keeps between cycles."""

from limit_rig import ready, settings_of
from vehicle_rig import Profile, Ratings

from evse import faults
from evse.image import Image
from evse.limit import Limit
from evse.limit.rating import Cable, Rating
from evse.limit.soc import SocGuard


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
    rig.image.inputs.soc_ok = 1
    rig.image.inputs.soc_permille = 1000
    rig.run(5000)
    assert limits.import_reason == faults.REASON_FAULT, "of a full battery too"
    rig.image.inputs.soc_permille = 600
    rig.image.inputs.soc_ok = 0
    rig.image.status.fault_count = 0
    rig.image.inputs.inverter_discharge_w = rig.image.inputs.inverter_charge_w = 0
    rig.run(-5000, 6)
    assert limits.export_reason == faults.REASON_SOC_STALE, "fast before slow"
    assert limits.import_reason == faults.REASON_INVERTER_LIMIT
    rig.image.inputs.soc_ok = 1
    rig.image.inputs.soc_permille = 1000
    rig.run(5000, 6)
    assert limits.import_reason == faults.REASON_SOC_MAX, "of a full battery too"
    rig.image.inputs.soc_permille = 600
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


def test_nor_over_zero_against_a_wish_of_nothing_while_the_base_still_ramps():
    for watts in (1, 500):
        for sign in (1, -1):
            rig = Rig(ramp_up_permille_min=600, ramp_export_permille_min=600, ramp_droop_permille_min=0)
            for _ in range(20):
                assert rig.run(watts * sign, droop_w=-watts * sign) == 0, (watts, sign)


def test_a_ramp_does_not_run_ahead_behind_a_limit_even_where_the_response_is_as_large():
    for sign in (1, -1):
        rig = Rig(ramp_droop_permille_min=0)
        rig.image.inputs.inverter_charge_w = rig.image.inputs.inverter_discharge_w = 500
        assert rig.run(1000 * sign, droop_w=500 * sign) == 500 * sign
        assert rig.limit.ramp.power_w == 0, "allowed 500 W less 500 W of response"


def test_a_ramp_one_way_goes_on_while_the_other_way_is_closed():
    rig = Rig(ramp_up_permille_min=600, ramp_export_permille_min=600)
    rig.image.inputs.vehicle_charge_w = -1
    assert rig.run(-5000, 100) == -(7360 * 6 // 10 // 60)
    rig = Rig(ramp_up_permille_min=600, ramp_export_permille_min=600)
    rig.image.inputs.vehicle_discharge_w = -1
    assert rig.run(5000, 100) == 7360 * 6 // 10 // 60


def test_a_closed_way_leaves_not_one_watt_in_the_ramp():
    rig = Rig()
    assert rig.run(1) == 1
    rig.image.inputs.vehicle_charge_w = -1
    assert rig.run(1, 6) == 0 and rig.limit.ramp.power_w == 0
    rig = Rig()
    assert rig.run(-1) == -1
    rig.image.inputs.vehicle_discharge_w = -1
    assert rig.run(-1, 6) == 0 and rig.limit.ramp.power_w == 0


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
    rig.image.inputs.elapsed_ms = 100
    rig.run(9000, 3)
    assert rig.image.events.count == count + 1, "nor again by a late cycle"


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
