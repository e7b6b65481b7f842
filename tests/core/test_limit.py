# SPDX-License-Identifier: MIT
"""Limit: each limiter at its bounds, the smallest wins and is named, zero is always allowed, no sign flips."""

from vehicle_rig import Profile, Rig, Settings

from evse import faults
from evse.image import Image
from evse.limit import Limit
from evse.limit.grid import VoltWatt
from evse.limit.limiter import UNLIMITED_W
from evse.limit.temperature import BatteryTemperature, Temperature, share_permille


def energised(**settings):
    rig = Rig(ramp_up_permille_min=0, ramp_export_permille_min=0, ramp_down_permille_min=0, **settings)
    rig.energise()
    return rig


def asked(rig, power_w, ms=100):
    rig.mail("lease", power_w=power_w, duration_ms=3600000)
    rig.run(ms)
    return rig.image.limits.allowed_w, faults.REASONS[rig.image.limits.reason][0]


def test_boot_is_zero():
    image = Image()
    settings = Settings()
    limit = Limit(image, settings, Profile(), Rig().board.ratings)
    image.request.want_w = 5000
    for _ in range(20):
        limit.run()
        assert image.limits.allowed_w == 0 and image.limits.import_w == 0 and image.limits.export_w == 0


def test_smallest_rating_wins_each_way():
    caps = (
        ("import_rating_w", "rating_import", 1),
        ("export_rating_w", "rating_export", -1),
    )
    for name, reason, sign in caps:
        rig = energised()
        for cap_w in (7000, 3000, 1, 5000):
            values = {name: cap_w}
            rig.settings.put(**values)
            allowed_w, why = asked(rig, sign * 9000)
            assert allowed_w == sign * cap_w and why == reason, (name, cap_w)
            allowed_w, why = asked(rig, sign * cap_w)
            assert allowed_w == sign * cap_w and why == "none"


def test_import_limit_of_zero_does_not_turn_into_export():
    rig = energised()
    rig.settings.put(import_rating_w=0)
    assert asked(rig, 5000)[0] == 0
    assert asked(rig, -3000)[0] == -3000
    rig.settings.put(export_rating_w=0)
    assert asked(rig, -3000) == (0, "export_disabled")


def test_board_rating():
    rig = energised(import_rating_w=22080, export_rating_w=22080, phases=3)
    rig.board.ratings.import_w = 9000
    rig.board.ratings.export_w = 8000
    rig.settings.put(charge_w=0)
    assert asked(rig, 20000) == (9000, "rating_import")
    assert asked(rig, -20000) == (-8000, "rating_export")


def test_cable_counts_phases_and_both_directions():
    rig = energised(import_rating_w=22080, export_rating_w=22080, phases=3, cable_ma=16000)
    assert asked(rig, 20000) == (11040, "cable")
    assert asked(rig, -20000) == (-11040, "cable")
    rig.settings.put(phases=1, cable_ma=63000)
    assert asked(rig, 20000) == (32 * 230, "cable"), "the board's own 32 A"


def test_vehicle_states_its_limits():
    rig = energised()
    rig.mail_soc(500, charge_w=3000, discharge_w=2000)
    assert asked(rig, 7000) == (3000, "vehicle_limit")
    assert asked(rig, -7000) == (-2000, "vehicle_limit")
    rig.mail_soc(500, charge_w=-1, discharge_w=-1)
    assert asked(rig, 7000) == (0, "vehicle_limit")
    assert asked(rig, -7000) == (0, "vehicle_limit")
    rig.mail_soc(500, charge_w=0, discharge_w=0)
    assert asked(rig, 7000) == (7000, "none")


def test_inverter_limits_and_silence():
    rig = energised()
    rig.image.inputs.inverter_charge_w = 2500
    rig.image.inputs.inverter_discharge_w = 0
    assert asked(rig, 7000) == (2500, "inverter_limit")
    assert asked(rig, -7000) == (0, "inverter_limit")
    rig.image.inputs.inverter_charge_w = -5
    assert asked(rig, 7000) == (0, "inverter_limit")
    rig.image.inputs.inverter_ok = 0
    assert asked(rig, 7000, 10) == (0, "inverter_stale")


def test_share_at_every_bound():
    for cdeg, share in (
        (2500, 1000),
        (6000, 1000),
        (6001, 999),
        (6750, 500),
        (7499, 0),
        (7500, 0),
        (-5001, 0),
        (15001, 0),
    ):
        assert share_permille(cdeg, 6000, 7500) == share, cdeg
    assert share_permille(7000, 8000, 7000) == 0 and share_permille(6999, 8000, 7000) == 1000
    assert share_permille(-5000, 6000, 7500) == 1000


