# SPDX-License-Identifier: MIT
"""Fault latch: every fault of the table by its rule, with and without its cause, and direct writers."""

from evse import faults
from evse.decide.latch import FaultLatch
from evse.image import Image

RULES = {faults.AUTO: 0, faults.PERSON: 1, faults.REPAIR: 2}


def events(image):
    row = [0] * 5
    found = []
    for sequence in range(image.events.count):
        image.events.read(sequence, row)
        found.append((row[1], row[2]))
    return found


def test_every_fault_by_its_rule():
    for code in range(1, len(faults.FAULTS)):
        rule = faults.FAULTS[code][2]
        image = Image()
        status = image.status
        latch = FaultLatch(image)
        status.cause[code] = 1
        latch.run()
        assert status.fault[code] == 1 and status.fault_count == 1
        status.clear_request = 2
        latch.run()
        assert status.fault[code] == 1, "never cleared before its cause is gone"
        assert status.clear_request == 0
        status.cause[code] = 0
        latch.run()
        assert status.fault[code] == (0 if rule == faults.AUTO else 1)
        for request in (1, 2):
            status.clear_request = request
            latch.run()
            assert status.fault[code] == (0 if request >= rule else 1), (code, request)
        assert status.fault_count == 0
        assert events(image) == [(faults.EVENT_FAULT_SET, code), (faults.EVENT_FAULT_CLEARED, code)]


def test_a_stage_that_writes_the_fault_itself():
    image = Image()
    status = image.status
    latch = FaultLatch(image)
    status.fault[faults.FAULT_AFE_STALE] = 1
    for _ in range(3):
        latch.run()
        assert status.fault_count == 1
    status.fault[faults.FAULT_AFE_STALE] = 0
    latch.run()
    assert status.fault_count == 0
    status.fault[faults.FAULT_CYCLE_LATE] = 1
    latch.run()
    status.fault[faults.FAULT_CYCLE_LATE] = 0
    latch.run()
    assert status.fault[faults.FAULT_CYCLE_LATE] == 1, "a person has to clear it, not its setter"
    status.clear_request = 1
    latch.run()
    assert status.fault_count == 0


def test_cause_within_one_cycle_is_enough():
    image = Image()
    latch = FaultLatch(image)
    image.status.cause[faults.FAULT_RCD_TRIP] = 1
    latch.run()
    image.status.cause[faults.FAULT_RCD_TRIP] = 0
    latch.run()
    assert image.status.fault[faults.FAULT_RCD_TRIP] == 1


def test_counts_several():
    image = Image()
    latch = FaultLatch(image)
    for code in (1, 4, 9, 11):
        image.status.cause[code] = 1
    latch.run()
    assert image.status.fault_count == 4
    image.status.cause[4] = 0
    latch.run()
    assert image.status.fault_count == 3
