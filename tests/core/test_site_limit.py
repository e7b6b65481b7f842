# SPDX-License-Identifier: MIT
"""The connection's limit by the site meter, volt-var, and what outlives an outage."""

from vehicle_rig import Profile, Rig, Settings

from evse import faults
from evse.decide import Decide
from evse.decide.volt_var import VoltVar
from evse.image import Image
from evse.limit.limiter import UNLIMITED_W
from evse.limit.site import SiteLimit


def guard(**settings):
    image = Image()
    chosen = Settings()
    chosen.put(**settings)
    image.inputs.afe_ok = 1
    return image, SiteLimit(image, chosen)


def reading(image, limiter, meter_w, own_w, age_ms=0):
    image.inputs.meter_ok = 1 if age_ms <= 5000 else 0
    image.inputs.meter_age_ms = age_ms
    image.inputs.meter_w = meter_w
    image.inputs.grid_w = own_w
    limiter.run()
    return limiter.import_w, limiter.export_w


def test_off_is_no_limit():
    image, limiter = guard()
    assert reading(image, limiter, 90000, 0) == (UNLIMITED_W, UNLIMITED_W)
    image.inputs.meter_ok = 0
    limiter.run()
    assert (limiter.import_w, limiter.export_w) == (UNLIMITED_W, UNLIMITED_W)


def test_room_is_the_limit_less_what_others_take():
    image, limiter = guard(site_import_limit_w=10000)
    reading(image, limiter, 3000, 0)
    assert reading(image, limiter, 3000, 0) == (7000, UNLIMITED_W)
    assert limiter.import_reason == faults.REASON_SITE_LIMIT
    reading(image, limiter, 9000, 6000)
    assert reading(image, limiter, 9000, 6000)[0] == 7000, "our own power is not counted twice"
    assert reading(image, limiter, 14000, 2000)[0] == 0, "others alone are above: at once"
    assert reading(image, limiter, 2000, 0)[0] == 0, "the worse of two readings"
    assert reading(image, limiter, 2000, 0)[0] == 8000


def test_the_same_reading_growing_older_is_no_second_reading():
    image, limiter = guard(site_import_limit_w=10000)
    reading(image, limiter, 3000, 0)
    reading(image, limiter, 3000, 0)
    assert reading(image, limiter, 3000, 6000, age_ms=50)[0] == 7000
    assert reading(image, limiter, 3000, 7000, age_ms=100)[0] == 7000


def test_a_reading_is_new_when_it_is_younger_than_the_one_before():
    image, limiter = guard(site_import_limit_w=10000)
    reading(image, limiter, 3000, 0)
    reading(image, limiter, 3000, 0, age_ms=500)
    assert reading(image, limiter, 4000, 0, age_ms=20)[0] == 6000
    assert reading(image, limiter, 9000, 0, age_ms=70)[0] == 6000, "older than before: the same one"


def test_export_limit_and_a_site_that_may_not_export():
    image, limiter = guard(site_export_limit_w=0)
    reading(image, limiter, 1500, 0)
    assert reading(image, limiter, 1500, 0) == (UNLIMITED_W, 1500)
    assert reading(image, limiter, -500, 0)[1] == 0
    image, limiter = guard(site_export_limit_w=3680)
    reading(image, limiter, -1000, 0)
    assert reading(image, limiter, -1000, 0)[1] == 2680
    reading(image, limiter, -4000, -3000)
    assert reading(image, limiter, -4000, -3000)[1] == 2680


def test_a_silent_meter_allows_nothing_on_the_side_it_watches():
    image, limiter = guard(site_import_limit_w=10000)
    reading(image, limiter, 1000, 0)
    reading(image, limiter, 1000, 0)
    assert reading(image, limiter, 1000, 0, age_ms=5001) == (0, UNLIMITED_W)
    assert limiter.import_reason == faults.REASON_METER_STALE
    image, limiter = guard(site_export_limit_w=5000)
    assert reading(image, limiter, 0, 0, age_ms=6000) == (UNLIMITED_W, 0)
    assert limiter.export_reason == faults.REASON_METER_STALE


