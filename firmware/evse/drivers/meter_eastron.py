# SPDX-License-Identifier: MIT
"""Eastron SDM230 (single phase) and SDM630 (three phases) meters: floats in input registers, function 4.

Source: SDM230 and SDM630 Modbus protocol documents; the meter allows at most 40 parameters (80 registers) a read.
"""

from evse.drivers.meter import FREQUENCY_MAX_UHZ, FREQUENCY_MIN_UHZ, POWER_MAX_W, VOLTAGE_MAX_MV, Meter, float_point
from evse.drivers.modbus_bus import Transfer
from evse.drivers.sunspec_device import DeviceError
from evse.link import modbus
from evse.link.sunspec import NONE

# Register addresses (two registers each)
VOLTS = 0x0000  # L1..L3
WATTS = 0x000C  # L1..L3
TOTAL_WATTS = 0x0034  # SDM630
HERTZ = 0x0046
KINDS = {"sdm230": 1, "sdm630": 3}
CONNECT_TRIES = 3
SILENT_MS = 500  # these meters may take 300 ms


class MeterEastron(Meter):
    """kind: "sdm230" or "sdm630". See Meter for the attributes."""

    def __init__(self, bus, unit: int, kind: str, sign: int = 1):
        super().__init__(bus, unit, sign)
        if kind not in KINDS:
            raise ValueError("meter kind %r is not one of %s" % (kind, ", ".join(sorted(KINDS))))
        self.kind = kind
        self.phases = KINDS[kind]
        # Each with its own count, so that a late answer to one cannot pass for the other's.
        self._live = self._make(VOLTS, 18)
        self._line = self._make(TOTAL_WATTS, 20)  # total power to frequency

    def _make(self, address: int, count: int) -> Transfer:
        transfer = Transfer(self.unit, modbus.READ_INPUT, address, count, bytearray(2 * count))
        transfer.timeout_ms = SILENT_MS
        transfer.retries = 0  # the next reading comes soon enough, and an inverter may share the line
        return transfer

    async def connect(self) -> None:
        found = 0
        for _ in range(CONNECT_TRIES):
            found = found or await self.read()
        if not found:
            code = self._live.result or self._line.result
            what = modbus.RESULTS.get(code, "exception %d" % code) if code else "no possible power"
            raise DeviceError("meter %d (%s), register %d: %s" % (self.unit, self.kind, VOLTS, what))

    async def read(self) -> int:
        if await self.bus.transact(self._live) or await self.bus.transact(self._line):
            return self._failed()
        self.stamp_ms = self._live.stamp_ms
        live = self._live.data
        for phase in range(self.phases):
            self.phase_mv[phase] = float_point(live, VOLTS + 2 * phase, 1000, VOLTAGE_MAX_MV)
            self.phase_w[phase] = self._signed(float_point(live, WATTS + 2 * phase, 1, POWER_MAX_W))
        hertz = float_point(self._line.data, HERTZ - TOTAL_WATTS, 1000000, FREQUENCY_MAX_UHZ)
        self.frequency_uhz = hertz if hertz >= FREQUENCY_MIN_UHZ else NONE
        if self.phases == 1:
            power_w = float_point(live, WATTS, 1, POWER_MAX_W)
        else:
            power_w = float_point(self._line.data, 0, 1, POWER_MAX_W)
        return self._set_power(power_w) or self._failed()
