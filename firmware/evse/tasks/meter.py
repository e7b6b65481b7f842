# SPDX-License-Identifier: MIT
"""Meter task: reads the site meter once a second, or takes it from MQTT, into image.mail.meter. + = import.

A silent meter is no fault: its value grows old, and whoever uses it must look at inputs.meter_ok. The task watches
whether the meter follows the charger: one that moves the other way round is wired or set the wrong way, and says so.
"""

import asyncio
from time import ticks_diff, ticks_ms

from evse.drivers.inverter_choice import open_tcp
from evse.drivers.meter import POWER_MAX_W
from evse.drivers.meter_eastron import KINDS, MeterEastron
from evse.drivers.meter_sunspec import MeterSunSpec
from evse.tasks.commands import Refused, only

POLL_MS = 1000
LOST_READS = 5  # in a row: find the meter anew
BACKOFF_MS = (1000, 2000, 5000, 10000, 30000)
SPAN = 6  # readings back that a movement is judged over: a ramp takes a few seconds
MOVED_W = 1000  # of the charger, to be worth a comparison
VOTES = 3  # movements that all went the wrong way


class SignWatch:
    """Compares movements of the charger with those of the meter. against: movements that went the other way."""

    def __init__(self):
        self._charger_w = [0] * SPAN
        self._meter_w = [0] * SPAN
        self._count = 0
        self._rest = 0  # readings to wait: one movement is one vote
        self.along = 0
        self.against = 0

    def take(self, charger_w: int, meter_w: int) -> None:
        """Take one pair of readings of the same second, W, + = import."""
        at = self._count % SPAN
        moved_w = charger_w - self._charger_w[at]
        followed_w = meter_w - self._meter_w[at]
        self._charger_w[at] = charger_w
        self._meter_w[at] = meter_w
        self._count += 1
        if self._rest:
            self._rest -= 1
        elif self._count > SPAN and abs(moved_w) >= MOVED_W and abs(followed_w) >= MOVED_W // 2:
            self._rest = SPAN
            if (moved_w > 0) == (followed_w > 0):
                self.along += 1
            else:
                self.against += 1

    def reversed(self) -> bool:
        """Whether the meter goes the wrong way."""
        return self.against >= VOTES and self.against > 3 * self.along


class MeterTask:
    """Runs the meter that settings.meter_kind names; not started for "none"."""

    name = "meter"
    critical = False
    patience_ms = 90000

    def __init__(self, station, lines):
        self._inputs = station.image.inputs
        self._box = station.image.mail.meter
        self._settings = station.settings
        self._clock = station.clock
        self._lines = lines
        self._notes = station.notes
        self._told = ""
        self.meter = None  # the driver; None for MQTT
        self.online = 0
        self.error = ""
        self.readings = 0
        self.watch = SignWatch()
        self.beat_ms = ticks_ms()

    @property
    def state(self) -> str:
        """What `status` shows."""
        if self.online:
            return "%s, %d readings" % (self._settings.meter_kind, self.readings)
        return "offline: %s" % self.error if self.error else "no reading yet"

    def warnings(self):
        """Return what a person should know about the meter now, one sentence each."""
        found = ["The meter is offline: %s." % self.error] if self.error and not self.online else []
        if self.watch.reversed():
            found.append(
                "The meter moved against the charger %d times: turn it round, or set meter_reversed %d."
                % (self.watch.against, 1 - self._settings.meter_reversed)
            )
        return found

    async def run(self) -> None:
        """Connect, read, connect again; never returns."""
        if self._settings.meter_kind == "mqtt":
            await self._wait()
        self._open()
        attempt = 0
        while True:
            self.beat_ms = ticks_ms()
            if await self._serve():
                attempt = 0
            self.online = 0
            if self.error != self._told:
                self._told = self.error
                self._notes.say("meter", self.error)
            self.beat_ms = ticks_ms()
            await asyncio.sleep_ms(BACKOFF_MS[min(attempt, len(BACKOFF_MS) - 1)])
            attempt += 1

    async def _wait(self) -> None:
        """Nothing to ask: hear() does the work."""
        while True:
            self.beat_ms = ticks_ms()
            await asyncio.sleep_ms(POLL_MS)

    def _open(self) -> None:
        settings = self._settings
        bus = open_tcp("meter_host", settings.meter_host) if settings.meter_host else self._lines.meter()
        if bus is None:
            raise OSError("no line for a meter on this board")
        if settings.meter_kind in KINDS:
            self.meter = MeterEastron(bus, settings.meter_address, settings.meter_kind)
        else:
            self.meter = MeterSunSpec(bus, settings.meter_address)

    async def _serve(self) -> int:
        """Read until lost; return 1 when it had connected."""
        meter = self.meter
        failed = LOST_READS
        try:
            await meter.connect()
            self.error = ""
            failed = 0
        except OSError as error:
            self.error = str(error)
        connected = 1 if failed == 0 else 0
        while failed < LOST_READS:
            started_ms = ticks_ms()
            self.beat_ms = started_ms
            if await meter.read():
                failed = 0
                self.online = 1
                self._publish(meter.power_w, meter.stamp_ms)
            else:
                failed += 1
                started_ms = ticks_ms()  # a silent meter gets no more of the line than one that answers
                self.error = "meter %d did not answer %d times in a row" % (meter.unit, failed)
            await asyncio.sleep_ms(max(POLL_MS - ticks_diff(ticks_ms(), started_ms), 1))
        return connected

    def _publish(self, power_w: int, stamp_ms: int) -> None:
        if self._settings.meter_reversed:
            power_w = -power_w
        box = self._box
        box.begin()
        box.power_w = power_w
        box.end(stamp_ms)
        self.readings += 1
        self.watch.take(self._inputs.grid_w, power_w)

    def hear(self, reading: dict) -> None:
        """Take a reading from MQTT: {"power_w": W}, + = import. Refused with one line when it cannot be used."""
        if self._settings.meter_kind != "mqtt":
            raise Refused("meter_kind is %s; set it to mqtt to feed the meter" % self._settings.meter_kind)
        only(reading, ("power_w",))
        power_w = reading.get("power_w")
        if type(power_w) not in (int, float) or not -POWER_MAX_W <= power_w <= POWER_MAX_W:
            raise Refused("power_w=%s is not %d..%d W" % (str(power_w)[:20], -POWER_MAX_W, POWER_MAX_W))
        self.online = 1
        self._publish(int(power_w), ticks_ms())
