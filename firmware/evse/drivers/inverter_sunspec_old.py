# SPDX-License-Identifier: MIT
"""SunSpec inverter of before IEEE 1547-2018: models 101-103 with 120-124, used for what it can.

With model 124 power is commanded both ways: a forced rate is a window whose two ends meet (charge at x %: InWRte = x,
OutWRte = -x; discharge: the other way round). With model 123 alone only export can be capped (WMaxLimPct).
Neither has a lease that ends at zero: their reversion timers end at the inverter's own mode. So they are not used
(0 = none), and `cannot` says so. Sign: SunSpec counts generation positive; it is turned here.

Offsets: public SunSpec model definitions, counted from a model's ID register.
"""

from evse.drivers.inverter import POWER_MAX_W, Inverter
from evse.drivers.modbus_bus import READ, TRIP, WRITE, Transfer
from evse.drivers.sunspec_alarms import alarm_text
from evse.drivers.sunspec_device import SunSpecDevice
from evse.drivers.sunspec_grid_old import OldGridSettings
from evse.fixed import ratio
from evse.link import modbus, sunspec
from evse.link.sunspec import NONE

MEASURED = (103, 102, 101)
# First offset, registers
STATUS = (10, 32)  # PhVphA .. PhVphC, V_SF, W .. Evt1
NAMEPLATE = (2, 25)  # 120: DERTyp .. MaxDisChaRte_SF
BASIC = (2, 21)  # 121: WMax .. WMax_SF
LINKS = (2, 3)  # 122: PVConn, StorConn, ECPConn
LIMIT_READ = (2, 8)
LIMIT = (5, 5)  # 123: WMaxLimPct, its three times, WMaxLim_Ena
STORAGE = (2, 24)  # 124: all of it
RATES = (12, 2)  # 124: OutWRte, InWRte

LIMIT_FACTOR, RATE_FACTOR = 23, 25  # offsets of WMaxLimPct_SF in 123, InOutWRte_SF in 124
FULL = 10000  # 100 % in hundredths of a percent
FACTORS = (-2, -1, 0)  # of a percentage: finer does not fit 16 bits at 100 %, coarser is no control
BOTH_WAYS = 3  # StorCtl_Mod: charge and discharge
FROM_GRID = 1  # ChaGriSet
UNUSED = 0xFFFF
SLOW_TURNS = 4


