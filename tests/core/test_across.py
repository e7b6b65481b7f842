# SPDX-License-Identifier: MIT
"""Voltage across the open contacts: a weld that the mirror contact hides is seen by the inverter's own voltage."""

from vehicle_rig import Rig

from evse import faults
from evse.actuate import across
from evse.decide.why import why

MAINS_MV = 230000


class Told(Rig):
    """A rig whose inverter tells its terminal voltage; `welded` contacts leave it live and the mirror lies."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.hidden_weld = False
        self.ghost_mv = 0  # on open terminals
        self.tells = True
        self.told_ms = 0
        self.period_ms = 200
        self.check = Told.tell

    def tell(self):
        inputs = self.image.inputs
        self.told_ms += inputs.elapsed_ms
        if self.told_ms >= self.period_ms:
            self.told_ms = 0
            live = self.world.main_closed or self.hidden_weld
            inputs.inverter_mv = MAINS_MV if live else self.ghost_mv
        inputs.inverter_age_ms = self.told_ms
        if not self.tells:
            inputs.inverter_mv = -1


def voltage_fault(rig):
    return rig.image.status.fault[faults.FAULT_CONTACTOR_VOLTAGE]


def closes(rig, within_ms=3000):
    rig.vehicle("C")
    for _ in range(within_ms // 10):
        rig.cycle()
        if rig.image.outputs.closed:
            return True
    return False


def test_dead_terminals_delay_nothing():
    rig = Told()
    rig.run(1000)
    told = Told()
    told.tells = False
    told.run(1000)
    assert closes(rig) and closes(told)
    assert rig.now_ms - told.now_ms <= 10


def test_live_terminals_are_never_closed_on_and_become_a_fault():
    rig = Told()
    rig.hidden_weld = True
    rig.run(600)
    assert not closes(rig, 1000) and not rig.world.rcd_test_pin
    assert "not shown dead (230.0 V)" in why(rig.image, rig.settings)
    rig.run(2400)
    assert voltage_fault(rig) and not rig.image.outputs.contactor
    rig.run(60000)
    assert voltage_fault(rig)
    rig.hidden_weld = False
    rig.run(500)
    rig.image.status.clear_request = 1
    rig.run(1000)
    assert voltage_fault(rig), "an installer has to look"
    rig.image.status.clear_request = 2
    rig.run(2000)
    assert not voltage_fault(rig) and rig.image.outputs.closed


def test_the_fault_needs_more_than_one_message():
    rig = Told()
    rig.period_ms = 10**6
    rig.run(1000)
    rig.image.inputs.inverter_mv = MAINS_MV
    rig.told_ms = 0
    for _ in range(200):
        rig.cycle()
    assert not voltage_fault(rig)
    rig.image.inputs.inverter_mv = 0
    rig.told_ms = 0
    rig.run(3000)
    assert not voltage_fault(rig)
    rig = Told()
    rig.hidden_weld = True
    spent_ms = 0
    while not voltage_fault(rig):
        rig.cycle()
        spent_ms += 10
    settings = rig.settings
    assert settings.inverter_stale_ms < spent_ms <= settings.inverter_stale_ms + across.MORE_MS + 600


def test_a_weld_under_load_is_found_after_the_stop():
    rig = Told()
    rig.run(1000)
    assert closes(rig)
    rig.run(1000)
    rig.hidden_weld = True
    rig.vehicle("B")
    rig.run(500)
    assert rig.world.contactor_open and not voltage_fault(rig)
    rig.run(3500)
    assert voltage_fault(rig)


def test_an_inverter_whose_readings_stand_still_is_named_in_why():
    rig = Told()
    rig.hidden_weld = True
    rig.run(4000)
    assert voltage_fault(rig)
    image = rig.image
    for told_w, measured_w, stands in ((0, 0, False), (300, 0, False), (301, 0, True), (-7360, -20, True)):
        image.inputs.inverter_w, image.inputs.grid_w = told_w, measured_w
        text = why(image, rig.settings)
        assert ("stand still" in text) == stands and "weld" in text and len(text) < 160, text
        assert not stands or "tells %d W, the front end %d W" % (told_w, measured_w) in text
    for spoilt in ("afe_ok", "inverter_ok"):
        setattr(image.inputs, spoilt, 0)
        assert "a weld the mirror hides, or a false reading" in why(image, rig.settings)
        setattr(image.inputs, spoilt, 1)
    image.outputs.contactor = 1
    assert "stand still" not in why(image, rig.settings)


def test_a_reading_from_before_the_opening_proves_nothing():
    rig = Told()
    rig.run(1000)
    assert closes(rig)
    rig.period_ms = 1500  # slow, still fresh
    rig.run(1600)
    rig.vehicle("B")
    rig.run(40)
    rig.vehicle("C")
    rig.run(400)
    assert rig.image.inputs.inverter_mv == MAINS_MV and rig.image.outputs.across_doubt
    assert not rig.image.outputs.contactor
    rig.run(3000)
    assert rig.image.outputs.closed and not voltage_fault(rig)


def test_the_share_of_the_grid_at_its_bound():
    for ghost_mv, live in ((MAINS_MV // 4, False), (MAINS_MV // 4 + 1, True)):
        rig = Told()
        rig.ghost_mv = ghost_mv
        rig.run(1000)
        assert closes(rig) != live, ghost_mv


def test_what_is_not_known_leaves_the_mirror_alone():
    for spoil in ("tells", "check", "grid", "afe"):
        rig = Told()
        rig.hidden_weld = True
        if spoil == "tells":
            rig.tells = False
        elif spoil == "check":
            rig.settings.put(weld_voltage_check=0)
        elif spoil == "grid":
            rig.image.inputs.voltage_live = 0
        else:
            rig.image.inputs.afe_ok = 0
        rig.run(10000)
        assert not voltage_fault(rig) and not rig.image.outputs.across_doubt, spoil


def test_a_stale_inverter_keeps_the_contacts_open_by_itself():
    rig = Told()
    rig.hidden_weld = True
    rig.image.inputs.inverter_ok = 0
    rig.run(5000)
    assert not voltage_fault(rig)
    assert not closes(rig)


def test_no_closing_outside_the_window_or_with_a_stage_picked_up():
    rig = Told()
    rig.run(1000)
    rig.image.protection.may_close = 0
    assert not closes(rig, 2000) and not rig.world.rcd_test_pin
    rig.image.protection.unhealthy = faults.ELEMENT_UV1
    rig.image.inputs.phase_mv[0] = 150000
    assert "outside the limits for reconnecting: voltage 150.0 V" in why(rig.image, rig.settings)
    rig.image.protection.may_close = 1
    while not rig.image.outputs.gate_arm:
        rig.cycle()
    rig.image.protection.may_close = 0
    rig.cycle()
    assert not rig.image.outputs.gate_arm, "a sequence under way ends"
    rig.image.protection.may_close = 1
    rig.run(1000)
    assert rig.image.outputs.closed
    rig.image.protection.may_close = 0
    rig.run(1000)
    assert rig.image.outputs.closed, "closed contacts ride through: only a trip opens them"
