# SPDX-License-Identifier: MIT
"""SunSpec inverter with DER models 701, 702, 704, 713, 714, 715, for vehicle power both ways.

Sign: SunSpec counts generation and injected VAr positive; we count import and absorbed VAr. It is turned here and
nowhere else. The setpoint is a lease: WSetRvrtTms with WSetRvrt = 0, re-armed each second together with ControllerHb,
only by `renew`. Offsets: public SunSpec model definitions, counted from a model's ID register. Curves and trip
settings: sunspec_grid.py; inverters with the older models: inverter_sunspec_old.py.

Each read has its own register count, so that a late answer cannot pass for another one's.
"""

from evse.drivers.inverter import NEVER_MS, NO_TEMPERATURE_CDEG, UNKNOWN, Inverter
from evse.drivers.modbus_bus import READ, TRIP, WRITE, Transfer
from evse.drivers.sunspec_alarms import alarm_text
from evse.drivers.sunspec_device import DeviceError, SunSpecDevice
from evse.drivers.sunspec_grid_new import NewGridSettings
from evse.drivers.sunspec_ratings import power_rating, smaller
from evse.link import modbus, sunspec

# Model, first offset, registers: what is read again and again
STATUS = (701, 3, 16)  # St, InvSt, ConnSt, Alrm, DERMode, W, VA, Var, PF, A, LLV, LNV, Hz
RATINGS = (702, 2, 47)  # nameplate and settings up to Var_SF
SETPOINTS = (704, 22, 25)  # WSetEna .. VarSetRvrtTms
STORAGE = (713, 2, 7)  # WHRtg .. Pct_SF
DC = (714, 2, 43)  # totals and the first port
CONTROL = (715, 2, 3)  # LocRemCtl, DERHb
OWN_METHOD = (704, 52, 1)  # AntiIslEna
# Written
W_BLOCK = (704, 22, 11)  # WSetEna .. WSetRvrtTms
W_SET = (704, 24, 2)
VAR_BLOCK = (704, 35, 12)  # VarSetEna .. VarSetRvrtTms
VAR_SET = (704, 38, 2)
HEARTBEAT = (715, 5, 2)
OPERATE = (715, 8, 1)

MODE_WATTS = 1  # WSetMod
MODE_VARS = 4  # VarSetMod
OP_STOP, OP_START = 0, 1
CONNECTED = 1
STATE_RUNNING = 3
SET_FACTOR_MIN, SET_FACTOR_MAX = -4, 3  # a setpoint of 100 kW still fits 30 bits; steps of 1 kW at the coarsest
NEEDED = (701, 702, 704)
VAR_RESPONSE_MS = 60  # cycle to terminals: 10 ms to notice, one frame in flight, one write, its own latency


