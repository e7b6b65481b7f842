# SPDX-License-Identifier: MIT
"""The grid settings inside a SunSpec inverter, read by its own NPt and NCrv: volt-var 705, volt-watt 706, trips
707-710, droop 711.

The first curve of each model is the one in force. Runs at connection time and once in a while after; allocates.
Units: voltage in hundredths of a percent of nominal, frequency in mHz, time in ms, shares in hundredths of a percent.
"""

from evse.drivers.sunspec_device import DeviceError
from evse.link import sunspec
from evse.link.sunspec import NONE

MODELS = (705, 706, 707, 708, 709, 710, 711)
NAMES = {
    705: "volt-var",
    706: "volt-watt",
    707: "under-voltage trip",
    708: "over-voltage trip",
    709: "under-frequency trip",
    710: "over-frequency trip",
    711: "frequency droop",
}
CURVE_HEADS = {705: 10, 706: 5}  # registers of a curve before its points
HEAD = 15  # registers of the model's head that every one of 705, 706 has; trips have 9, droop 14
POINTS_MAX = 20  # more is no curve


class Curve:
    """One model's settings in force. points: (voltage or frequency, value); for trips the value is a time in ms."""

    def __init__(self, model: int, register: int, enabled: int, points, reference: int = 0):
        self.model = model
        self.register = register  # where the points begin
        self.enabled = enabled
        self.points = points
        self.reference = reference  # 705, 706: DeptRef


class Droop:
    """Model 711 in force: dead bands in mHz, slopes (share of nominal frequency for full power) in permille."""

    def __init__(self, register: int, enabled: int, over_mhz: int, under_mhz: int, over_permille: int, under: int):
        self.model = 711
        self.register = register
        self.enabled = enabled
        self.over_mhz = over_mhz
        self.under_mhz = under_mhz
        self.over_permille = over_permille
        self.under_permille = under


