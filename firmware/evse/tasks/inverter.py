# SPDX-License-Identifier: MIT
"""Inverter task: sends the command image at 10 Hz and at once when it is urgent, and keeps the mailboxes filled.

Inputs: image.outputs (inverter_enable, inverter_w, inverter_var, lease_ok, urgent). Outputs: image.mail.inverter and
image.mail.battery. Three loops share the line: urgent writes (trips ahead of everything, reactive power at once),
commands (writes, ahead of reads) and polls. The inverter's own lease is re-armed only while outputs.lease_ok: polling
is not permission. The driver (drivers/inverter.py) knows the device; this task knows when.
"""

import asyncio
from time import ticks_diff, ticks_ms

from evse.drivers.inverter import UNKNOWN
from evse.drivers.inverter_choice import HostError, connect, open_inverter
from evse.tasks.anti_islanding import lacking
from evse.tasks.inverter_check import compare
from evse.tasks.lines import Lines

REST_MS = 100  # longest sleep between two regular commands
LOOK_MS = 10  # shortest sleep: between two regular commands, and before an urgent one is sent again
CONFIGURE_MS = 100  # between attempts to arm the lease for the first time
WAKE_LOOK_MS = 500
BACKOFF_MS = (1000, 2000, 5000, 10000, 30000)


