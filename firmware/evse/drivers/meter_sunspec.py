# SPDX-License-Identifier: MIT
"""SunSpec AC meters: integer models 201-204 and float models 211-214. Offsets: public SunSpec model definitions."""

from evse.drivers.meter import FREQUENCY_MAX_UHZ, FREQUENCY_MIN_UHZ, POWER_MAX_W, VOLTAGE_MAX_MV, Meter, float_point
from evse.drivers.modbus_bus import Transfer
from evse.drivers.sunspec_device import SunSpecDevice
from evse.link import modbus, sunspec
from evse.link.sunspec import NONE

INTEGER_MODELS = {201: 1, 202: 2, 203: 3, 204: 3}  # model: phases
FLOAT_MODELS = {211: 1, 212: 2, 213: 3, 214: 3}
# Offsets from the ID register; each read is one block
INTEGER_BLOCK = (8, 15)  # PhVphA .. W_SF
FLOAT_BLOCK = (12, 24)  # PhVphA .. WphC


class MeterSunSpec(Meter):
    """One SunSpec meter. See Meter for the attributes."""

    def __init__(self, bus, unit: int, sign: int = 1):
        super().__init__(bus, unit, sign)
        self.device = SunSpecDevice(bus, unit, "meter")
        self.model = 0
        self._transfer = None

    async def connect(self) -> None:
        device = self.device
        await device.discover()
        for model, phases in tuple(INTEGER_MODELS.items()) + tuple(FLOAT_MODELS.items()):
            if model in device.models:
                self.model = model
                self.phases = phases
                first, count = INTEGER_BLOCK if model in INTEGER_MODELS else FLOAT_BLOCK
                address = device.point(model, first, count)
                self._transfer = Transfer(self.unit, modbus.READ_HOLDING, address, count, bytearray(2 * count))
                self._transfer.retries = 0  # the next reading comes soon enough
                return
        raise device.lacks("no meter model (201-204, 211-214)")

    async def read(self) -> int:
        if await self.bus.transact(self._transfer):
            return self._failed()
        self.stamp_ms = self._transfer.stamp_ms
        ok = self._take_integers() if self.model in INTEGER_MODELS else self._take_floats()
        return ok or self._failed()

    def _take_integers(self) -> int:
        data = self._transfer.data
        volt_factor = sunspec.scale_factor(data, 7)
        hertz_factor = sunspec.scale_factor(data, 9)
        watt_factor = sunspec.scale_factor(data, 14)
        for phase in range(3):
            self.phase_mv[phase] = sunspec.scaled(sunspec.s16(data, phase), volt_factor, 3)
            self.phase_w[phase] = self._signed(sunspec.scaled(sunspec.s16(data, 11 + phase), watt_factor, 0))
        self._take_frequency(sunspec.scaled(sunspec.s16(data, 8), hertz_factor, 6))
        return self._set_power(sunspec.scaled(sunspec.s16(data, 10), watt_factor, 0))

    def _take_floats(self) -> int:
        data = self._transfer.data
        for phase in range(3):
            self.phase_mv[phase] = float_point(data, 2 * phase, 1000, VOLTAGE_MAX_MV)
            self.phase_w[phase] = self._signed(float_point(data, 18 + 2 * phase, 1, POWER_MAX_W))
        self._take_frequency(float_point(data, 14, 1000000, FREQUENCY_MAX_UHZ))
        return self._set_power(float_point(data, 16, 1, POWER_MAX_W))

    def _take_frequency(self, frequency_uhz: int) -> None:
        self.frequency_uhz = frequency_uhz if FREQUENCY_MIN_UHZ <= frequency_uhz <= FREQUENCY_MAX_UHZ else NONE
