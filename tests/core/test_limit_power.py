# SPDX-License-Identifier: MIT
"""Limit as a stage alone: ramp, frequency response and room together. No wind-up behind a limit, no flip of sign."""

from vehicle_rig import Profile, Ratings, Settings

from evse import faults
from evse.image import Image
from evse.limit import Limit


class Stage:
    """A Limit whose permissions are all given; `step` asks for a base and a frequency response."""

    def __init__(self, **settings):
        self.image = Image()
        self.settings = Settings()
        self.settings.put(**settings)
        self.limit = Limit(self.image, self.settings, Profile(), Ratings())
        inputs = self.image.inputs
        inputs.afe_ok = inputs.inverter_ok = inputs.soc_ok = 1
        inputs.soc_permille = 500
        inputs.inverter_charge_w = inputs.inverter_discharge_w = 22080
        inputs.cable_ma = 32000
        inputs.pilot_state = faults.PILOT_C
        inputs.board_cdeg = inputs.connector_cdeg = 2500
        self.image.protection.inhibit = 0
        self.image.protection.ramp_permille = 1000
        self.image.outputs.closed = 1
        self.image.request.session_state = faults.SESSION_ENERGISED

    def step(self, base_w, droop_w=0, cycles=1, elapsed_ms=10):
        request = self.image.request
        for _ in range(cycles):
            self.image.inputs.elapsed_ms = elapsed_ms
            self.image.inputs.now_ms += elapsed_ms
            request.want_w = base_w + droop_w
            request.droop_w = droop_w
            self.limit.run()
        return self.image.limits.allowed_w


def test_no_wind_up_behind_an_import_limit():
    stage = Stage()
    stage.image.inputs.vehicle_charge_w = 1000
    assert stage.step(7360, 0, 2000) == 1000
    stage.image.inputs.vehicle_charge_w = 0
    before_w = stage.image.limits.allowed_w
    for _ in range(100):
        power_w = stage.step(7360)
        assert power_w - before_w <= 8, "the ramp had run ahead behind the limit"
        before_w = power_w
    assert before_w > 1600


def test_no_wind_up_behind_an_export_limit():
    stage = Stage()
    stage.image.inputs.vehicle_discharge_w = 1000
    assert stage.step(-7360, 0, 2000) == -1000
    stage.image.inputs.vehicle_discharge_w = 0
    before_w = -1000
    for _ in range(100):
        power_w = stage.step(-7360)
        assert before_w - power_w <= 8
        before_w = power_w
    assert before_w < -1600


def test_no_wind_up_while_nothing_may_flow():
    for base_w in (7360, -7360):
        stage = Stage()
        stage.image.outputs.closed = 0
        assert stage.step(base_w, 0, 2000) == 0
        stage.image.outputs.closed = 1
        assert abs(stage.step(base_w)) <= 8


def test_no_wind_up_with_a_frequency_response_on_top():
    for base_w, droop_w in ((7360, -3000), (-7360, 3000)):
        stage = Stage()
        stage.image.outputs.closed = 0
        assert stage.step(base_w, droop_w, 2000) == 0
        stage.image.outputs.closed = 1
        assert stage.step(base_w, droop_w) == 0
        assert abs(stage.step(base_w, 0)) <= 16, "the end of the response must not set free what was never ramped"


def test_a_trip_is_immediate_and_the_way_back_ramps():
    stage = Stage(ramp_up_permille_min=0)
    assert stage.step(7000) == 7000
    stage.settings.put(ramp_up_permille_min=6000)
    stage.image.protection.trip = 1
    assert stage.step(7000) == 0
    stage.image.protection.trip = 0
    assert stage.step(7000) == 7


def test_response_does_not_carry_power_over_zero_against_the_wish():
    """Wish 7000 W import less 3000 W: while the import still ramps up from zero, nothing is exported."""
    stage = Stage()
    for _ in range(1500):
        assert stage.step(7000, -3000) >= 0
    assert stage.step(7000, -3000) == 4000
    stage = Stage()
    for _ in range(1500):
        assert stage.step(-7000, 3000) <= 0
    assert stage.step(-7000, 3000) == -4000


def test_from_export_to_import_power_only_falls_before_it_crosses():
    for sign in (1, -1):
        stage = Stage(ramp_up_permille_min=0, ramp_export_permille_min=0)
        stage.step(-sign * 5000)
        before_w = -sign * 5000
        for _ in range(400):
            power_w = stage.step(sign * 5000, -sign * 2000)
            if power_w * sign < 0:
                assert abs(power_w) <= abs(before_w)
            before_w = power_w
        assert before_w == sign * 3000


def test_response_beyond_the_room_leaves_no_debt():
    """Over-frequency asks for 5000 W more than nothing; 3000 W fit. When it asks for 2000 W, 2000 W flow at once."""
    for sign in (1, -1):
        stage = Stage()
        stage.image.inputs.vehicle_charge_w = stage.image.inputs.vehicle_discharge_w = 3000
        assert stage.step(0, sign * 5000, 50) == sign * 3000
        assert stage.step(0, sign * 2000) == sign * 2000
        assert stage.step(0, 0) == 0


def test_each_direction_uses_its_own_rating_and_rate():
    stage = Stage(export_rating_w=3680, import_rating_w=7360, ramp_up_permille_min=6000, ramp_export_permille_min=3000)
    assert stage.step(7360, 0, 500) == 3680
    stage = Stage(export_rating_w=3680, import_rating_w=7360, ramp_up_permille_min=6000, ramp_export_permille_min=3000)
    assert stage.step(-3680, 0, 500) == -920
    stage = Stage(export_rating_w=3680, import_rating_w=7360, ramp_up_permille_min=0, ramp_down_permille_min=30000)
    stage.step(7360)
    assert stage.step(0, 0, 100) == 3680, "falls by the larger rating"