def test_temperature_stop_is_a_fault_with_hysteresis():
    image = Image()
    settings = Settings()
    made = Temperature(image, settings)
    cause = image.status.cause
    for board, connector in ((8000, 2500), (2500, 7500), (-6000, 2500), (2500, 20000)):
        image.inputs.board_cdeg = board
        image.inputs.connector_cdeg = connector
        made.run()
        assert cause[faults.FAULT_OVER_TEMPERATURE] == 1 and made.import_w == 0 and made.export_w == 0
        image.inputs.board_cdeg = 7000
        image.inputs.connector_cdeg = 2500
        made.run()
        assert cause[faults.FAULT_OVER_TEMPERATURE] == 1 and made.export_w == 0, "not before it is cool"
        image.inputs.board_cdeg = 2500
        made.run()
        assert cause[faults.FAULT_OVER_TEMPERATURE] == 0 and made.export_w == UNLIMITED_W
    image.inputs.board_cdeg = 7250
    made.run()
    assert (made.import_w, made.export_w) == (3680, 3680)
    settings.put(import_rating_w=4000, export_rating_w=2000)
    made.run()
    assert (made.import_w, made.export_w) == (2000, 1000)


def test_over_temperature_opens_the_contactor():
    rig = energised()
    rig.world.connector_cdeg = 8000
    rig.run(100)
    assert rig.image.status.fault[faults.FAULT_OVER_TEMPERATURE] and not rig.image.outputs.contactor


def test_battery_window():
    image = Image()
    made = BatteryTemperature(image, Settings())
    image.inputs.battery_ok = 1
    for cdeg, allowed in (
        (2500, 1),
        (-1000, 1),
        (-1001, 0),
        (-801, 0),
        (-800, 1),
        (5000, 1),
        (5001, 0),
        (4801, 0),
        (4800, 1),
    ):
        image.inputs.battery_cdeg = cdeg
        made.run()
        assert (made.import_w > 0) == (made.export_w > 0) == bool(allowed), cdeg
    image.inputs.battery_ok = 0
    image.inputs.battery_cdeg = 9000
    made.run()
    assert made.import_w > 0, "an unknown temperature is the SOC guard's business"


def test_volt_watt():
    profile = Profile()
    image = Image()
    settings = Settings()
    made = VoltWatt(image, settings, profile)
    image.inputs.phase_mv[0] = 260000
    made.run()
    assert made.export_w == UNLIMITED_W, "off where the profile has none"
    profile.volt_watt = (1, (243800, 253000), (1000, 200))
    made = VoltWatt(image, settings, profile)
    for phase in range(3):
        for mv, room_w in (
            (230000, UNLIMITED_W),
            (243800, UNLIMITED_W),
            (248400, 4416),
            (253000, 1472),
            (300000, 1472),
        ):
            for other in range(3):
                image.inputs.phase_mv[other] = 230000
            image.inputs.phase_mv[phase] = mv
            made.run()
            assert made.export_w == room_w and made.import_w == UNLIMITED_W, (phase, mv)
    profile.volt_watt = (1, (243800, 253000), (1000, -100))
    made = VoltWatt(image, settings, profile)
    made.run()
    assert made.export_w == 0


def test_enter_ramp():
    rig = energised()
    for share, room_w in ((0, 0), (1, 7), (500, 3680), (999, 7352), (-5, 0)):
        rig.image.protection.ramp_permille = share
        assert asked(rig, 7360, 60) == (room_w, "enter_ramp"), share
        assert asked(rig, -7360, 60) == (-room_w, "enter_ramp"), share
    rig.image.protection.ramp_permille = 1000
    assert asked(rig, 7360, 60) == (7360, "none")


def test_v2x_requests():
    rig = energised()
    rig.mail_soc(500, v2x_min_wh=1)
    assert asked(rig, -3000) == (0, "v2x_request")
    assert asked(rig, 3000) == (3000, "none")
    rig.mail_soc(500, v2x_min_wh=0, v2x_max_wh=-1)
    assert asked(rig, 3000) == (0, "v2x_above")
    assert asked(rig, -3000) == (-3000, "none")


def test_soft_limit_falls_at_the_ramp_and_hard_limit_at_once():
    rig = Rig(ramp_export_permille_min=0)
    rig.energise()
    asked(rig, -7000)
    rig.mail_soc(500, v2x_min_wh=500)
    rig.run(60)
    before_w = rig.image.limits.allowed_w
    assert -7000 < before_w < -6700
    for _ in range(150):
        rig.cycle()
        step_w = rig.image.limits.allowed_w - before_w
        before_w = rig.image.limits.allowed_w
        assert 36 <= step_w <= 37, step_w
    rig.run(1000)
    assert rig.image.limits.allowed_w == 0
    rig.mail_soc(500, v2x_min_wh=0)
    rig.run(100)
    assert asked(rig, -7000)[0] == -7000
    rig.mail_soc(500, discharge_w=1000)
    rig.run(60)
    assert rig.image.limits.allowed_w == -1000


