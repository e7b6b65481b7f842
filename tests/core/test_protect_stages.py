# SPDX-License-Identifier: MIT
"""Every stage of every profile, generated from the profile's data: holds inside, trips outside, in time."""

from grid_rig import Rig

from evse.faults import ELEMENTS, EVENT_HOLD, EVENT_PICKUP, EVENT_TRIP
from evse.points import PROFILE_NAMES
from evse.protect.stage import CLEARING_ALLOWANCE_MS

OPEN_WITHIN_MS = 100  # delay .. delay + 100 ms, with sensing, cycle and contactor
VOLT_MARGIN_PERMILLE = 9  # 2 V of 230
UHZ_MARGIN = 50000


def beyond(rig, stage, sign):
    """Set the line past (sign 1) or short of (sign -1) a stage's threshold by the test margin."""
    outward = sign if stage.over else -sign
    if ELEMENTS[stage.element][0][1] == "v":
        margin_mv = rig.profile.nominal_mv * VOLT_MARGIN_PERMILLE // 1000
        rig.set(mv=max(0, stage.threshold + outward * margin_mv))
    else:
        rig.set(uhz=stage.threshold + outward * UHZ_MARGIN)


def back(rig):
    rig.set(mv=rig.profile.nominal_mv, uhz=rig.profile.nominal_uhz)


def only(rig, stage):
    """Leave only this stage's element and those that act later or elsewhere: others must not answer first."""
    protect = rig.protect
    for group in (protect._under_voltage, protect._over_voltage, protect._frequency):
        for other in list(group):
            if other.element != stage.element:
                group.remove(other)
    protect._rocof = None  # stages are tested by steps
    protect._mean = None


def each_stage(test):
    for name in PROFILE_NAMES:
        for index in range(len(Rig(name).profile.stages)):
            rig = Rig(name)
            stage = rig.profile.stages[index]
            only(rig, stage)
            rig.run(index)  # another place in the line cycle for each
            rig.enter()
            test(rig, stage, "%s %s" % (name, ELEMENTS[stage.element][0]))


def trips_in_time(rig, stage, which):
    rig.run(3 + stage.element)
    start_ms = rig.t_ms
    beyond(rig, stage, 1)
    rig.run(stage.delay_ms + 300)
    opened_ms = rig.open_after_ms(start_ms)
    protection = rig.image.protection
    assert protection.trip and protection.inhibit and not protection.service, which
    assert protection.trip_element == stage.element and protection.trip_threshold == stage.threshold, which
    assert len(rig.events(EVENT_TRIP)) == 1, which
    if stage.clearing:
        assert stage.delay_ms - OPEN_WITHIN_MS <= opened_ms <= stage.delay_ms, "%s %d ms" % (which, opened_ms)
    else:
        assert opened_ms - 20 >= stage.delay_ms, "%s %d ms" % (which, opened_ms)
        assert opened_ms <= stage.delay_ms + OPEN_WITHIN_MS, "%s %d ms" % (which, opened_ms)


def holds_short_of_threshold(rig, stage, which):
    beyond(rig, stage, -1)
    rig.run(min(stage.delay_ms * 2, stage.delay_ms + 5000) + 500)
    assert not rig.image.protection.trip, which
    assert not rig.events(EVENT_PICKUP), which


def holds_short_of_delay(rig, stage, which):
    delay_ms = stage.delay_ms - (CLEARING_ALLOWANCE_MS if stage.clearing else 0)
    for _ in range(2):  # the second time shows that the timer starts from zero
        beyond(rig, stage, 1)
        rig.run(delay_ms - 50)
        back(rig)
        rig.run(300)
    assert not rig.image.protection.trip, which
    holds = rig.events(EVENT_HOLD)
    assert len(holds) == len(rig.events(EVENT_PICKUP)), which
    if delay_ms >= 150:
        assert len(holds) == 2 and holds[0][1] == stage.element, which


def test_every_stage_trips_within_its_time():
    each_stage(trips_in_time)


def test_every_stage_holds_short_of_its_threshold():
    each_stage(holds_short_of_threshold)


def test_every_stage_holds_short_of_its_delay():
    each_stage(holds_short_of_delay)
