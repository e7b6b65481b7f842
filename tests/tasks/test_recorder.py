# SPDX-License-Identifier: MIT
"""The trip recorder on the 31-bit VM: no allocation, values at their ends, rows before and after a trip."""

from __future__ import annotations

import json

import pytest

from backfeed.checkout import FIRMWARE
from backfeed.vm31 import run_on_31bit

pytestmark = pytest.mark.usefixtures("vm31")

SCRIPT = """
import json, struct, sys, micropython
sys.path.insert(0, '/firmware')
from evse.image import Image
from evse.tasks.recorder import AFTER, Recorder
image = Image()
def scan(timer): pass
recorder = Recorder(image, PHASES, scan)
inputs = image.inputs
inputs.frequency_ok = inputs.rocof_ok = inputs.gate_up = 1
inputs.frequency_uhz = 50012000
inputs.rocof_mhz_s = -1500
def run(count, first):
    for number in range(count):
        inputs.phase_mv[0] = (first + number) * 20
        recorder.run()
def all_of_it():
    run(700, 0)
    inputs.phase_w[0] = 1 << 29
    inputs.phase_var[0] = -(1 << 29)
    inputs.frequency_ok = 0
    image.protection.element_active[1] = image.protection.element_active[15] = 1
    image.protection.trips = 1
    run(1, 700)
    image.protection.element_active[1] = image.protection.element_active[15] = 0
    inputs.phase_w[0] = -7360
    run(AFTER + 50, 701)
micropython.heap_lock()
try:
    all_of_it()
finally:
    micropython.heap_unlock()
packed = b''.join(recorder.pieces(7))
size = 2 * recorder.stride
rows = [struct.unpack_from('<%dh' % recorder.stride, packed, at) for at in range(0, len(packed), size)]
print(json.dumps([recorder.full, recorder.trip_row(), len(rows), rows[0], rows[199], rows[499]]))
"""


@pytest.mark.parametrize("phases", [1, 3])
def test_it_records_without_allocation(phases: int) -> None:
    script = SCRIPT.replace("PHASES", str(phases))
    full, trip_row, count, first, trip, last = json.loads(run_on_31bit(script, {FIRMWARE: "/firmware"}, 4 << 20))
    assert (full, trip_row, count) == (1, 199, 500)
    assert first[0] == 501 and trip[0] == 700 and last[0] == 1000, "20 mV a count, in the order of the cycles"
    assert first[-3:] == [12, -1500, 1]
    assert trip[phases] == 32767 and trip[2 * phases] == 32767, "beyond 16 bits: at the end of the range"
    assert trip[-3] == -32768, "no frequency: marked as missing"
    assert trip[-1] == 0b11 - 32768, "gate, ov1 and afe"
    assert last[phases] == -7360 and last[-1] == 1