def test_the_winner_is_recorded_and_flicker_is_not():
    rig = energised()
    asked(rig, 9000)
    rig.run(200)
    assert rig.events(faults.EVENT_LIMIT)[-1] == (faults.REASON_RATING_IMPORT, 7360)
    count = rig.image.events.count
    for n in range(50):
        rig.mail("lease", power_w=9000 if n % 2 else 7000, duration_ms=60000)
        rig.run(50)
    assert len([1 for subject, _ in rig.events(faults.EVENT_LIMIT)]) > 0
    limit_events = 0
    row = [0] * 5
    for sequence in range(count, rig.image.events.count):
        if rig.image.events.read(sequence, row) and row[1] == faults.EVENT_LIMIT:
            limit_events += 1
    assert limit_events == 0


def test_a_tie_names_the_first():
    rig = energised(import_rating_w=7360)
    rig.image.inputs.inverter_charge_w = 7360
    rig.mail_soc(500, charge_w=7360)
    assert asked(rig, 9000) == (7360, "rating_import")


def test_every_limiter_shows_room_and_reason():
    rig = energised()
    limiters = rig.image.limits.limiters
    names = [type(limiter).__name__ for limiter in limiters]
    assert names == [
        "Permission",
        "SocGuard",
        "Rating",
        "Cable",
        "Vehicle",
        "Inverter",
        "Temperature",
        "VoltWatt",
        "EnterRamp",
        "SiteLimit",
        "DailyBudget",
        "V2xRequest",
        "BatteryTemperature",
    ]
    for limiter in limiters:
        assert limiter.import_w >= 0 and limiter.export_w >= 0
        assert limiter.import_reason and limiter.export_reason


def test_reactive_power_stays_inside_its_share_and_needs_permission():
    rig = energised()
    rig.image.protection.perturb_var = 100
    rig.mail("lease", power_w=0, reactive_var=20000, duration_ms=60000)
    rig.run(20)
    assert rig.image.limits.allowed_var == 7360 * 440 // 1000
    rig.mail("lease", power_w=0, reactive_var=-20000, duration_ms=60000)
    rig.run(20)
    assert rig.image.limits.allowed_var == -(7360 * 440 // 1000)
    rig.mail("lease", power_w=0, reactive_var=0, duration_ms=60000)
    rig.run(20)
    assert rig.image.limits.allowed_var == 100
    rig.image.protection.trip = 1
    rig.cycle()
    assert rig.image.limits.allowed_var == 0


def test_offer_follows_the_import_rating_but_never_below_6_a():
    rig = Rig(import_rating_w=1000)
    rig.run(600)
    assert rig.image.limits.offer_ma == 6000
    rig.settings.put(import_rating_w=0)
    rig.run(60)
    assert rig.image.limits.offer_ma == 0
    rig.settings.put(import_rating_w=7360)
    rig.run(60)
    assert rig.image.limits.offer_ma == 32000


def test_room_for_planning():
    rig = energised()
    rig.run(100)
    assert rig.image.limits.rating_w == 7360
    rig.mail_soc(500, charge_w=3000)
    rig.run(100)
    assert rig.image.limits.rating_w == 3000
    rig.image.inputs.inverter_charge_w = 2000
    rig.run(100)
    assert rig.image.limits.rating_w == 2000


def test_permission_needs_each_of_its_conditions():  # noqa: C901 - one branch a condition
    def broken(what):
        rig = energised()
        asked(rig, -3000)
        image = rig.image
        if what == "trip":
            image.protection.trip = 1
        elif what == "inhibit":
            image.protection.inhibit = 1
        elif what == "cessation":
            image.protection.cessation = 1
        elif what == "afe":
            image.inputs.afe_ok = 0
        elif what == "fault":
            image.status.cause[faults.FAULT_AFE_STALE] = 1
        elif what == "pilot":
            image.inputs.pilot_state = faults.PILOT_B
            image.request.want_w = -3000
            rig.limit.run()
            return image.limits.allowed_w
        elif what == "closed":
            image.outputs.closed = 0
            rig.limit.run()
            return image.limits.allowed_w
        elif what == "session":
            image.request.session_state = faults.SESSION_READY
            rig.limit.run()
            return image.limits.allowed_w
        rig.cycle()
        return image.limits.allowed_w

    assert broken("none") == -3000
    for what in ("trip", "inhibit", "cessation", "afe", "fault", "pilot", "closed", "session"):
        assert broken(what) == 0, what
