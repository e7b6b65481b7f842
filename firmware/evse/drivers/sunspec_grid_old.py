# SPDX-License-Identifier: MIT
"""Grid settings of inverters from before IEEE 1547-2018: models 126-145.

Curves have 20 places each, whatever NPt says; ActCrv tells the one in force, 0 none. Trips (129, 130, 135, 136) and
ride-through (137-144) are lines of (time, level). 127 is a droop, 128, 133 and 145 are told in words.
Offsets: public SunSpec model definitions, counted from a model's ID register.
"""

from evse.drivers.sunspec_grid import KINDS, Curve, Droop, GridSettings, Switch, decimal
from evse.link import sunspec

HEAD = 12
PLACES = 20  # pairs in a curve
# kind; x signed; exponent of x; exponent of y; 1: pairs are (y, x), and there is no DeptRef before them
TIMED_V = (0, 2, 3, 1)
TIMED_HZ = (0, 3, 3, 1)
CURVES = {
    126: ("volt_var", 0, 2, 2, 0),
    129: ("uv",) + TIMED_V,
    130: ("ov",) + TIMED_V,
    131: ("watt_pf", 1, 2, 3, 0),
    132: ("volt_watt", 0, 2, 2, 0),
    134: ("hz_watt", 0, 3, 2, 0),
    135: ("uf",) + TIMED_HZ,
    136: ("of",) + TIMED_HZ,
    137: ("stay_uv",) + TIMED_V,
    138: ("stay_ov",) + TIMED_V,
    139: ("extra_uv",) + TIMED_V,
    140: ("extra_ov",) + TIMED_V,
    141: ("stay_uf",) + TIMED_HZ,
    142: ("stay_of",) + TIMED_HZ,
    143: ("extra_uf",) + TIMED_HZ,
    144: ("extra_of",) + TIMED_HZ,
}
FIRST = {126: 2, 132: 2}  # registers of a curve before its pairs, where it has more than ActPt
OTHERS = {127: "droop", 128: "dynamic_var", 133: "schedule", 145: "ramps"}


class OldGridSettings(GridSettings):
    """What a device holds in models 126-145."""

    models = tuple(sorted(tuple(CURVES) + tuple(OTHERS)))

    def words(self, model: int) -> str:
        """Return what a model is about."""
        return KINDS[CURVES[model][0] if model in CURVES else OTHERS[model]][0]

    async def _fetch(self, model: int):
        if model in CURVES:
            return [await self._curve(model)]
        if model == 127:
            return [await self._droop()]
        return [await self._switch(model)]

    async def _curve(self, model: int) -> Curve:
        kind, signed, x_exponent, y_exponent, timed = CURVES[model]
        device = self._device
        address = device.point(model, 0, HEAD)
        data = await self._block(model, address, HEAD)
        _most, curves = self._counts(data, 8, 7, address, model)
        factors = self._factor(data, 9, address, model), self._factor(data, 10, address, model)
        first = FIRST.get(model, 1)
        size = (device.models[model][1] - HEAD + 2) // curves
        if size < first + 2 * PLACES:
            what = "model %d of length %d does not hold %d curves" % (model, device.models[model][1], curves)
            raise device.error(address + 1, what)
        chosen = sunspec.u16(data, 2)
        if not 0 <= chosen <= curves:
            raise device.error(address + 2, "model %d has active curve %d of %d" % (model, chosen, curves))
        enabled = 1 if chosen and sunspec.raw16(data, 3) & 1 else 0
        if not chosen:
            return Curve(model, kind, address + HEAD, 0, [])
        at = address + HEAD + (chosen - 1) * size
        rows = await self._block(model, at, first + 2 * PLACES)
        x_of = sunspec.s16 if signed else sunspec.u16
        points = []
        for k in range(self._active(rows, 0, PLACES, at, model)):
            left = first + 2 * k
            if timed:
                x = sunspec.scaled(x_of(rows, left + 1), factors[1], x_exponent)
                y = sunspec.scaled(sunspec.u16(rows, left), factors[0], y_exponent)
            else:
                x = sunspec.scaled(x_of(rows, left), factors[0], x_exponent)
                y = sunspec.scaled(sunspec.s16(rows, left + 1), factors[1], y_exponent)
            points.append((x, y))
        return Curve(model, kind, at + first, enabled, points)

    async def _droop(self) -> Droop:
        device = self._device
        address = device.point(127, 0, 11)
        data = await self._block(127, address, 11)
        slope = self._factor(data, 8, address, 127)
        band = self._factor(data, 9, address, 127)
        start_mhz = sunspec.scaled(sunspec.s16(data, 3), band, 3)
        droop = Droop(127, address + 2, sunspec.raw16(data, 6) & 1, start_mhz, sunspec.NONE, sunspec.NONE, sunspec.NONE)
        droop.gradient = sunspec.scaled(sunspec.u16(data, 2), slope, 2)
        return droop

    async def _switch(self, model: int) -> Switch:
        device = self._device
        if model == 145:
            return await self._ramps()
        count = 8 if model == 133 else 7
        address = device.point(model, 0, count)
        data = await self._block(model, address, count)
        if model == 128:
            return Switch(128, "dynamic_var", address + 5, sunspec.raw16(data, 5) & 1)
        active = sunspec.raw16(data, 2) | sunspec.raw16(data, 3)
        return Switch(133, "schedule", address + 4, 1 if active and sunspec.raw16(data, 4) & 1 else 0)

    async def _ramps(self) -> Switch:
        device = self._device
        address = device.point(145, 0, 10)
        data = await self._block(145, address, 10)
        factor = self._factor(data, 9, address, 145)
        shown = []
        for name, offset in (("up", 2), ("down", 3), ("on connecting", 6)):
            value = sunspec.scaled(sunspec.u16(data, offset), factor, 1)
            shown.append("%s %s %%/s" % (name, decimal(value, 1)))
        return Switch(145, "ramps", address + 2, 0, ", ".join(shown))
