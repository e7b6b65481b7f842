# SPDX-License-Identifier: MIT
"""Find a SunSpec device's models: the mark at 40000, 0 or 50000, then (ID, length) to the end.

Used by the SunSpec inverter and meter. Runs at connection time; allocates freely.
"""

from evse.drivers.modbus_bus import Transfer
from evse.link import modbus, sunspec

MODELS_MAX = 64  # a longer chain is a loop


class DeviceError(OSError):
    """A device cannot be used: one line with the register address and what was read there."""


class SunSpecDevice:
    """The models of one unit. bus: ModbusBus or ModbusTcp; name: for messages, "inverter" or "meter"."""

    def __init__(self, bus, unit: int, name: str):
        self.bus = bus
        self.unit = unit
        self.name = name
        self.base = -1
        self.models = {}  # id -> (address of the ID register, length without ID and L); the first one wins
        self.maker = ""
        self.model = ""
        self.serial = ""

    async def read(self, address: int, count: int, data=None):
        """Read `count` registers into data (or a new buffer) and return it; DeviceError when that fails."""
        if data is None:
            data = bytearray(2 * count)
        transfer = Transfer(self.unit, modbus.READ_HOLDING, address, count, data)
        result = await self.bus.transact(transfer)
        if result:
            raise self.error(address, "%s" % modbus.RESULTS.get(result, "exception %d" % result))
        return data

    def error(self, address: int, what: str) -> DeviceError:
        """Return the error that names the device, the register and what was wrong."""
        return DeviceError("%s %d, register %d: %s" % (self.name, self.unit, address, what))

    async def discover(self) -> None:
        """Find the base and walk the chain; DeviceError when this is not a whole SunSpec device."""
        self.base = await self._find_base()
        self.models = {}
        address = self.base + 2
        head = bytearray(4)
        for _ in range(MODELS_MAX):
            await self.read(address, 2, head)
            model = sunspec.raw16(head, 0)
            length = sunspec.raw16(head, 1)
            if model == sunspec.END_MODEL:
                break
            if not model or not length or address + 2 + length > 0xFFFF:
                raise self.error(address, "model %d of length %d; not a SunSpec chain" % (model, length))
            if model not in self.models:
                self.models[model] = (address, length)
            address += 2 + length
        else:
            raise self.error(address, "no end after %d models" % MODELS_MAX)
        await self._read_common()

    async def _find_base(self) -> int:
        reasons = []
        for base in sunspec.BASES:
            try:
                data = await self.read(base, 2)
            except DeviceError as error:
                reasons.append(str(error))
                continue
            if sunspec.raw16(data, 0) == sunspec.MARK_HIGH and sunspec.raw16(data, 1) == sunspec.MARK_LOW:
                return base
            reasons.append("register %d reads %02X%02X %02X%02X" % (base, data[0], data[1], data[2], data[3]))
        raise DeviceError('%s %d is not SunSpec: no "SunS": %s' % (self.name, self.unit, "; ".join(reasons)))

    async def _read_common(self) -> None:
        if 1 not in self.models:
            return
        data = await self.read(self.models[1][0], min(self.models[1][1] + 2, 66))
        self.maker = sunspec.text(data, 2, 16)
        self.model = sunspec.text(data, 18, 16)
        self.serial = sunspec.text(data, 50, 16)

    def lacks(self, what: str) -> DeviceError:
        """Return the error of a device without the models that are needed: it names those that were read, and where."""
        held = ", ".join(["%d at %d" % (model, self.models[model][0]) for model in sorted(self.models)])
        return DeviceError("%s %d has %s; it has %s" % (self.name, self.unit, what, held))

    def point(self, model: int, offset: int, count: int = 1) -> int:
        """Return the address of `offset` in `model`; DeviceError when the model is absent or too short."""
        if model not in self.models:
            raise self.lacks("no model %d" % model)
        address, length = self.models[model]
        if offset + count > length + 2:
            raise self.error(address, "model %d has length %d; %d needed" % (model, length, offset + count - 2))
        return address + offset