class InverterSunSpec(Inverter):
    """One inverter on a bus; see Inverter for the attributes."""

    name = "sunspec"
    response_ms = 200  # declared: one write period plus the inverter's own controls
    lease_zero = 1  # WSetRvrt = 0 after WSetRvrtTms, which counts seconds

    def __init__(self, bus, unit: int, lease_ms: int, device=None):
        super().__init__(bus, unit, lease_ms)
        self.device = device or SunSpecDevice(bus, unit, "inverter")
        self.grid = NewGridSettings(self.device)
        self.heartbeat = 0
        self._controller_hb = 0
        self._w_factor = 0
        self._var_factor = 0
        self._v_factor = 0
        self._set_w_factor = 0
        self._set_var_factor = 0
        self._enabled = -1  # what was last told with OpCtl; -1 = nothing yet
        self._slow = 0
        self.has_storage = 0
        self.has_dc = 0
        self.has_control = 0
        self.ratings = self.setpoints = self.own_method = self.storage = self.dc = self.control = None
        self.w_block = self.w_set = self.w_trip = self.var_block = self.var_set = self.beat = self.operate = None

    # --- connection ---

    async def connect(self) -> None:
        """Discover, check what is needed, read the ratings, prepare every transfer. DeviceError when unusable."""
        await self.device.discover()
        await self.prepare()

    async def prepare(self) -> None:
        """Do all of connect() that comes after the discovery."""
        device = self.device
        self.maker, self.model, self.serial = device.maker, device.model, device.serial
        for model in NEEDED:
            device.point(model, 0)
        self.has_storage = 1 if 713 in device.models else 0
        self.has_dc = 1 if 714 in device.models and device.models[714][1] + 2 >= DC[1] + DC[2] else 0
        self.has_control = 1 if 715 in device.models else 0
        await self._read_factors()
        self._make_transfers()
        await self._once(self.ratings)
        self.take_ratings()
        await self._once(self.setpoints)
        await self._once(self.own_method)
        self.take_own_method()
        self._prepare_blocks()
        await self.grid.read_all()
        self._enabled = -1
        self.configured = 0
        self.takes_reactive = self._takes_reactive()
        self.var_response_ms = VAR_RESPONSE_MS if self.takes_reactive else NEVER_MS
        self.cannot = self._list_cannot()

    def _takes_reactive(self) -> int:
        """Return 1 unless 704 has no VarSet or 702 states a reactive rating of zero."""
        if sunspec.raw16(self.setpoints.data, 13) == 0xFFFF:
            return 0
        return 0 if sunspec.raw16(self.ratings.data, 7) == 0 else 1

    def _list_cannot(self):
        missing = []
        if not self.has_storage:
            missing.append("say the battery's charge: no model 713; without `soc` (soc_source) there is no export")
        if not self.has_control:
            missing.append("start, stop and heartbeat: no model 715")
        if not self.takes_reactive:
            missing.append("reactive power on command: no 704 VarSet, or a reactive rating of zero in 702")
        return tuple(missing)

    async def _once(self, transfer) -> None:
        result = await self.bus.transact(transfer)
        if result:
            raise self.device.error(transfer.address, modbus.RESULTS.get(result, "exception %d" % result))

    async def _read_factors(self) -> None:
        device = self.device
        measured = await device.read(device.point(701, 113, 9), 9)
        settable = await device.read(device.point(704, 53, 6), 6)
        self._w_factor = self._factor(measured, 3, 701, 116)
        self._var_factor = self._factor(measured, 6, 701, 119)
        self._v_factor = self._factor(measured, 1, 701, 114)
        self._set_w_factor = self._factor(settable, 2, 704, 55)
        self._set_var_factor = self._factor(settable, 4, 704, 57)
        for factor, offset in ((self._set_w_factor, 55), (self._set_var_factor, 57)):
            if not SET_FACTOR_MIN <= factor <= SET_FACTOR_MAX:
                address = device.point(704, offset)
                raise device.error(
                    address, "setpoint scale factor %d is not %d..%d" % (factor, SET_FACTOR_MIN, SET_FACTOR_MAX)
                )
        self.resolution_w = 10**self._set_w_factor if self._set_w_factor > 0 else 1

    def _factor(self, data, register: int, model: int, offset: int) -> int:
        factor = sunspec.scale_factor(data, register)
        if factor == sunspec.NONE:
            value = sunspec.raw16(data, register)
            raise self.device.error(self.device.point(model, offset), "scale factor 0x%04X is not -10..10" % value)
        return factor

    def _make_transfers(self) -> None:
        self.status = self._transfer(STATUS, modbus.READ_HOLDING, READ)
        self.status.retries = 0  # the next one comes soon enough
        self.ratings = self._transfer(RATINGS, modbus.READ_HOLDING, READ)
        self.setpoints = self._transfer(SETPOINTS, modbus.READ_HOLDING, READ)
        self.own_method = self._transfer(OWN_METHOD, modbus.READ_HOLDING, READ)
        self.w_block = self._transfer(W_BLOCK, modbus.WRITE_MULTIPLE, WRITE)
        self.w_set = self._transfer(W_SET, modbus.WRITE_MULTIPLE, WRITE)
        self.w_trip = self._transfer(W_SET, modbus.WRITE_MULTIPLE, TRIP)
        self.w_trip.retries = 3
        self.var_block = self._transfer(VAR_BLOCK, modbus.WRITE_MULTIPLE, WRITE)
        self.var_set = self._transfer(VAR_SET, modbus.WRITE_MULTIPLE, WRITE)
        if self.has_storage:
            self.storage = self._transfer(STORAGE, modbus.READ_HOLDING, READ)
        if self.has_dc:
            self.dc = self._transfer(DC, modbus.READ_HOLDING, READ)
        if self.has_control:
            self.control = self._transfer(CONTROL, modbus.READ_HOLDING, READ)
            self.beat = self._transfer(HEARTBEAT, modbus.WRITE_MULTIPLE, WRITE)
            self.operate = self._transfer(OPERATE, modbus.WRITE_MULTIPLE, WRITE)

    def _transfer(self, what, function: int, priority: int) -> Transfer:
        model, offset, count = what
        address = self.device.point(model, offset, count)
        return Transfer(self.device.unit, function, address, count, bytearray(2 * count), priority)

    def _prepare_blocks(self) -> None:
        """Fill the write blocks: what we do not set keeps the value the inverter has."""
        current = self.setpoints.data
        for block, first in ((self.w_block, 0), (self.var_block, 13)):
            for i in range(2 * block.count):
                block.data[i] = current[2 * first + i]
        data = self.w_block.data
        sunspec.put16(data, 0, 1)  # WSetEna
        sunspec.put16(data, 1, MODE_WATTS)
        sunspec.put32(data, 2, 0)
        sunspec.put32(data, 4, 0)  # WSetRvrt: zero when the lease ends
        sunspec.put16(data, 8, 1)  # WSetEnaRvrt: stay enabled, at zero
        sunspec.put32(data, 9, self.lease_s)
        data = self.var_block.data
        sunspec.put16(data, 0, 1)  # VarSetEna
        sunspec.put16(data, 1, MODE_VARS)
        sunspec.put16(data, 2, 0)  # VarSetPri: active power first
        sunspec.put32(data, 3, 0)
        sunspec.put32(data, 5, 0)  # VarSetRvrt
        sunspec.put16(data, 9, 1)
        sunspec.put32(data, 10, self.lease_s)

    # --- reading ---

    async def poll_slow(self) -> None:
        """Read one of storage, read-back, DC, control, ratings and own method."""
        self._slow += 1
        turn = self._slow % 5
        if turn == 1:
            await self._read_back()
            return
        if turn == 4 and self._slow & 1:
            turn = 5
        transfer = (self.storage, None, self.dc, self.control, self.ratings, self.own_method)[turn]
        if transfer is None or await self.bus.transact(transfer):
            return
        take = (self.take_storage, None, self.take_dc, self.take_control, self.take_ratings, self.take_own_method)[turn]
        take()

    async def _read_back(self) -> None:
        sent_w = self.sent_w
        # A setpoint that changed while the question was on the line proves nothing.
        if self.configured and await self.bus.transact(self.setpoints) == 0 and sent_w == self.sent_w:
            self.take_setpoints()

    def take_own_method(self) -> None:
        """Decode whether its own anti-islanding is on; the point is optional, and anything but 0 and 1 says nothing."""
        state = sunspec.raw16(self.own_method.data, 0)
        self.own_anti_islanding = state if state <= 1 else UNKNOWN

    def take_status(self) -> int:
        """Decode the 701 read: state, connection, alarms, power, voltage; return 0 when the power is not to be had."""
        data = self.status.data
        state = sunspec.u16(data, 1)
        if state == sunspec.NONE:
            state = STATE_RUNNING if sunspec.u16(data, 0) == 1 else 0
        self.state = state
        self.connected = 1 if sunspec.u16(data, 2) == CONNECTED else 0
        self.alarms = sunspec.bits30(data, 3)
        power = sunspec.scaled(sunspec.s16(data, 7), self._w_factor, 0)
        reactive = sunspec.scaled(sunspec.s16(data, 9), self._var_factor, 0)
        self.power_w = 0 if power == sunspec.NONE else -power
        self.reactive_var = 0 if reactive == sunspec.NONE else -reactive
        terminal = sunspec.scaled(sunspec.u16(data, 13), self._v_factor, 3)
        self.terminal_mv = -1 if terminal == sunspec.NONE else terminal
        return 0 if power == sunspec.NONE else 1

    def take_ratings(self) -> None:
        """Decode the 702 read and adopt the smaller of nameplate and setting. DeviceError when impossible."""
        data = self.ratings.data
        factor = self._factor(data, 43, 702, 45)
        most = smaller(data, 0, 24, factor)
        charge = smaller(data, 8, 32, factor)
        discharge = smaller(data, 9, 33, factor)
        if most == sunspec.NONE and charge == sunspec.NONE and discharge == sunspec.NONE:
            raise self.device.error(self.device.point(702, 2), "no power rating at all")
        self.charge_w = power_rating(self.device, 10, charge, most)
        self.discharge_w = power_rating(self.device, 11, discharge, most)
        self.can_export = 1 if self.discharge_w > 0 else 0
        reactive = sunspec.scaled(sunspec.u16(data, 7), sunspec.scale_factor(data, 46), 0)
        self.reactive_max_var = 0 if reactive == sunspec.NONE else reactive

    def take_storage(self) -> None:
        """Decode the 713 read. Unknown, impossible or failed storage means soc_ok 0."""
        data = self.storage.data
        soc = sunspec.scaled(sunspec.u16(data, 2), sunspec.scale_factor(data, 6), 1)
        self.soc_ok = 1 if 0 <= soc <= 1000 and sunspec.u16(data, 4) != 2 else 0
        self.soc_permille = soc if self.soc_ok else 0
        capacity = sunspec.scaled(sunspec.u16(data, 0), sunspec.scale_factor(data, 5), 0)
        self.capacity_wh = 0 if capacity == sunspec.NONE else capacity
        self.soc_stamp_ms = self.storage.stamp_ms

    def take_dc(self) -> None:
        """Decode the 714 read: the first port's temperature stands for the battery's."""
        data = self.dc.data
        celsius = sunspec.scaled(sunspec.s16(data, 41 - DC[1]), sunspec.scale_factor(data, 19 - DC[1]), 2)
        self.battery_cdeg = celsius if -6000 <= celsius <= 15000 else NO_TEMPERATURE_CDEG

    def take_control(self) -> None:
        """Decode the 715 read."""
        self.local = 1 if sunspec.u16(self.control.data, 0) == 1 else 0
        self.heartbeat = sunspec.bits30(self.control.data, 1)

    def take_setpoints(self) -> int:
        """Compare the 704 read with what was sent; return 1 when the inverter holds our setpoint."""
        data = self.setpoints.data
        want_w = sunspec.unscaled(-self.sent_w, self._set_w_factor)
        held = sunspec.s32(data, 2) == want_w and sunspec.u16(data, 0) == 1 and sunspec.u16(data, 1) == MODE_WATTS
        if not held or sunspec.s32(data, 4) != 0:
            self.readback_errors += 1
            return 0
        return 1

    # --- writing ---

    async def command(self, power_w: int, enable: int) -> int:
        """Send the setpoint, and start or stop when that changed."""
        self.set_power(power_w)
        result = await self.send(self.w_set)
        await self._operate(enable)
        return result

    async def trip(self, power_w: int, enable: int) -> int:
        """Send the setpoint ahead of whatever waits for the line."""
        self.set_power(power_w)
        result = await self.send(self.w_trip)
        await self._operate(enable)
        return result

    async def react(self, reactive_var: int) -> int:
        """Send the reactive setpoint alone."""
        if not self.configured:
            return 0
        self.set_reactive(reactive_var)
        return await self.send(self.var_set)

    async def renew(self, power_w: int, reactive_var: int, enable: int) -> int:
        """Send setpoint, lease and heartbeat: everything the inverter needs to go on for one more lease."""
        self.set_power(power_w)
        result = await self.send(self.w_block)
        if result == 0:
            self.configured = 1
        if self.beat:
            self.set_heartbeat()
            await self.send(self.beat)
        self.set_reactive(reactive_var)
        await self.send(self.var_block)
        await self._operate(enable)
        return result

    async def _operate(self, enable: int) -> None:
        """Tell the inverter to run or stop when that changed; asked again until it was taken."""
        if self.operate and enable != self._enabled:
            self.set_operate(enable)
            if await self.send(self.operate) == 0:
                self._enabled = enable

    # Each of these prepares transfers.

    def set_power(self, power_w: int) -> None:
        """Put power_w (+ import) into every write that carries a setpoint.

        A write that is waiting or being tried again then sends the new value: an old one can never follow a trip.
        """
        raw = sunspec.unscaled(-power_w, self._set_w_factor)
        sunspec.put32(self.w_trip.data, 0, raw)
        sunspec.put32(self.w_set.data, 0, raw)
        sunspec.put32(self.w_block.data, 2, raw)
        self.sent_w = power_w

    def set_reactive(self, reactive_var: int) -> None:
        """Put reactive_var (+ absorbed) into every write that carries it."""
        raw = sunspec.unscaled(-reactive_var, self._set_var_factor)
        sunspec.put32(self.var_set.data, 0, raw)
        sunspec.put32(self.var_block.data, 3, raw)
        self.sent_var = reactive_var

    def set_heartbeat(self) -> None:
        """Count ControllerHb up in `beat`."""
        self._controller_hb = (self._controller_hb + 1) & 0x1FFFFFFF
        sunspec.put32(self.beat.data, 0, self._controller_hb)

    def set_operate(self, on: int) -> None:
        """Put start or stop into `operate`."""
        sunspec.put16(self.operate.data, 0, OP_START if on else OP_STOP)

    # --- for a person ---

    def warnings(self):
        """Return what is wrong with the device as it stands."""
        found = []
        if self.local:
            found.append("The inverter is switched to local control and ignores setpoints.")
        if self.alarms:
            found.append("The inverter reports: %s." % alarm_text(self.alarms))
        if self.own_anti_islanding == 0:
            found.append("The inverter's own anti-islanding is switched off (704 AntiIslEna).")
        if self.storage and self.soc_stamp_ms and not self.soc_ok:
            found.append("The inverter tells no usable charge: %s." % self._soc_text())
        if self.readback_errors:
            found.append("The inverter held another setpoint than was sent, %d times." % self.readback_errors)
        return found + self.grid.problems()

    def _soc_text(self) -> str:
        data = self.storage.data
        told = (self.storage.address + 2, sunspec.raw16(data, 2), sunspec.raw16(data, 6), sunspec.raw16(data, 4))
        return "register %d (713 SoC) reads 0x%04X, its scale factor 0x%04X, its state %d" % told

    def details(self):
        """Return lines on its curves and trip settings."""
        return self.grid.lines()


__all__ = ("DeviceError", "InverterSunSpec", "alarm_text")
