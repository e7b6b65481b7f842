# SPDX-License-Identifier: MIT
"""What the campaigns of an inverter on a bus share on the board: setpoints, and a judge of what sense believes."""

import asyncio
import json
from time import ticks_diff, ticks_ms

from evse.sense.inverter import InverterMail

WRAP = 4000
LOOK_MS = 10
STEP_MS = 1000  # between two setpoints
TRIP_EVERY = 7


def signed_ms(late, period):
    """Return a lateness in hundredths of a second, of a clock that wraps at `period`, in ms."""
    late %= period
    return (late - period if late > period // 2 else late) * 10


class Judge:
    """What may never happen, counted. A subclass says in believe(inputs) what the values say of themselves."""

    def __init__(self, image, settings, task):
        self.image = image
        self.task = task
        self.sense = InverterMail(image, settings, None, None)
        self.stale_ms = settings.inverter_stale_ms
        self.total_ms = 0
        self.last_ms = ticks_ms()
        self.offset = None  # total time minus the device's, hundredths of a second
        self.ok = 0
        self.report = {"looks": 0, "believed": 0, "oldest_ms": 0, "late_lost_ms": 0, "losses": 0}

    def look(self):
        now_ms = ticks_ms()
        inputs = self.image.inputs
        inputs.elapsed_ms = ticks_diff(now_ms, self.last_ms)
        inputs.now_ms = now_ms
        self.last_ms = now_ms
        self.total_ms += inputs.elapsed_ms
        self.sense.run()
        report = self.report
        report["looks"] += 1
        if inputs.inverter_ok:
            report["believed"] += 1
            self.believe(inputs)
        elif self.ok:
            report["losses"] += 1
            report["late_lost_ms"] = max(report["late_lost_ms"], inputs.inverter_age_ms - self.stale_ms)
            print("lost", inputs.inverter_age_ms)
        if inputs.inverter_ok and not self.ok:
            print("ok")
        self.ok = inputs.inverter_ok

    def oldest(self, name, late_ms):
        """Keep the greatest lateness under a name of the report."""
        if abs(late_ms) > self.report[name]:
            self.report[name] = abs(late_ms)


async def command_loop(image, step_w):
    """Setpoints that count up in steps of step_w; every few a trip."""
    outputs = image.outputs
    outputs.inverter_enable = outputs.lease_ok = 1
    count = turns = 0
    while True:
        await asyncio.sleep_ms(STEP_MS)
        turns += 1
        if turns % TRIP_EVERY == 0:
            outputs.inverter_w = 0
            outputs.urgent += 1
            if outputs.wake:
                outputs.wake()
        else:
            count = count + 1 if count < WRAP else 1
            outputs.inverter_w = step_w * count


async def watch(judge, seconds, loops):
    """Run the inverter task and the loops beside it for so long; print the report with the bus's counters."""
    tasks = [asyncio.create_task(loop) for loop in [judge.task.run()] + loops]
    while judge.total_ms < seconds * 1000:
        await asyncio.sleep_ms(LOOK_MS)
        judge.look()
        for task in tasks:
            if task.done():
                raise RuntimeError("a task ended")
    report = judge.report
    report["ok"] = judge.ok
    report["reconnects"] = judge.task.reconnects
    for name in ("transactions", "timeouts", "broken", "exceptions", "restarts", "noise_bytes"):
        report[name] = getattr(judge.task.bus, name, 0)
    print("report", json.dumps(report))
