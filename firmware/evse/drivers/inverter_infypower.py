# SPDX-License-Identifier: MIT
"""InfyPower bidirectional AC/DC power modules (BEG series) over CAN, 125 kbit/s, 29-bit identifiers.

Sources, facts only: the EVerest project's public drivers InfyPower_BEG1K075G and InfypowerDCSupply (identifier, codes,
status bits) and the text of its InfyPower module on protocol V1.13 (a module switches itself off after 10 s without a
message). The maker's own document was not to be had; nothing here was tried on a real module.

Identifier: error code 28..26, device number 25..22 (10 module, 11 group), command 21..16, destination 15..8, source
7..0. Data: code (2 bytes), 0 (2), value (4), big endian, thousandths of V, A, W.

- The set value is DC current; power is worked out with the DC voltage the module reports. So the voltage window of the
  battery has to be known: it comes from the vehicle's link or the installer, and without it connect() refuses.
- Any message keeps it on, polls too: polling would be permission. When a stop is not taken this driver says nothing for
  longer than those 10 s.
"""

import asyncio
from time import ticks_diff, ticks_ms

from evse.drivers.can_bus import CanTransfer
from evse.drivers.inverter import POWER_MAX_W, Inverter
from evse.drivers.sunspec_device import DeviceError
from evse.drivers.turn import READ, TRIP, WRITE
from evse.link import modbus, sunspec

BIT_RATE = 125000
CONTROLLER = 0xF0
OURS, OURS_MASK = CONTROLLER << 8, 0xFF00  # identifiers of what is sent to us
GROUP = 11
READ_INFO, WRITE_SETTING = 0x23, 0x24
VOLTAGE, CURRENT, COUNT = 0x1001, 0x1002, 0x1010
STATUS, MODE_STATUS = 0x1110, 0x1111
HIGHEST_MV, LOWEST_MV, MOST_MA, RATED_MW = 0x1130, 0x1131, 0x1132, 0x1133
CONSTANTS = (COUNT, HIGHEST_MV, LOWEST_MV, MOST_MA, RATED_MW)
SWITCH, MODE = 0x1110, 0x2110  # written with WRITE_SETTING
ON, OFF = 0xA0, 0xA1
RECTIFIER, INVERTER = 0xA0, 0xA1
ERRORS = {2: "command invalid", 3: "data invalid", 7: "in start processing"}
SPREAD_MS = 200  # between the first and the last answer of one reading; twice the master's patience
SILENCE_MS = 12000  # the module's own 10 s and a margin
# Status bit (of the last 3 bytes as one number) -> SunSpec 701 Alrm bit
ALARMS = ((12, 7), (13, 0), (11, 16), (9, 16), (10, 16), (21, 11), (22, 10), (0, 16), (5, 16))
DC_OFF, FAULT = 8, 9


def identifier(command: int, destination: int, source: int = CONTROLLER, device: int = GROUP) -> int:
    """Return the 29-bit identifier of a request."""
    return device << 22 | command << 16 | destination << 8 | source


def match(frame, transfer) -> int:
    """Return 0 for the answer, 1..7 for its error code, -1 when the frame is not ours."""
    seen = frame.identifier
    if seen >> 16 & 0x3F != transfer.identifier >> 16 & 0x3F or seen >> 8 & 0xFF != transfer.identifier & 0xFF:
        return -1
    data, asked = frame.data, transfer.data
    return seen >> 26 if data[0] == asked[0] and data[1] == asked[1] else -1