class InverterTask:
    """Runs one inverter.

    board: gives `inverter_uart` and, where the transceiver needs one, `inverter_de`; driver: another inverter's driver;
    lines: the board's Modbus masters, shared with the meter; profile: the grid code to compare the inverter with;
    notes: where it says in words that it was lost.
    """

    name = "inverter"
    critical = True
    patience_ms = 90000  # the longest backoff and a whole discovery fit

    def __init__(self, image, settings, board, driver=None, lines=None, profile=None, notes=None):
        self._inputs = image.inputs  # of these it writes inverter_islanding alone
        self._outputs = image.outputs
        self._inverter = image.mail.inverter
        self._battery = image.mail.battery
        self._settings = settings
        self._board = board
        self._lines = lines or Lines(board, settings)
        self._profile = profile
        self._notes = notes
        self.driver = driver
        self.bus = None
        self.online = 0
        self.error = ""  # why it is offline, for a person
        self.reconnects = 0
        self.mismatches = []  # what differs between the inverter's grid settings and the profile, in sentences
        self._failed = 0  # connections that failed
        self._told = ""  # the last reason that went to the notes
        self._heard_ms = 0
        self._soc_stamp_ms = 0
        self._writers = ()
        self._trip = asyncio.Event()
        self._react = asyncio.Event()
        self._done = 0  # the last urgent command that was taken
        self.beat_ms = ticks_ms()

    @property
    def errors(self) -> int:
        """Transactions that failed for good, and connections."""
        return self._failed + (self.driver.failed if self.driver else 0)

    @property
    def commands(self) -> int:
        """Writes sent."""
        return self.driver.writes if self.driver else 0

    @property
    def state(self) -> str:
        """What `status` shows."""
        if self.driver is None or not self.online:
            return "offline: %s" % self.error if self.error else "connecting"
        found = len(self.warnings())
        name = "%s %s" % (self.driver.maker, self.driver.model)
        return "%s (%s)%s" % (name.strip(), self.driver.name, ", %d warnings" % found if found else "")

    def warnings(self):
        """Return what a person should know about the inverter now, one sentence each."""
        if self.driver is None or not self.online:
            return ["The inverter is offline: %s." % self.error] if self.error else []
        return self.driver.warnings() + self.mismatches + lacking(self.driver, self._settings)

    async def run(self) -> None:
        """Connect, serve until lost, connect again; never returns but for a setting that names no inverter."""
        if not self._open():
            return
        for task in self._writers:
            task.cancel()
        self._writers = (
            asyncio.create_task(self._commands()),
            asyncio.create_task(self._watch()),
            asyncio.create_task(self._trips()),
            asyncio.create_task(self._reactions()),
        )
        attempt = 0
        while True:
            self.beat_ms = ticks_ms()
            if await self._serve():
                attempt = 0
            self.online = 0
            self._publish_own_method()
            self.reconnects += 1
            self._tell()
            self.beat_ms = ticks_ms()
            woken = await self._rest(BACKOFF_MS[min(attempt, len(BACKOFF_MS) - 1)])
            attempt = 0 if woken else attempt + 1

    async def _rest(self, rest_ms: int) -> int:
        """Sleep; return 1, early, when the contactor closes: it may have woken the inverter."""
        outputs = self._outputs
        closed = outputs.closed
        started_ms = ticks_ms()
        while ticks_diff(ticks_ms(), started_ms) < rest_ms:
            await asyncio.sleep_ms(min(rest_ms, WAKE_LOOK_MS))
            if outputs.closed > closed:
                return 1
            closed = outputs.closed
        return 0

    async def _serve(self) -> int:
        """Connect and poll until lost; return 1 when it had connected."""
        self.online = 0
        try:
            self.driver = await connect(self.driver)
            self.error = self._told = ""
            self.driver.configured = 0
            self.mismatches = self._compared()
            self._heard_ms = ticks_ms()
            self.online = 1
            self._publish_own_method()
            await self._polls()
        except OSError as error:
            self.error = str(error)
            self._failed += 1
        return self.online

    def _tell(self) -> None:
        """Put a new reason for being offline on record, once."""
        if self._notes is not None and self.error != self._told:
            self._told = self.error
            self._notes.say("inverter", self.error)

    def _open(self) -> int:
        """Choose the driver; return 0 when settings or board name none, with the reason in `error`."""
        if self.driver is None:
            if self._settings.inverter_kind == "sunspec_rtu" and self._board.inverter_uart is None:
                self.error = "no inverter line on this board"
                return 0
            try:
                self.driver = open_inverter(self._settings, self._lines)
            except HostError as error:
                self.error = str(error)
                raise
        if self.driver.supply_behind_contactor and not self._settings.inverter_wake_s:
            self.error = (
                "inverter_kind=%s has its supply through the contactor: set inverter_wake_s to what it takes to boot "
                "and be found (180)" % self._settings.inverter_kind
            )
            raise HostError(self.error)
        self.bus = self.driver.bus
        return 1

    # --- commands ---

    async def _commands(self) -> None:
        """Regular commands, and the lease, each in the driver's own rhythm."""
        last_ms = ticks_ms()
        lease_ms = last_ms
        while True:
            await asyncio.sleep_ms(self._rest_ms(ticks_diff(ticks_ms(), last_ms)))
            if not self.online:
                continue
            driver = self.driver
            outputs = self._outputs
            now_ms = ticks_ms()
            if self._lease_due(ticks_diff(now_ms, lease_ms)):
                lease_ms = last_ms = now_ms
                await driver.renew(self._power(), self._reactive(), outputs.inverter_enable)
            elif ticks_diff(now_ms, last_ms) >= driver.command_ms:
                last_ms = now_ms
                await driver.command(self._power(), outputs.inverter_enable)

    async def _watch(self) -> None:
        """Pass on what the cycle calls urgent: a command that cannot wait, or a changed reactive setpoint."""
        outputs = self._outputs
        flag = asyncio.ThreadSafeFlag()
        outputs.wake = flag.set
        while True:
            await flag.wait()
            if not self.online:
                self._done = outputs.urgent  # connecting sends zero first
                continue
            if outputs.urgent != self._done:
                self._trip.set()
            if self.driver.takes_reactive and self._reactive() != self.driver.sent_var:
                self._react.set()

    async def _trips(self) -> None:
        """Urgent commands, beside the regular ones: they overtake whatever waits for the line, until one is taken."""
        outputs = self._outputs
        while True:
            await self._trip.wait()
            self._trip.clear()
            while self.online and outputs.urgent != self._done:
                urgent = outputs.urgent
                if await self.driver.trip(self._power(), outputs.inverter_enable) == 0:
                    self._done = urgent
                else:
                    await asyncio.sleep_ms(LOOK_MS)

    async def _reactions(self) -> None:
        """A changed reactive setpoint goes out at once: active anti-islanding asks with it (docs/contracts.md)."""
        while True:
            await self._react.wait()
            self._react.clear()
            while self.online and self._reactive() != self.driver.sent_var:
                await self.driver.react(self._reactive())
                await asyncio.sleep_ms(0)

    def _rest_ms(self, since_ms: int) -> int:
        """Return how long nothing regular is due: what is urgent has loops of its own."""
        if not self.online:
            return LOOK_MS
        return max(LOOK_MS, min(self.driver.command_ms - since_ms, REST_MS))

    def _lease_due(self, since_ms: int) -> int:
        """Return 1 when the lease is to be armed: once at zero after connecting, then only with permission."""
        if not self.driver.configured:
            return 1 if since_ms >= CONFIGURE_MS else 0
        return 1 if since_ms >= self.driver.renew_ms and self._outputs.lease_ok else 0

    def _power(self) -> int:
        """Return what may be asked for now: without permission that is zero, whatever the image says."""
        outputs = self._outputs
        return outputs.inverter_w if outputs.lease_ok and outputs.inverter_enable else 0

    def _reactive(self) -> int:
        outputs = self._outputs
        return outputs.inverter_var if outputs.lease_ok and outputs.inverter_enable else 0

    # --- polls ---

    async def _polls(self) -> None:
        """Read status as fast as the line allows beside the commands, slow blocks now and then; return when lost."""
        driver = self.driver
        period_ms = max(driver.poll_ms, 2880000 // self.bus.baud)
        slow_ms = ticks_ms()
        while ticks_diff(ticks_ms(), self._heard_ms) < driver.lost_ms:
            started_ms = ticks_ms()
            self.beat_ms = started_ms
            if await driver.poll():
                self._heard_ms = driver.stamp_ms
                self._publish_inverter(driver)
            if ticks_diff(started_ms, slow_ms) >= driver.slow_ms:
                slow_ms = started_ms
                await driver.poll_slow()
                grid = driver.grid
                for _ in range(grid.due() if grid else 0):
                    await self.bus.transact(grid.next())
                    if grid.changed():
                        await self._read_again(grid)
                self._publish_own_method()
            if driver.soc_stamp_ms != self._soc_stamp_ms:
                self._soc_stamp_ms = driver.soc_stamp_ms
                self._publish_battery(driver)
            rest_ms = period_ms - ticks_diff(ticks_ms(), started_ms)
            await asyncio.sleep_ms(max(rest_ms, 1))
        self.error = "inverter %d has not answered for %d ms" % (driver.unit, driver.lost_ms)

    async def _read_again(self, grid) -> None:
        """Somebody corrected or spoiled a grid setting: read its model anew, and compare."""
        await grid.read(grid.model)
        found = self._compared()
        if found != self.mismatches and self._notes is not None:
            self._notes.say("inverter", "its %s was changed" % grid.words(grid.model))
        self.mismatches = found

    def _compared(self):
        """Return what differs between the inverter's grid settings and the profile, in sentences."""
        return compare(self.driver, self._profile) if self._profile else []

    def _publish_inverter(self, driver) -> None:
        box = self._inverter
        box.begin()
        box.state = driver.state
        box.connected = driver.connected
        box.power_w = driver.power_w
        box.reactive_var = driver.reactive_var
        box.terminal_mv = driver.terminal_mv
        box.alarms = driver.alarms
        box.charge_w = driver.charge_w
        box.discharge_w = driver.discharge_w
        box.response_ms = driver.response_ms
        box.var_response_ms = driver.var_response_ms
        box.stale_ms = driver.stale_ms
        box.end(driver.stamp_ms)

    def _publish_own_method(self) -> None:
        """Show the inverter's own anti-islanding as it tells; nothing is known of one that is offline."""
        self._inputs.inverter_islanding = self.driver.own_anti_islanding - UNKNOWN if self.online else 0

    def _publish_battery(self, driver) -> None:
        box = self._battery
        box.begin()
        box.soc_ok = driver.soc_ok if self._settings.soc_source == "inverter" else 0  # else the command `soc` tells it
        box.soc_permille = driver.soc_permille
        box.cdeg = driver.battery_cdeg
        box.charge_w = 0  # the vehicle's own limits are not in the inverter's registers: not stated
        box.discharge_w = 0
        box.end(driver.soc_stamp_ms)
