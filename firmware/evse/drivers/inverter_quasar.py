# SPDX-License-Identifier: MIT
"""Wallbox Quasar 1, a bidirectional CHAdeMO charger of 7.4 kW, over Modbus TCP.

Sources: the register list that the maker gave to V2G Liberty (public), delays as measured by a second public project.
Its map is not SunSpec: decimal holding registers, single writes (function 6), + = charging, as ours.

- Control is taken over (81), start on plugging switched off (82), setpoints in watts (83). Giving control back, or a
  hand on its app, resets all of that; the driver then begins anew, at zero.
- Lease: register 88, the seconds without any Modbus message after which it stops by itself. Every message counts as a
  sign of life, so this driver says nothing at all once a stop was not taken: silence is the one stop left.
- Charge (538) reads 0 while no power flows and now and then 1: neither is believed. What was last read is held while
  the vehicle stays and nothing flows, for REST_MS at most.
- It is slow: 5.9..10.9 s for a change, 21.9 s from standstill.
- It has one AC connection and no other supply: behind the contactor it is dark until that closes (`inverter_wake_s`).
"""

import asyncio
from time import ticks_diff, ticks_ms

from evse.drivers.inverter import Inverter
from evse.drivers.modbus_bus import READ, TRIP, WRITE, Transfer
from evse.drivers.sunspec_device import DeviceError
from evse.link import modbus, sunspec

CONTROL, AUTO_START, SETPOINT_TYPE, IDLE_TIMEOUT_S = 81, 82, 83, 88
ACTION, POWER_W, POWER_MAX = 257, 260, 514
ACTUAL_W, STATE, ERRORS = 526, 537, 539
REMOTE, NO_AUTO_START, IN_WATTS = 1, 0, 1
START, STOP = 1, 2
LEAST_W, MOST_W = 1380, 7400  # what register 514 may say
SETTLE_MS = 2500  # between writes
LEASE_LEAST_S = 10  # three polls fit
REST_MS = 900000
HIGH_PERCENT = 97  # it never charges further; more is believed when it is read again and again
HIGH_READS = 3

# register 537: (words, SunSpec 701 InvSt, vehicle connected)
STATES = (
    ("no vehicle connected", 0, 0),
    ("charging", 3, 1),
    ("waiting for the vehicle's demand", 7, 1),
    ("waiting for a schedule of its app", 7, 1),
    ("paused", 7, 1),
    ("end of a schedule", 7, 1),
    ("no vehicle connected, locked", 0, 0),
    ("error", 6, 1),
    ("queued by power sharing", 7, 1),
    ("error: power sharing is not configured", 6, 1),
    ("queued by power boost: the house uses all power", 4, 1),
    ("discharging", 3, 1),
)
PAUSED = 4
START_AGAIN_MS = 30000
MANUFACTURER_ALARM = 1 << 16
SLOW = "too slow: 6-22 s from setpoint to power"


