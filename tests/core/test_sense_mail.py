# SPDX-License-Identifier: MIT
"""Inverter and meter mailboxes: whole messages only, ages that stop instead of wrapping, whose alarm is whose."""

from grid_rig import settings_of

from evse.faults import FAULT_INVERTER_ALARM, FAULT_INVERTER_LOST
from evse.fixed import later
from evse.image import NEVER_MS, Image
from evse.sense.inverter import InverterMail
from evse.sense.meter import MeterMail


class Bench:
    def __init__(self, part):
        self.image = Image()
        self.settings = settings_of(1)
        self.part = part(self.image, self.settings, None, None)
        self.image.inputs.now_ms = 0x3FFFFFFF - 500  # the ticks wrap on the way

    def run(self, ms, step_ms=10):
        inputs = self.image.inputs
        for _ in range(ms // step_ms):
            inputs.now_ms = later(inputs.now_ms, step_ms)
            inputs.elapsed_ms = step_ms
            self.part.run()

    def put(self, box, **values):
        box.begin()
        for name, value in values.items():
            setattr(box, name, value)
        box.end(self.image.inputs.now_ms)


def inverter(bench, **values):
    message = {"state": 3, "connected": 1, "power_w": -3000, "reactive_var": 10, "alarms": 0}
    message.update({"charge_w": 7000, "discharge_w": 6000})
    message.update(values)
    bench.put(bench.image.mail.inverter, **message)


def test_an_inverter_that_never_spoke_is_lost():
    bench = Bench(InverterMail)
    bench.run(100)
    inputs = bench.image.inputs
    assert not inputs.inverter_ok and inputs.inverter_age_ms == NEVER_MS
    assert bench.image.status.fault[FAULT_INVERTER_LOST]


def test_values_arrive_and_grow_old():
    bench = Bench(InverterMail)
    inverter(bench)
    bench.run(10)
    inputs = bench.image.inputs
    assert inputs.inverter_ok and not bench.image.status.fault[FAULT_INVERTER_LOST]
    assert (inputs.inverter_w, inputs.inverter_var, inputs.inverter_charge_w) == (-3000, 10, 7000)
    bench.run(bench.settings.inverter_stale_ms - 20)
    assert inputs.inverter_ok
    bench.run(40)
    assert not inputs.inverter_ok and bench.image.status.fault[FAULT_INVERTER_LOST]
    inverter(bench)
    bench.run(10)
    assert inputs.inverter_ok and not bench.image.status.fault[FAULT_INVERTER_LOST]


def test_half_a_message_is_not_read():
    bench = Bench(InverterMail)
    inverter(bench)
    bench.run(10)
    box = bench.image.mail.inverter
    box.begin()
    box.power_w = 99999
    bench.run(50)
    assert bench.image.inputs.inverter_w == -3000
    box.end(bench.image.inputs.now_ms)
    bench.run(10)
    assert bench.image.inputs.inverter_w == 99999


def test_an_old_message_never_looks_fresh_again():
    bench = Bench(InverterMail)
    inverter(bench)
    bench.run(10)
    for _ in range(30):
        bench.run(86400000, 43200000)
        assert not bench.image.inputs.inverter_ok


def test_the_grids_alarms_are_not_the_inverters():
    for alarms, state, expected in (
        (0, 3, 0),
        (1 << 4, 6, 0),  # GRID_DISC: it stands in fault because the grid is away
        (1 << 2 | 1 << 11, 3, 0),
        (1 << 7, 3, 1),  # over-temperature
        (1 << 4 | 1 << 7, 3, 1),
        (0, 6, 1),  # fault without an alarm
    ):
        bench = Bench(InverterMail)
        inverter(bench, alarms=alarms, state=state)
        bench.run(10)
        assert bench.image.status.fault[FAULT_INVERTER_ALARM] == expected, (alarms, state)


def test_a_silent_meter_says_so():
    bench = Bench(MeterMail)
    bench.run(20)
    assert not bench.image.inputs.meter_ok
    bench.put(bench.image.mail.meter, power_w=1234)
    bench.run(10)
    assert bench.image.inputs.meter_ok and bench.image.inputs.meter_w == 1234
    bench.run(5100)
    assert not bench.image.inputs.meter_ok
