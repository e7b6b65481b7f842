# SPDX-License-Identifier: MIT
"""Inverter task: sends the command image at 10 Hz and at once when it is urgent, and keeps the mailboxes filled.

Inputs: image.outputs (inverter_enable, inverter_w, inverter_var, lease_ok, urgent). Outputs: image.mail.inverter and
image.mail.battery. Three loops share the line: trips (ahead of everything), commands (writes, ahead of reads) and
polls. The inverter's own lease is re-armed only while outputs.lease_ok: polling is not permission.
"""

import asyncio
from time import ticks_diff, ticks_ms

from evse.drivers.inverter_sunspec import InverterSunSpec
from evse.drivers.modbus_bus import ModbusBus

COMMAND_MS = 100
LOOK_MS = 10  # how soon an urgent command is noticed
LEASE_MS = 1000  # re-arm and heartbeat
SLOW_MS = 1000  # storage, DC, control, read-back: one of them each time
LOST_MS = 2000  # without a status: find the device anew
BACKOFF_MS = (1000, 2000, 5000, 10000, 30000)


class InverterTask:
    """Runs one inverter.

    board: gives `inverter_uart` and, where the transceiver needs one, `inverter_de`; driver: another inverter's driver.
    """

    name = "inverter"
    critical = True
    patience_ms = 60000  # the longest backoff and a whole discovery fit

    def __init__(self, image, settings, board, driver=None):
        self._outputs = image.outputs
        self._inverter = image.mail.inverter
        self._battery = image.mail.battery
        self._settings = settings
        self._board = board
        self.driver = driver
        self.bus = None
        self.online = 0
        self.error = ""  # why it is offline, for a person
        self.errors = 0  # transactions that failed for good
        self.reconnects = 0
        self.commands = 0
        self._enabled = -1  # what was last told with OpCtl; -1 = nothing yet
        self._heard_ms = 0
        self._slow = 0
        self._configured = 0  # 1: the lease block has been taken since we connected
        self._writers = ()
        self.beat_ms = ticks_ms()

    async def run(self) -> None:
        """Connect, serve until lost, connect again; never returns."""
        if self._board.inverter_uart is None and self.driver is None:
            self.error = "no inverter line on this board"
            return
        self._open()
        for task in self._writers:
            task.cancel()
        create = asyncio.create_task
        self._writers = (create(self._commands()), create(self._trips()), create(self._reactive()))
        attempt = 0
        while True:
            self.beat_ms = ticks_ms()
            if await self._serve():
                attempt = 0
            self.online = 0
            self.reconnects += 1
            self.beat_ms = ticks_ms()
            await asyncio.sleep_ms(BACKOFF_MS[min(attempt, len(BACKOFF_MS) - 1)])
            attempt += 1

    async def _serve(self) -> int:
        """Connect and poll until lost; return 1 when it had connected."""
        self.online = 0
        try:
            await self.driver.connect()
            self.error = ""
            self._enabled = -1
            self._configured = 0
            self._heard_ms = ticks_ms()
            self.online = 1
            await self._polls()
        except OSError as error:
            self.error = str(error)
            self.errors += 1
        return self.online

    def _open(self) -> None:
        if self.driver is None:
            settings = self._settings
            de = getattr(self._board, "inverter_de", None)
            bus = ModbusBus(self._board.inverter_uart, settings.inverter_baud, de)
            self.driver = InverterSunSpec(bus, settings.inverter_address, settings.inverter_lease_ms)
        self.bus = self.driver.bus

    # --- commands ---

    async def _commands(self) -> None:
        """Regular commands at 10 Hz, with the lease every second."""
        last_ms = ticks_ms()
        lease_ms = last_ms
        while True:
            await asyncio.sleep_ms(LOOK_MS)
            if not self.online:
                continue
            now_ms = ticks_ms()
            if self._lease_due(ticks_diff(now_ms, lease_ms)):
                lease_ms = last_ms = now_ms
                await self._renew()
            elif ticks_diff(now_ms, last_ms) >= COMMAND_MS:
                last_ms = now_ms
                await self._command()

    async def _trips(self) -> None:
        """Urgent commands, beside the regular ones: they overtake whatever waits for the line, until one is taken."""
        done = self._outputs.urgent
        while True:
            await asyncio.sleep_ms(LOOK_MS)
            urgent = self._outputs.urgent
            if not self.online:
                done = urgent  # connecting sends zero first
            elif urgent != done:
                self.driver.set_power(self._power())
                if await self._send(self.driver.w_trip) == 0:
                    done = urgent
                await self._operate()

    async def _reactive(self) -> None:
        """Reactive power, alone and as soon as it changes: the anti-islanding method counts on a quick answer."""
        taken = 1
        while True:
            await asyncio.sleep_ms(LOOK_MS)
            var = self._var()
            if self.online and self._configured and (var != self.driver.sent_var or not taken):
                self.driver.set_reactive(var)
                taken = 1 if await self._send(self.driver.var_set) == 0 else 0

    def _lease_due(self, since_ms: int) -> int:
        """Return 1 when the lease is to be armed: once at zero after connecting, then only with permission."""
        if not self._configured:
            return 1
        return 1 if since_ms >= LEASE_MS and self._outputs.lease_ok else 0

    def _power(self) -> int:
        """Return what may be asked for now: without permission that is zero, whatever the image says."""
        outputs = self._outputs
        return outputs.inverter_w if outputs.lease_ok and outputs.inverter_enable else 0

    def _var(self) -> int:
        """Return the reactive power that may be asked for now."""
        outputs = self._outputs
        return outputs.inverter_var if outputs.lease_ok and outputs.inverter_enable else 0

    async def _command(self) -> None:
        self.driver.set_power(self._power())
        await self._send(self.driver.w_set)
        await self._operate()

    async def _renew(self) -> None:
        """Send setpoint, lease and heartbeat: everything the inverter needs to go on for one more lease."""
        driver = self.driver
        driver.set_power(self._power())
        if await self._send(driver.w_block) == 0:
            self._configured = 1
        if driver.beat:
            driver.set_heartbeat()
            await self._send(driver.beat)
        driver.set_reactive(self._var())
        await self._send(driver.var_block)
        await self._operate()

    async def _operate(self) -> None:
        """Tell the inverter to run or stop when that changed; asked again until it was taken."""
        enable = self._outputs.inverter_enable
        driver = self.driver
        if driver.operate and enable != self._enabled:
            driver.set_operate(enable)
            if await self._send(driver.operate) == 0:
                self._enabled = enable

    async def _send(self, transfer) -> int:
        result = await self.bus.transact(transfer)
        self.commands += 1
        if result:
            self.errors += 1
        return result

    # --- polls ---

    async def _polls(self) -> None:
        """Read status as fast as the line allows beside the commands, one slow block a second; return when lost."""
        driver = self.driver
        period_ms = max(COMMAND_MS, 2880000 // self.bus.baud)
        slow_ms = ticks_ms()
        while ticks_diff(ticks_ms(), self._heard_ms) < LOST_MS:
            started_ms = ticks_ms()
            self.beat_ms = started_ms
            if await self.bus.transact(driver.status) == 0 and driver.take_status():
                self._heard_ms = driver.status.stamp_ms
                self._publish_inverter(driver.status.stamp_ms)
            else:
                self.errors += 1
            if ticks_diff(started_ms, slow_ms) >= SLOW_MS // 4:
                slow_ms = started_ms
                await self._poll_slow()
            rest_ms = period_ms - ticks_diff(ticks_ms(), started_ms)
            await asyncio.sleep_ms(max(rest_ms, 1))
        self.error = "inverter %d has not answered for %d ms" % (driver.device.unit, LOST_MS)

    async def _poll_slow(self) -> None:
        self._slow = (self._slow + 1) % 5
        driver = self.driver
        bus = self.bus
        if self._slow == 0 and driver.storage:
            if await bus.transact(driver.storage) == 0:
                driver.take_storage()
                self._publish_battery(driver.storage.stamp_ms)
        elif self._slow == 1:
            sent_w = driver.sent_w
            # A setpoint that changed while the question was on the line proves nothing.
            if self._configured and await bus.transact(driver.setpoints) == 0 and sent_w == driver.sent_w:
                driver.take_setpoints()
        elif self._slow == 2 and driver.dc:
            if await bus.transact(driver.dc) == 0:
                driver.take_dc()
        elif self._slow == 3 and driver.control:
            if await bus.transact(driver.control) == 0:
                driver.take_control()
        elif self._slow == 4 and await bus.transact(driver.ratings) == 0:
            driver.take_ratings()

    def _publish_inverter(self, stamp_ms: int) -> None:
        box = self._inverter
        driver = self.driver
        box.begin()
        box.state = driver.state
        box.connected = driver.connected
        box.power_w = driver.power_w
        box.reactive_var = driver.reactive_var
        box.alarms = driver.alarms
        box.charge_w = driver.charge_w
        box.discharge_w = driver.discharge_w
        box.end(stamp_ms)

    def _publish_battery(self, stamp_ms: int) -> None:
        box = self._battery
        driver = self.driver
        box.begin()
        box.soc_ok = driver.soc_ok
        box.soc_permille = driver.soc_permille
        box.cdeg = driver.battery_cdeg
        box.charge_w = 0  # the vehicle's own limits are not in SunSpec: not stated
        box.discharge_w = 0
        box.end(stamp_ms)