def test_without_an_afe_the_inverter_says_what_is_ours():
    image, limiter = guard(site_import_limit_w=10000)
    image.inputs.afe_ok = 0
    image.inputs.inverter_w = 4000
    reading(image, limiter, 6000, 9999)
    assert reading(image, limiter, 6000, 9999)[0] == 8000


def test_it_goes_before_the_users_wish_and_is_the_reason():
    rig = Rig(site_import_limit_w=6000, ramp_up_permille_min=0)
    rig.energise()
    for _ in range(3):
        rig.mail("meter", power_w=2000 + rig.image.inputs.grid_w)
        rig.image.inputs.meter_ok = 1
        rig.image.inputs.meter_age_ms = 0
        rig.image.inputs.meter_w = 2000 + rig.image.inputs.grid_w
        rig.run(100)
    limits = rig.image.limits
    assert limits.allowed_w <= 4000 and limits.import_reason == faults.REASON_SITE_LIMIT


class Curve(Profile):
    volt_var = (1, (211600, 225400, 234600, 248400), (-440, 0, 0, 440))
    volt_response_ms = 5000


def follow(mv, ms, profile=Curve, phases=1):
    image = Image()
    part = VoltVar(image, Settings(), profile)
    image.inputs.afe_ok = 1
    image.inputs.elapsed_ms = 10
    for phase in range(phases):
        image.inputs.phase_mv[phase] = mv
    for _ in range(ms // 10):
        part.run()
    return part


def test_volt_var_reads_the_curve_both_ways():
    assert follow(230000, 30000).reactive_var == 0
    assert follow(234000, 30000).reactive_var == 0
    assert abs(follow(248400, 60000).reactive_var - 7360 * 440 // 1000) <= 16
    assert abs(follow(211600, 60000).reactive_var + 7360 * 440 // 1000) <= 16
    assert abs(follow(241500, 60000).reactive_var - 7360 * 220 // 1000) <= 16


def test_volt_var_covers_90_percent_in_its_response_time():
    """Of the reactive power, also from a voltage where the curve is flat; the share of a step out of the dead band."""
    for mv, whole in ((248400, 440), (241500, 220), (211600, -440)):
        covered = follow(mv, 5000).reactive_var * 1000 / 7360 / whole
        assert 0.9 <= covered <= 0.92, (mv, covered)
        assert follow(mv, 4500).reactive_var * 1000 / 7360 / whole < 0.9


def test_volt_var_dies_away_to_nothing():
    part = follow(248400, 20000)
    for mv in (230000, 211600, 230000):
        part._inputs.phase_mv[0] = mv
        for _ in range(4000):
            part.run()
    assert part.reactive_var == 0


def test_volt_var_is_off_without_a_measurement_and_where_the_code_has_none():
    part = follow(248400, 30000)
    part._inputs.afe_ok = 0
    part.run()
    assert part.reactive_var == 0
    assert follow(260000, 30000, Profile).reactive_var == 0


def test_volt_var_reaches_the_inverter_only_under_power_and_after_a_lease():
    rig = Rig(ramp_up_permille_min=0)
    rig.decide.volt_var = VoltVar(rig.image, rig.settings, Curve)
    rig.image.inputs.phase_mv[0] = 248400
    rig.run(500)
    assert rig.image.outputs.inverter_var == 0
    rig.energise()
    rig.image.inputs.phase_mv[0] = 248400
    rig.run(30000)
    assert 3000 < rig.image.outputs.inverter_var <= 3238
    rig.mail("lease", power_w=3000, reactive_var=-500, duration_ms=60000)
    rig.run(100)
    assert rig.image.outputs.inverter_var == -500, "who asks for reactive power himself gets that"
    rig.image.protection.trip = 1
    rig.run(20)
    assert rig.image.request.want_var == 0 and rig.image.outputs.inverter_var == 0


def test_a_lock_outlives_an_outage():
    image = Image()
    settings = Settings()
    settings.put(keep_locked=1)
    decide = Decide(image, settings, Profile)
    assert image.status.locked == 1
    decide.run()
    assert image.status.locked == 1