class InverterSunSpecOld(Inverter):
    """One older inverter on a bus; see Inverter for the attributes. device: a discovered SunSpecDevice, or None."""

    name = "sunspec_old"
    response_ms = 2000  # declared: such devices follow a percentage within a second or two

    def __init__(self, bus, unit: int, lease_ms: int, device=None):
        super().__init__(bus, unit, lease_ms)
        self.device = device or SunSpecDevice(bus, unit, "inverter")
        self.grid = OldGridSettings(self.device)
        self.measured = 0  # 101, 102 or 103
        self.two_way = 0  # 1: model 124
        self._percent = 0  # exponent of the percentage that is written
        self._import_base_w = 0  # what 100 % means
        self._export_base_w = 0
        self._links = 0  # 1: model 122 tells the connection
        self._slow = 0
        self.storage = None
        self.links = None
        self.w_set = None
        self.w_trip = None
        self.mode = None  # what switches the percentage on

    async def connect(self) -> None:
        """Discover, check what is needed, read the ratings, prepare every transfer. DeviceError when unusable."""
        await self.device.discover()
        await self.prepare()

    async def prepare(self) -> None:
        """Do all of connect() that comes after the discovery."""
        device = self.device
        models = device.models
        self.maker, self.model, self.serial = device.maker, device.model, device.serial
        self.measured = measured_model(models)
        self.two_way = 1 if 124 in models else 0
        if not self.measured:
            raise device.lacks("no model 101, 102 or 103")
        if not self.two_way and 123 not in models:
            raise device.lacks("neither model 123 nor 124, so it cannot be commanded")
        device.point(120, 0)
        self.status = self._transfer(self.measured, STATUS, modbus.READ_HOLDING, READ)
        self.status.retries = 0
        self.links = self._transfer(122, LINKS, modbus.READ_HOLDING, READ) if 122 in models else None
        self.storage = self._transfer(124, STORAGE, modbus.READ_HOLDING, READ) if self.two_way else None
        await self._read_ratings()
        if self.two_way:
            await self._prepare_rates()
        else:
            await self._prepare_limit()
        await self.grid.read_all()
        self.cannot = self._list_cannot()
        self.configured = 0

    def _transfer(self, model: int, what, function: int, priority: int) -> Transfer:
        offset, count = what
        address = self.device.point(model, offset, count)
        return Transfer(self.unit, function, address, count, bytearray(2 * count), priority)

    async def _read(self, model: int, what):
        return await self.device.read(self.device.point(model, what[0], what[1]), what[1])

    def _value(self, data, first: int, model: int, offset: int, factor_offset: int) -> int:
        """Return a rating in whole units, NONE when not implemented; DeviceError when it is impossible."""
        factor = sunspec.scale_factor(data, factor_offset - first)
        if factor == NONE:
            what = "scale factor 0x%04X is not -10..10" % sunspec.raw16(data, factor_offset - first)
            raise self.device.error(self.device.point(model, factor_offset), what)
        raw = sunspec.u16(data, offset - first)
        value = sunspec.scaled(raw, factor, 0)
        if raw != NONE and not 0 <= value <= POWER_MAX_W:
            what = "rating of %d x 10^%d W is impossible" % (raw, factor)
            raise self.device.error(self.device.point(model, offset), what)
        return value

    async def _read_ratings(self) -> None:
        plate = await self._read(120, NAMEPLATE)
        watts = self._value(plate, 2, 120, 3, 4)
        charge = self._value(plate, 2, 120, 23, 24)
        discharge = self._value(plate, 2, 120, 25, 26)
        if 121 in self.device.models:
            most = self._value(await self._read(121, BASIC), 2, 121, 2, 22)
            if most != NONE and (watts == NONE or most < watts):
                watts = most
        if watts == NONE or watts == 0:
            raise self.device.error(self.device.point(120, 3), "no power rating at all (120 WRtg, 121 WMax)")
        self._export_base_w = watts
        self.charge_w = 0
        self.discharge_w = watts
        if self.two_way:
            storage = await self._read(124, STORAGE)
            most = self._value(storage, 2, 124, 2, 18)
            self._import_base_w = _first(most, charge)
            self._export_base_w = _first(discharge, most)
            if not self._import_base_w:
                raise self.device.error(self.device.point(124, 2), "no charging rating (124 WChaMax, 120 MaxChaRte)")
            self.charge_w = min(self._import_base_w, watts)
            self.discharge_w = min(self._export_base_w, watts)
        self.can_export = 1 if self.discharge_w else 0

    async def _factor(self, model: int, offset: int) -> int:
        address = self.device.point(model, offset)
        data = await self.device.read(address, 1)
        factor = sunspec.scale_factor(data, 0)
        if factor not in FACTORS:
            what = "scale factor 0x%04X of a percentage is not -2..0" % sunspec.raw16(data, 0)
            raise self.device.error(address, what)
        return factor

    async def _prepare_rates(self) -> None:
        """124: make the transfers; the mode is written with the first renewal."""
        self._percent = await self._factor(124, RATE_FACTOR)
        self.resolution_w = max(1, self._import_base_w * 10**self._percent // 100)
        self.w_set = self._transfer(124, RATES, modbus.WRITE_MULTIPLE, WRITE)
        self.w_trip = self._transfer(124, RATES, modbus.WRITE_MULTIPLE, TRIP)
        self.w_trip.retries = 3
        now = await self._read(124, STORAGE)
        self.mode = []
        for offset, value in ((5, BOTH_WAYS), (14, 0), (15, 0), (16, 0), (17, FROM_GRID)):
            if offset == 5 or sunspec.raw16(now, offset - 2) != UNUSED:
                transfer = self._transfer(124, (offset, 1), modbus.WRITE_MULTIPLE, WRITE)
                sunspec.put16(transfer.data, 0, value)
                self.mode.append(transfer)

    async def _prepare_limit(self) -> None:
        """123: the cap, its times and its switch go in one write; a time it does not have stays as it reads."""
        self._percent = await self._factor(123, LIMIT_FACTOR)
        self.resolution_w = max(1, self._export_base_w * 10**self._percent // 100)
        now = await self._read(123, LIMIT_READ)
        self.w_set = self._transfer(123, LIMIT, modbus.WRITE_MULTIPLE, WRITE)
        self.w_trip = self._transfer(123, LIMIT, modbus.WRITE_MULTIPLE, TRIP)
        self.w_trip.retries = 3
        for transfer in (self.w_set, self.w_trip):
            for register in (1, 2, 3):
                unused = sunspec.raw16(now, 3 + register) == UNUSED
                sunspec.put16(transfer.data, register, UNUSED if unused else 0)
            sunspec.put16(transfer.data, 4, 1)  # WMaxLim_Ena
        self.mode = []

    def _list_cannot(self):
        missing = [
            "go to zero by itself when the controller falls silent: only safety gate and contactor stop it",
            "reactive power on command: no active anti-islanding by this controller",
        ]
        if not self.grid.settings:
            missing.append("show its trips and curves: it has none of 126-145; compare them with its installer's menu")
        if not self.two_way:
            missing.append("charge on command: it has no model 124; model 123 only caps its export")
            missing.append("say the battery's charge: no model 124; without `soc` (soc_source) there is no export")
        return tuple(missing)

    # --- reading ---

    def take_status(self) -> int:
        """Decode state, alarms and power; return 0 when the power is not to be had."""
        data = self.status.data
        state = sunspec.u16(data, 28)
        self.state = state - 1 if 1 <= state <= 8 else 0  # 103 St counts from 1, 701 InvSt from 0, in the same order
        if not self._links:
            self.connected = 1 if 3 <= self.state <= 5 else 0
        self.alarms = sunspec.bits30(data, 30)
        power = sunspec.scaled(sunspec.s16(data, 4), sunspec.scale_factor(data, 5), 0)
        reactive = sunspec.scaled(sunspec.s16(data, 10), sunspec.scale_factor(data, 11), 0)
        self.terminal_mv = self._highest_mv(data)
        self.power_w = 0 if power == NONE else -power
        self.reactive_var = 0 if reactive == NONE else -reactive
        return 0 if power == NONE else 1

    @staticmethod
    def _highest_mv(data) -> int:
        """Return the highest phase's voltage, -1 where none is told."""
        factor = sunspec.scale_factor(data, 3)
        highest_mv = -1
        for phase in range(3):
            mv = sunspec.scaled(sunspec.u16(data, phase), factor, 3)
            if mv > highest_mv:  # NONE is far below
                highest_mv = mv
        return highest_mv

    async def poll_slow(self) -> None:
        """Read one of storage (with the setpoint held) and connection."""
        self._slow += 1
        turn = self._slow % SLOW_TURNS
        if turn == 0 and self.storage:
            sent_w = self.sent_w
            if await self.bus.transact(self.storage) == 0:
                self.take_storage()
                if self.configured and sent_w == self.sent_w:
                    self.take_setpoints()
        elif turn == 2 and self.links and await self.bus.transact(self.links) == 0:
            self.take_links()

    def take_storage(self) -> None:
        """Decode 124: charge as a percentage of the battery's rating."""
        data = self.storage.data
        soc = sunspec.scaled(sunspec.u16(data, 6), sunspec.scale_factor(data, 20), 1)
        self.soc_ok = 1 if 0 <= soc <= 1000 else 0
        self.soc_permille = soc if self.soc_ok else 0
        self.soc_stamp_ms = self.storage.stamp_ms

    def take_setpoints(self) -> int:
        """Compare what 124 holds with what was sent; return 1 when it is ours."""
        held = self.storage.data
        sent = self.w_set.data
        same = sunspec.raw16(held, 10) == sunspec.raw16(sent, 0) and sunspec.raw16(held, 11) == sunspec.raw16(sent, 1)
        if not same or sunspec.raw16(held, 3) != BOTH_WAYS:
            self.readback_errors += 1
            self.configured = 0  # switch it on again
            return 0
        return 1

    def take_links(self) -> None:
        """Decode 122: ECPConn, where the device implements it."""
        link = sunspec.raw16(self.links.data, 2)
        self._links = 0 if link == UNUSED else 1
        if self._links:
            self.connected = link & 1

    # --- writing ---

    def set_power(self, power_w: int) -> None:
        """Put power_w (+ import) into both writes; a waiting one then sends the new value."""
        if self.two_way:
            base_w = self._import_base_w if power_w > 0 else self._export_base_w
            share = self._share(power_w, base_w)
            if power_w > 0:
                share = -share
            for transfer in (self.w_set, self.w_trip):
                sunspec.put16(transfer.data, 0, share)
                sunspec.put16(transfer.data, 1, -share)
        else:
            share = self._share(power_w, self._export_base_w) if power_w < 0 else 0
            for transfer in (self.w_set, self.w_trip):
                sunspec.put16(transfer.data, 0, share)
        self.sent_w = power_w

    def _share(self, power_w: int, base_w: int) -> int:
        """Return the percentage of base_w as the device writes it, rounded towards zero."""
        return min(ratio(abs(power_w), FULL, base_w), FULL) // 10 ** (self._percent + 2)

    async def command(self, power_w: int, enable: int) -> int:
        """Send the setpoint."""
        self.set_power(power_w if enable else 0)
        return await self.send(self.w_set)

    async def trip(self, power_w: int, enable: int) -> int:
        """Send the setpoint ahead of whatever waits for the line."""
        self.set_power(power_w if enable else 0)
        return await self.send(self.w_trip)

    async def renew(self, power_w: int, reactive_var: int, enable: int) -> int:
        """Send the setpoint; switch the mode on when it is not."""
        result = await self.command(power_w, enable)
        if result or self.configured:
            return result
        for transfer in self.mode:
            result = await self.send(transfer) or result
        self.configured = 0 if result else 1
        return result

    def warnings(self):
        """Return what is wrong with the device as it stands."""
        found = ["The inverter reports: %s." % alarm_text(self.alarms)] if self.alarms else []
        if self.readback_errors:
            found.append("The inverter held another setpoint than was sent, %d times." % self.readback_errors)
        return found + self.grid.problems()

    def details(self):
        """Return lines on its curves and trip settings."""
        return self.grid.lines()


def measured_model(models) -> int:
    """Return which of 101-103 a device has, 0 for none."""
    for model in MEASURED:
        if model in models:
            return model
    return 0


def _first(value: int, other: int) -> int:
    """Return the first of two ratings that is there, 0 for none."""
    if value != NONE and value:
        return value
    return other if other != NONE else 0
