# SPDX-License-Identifier: MIT
"""What every inverter driver shows: the contract of the kind "inverter". Sign: + = import, + = absorbed.

Capabilities are attributes, so that a service refuses by what the hardware can do, never by the driver's name.
A task calls connect(), then command(), renew(), trip(), react() and poll() as the driver's own periods say.
"""

NEVER_MS = (1 << 29) - 1  # as image.NEVER_MS
NO_TEMPERATURE_CDEG = -27315  # battery temperature not to be had
POWER_MAX_W = 1000000  # a rating above this is impossible for this product
UNKNOWN = -1  # of own_anti_islanding: it cannot be read


class Inverter:
    """One inverter; the attributes hold what it last said, in our sign, and what it can do.

    terminal_mv: RMS voltage at its AC terminals, line to neutral, mean of its phases; -1 = it does not tell.
    charge_w, discharge_w: most it takes and gives now (magnitudes, W). reactive_max_var: 0 = not stated.
    takes_reactive: 1 when a reactive setpoint works. response_ms: from a setpoint to the power at its terminals, at
    worst. var_response_ms: the same for reactive power, NEVER_MS when it takes none. resolution_w: step of its
    setpoint. lease_zero: 1 when it goes to zero by itself after lease_s without us. own_anti_islanding: 1 on, 0 off,
    UNKNOWN. cannot: what it cannot do, one sentence each.
    """

    name = "inverter"
    supply_behind_contactor = 0  # 1: it has no other supply than its AC terminals
    response_ms = 0
    var_response_ms = NEVER_MS
    lease_step_ms = 1000
    lease_zero = 0
    command_ms = 100  # between regular commands
    renew_ms = 1000  # between renewals of the lease
    poll_ms = 200  # between status reads, where the line allows: a tenth of the age at which they stop power
    slow_ms = 250  # between slow reads
    lost_ms = 2000  # without a status: find the device anew
    stale_ms = 0  # a status is believed this long; 0 = as the settings say

    def __init__(self, bus, unit: int, lease_ms: int):
        self.bus = bus
        self.unit = unit
        self.status = None  # the read of what changes all the time
        self.grid = None  # what it is set to, where it tells: trips and curves (GridSettings)
        self.lease_s = max(1, lease_ms // 1000)
        # What it said
        self.maker = ""
        self.model = ""
        self.serial = ""
        self.state = 0  # SunSpec 701 InvSt, whatever the device calls it
        self.connected = 0
        self.power_w = 0
        self.reactive_var = 0
        self.terminal_mv = -1
        self.alarms = 0  # SunSpec 701 Alrm bits
        self.stamp_ms = 0  # ticks of the last status
        self.soc_ok = 0
        self.soc_permille = 0
        self.soc_stamp_ms = 0  # ticks of the last word about the battery, good or not
        self.battery_cdeg = NO_TEMPERATURE_CDEG
        self.capacity_wh = 0
        self.local = 0  # 1: switched to local control, setpoints are ignored
        # Capabilities
        self.charge_w = 0
        self.discharge_w = 0
        self.reactive_max_var = 0
        self.takes_reactive = 0
        self.resolution_w = 1
        self.can_export = 0
        self.own_anti_islanding = UNKNOWN
        self.cannot = ()
        # What we told it
        self.sent_w = 0
        self.sent_var = 0
        self.configured = 0  # 1: the lease has been taken since we connected
        self.readback_errors = 0
        self.writes = 0
        self.failed = 0  # transactions that failed for good

    async def connect(self) -> None:
        """Find the device, check what is needed, read its ratings; DeviceError, an OSError, when it cannot be used."""
        raise NotImplementedError

    async def poll(self) -> int:
        """Read the status; return 1 when it is fresh and its power possible. Here of those that tell it in one read."""
        if await self.bus.transact(self.status) or not self.take_status():
            self.failed += 1
            return 0
        self.stamp_ms = self.status.stamp_ms
        return 1

    def take_status(self) -> int:
        """Decode what was read; return 0 when its power is not to be had."""
        raise NotImplementedError

    async def poll_slow(self) -> None:
        """Read the next of what changes slowly: storage, ratings, read-back."""

    async def command(self, power_w: int, enable: int) -> int:
        """Send a setpoint, + = import; return 0 when it was taken."""
        raise NotImplementedError

    async def renew(self, power_w: int, reactive_var: int, enable: int) -> int:
        """Send all that the inverter needs to go on for one more lease; return 0 when it was taken."""
        raise NotImplementedError

    async def trip(self, power_w: int, enable: int) -> int:
        """Send a setpoint ahead of everything; return 0 when it was taken."""
        raise NotImplementedError

    async def react(self, reactive_var: int) -> int:
        """Send a reactive setpoint at once, + = absorbed; return 0 when it was taken or cannot be."""
        return 0

    def warnings(self):
        """Return what a person should know about the device as it stands now, one sentence each."""
        return []

    def details(self):
        """Return lines that show what the device is set to: curves, trips."""
        return []

    async def send(self, transfer) -> int:
        """Run a write and count it; return its result."""
        result = await self.bus.transact(transfer)
        self.writes += 1
        if result:
            self.failed += 1
        return result
