# SPDX-License-Identifier: MIT
"""Decide (with volt-var), Limit (with site limits) and Actuate allocate nothing on the 31-bit VM, whatever comes in."""

from __future__ import annotations

import pytest

from backfeed.vm31 import run_on_31bit

pytestmark = pytest.mark.usefixtures("vm31")

SCRIPT = """
import gc, micropython
from evse.actuate import Actuate
from evse.decide import Decide
from evse.fixed import later
from evse.image import Image
from evse.limit import Limit
from evse.profiles.loader import load
from evse.store.settings import Settings

class Pins:
    def contactor(self, n): pass
    def gate_arm(self, n): pass
    def rcd_test(self, n): pass
    def lock(self, n): pass
    def lamp(self, n): pass
    def duty(self, n): pass

class Board:
    pass

class Ratings:
    import_w = 22080
    export_w = 22080
    current_ma = 32000

EDGES = (0, 1, -1, 22080, -22080, 1000000, -1000000, 300000, 5000, -5000)
SEEN = [0] * 6  # closed, reactive answer, site limit, silent meter, live terminals, cycles with a fault

def world(image, n, seed):
    inputs = image.inputs
    p = image.protection
    calm = n % 3000 < 2000  # long enough to close and to export
    seed = (seed * 1944 + n) % 32749
    inputs.afe_ok = 1 if calm or seed % 5 else 0
    inputs.voltage_live = inputs.frequency_ok = 1
    inputs.frequency_uhz = 50000000 if calm else 45000000 + seed * 300
    for phase in range(3):
        inputs.phase_mv[phase] = 230000 + (seed % 400 - 200) * (50 if calm else 500)
    p.service = p.may_close = 1 if calm or seed % 3 else 0
    p.inhibit = 1 - p.service
    p.trip = 0 if calm or seed % 7 else 1
    p.cessation = 1 if seed % 97 == 0 else 0
    p.ramp_permille = 1000 if calm else seed % 1001
    p.perturb_var = seed % 300 - 150
    inputs.pilot_state = 3 if calm else seed % 7
    inputs.pilot_diode_ok = 1
    inputs.cable_ma = 32000
    inputs.gate_up = image.outputs.gate_arm if calm else seed & 1
    inputs.contactor_open_proven = 1 - image.outputs.contactor if calm else seed >> 1 & 1
    inputs.rcd_tripped = image.outputs.rcd_test if calm or seed % 11 else 1
    inputs.inverter_ok = 1 if calm or seed % 4 else 0
    inputs.inverter_age_ms = seed % 200
    inputs.inverter_w = inputs.grid_w = image.outputs.inverter_w if calm else EDGES[seed % 10]
    inputs.inverter_mv = 0 if calm or image.outputs.contactor else (230000 if seed & 4 else -1)
    inputs.inverter_charge_w = inputs.inverter_discharge_w = 22080
    inputs.soc_ok = 1 if calm or seed % 6 else 0
    inputs.soc_permille = 600 if calm else seed % 1001
    inputs.battery_ok = 1
    inputs.battery_cdeg = 2500 if calm else seed % 12000 - 4000
    inputs.board_cdeg = inputs.connector_cdeg = 3000 if calm else seed % 12000
    inputs.meter_ok = 1 if seed % 13 else 0
    inputs.meter_w = EDGES[seed % 10]
    inputs.meter_age_ms = seed % 900
    image.status.clear_request = 2 if n % 200 == 0 else 0
    if n % 500 == 0:
        talk(image, n, seed)
    return seed

def talk(image, n, seed):
    now = image.inputs.now_ms
    lease = image.mail.lease
    lease.begin()
    lease.power_w = EDGES[seed % 10]
    lease.reactive_var = 0 if seed & 1 else EDGES[(seed + 3) % 10]
    lease.duration_ms = seed % 9000
    lease.service = 5
    lease.end(now)
    image.mail.clock.begin()
    image.mail.clock.minute_of_week = seed % 10080
    image.mail.clock.end(now)
    image.mail.target.begin()
    image.mail.target.soc_permille = seed % 1001
    image.mail.target.minute_of_week = n % 10080
    image.mail.target.end(now)

def look(image):
    SEEN[0] |= image.outputs.closed
    SEEN[1] |= 1 if image.request.want_var else 0
    for limiter in image.limits.limiters:
        if type(limiter).__name__ == "SiteLimit":
            SEEN[2] |= 1 if limiter.import_w == 0 else 0
    SEEN[3] |= 1 - image.inputs.meter_ok
    SEEN[4] |= image.outputs.across_doubt
    SEEN[5] |= 1 if image.status.fault_count else 0

def cycles(image, decide, limit, actuate, count):
    inputs = image.inputs
    seed = 77
    for n in range(count):
        inputs.now_ms = later(inputs.now_ms, 10)
        seed = world(image, n, seed)
        decide.run()
        limit.run()
        actuate.run()
        if n % 50 == 49:
            micropython.heap_unlock()
            look(image)
            micropython.heap_lock()

def main(name, count):
    profile = load(name)
    assert profile.volt_var[1], name
    profile.volt_var = (1, profile.volt_var[1], profile.volt_var[2])
    board = Board()
    board.outputs = board.pilot = Pins()
    image = Image()
    settings = Settings()
    settings.import_rating_w = settings.export_rating_w = 11000
    settings.site_import_limit_w = 9000
    settings.site_export_limit_w = 5000
    settings.departure_soc_permille = 900
    settings.departure_fri_minute = 450
    settings.cable_family = "iec"
    decide = Decide(image, settings, profile)
    limit = Limit(image, settings, profile, Ratings())
    actuate = Actuate(image, settings, board)
    image.inputs.now_ms = 0x3FFFFFFF - 20000
    look(image)
    gc.collect()
    micropython.heap_lock()
    try:
        cycles(image, decide, limit, actuate, count)
    finally:
        micropython.heap_unlock()
    print(name, SEEN)

main("{name}", {count})
"""


@pytest.mark.parametrize("name", ["ieee1547_cat_b", "vde_4105_2018", "as4777_a"])
def test_decide_limit_and_actuate_allocate_nothing(name: str) -> None:
    script = SCRIPT.replace("{name}", name).replace("{count}", "9000")
    assert run_on_31bit(script) == f"{name} [1, 1, 1, 1, 1, 1]\n"
