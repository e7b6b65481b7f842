# SPDX-License-Identifier: MIT
"""The scan: order, time budget, lateness and the gate edge, with a clock the test moves."""

from evse import cycle as cycle_module
from evse.cycle import BUDGET_US, GATE_HOLD_MS, Cycle
from evse.faults import EVENT_CYCLE_OVERRUN, FAULT_CYCLE_LATE
from evse.image import Image


class Clock:
    """Microseconds that only move when told."""

    def __init__(self, start_us=0):
        self.us = start_us

    def ticks_us(self):
        return self.us & 0x3FFFFFFF

    def ticks_ms(self):
        return self.us // 1000 & 0x3FFFFFFF


class Stage:
    """A stage that takes a time and notes that it ran."""

    def __init__(self, name, ran, clock, takes_us=0):
        self.name = name
        self.ran = ran
        self.clock = clock
        self.takes_us = takes_us

    def run(self):
        self.ran.append(self.name)
        self.clock.us += self.takes_us


def build(start_us=0):
    clock = Clock(start_us)
    cycle_module.ticks_us = clock.ticks_us
    cycle_module.ticks_ms = clock.ticks_ms
    ran = []
    image = Image()
    stages = [Stage(name, ran, clock) for name in ("sense", "protect", "decide", "limit", "actuate")]

    def gate():
        ran.append("gate")

    return clock, ran, image, stages, Cycle(image, *stages, gate)


def test_five_stages_in_order_then_the_gate():
    _, ran, image, _, cycle = build()
    cycle.run()
    assert ran == ["sense", "protect", "decide", "limit", "actuate", "gate"]
    assert image.status.cycles == 1


def test_the_timers_argument_is_taken_and_ignored():
    _, ran, _, _, cycle = build()
    cycle.run(object())
    assert ran[-1] == "gate"


def test_a_cycle_at_its_budget_keeps_the_gate_up():
    _, ran, image, stages, cycle = build()
    stages[2].takes_us = BUDGET_US
    cycle.run()
    assert ran[-1] == "gate"
    assert image.status.overruns == 0


def test_a_cycle_over_its_budget_makes_no_edge_and_is_counted():
    _, ran, image, stages, cycle = build()
    stages[2].takes_us = BUDGET_US + 1
    cycle.run()
    assert "gate" not in ran
    assert image.status.overruns == 1
    assert image.status.duration_worst_us == BUDGET_US + 1
    row = [0] * 5
    assert image.events.read(0, row) == 1
    assert row[1] == EVENT_CYCLE_OVERRUN
    assert row[3] == BUDGET_US + 1


def test_elapsed_and_lateness_are_measured():
    clock, _, image, _, cycle = build()
    cycle.run()
    clock.us = 10000
    cycle.run()
    assert image.inputs.elapsed_ms == 10
    assert image.status.late_worst_us == 0
    clock.us = 23400
    cycle.run()
    assert image.inputs.elapsed_ms == 13
    assert image.status.late_worst_us == 3400


def test_a_cycle_as_late_as_the_gate_holds_is_a_fault():
    clock, _, image, _, cycle = build()
    cycle.run()
    clock.us = GATE_HOLD_MS * 1000 - 501
    cycle.run()
    assert image.status.fault[FAULT_CYCLE_LATE] == 0
    clock.us += GATE_HOLD_MS * 1000
    cycle.run()
    assert image.status.fault[FAULT_CYCLE_LATE] == 1


def test_the_first_cycle_is_never_late():
    _, _, image, _, cycle = build(start_us=50_000_000)
    cycle.run()
    assert image.status.fault[FAULT_CYCLE_LATE] == 0
    assert image.status.late_worst_us == 0