class InverterInfypower(Inverter):
    """One group of modules; see Inverter. unit: group address. window_mv: (least, most) of the battery."""

    name = "infypower"
    response_ms = 2000  # declared, not measured: no module was to hand
    lease_zero = 1
    poll_ms = 250
    cannot = (
        "reactive power on command",
        "say the battery's charge; without `soc` (soc_source) there is no export",
        "end a lease earlier than 10 s after the last message",
    )

    def __init__(self, bus, unit: int, lease_ms: int, window_mv=(0, 0)):
        super().__init__(bus, unit, lease_ms)
        self.lease_s = 10
        self.maker = "InfyPower"
        self.window_mv = window_mv
        self.modules = 0
        self.voltage_mv = 0
        self.current_ma = 0
        self.most_ma = 0
        self.mode = 0  # RECTIFIER or INVERTER, as reported
        self.on = 0
        self._silent_ms = 0
        self._silent = 0
        self._turns = 0  # of direction: what was read before one does not go with what is read after
        self._probes = ()
        self._probes = tuple([self._make(READ_INFO, code) for code in CONSTANTS])
        self._asks = [self._make(READ_INFO, code) for code in (VOLTAGE, CURRENT, STATUS, MODE_STATUS)]
        self._current = self._make(WRITE_SETTING, CURRENT, WRITE)
        self._limit = self._make(WRITE_SETTING, VOLTAGE, WRITE)
        self._switch = self._make(WRITE_SETTING, SWITCH, WRITE)
        self._mode = self._make(WRITE_SETTING, MODE, WRITE)
        self._stop_current = self._make(WRITE_SETTING, CURRENT, TRIP)
        self._stop_current.retries = 3

    def _make(self, command: int, code: int, priority: int = READ) -> CanTransfer:
        transfer = CanTransfer(identifier(command, self.unit), match, priority)
        sunspec.put16(transfer.data, 0, code)
        transfer.probes = self._probes
        return transfer

    # --- connection ---

    async def connect(self) -> None:
        """Count the modules, switch them off, read what they can. DeviceError when unusable."""
        if self._silent:
            await asyncio.sleep_ms(max(0, SILENCE_MS - ticks_diff(ticks_ms(), self._silent_ms)))
            self._silent = 0
        least_mv, most_mv = self.window_mv
        if not 0 < least_mv < most_mv:
            text = "battery_least_mv=%d, battery_most_mv=%d is no voltage window; set both, the lower one first"
            raise DeviceError(text % (least_mv, most_mv))
        self.modules = await self._read(COUNT)
        if not 1 <= self.modules <= 60:
            raise self._error(COUNT, "counts %d modules; 1..60 are possible" % self.modules)
        await self._write(self._current, 0)
        await self._write(self._switch, OFF)
        high_mv, low_mv = await self._read(HIGHEST_MV), await self._read(LOWEST_MV)
        if least_mv < low_mv or most_mv > high_mv:
            what = "gives %d..%d mV; the battery needs %d..%d mV" % (low_mv, high_mv, least_mv, most_mv)
            raise self._error(HIGHEST_MV, what)
        self.most_ma = await self._read(MOST_MA)
        rated_w = await self._read(RATED_MW) // 1000
        if not 0 < rated_w <= POWER_MAX_W:
            raise self._error(RATED_MW, "rating of %d W is impossible" % rated_w)
        await self._find_direction(rated_w)
        self.sent_w = 0

    async def _find_direction(self, rated_w: int) -> None:
        """Ask it, switched off, for inverter mode: the only way in which the protocol tells a one-way module."""
        sunspec.put32(self._mode.data, 2, INVERTER)
        self.can_export = 1 if await self.send(self._mode) == modbus.OK else 0
        await self._write(self._mode, RECTIFIER)
        self.charge_w = rated_w
        self.discharge_w = rated_w if self.can_export else 0

    async def _read(self, code: int) -> int:
        transfer = self._make(READ_INFO, code)
        result = await self.bus.transact(transfer)
        value = sunspec.s32(transfer.answer, 2)
        if result or value == sunspec.NONE:
            raise self._error(code, self._why(result) if result else "reads %s" % bytes(transfer.answer[4:]))
        return value

    async def _write(self, transfer, value: int) -> None:
        sunspec.put32(transfer.data, 2, value)
        result = await self.send(transfer)
        if result:
            raise self._error(sunspec.raw16(transfer.data, 0), self._why(result))

    def _error(self, code: int, what: str) -> DeviceError:
        return DeviceError("inverter group %d, CAN code 0x%04X: %s" % (self.unit, code, what))

    # --- reading ---

    async def poll(self) -> int:
        """Read voltage, current, status, mode; return 1 when all came, belong together and are possible."""
        if self._silent:
            return 0
        turns = self._turns
        for ask in self._asks:
            if await self.bus.transact(ask):
                return 0
        spread_ms = ticks_diff(self._asks[3].stamp_ms, self._asks[0].stamp_ms)
        return self.take_status() if spread_ms <= SPREAD_MS and turns == self._turns else 0

    def take_status(self) -> int:
        """Take the four answers; return 1 when they are possible."""
        voltage, current, status, mode = [ask.answer for ask in self._asks]
        mv, ma = sunspec.s32(voltage, 2), sunspec.s32(current, 2)
        if not 0 <= mv <= 1500000 or not -1000000 <= ma <= 1000000:
            return 0
        self.voltage_mv, self.current_ma = mv, abs(ma)
        self.mode = INVERTER if mode[7] & 1 else RECTIFIER
        self._judge(status[5] << 16 | status[6] << 8 | status[7])
        watts = mv // 100 * (self.current_ma // 100) // 100
        self.power_w = -watts if self.mode == INVERTER else watts
        self.stamp_ms = self._asks[0].stamp_ms  # the oldest of the four
        return 1

    def _judge(self, bits: int) -> None:
        alarms = 0
        for bit, alarm in ALARMS:
            if bits >> bit & 1:
                alarms |= 1 << alarm
        self.alarms = alarms
        self.on = 1 - (bits >> DC_OFF & 1)
        self.connected = self.on
        self.state = 6 if bits >> FAULT & 1 else 3 if self.on else 0

    # --- writing ---

    async def command(self, power_w: int, enable: int) -> int:
        """Set the current for power_w; a change of direction goes through zero and off."""
        if not enable or power_w == 0:
            return await self._stop(self._current, enable)
        if power_w < 0 and not self.can_export:
            return await self._stop(self._current, enable)
        if self._silent:
            return modbus.CLOSED
        want = INVERTER if power_w < 0 else RECTIFIER
        if self.mode != want or not self.on:
            return await self._turn(want)
        result = await self._set(self._limit, self.window_mv[0] if want == INVERTER else self.window_mv[1])
        result = result or await self._set(self._current, self._milliamps(abs(power_w)))
        if result == modbus.OK:
            self.sent_w = power_w
        return result

    async def renew(self, power_w: int, reactive_var: int, enable: int) -> int:
        """Any message is a sign of life; send the setpoint again."""
        return await self.command(power_w, enable)

    async def trip(self, power_w: int, enable: int) -> int:
        """Take the current to zero ahead of everything; more than zero waits for its turn."""
        return await self._stop(self._stop_current, enable)

    async def _turn(self, want: int) -> int:
        """Zero, off, mode, on; power follows with the command after the status shows it."""
        self._turns += 1
        result = await self._set(self._current, 0)
        result = result or await self._set(self._switch, OFF)
        result = result or await self._set(self._mode, want)
        return result or await self._set(self._switch, ON)

    async def _stop(self, current, enable: int) -> int:
        if self._silent:
            return modbus.CLOSED
        result = await self._set(current, 0)
        if not enable and self.on:
            result = await self._set(self._switch, OFF)  # off is a stop, whatever became of the current
        if result and self.on:
            self._silent = 1  # silence is the one stop left
            self._silent_ms = ticks_ms()
        elif result == modbus.OK:
            self.sent_w = 0
        return result

    async def _set(self, transfer, value: int) -> int:
        sunspec.put32(transfer.data, 2, value)
        return await self.send(transfer)

    def _milliamps(self, watts: int) -> int:
        least_mv, most_mv = self.window_mv
        if not least_mv <= self.voltage_mv <= most_mv:
            return 0  # the battery is not there, or not the one it was said to be
        return min(watts * 1000 // (self.voltage_mv // 1000), self.most_ma)

    def _why(self, result: int) -> str:
        text = ERRORS.get(result) or modbus.RESULTS.get(result, "error code %d" % result)
        return "%s (%s)" % (text, self.bus.error) if result >= modbus.TIMEOUT and self.bus.error else text