class GridSettings:
    """What one device holds. settings: {model: Curve or Droop}; a model that cannot be read stands in `unread`."""

    def __init__(self, device):
        self._device = device
        self.settings = {}
        self.unread = {}  # model: why
        self._next = 0

    async def read_all(self) -> None:
        """Read every model the device has. A broken one is named, not fatal: the inverter can still be commanded."""
        self.settings = {}
        self.unread = {}
        for model in MODELS:
            await self.read(model)

    async def read_next(self) -> None:
        """Read one of the models again, in turn."""
        self._next = (self._next + 1) % len(MODELS)
        await self.read(MODELS[self._next])

    async def read(self, model: int) -> None:
        """Read one model, if the device has it."""
        if model not in self._device.models:
            return
        try:
            if model == 711:
                self.settings[model] = await self._droop()
            elif model in CURVE_HEADS:
                self.settings[model] = await self._curve(model)
            else:
                self.settings[model] = await self._trip(model)
            self.unread.pop(model, None)
        except DeviceError as error:
            self.settings.pop(model, None)
            self.unread[model] = str(error)

    async def _head(self, model: int, count: int):
        """Return (data of the head, NPt, address of the model); DeviceError when the counts are impossible."""
        device = self._device
        address = device.point(model, 0, count)
        data = await device.read(address, count)
        points = sunspec.u16(data, 5)
        curves = sunspec.u16(data, 6)
        if not 1 <= points <= POINTS_MAX:
            raise device.error(address + 5, "model %d has NPt %d; 1..%d are possible" % (model, points, POINTS_MAX))
        if not curves >= 1:
            raise device.error(address + 6, "model %d has %d curves" % (model, curves))
        return data, points, address

    def _factor(self, data, register: int, address: int, model: int) -> int:
        factor = sunspec.scale_factor(data, register)
        if factor == NONE:
            what = "model %d: scale factor 0x%04X is not -10..10" % (model, sunspec.raw16(data, register))
            raise self._device.error(address + register, what)
        return factor

    def _active(self, data, register: int, most: int, address: int, model: int) -> int:
        active = sunspec.u16(data, register)
        if not 0 <= active <= most:
            raise self._device.error(address, "model %d has %d active points of %d" % (model, active, most))
        return active

    async def _curve(self, model: int) -> Curve:
        data, most, address = await self._head(model, HEAD)
        volts = self._factor(data, 12, address, model)
        shares = self._factor(data, 13, address, model)
        first = CURVE_HEADS[model]
        at = self._device.point(model, HEAD, first + 2 * most)
        rows = await self._device.read(at, first + 2 * most)
        points = []
        for k in range(self._active(rows, 0, most, at, model)):
            voltage = sunspec.scaled(sunspec.u16(rows, first + 2 * k), volts, 2)
            points.append((voltage, sunspec.scaled(sunspec.s16(rows, first + 2 * k + 1), shares, 2)))
        return Curve(model, at + first, 1 if sunspec.u16(data, 2) == 1 else 0, points, sunspec.u16(rows, 1))

    async def _trip(self, model: int) -> Curve:
        data, most, address = await self._head(model, 9)
        levels = self._factor(data, 7, address, model)
        times = self._factor(data, 8, address, model)
        volts = model < 709
        width = 3 if volts else 4
        at = self._device.point(model, 10, 1 + width * most)  # MustTrip is the first group of the first curve
        rows = await self._device.read(at, max(1 + width * most, 6))  # MayTrip follows, so there are more than that
        points = []
        for k in range(self._active(rows, 0, most, at, model)):
            start = 1 + width * k
            if volts:
                level = sunspec.scaled(sunspec.u16(rows, start), levels, 2)
            else:
                level = sunspec.scaled(sunspec.u32(rows, start), levels, 3)
            points.append((level, sunspec.scaled(sunspec.u32(rows, start + width - 2), times, 3)))
        return Curve(model, at + 1, 1 if sunspec.u16(data, 2) == 1 else 0, points)

    async def _droop(self) -> Droop:
        device = self._device
        address = device.point(711, 0, 24)
        data = await device.read(address, 24)
        bands = self._factor(data, 11, address, 711)
        slopes = self._factor(data, 12, address, 711)
        return Droop(
            address + 14,
            1 if sunspec.u16(data, 2) == 1 else 0,
            sunspec.scaled(sunspec.u32(data, 14), bands, 3),
            sunspec.scaled(sunspec.u32(data, 16), bands, 3),
            sunspec.scaled(sunspec.u16(data, 18), slopes, 3),
            sunspec.scaled(sunspec.u16(data, 19), slopes, 3),
        )

    def problems(self):
        """Return one sentence for each model that could not be read."""
        unread = self.unread
        return ["The inverter's %s cannot be read: %s." % (NAMES[model], unread[model]) for model in sorted(unread)]

    def lines(self):
        """Return one line a model, as read."""
        return [line(self.settings[model]) for model in sorted(self.settings)]


def decimal(value: int, digits: int) -> str:
    """Return value x 10^-digits, without trailing zeros; "?" for NONE."""
    if value == NONE:
        return "?"
    sign = "-" if value < 0 else ""
    text = "%d" % abs(value)
    text = "0" * max(0, digits + 1 - len(text)) + text
    whole, part = text[: len(text) - digits], text[len(text) - digits :]
    while part and part[-1] == "0":
        part = part[:-1]
    return sign + whole + ("." + part if part else "")


def line(setting) -> str:
    """Return what one model holds, for a person."""
    head = "%d %s %s" % (setting.model, NAMES[setting.model], "on" if setting.enabled else "off")
    if setting.model == 711:
        return "%s: over +%s Hz %s %%, under -%s Hz %s %%" % (
            head,
            decimal(setting.over_mhz, 3),
            decimal(setting.over_permille, 1),
            decimal(setting.under_mhz, 3),
            decimal(setting.under_permille, 1),
        )
    return "%s: %s" % (head, points_text(setting))


def points_text(curve: Curve) -> str:
    """Return a curve's points, for a person."""
    if not curve.points:
        return "no points"
    if curve.model < 707:
        return ", ".join(["%s %% V -> %s %%" % (decimal(v, 2), decimal(share, 2)) for v, share in curve.points])
    digits, unit = (2, "% V") if curve.model < 709 else (3, "Hz")
    return ", ".join(["%s %s %s s" % (decimal(v, digits), unit, decimal(ms, 3)) for v, ms in curve.points])