def test_a_normal_stop_is_never_slower_than_4_s_and_a_step_stays_a_step():
    stage = Stage(ramp_up_permille_min=0, ramp_down_permille_min=10)
    stage.step(7360)
    stage.image.request.stop = 1
    assert stage.step(0, 0, 200) == 3680
    stage = Stage(ramp_up_permille_min=0, ramp_down_permille_min=0)
    stage.step(7360)
    stage.image.request.stop = 1
    assert stage.step(0) == 0
    stage = Stage(ramp_up_permille_min=0, ramp_down_permille_min=60000)
    stage.step(7360)
    stage.image.request.stop = 1
    assert stage.step(0, 0, 50) == 3680, "a faster fall stays as fast"
    stage = Stage(ramp_up_permille_min=0, ramp_down_permille_min=10)
    stage.step(7360)
    assert stage.step(0, 0, 100) == 7359, "without a stop the setting holds"


def test_response_ramp_is_exact_both_ways():
    stage = Stage(ramp_droop_permille_min=6000)
    for n in range(1, 101):
        assert stage.step(0, 7000) == 7360 * n // 1000
    stage = Stage(ramp_droop_permille_min=6000)
    for n in range(1, 101):
        assert stage.step(0, -7000) == -(7360 * n // 1000)
    stage = Stage(ramp_droop_permille_min=6000)
    assert stage.step(0, 7000, 1, 5000) == 73, "a late cycle ramps as far as 100 ms"


def test_soft_room_shrinks_at_the_fall_and_a_late_cycle_counts_100_ms():
    stage = Stage(ramp_up_permille_min=0, ramp_export_permille_min=0)
    for sign, name in ((-1, "v2x_min_request_wh"), (1, "v2x_max_request_wh")):
        stage.step(sign * 7000, 0, 10)
        setattr(stage.image.inputs, name, -sign)
        assert abs(stage.step(sign * 7000, 0, 1, 5000)) == 7000 - 368
        assert abs(stage.step(sign * 7000)) in (6632 - 36, 6632 - 37)
        assert stage.step(sign * 7000, 0, 300) == 0
        setattr(stage.image.inputs, name, 0)


def test_slow_limiters_speak_each_50_ms_and_at_once_after_a_setting():
    stage = Stage(ramp_up_permille_min=0, ramp_down_permille_min=0)
    stage.step(7000)
    stage.image.inputs.vehicle_charge_w = 1000
    assert stage.step(7000, 0, 4) == 7000
    assert stage.step(7000) == 1000
    stage.settings.put(import_rating_w=500)
    assert stage.step(7000) == 500


def test_reasons_when_nothing_binds():
    stage = Stage(ramp_up_permille_min=0)
    stage.image.request.reason = faults.REASON_NO_REQUEST
    stage.step(0)
    assert stage.image.limits.reason == faults.REASON_NO_REQUEST
    stage.step(100000)
    assert stage.image.limits.reason == faults.REASON_RATING_IMPORT
    stage.step(-100000)
    assert stage.image.limits.reason == faults.REASON_RATING_EXPORT
    stage.step(-7360, 0, 1000)
    stage.step(-3000)
    assert stage.image.limits.reason == faults.REASON_RAMP


def count_limit_events(stage):
    row = [0] * 5
    found = []
    for sequence in range(stage.image.events.count):
        if stage.image.events.read(sequence, row) and row[1] == faults.EVENT_LIMIT:
            found.append((row[0], row[2]))
    return found


def test_a_reason_is_recorded_after_100_ms_and_once():
    stage = Stage(ramp_up_permille_min=0)
    stage.image.request.reason = 0
    stage.step(5000, 0, 50)
    assert count_limit_events(stage) == []
    stage.step(9000, 0, 9)
    assert count_limit_events(stage) == []
    stage.step(9000)
    assert len(count_limit_events(stage)) == 1
    stage.step(9000, 0, 500)
    assert len(count_limit_events(stage)) == 1
    for _ in range(20):
        stage.step(5000, 0, 5)
        stage.step(9000, 0, 5)
    assert len(count_limit_events(stage)) == 1
    stage.step(5000, 0, 12)
    assert [reason for _, reason in count_limit_events(stage)] == [faults.REASON_RATING_IMPORT, faults.REASON_RAMP]


def test_reactive_needs_room_in_one_direction_only():
    stage = Stage()
    stage.image.request.want_var = 300
    stage.image.inputs.v2x_max_request_wh = -1
    stage.step(0, 0, 10)
    assert stage.image.limits.allowed_var == 300
    stage.image.inputs.v2x_max_request_wh = 0
    stage.image.inputs.v2x_min_request_wh = 1
    stage.step(0, 0, 10)
    assert stage.image.limits.allowed_var == 300
    stage.image.outputs.closed = 0
    stage.step(0)
    assert stage.image.limits.allowed_var == 0


def test_a_response_that_comes_while_power_still_ramps_goes_to_zero_and_no_further():
    for sign in (1, -1):
        stage = Stage()
        assert stage.step(sign * 7000, 0, 100) == sign * 736
        assert stage.step(sign * 7000, -sign * 3000) == 0


def test_each_new_reason_has_its_own_100_ms():
    stage = Stage(ramp_up_permille_min=0, ramp_down_permille_min=0, ramp_export_permille_min=0)
    stage.step(5000, 0, 50)
    for _ in range(10):
        stage.step(9000, 0, 6)
        stage.step(-9000, 0, 6)
    assert count_limit_events(stage) == []