class InverterQuasar(Inverter):
    """One Quasar; see Inverter for the attributes. bus: a ModbusTcp."""

    name = "quasar"
    supply_behind_contactor = 1
    response_ms = 22000  # declared: the worst, from standstill
    lease_zero = 1
    command_ms = SETTLE_MS
    renew_ms = SETTLE_MS
    poll_ms = SETTLE_MS
    slow_ms = 10000
    lost_ms = 12000
    stale_ms = 10000
    cannot = (
        "frequency response: " + SLOW,
        "active anti-islanding: it takes no reactive setpoint, and is " + SLOW,
        "reactive power on command",
        "say its charge while no power flows: the last reading is held for %d min" % (REST_MS // 60000),
    )

    def __init__(self, bus, unit: int, lease_ms: int):
        super().__init__(bus, unit, lease_ms)
        self.cannot = InverterQuasar.cannot
        self.lease_s = max(LEASE_LEAST_S, lease_ms // 1000)
        self.maker = "Wallbox"
        self.model = "Quasar"
        self.error_registers = [0, 0, 0, 0]
        self.device_state = 0  # register 537
        self.muted = 0  # 1: a stop was not taken; say nothing until its idle timeout has passed
        self._started = 0
        self._start_ms = 0
        self._held_w = 0  # the setpoint it has taken
        self._slow = 0
        self._high_reads = 0
        self._rest_ms = 0
        self._polled_ms = 0
        self._actual = self._make(modbus.READ_HOLDING, ACTUAL_W, 1, READ)
        self._status = self._make(modbus.READ_HOLDING, STATE, 6, READ)
        self._mode = self._make(modbus.READ_HOLDING, CONTROL, 3, READ)
        self._lease = self._make(modbus.READ_HOLDING, IDLE_TIMEOUT_S, 1, READ)
        self._action = self._make(modbus.WRITE_SINGLE, ACTION, 1, WRITE)
        self._power = self._make(modbus.WRITE_SINGLE, POWER_W, 1, WRITE)
        self._stop = self._make(modbus.WRITE_SINGLE, ACTION, 1, TRIP)
        sunspec.put16(self._stop.data, 0, STOP)

    def _make(self, function: int, address: int, count: int, priority: int) -> Transfer:
        transfer = Transfer(self.unit, function, address, count, bytearray(2 * count), priority)
        transfer.timeout_ms = 1000
        return transfer

    # --- connection ---

    async def connect(self) -> None:
        """Stop it, take control, arm its idle timeout, read all of that back. DeviceError when it cannot be used."""
        if self.muted:
            await asyncio.sleep_ms(1000 * self.lease_s)  # it has stopped by itself when we speak again
            self.muted = 0
        most_w = await self._read(POWER_MAX)
        if not LEAST_W <= most_w <= MOST_W:
            raise self._error(POWER_MAX, "power of %d W is not %d..%d W" % (most_w, LEAST_W, MOST_W))
        await self._write(CONTROL, REMOTE)
        await asyncio.sleep_ms(SETTLE_MS)
        for register, value in (
            (AUTO_START, NO_AUTO_START),
            (SETPOINT_TYPE, IN_WATTS),
            (IDLE_TIMEOUT_S, self.lease_s),
            (ACTION, STOP),
            (POWER_W, 0),
        ):
            await self._write(register, value)
        await asyncio.sleep_ms(SETTLE_MS)
        for register, value in (
            (CONTROL, REMOTE),
            (AUTO_START, NO_AUTO_START),
            (SETPOINT_TYPE, IN_WATTS),
            (IDLE_TIMEOUT_S, self.lease_s),
        ):
            held = await self._read(register)
            if held != value:
                raise self._error(register, "reads %d after %d was written" % (held, value))
        self.charge_w = self.discharge_w = most_w
        self.can_export = 1
        self.local = 0
        self._started = self._held_w = 0
        self.sent_w = 0
        self._polled_ms = ticks_ms()

    async def _read(self, register: int) -> int:
        transfer = self._make(modbus.READ_HOLDING, register, 1, READ)
        await self._once(transfer)
        return sunspec.raw16(transfer.data, 0)

    async def _write(self, register: int, value: int) -> None:
        transfer = self._make(modbus.WRITE_SINGLE, register, 1, WRITE)
        sunspec.put16(transfer.data, 0, value)
        await self._once(transfer)
        self.writes += 1

    async def _once(self, transfer) -> None:
        result = await self.bus.transact(transfer)
        if result:
            raise self._error(transfer.address, modbus.RESULTS.get(result, "exception %d" % result))

    def _error(self, register: int, what: str) -> DeviceError:
        return DeviceError("Quasar at %s, register %d: %s" % (self.bus.host, register, what))

    # --- reading ---

    async def poll(self) -> int:
        """Read power, state, charge and errors; return 1 when fresh. Silent while a stop is not taken."""
        if self.muted:
            return 0
        if await self.bus.transact(self._actual) or await self.bus.transact(self._status):
            self.failed += 1
            return 0
        return self.take_status()

    def take_status(self) -> int:
        """Decode both reads; return 0 when the power or the state is impossible."""
        data = self._status.data
        power_w = sunspec.raw16(self._actual.data, 0)
        power_w -= 0x10000 if power_w & 0x8000 else 0
        state = sunspec.raw16(data, 0)
        if not -MOST_W * 11 // 10 <= power_w <= MOST_W * 11 // 10 or state >= len(STATES):
            return 0
        self.stamp_ms = self._status.stamp_ms
        self.power_w = power_w
        self.device_state = state
        _words, self.state, plugged = STATES[state]
        self.connected = 1
        for k in range(4):
            self.error_registers[k] = sunspec.raw16(data, 2 + k)
        self.alarms = MANUFACTURER_ALARM if self.error_registers != [0, 0, 0, 0] or self.state == 6 else 0
        self._take_soc(sunspec.raw16(data, 1), plugged, ticks_diff(self.stamp_ms, self._polled_ms))
        self._polled_ms = self.stamp_ms
        return 1

    def _take_soc(self, percent: int, plugged: int, elapsed_ms: int) -> None:
        """Believe 2..97 %, more when it stays; hold the last reading while the vehicle rests."""
        if not plugged:
            self.soc_ok = 0
        elif self._plausible(percent):
            self.soc_ok = 1
            self.soc_permille = percent * 10
            self._rest_ms = 0
        elif self.soc_ok and -100 <= self.power_w <= 100 and self._rest_ms + elapsed_ms <= REST_MS:
            self._rest_ms += elapsed_ms
        else:
            return  # the last reading grows old
        self.soc_stamp_ms = self.stamp_ms

    def _plausible(self, percent: int) -> int:
        if HIGH_PERCENT < percent <= 100:
            self._high_reads += 1
            return 1 if self._high_reads >= HIGH_READS else 0
        self._high_reads = 0
        return 1 if 2 <= percent <= HIGH_PERCENT else 0

    async def poll_slow(self) -> None:
        """See that control, setpoint type and idle timeout are still ours. DeviceError when not: begin anew."""
        if self.muted:
            return
        self._slow = 1 - self._slow
        if self._slow:
            if await self.bus.transact(self._mode) == 0:
                self._check(self._mode.data, (REMOTE, NO_AUTO_START, IN_WATTS), CONTROL)
        elif await self.bus.transact(self._lease) == 0:
            self._check(self._lease.data, (self.lease_s,), IDLE_TIMEOUT_S)

    def _check(self, data, wanted, register: int) -> None:
        for k in range(len(wanted)):
            held = sunspec.raw16(data, k)
            if held != wanted[k]:
                self.local = 1
                what = "reads %d instead of %d: its app or a timeout took control back" % (held, wanted[k])
                raise self._error(register + k, what)

    # --- writing ---

    async def command(self, power_w: int, enable: int) -> int:
        """Send what differs from what it has taken. Zero is a stop: a setpoint of 0 W is nowhere documented."""
        if self.muted:
            return modbus.CLOSED
        power_w = min(max(power_w, -self.discharge_w), self.charge_w) if enable else 0
        self.sent_w = power_w
        if power_w == 0:
            return await self._halt() if self._started or self._held_w else 0
        if power_w != self._held_w:
            sunspec.put16(self._power.data, 0, power_w)
            result = await self.send(self._power)
            if result:
                self._held_w = -1  # unknown
                return result
            self._held_w = power_w
            if self.sent_w == 0:  # a trip came by meanwhile
                return await self._halt()
        return await self._start() if self._start_due() else 0

    def _start_due(self) -> int:
        """Not started yet, or it still says that it pauses long after it was: ask again."""
        paused = self.device_state == PAUSED and ticks_diff(ticks_ms(), self._start_ms) > START_AGAIN_MS
        return 1 if paused or not self._started else 0

    async def _start(self) -> int:
        sunspec.put16(self._action.data, 0, START)
        self._started = 1  # from here on it may run, whatever the answer
        self._start_ms = ticks_ms()
        result = await self.send(self._action)
        return await self._halt() if self.sent_w == 0 else result

    async def _halt(self) -> int:
        result = await self.send(self._stop)
        if result:
            self.muted = 1
            return result
        self._started = 0
        sunspec.put16(self._power.data, 0, 0)
        result = await self.send(self._power)
        self._held_w = -1 if result else 0
        return 0

    async def trip(self, power_w: int, enable: int) -> int:
        """Stop at once when that is asked; other steps go with the regular commands, it could not follow faster."""
        if power_w and enable:
            return 0
        self.sent_w = 0
        return await self._halt() if (self._started or self._held_w) and not self.muted else 0

    async def renew(self, power_w: int, reactive_var: int, enable: int) -> int:
        """Send what changed; any message re-arms its idle timeout."""
        result = await self.command(power_w, enable)
        if result == 0:
            self.configured = 1
        return result

    # --- for a person ---

    def warnings(self):
        """Return what is wrong with the device as it stands."""
        found = []
        for k in range(4):
            if self.error_registers[k]:
                found.append("The Quasar's error register %d reads 0x%04X." % (ERRORS + k, self.error_registers[k]))
        if self.state == 6:
            found.append("The Quasar says: %s. After a restart that may last five minutes." % self.state_text())
        if self.muted:
            found.append(
                "The Quasar did not take a stop: it is left in silence until its timeout of %d s." % self.lease_s
            )
        if not self.soc_ok:
            found.append("The Quasar tells no charge now: charge first, export then.")
        return found

    def details(self):
        """Return its state in words."""
        return ["537 %s" % self.state_text()]

    def state_text(self) -> str:
        """Return register 537 in words."""
        return STATES[self.device_state][0]
