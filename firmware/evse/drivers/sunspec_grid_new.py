# SPDX-License-Identifier: MIT
"""Grid settings of IEEE 1547-2018 inverters, read by their own NPt and NCrv: volt-var 705, volt-watt 706, trips and
momentary cessation 707-710, droop 711, watt-var 712. The first curve of each model is the one in force.

Offsets: public SunSpec model definitions, counted from a model's ID register.
"""

from evse.drivers.sunspec_grid import KINDS, Curve, Droop, GridSettings
from evse.link import sunspec
from evse.link.sunspec import NONE

SHARES = {705: ("volt_var", 15, 10), 706: ("volt_watt", 15, 5), 712: ("watt_var", 14, 4)}  # registers of head, of curve
TRIPS = {707: ("uv", "cease_low"), 708: ("ov", "cease_high"), 709: ("uf", ""), 710: ("of", "")}
TRIP_HEAD = 9
FIRST_TRIP = 10  # ActPt of MustTrip, the first of three groups: must trip, may trip, momentary cessation


class NewGridSettings(GridSettings):
    """What a device holds in models 705-712."""

    models = (705, 706, 707, 708, 709, 710, 711, 712)

    def words(self, model: int) -> str:
        """Return what a model is about."""
        if model in SHARES:
            return KINDS[SHARES[model][0]][0]
        return KINDS[TRIPS[model][0] if model in TRIPS else "droop"][0]

    async def _fetch(self, model: int):
        if model in SHARES:
            return [await self._share(model)]
        if model in TRIPS:
            return await self._trips(model)
        return [await self._droop()]

    async def _share(self, model: int) -> Curve:
        kind, head, first = SHARES[model]
        device = self._device
        address = device.point(model, 0, head)
        data = await self._block(model, address, head)
        most, _curves = self._counts(data, 5, 6, address, model)
        x_factor = self._factor(data, 12, address, model)
        y_factor = self._factor(data, 13, address, model)
        at = device.point(model, head, first + 2 * most)
        rows = await self._block(model, at, first + 2 * most)
        x_of = sunspec.s16 if kind == "watt_var" else sunspec.u16
        points = []
        for k in range(self._active(rows, 0, most, at, model)):
            x = sunspec.scaled(x_of(rows, first + 2 * k), x_factor, 2)
            points.append((x, sunspec.scaled(sunspec.s16(rows, first + 2 * k + 1), y_factor, 2)))
        return Curve(model, kind, at + first, 1 if sunspec.u16(data, 2) == 1 else 0, points)

    async def _trips(self, model: int):
        kind, cease = TRIPS[model]
        device = self._device
        address = device.point(model, 0, TRIP_HEAD)
        data = await self._block(model, address, TRIP_HEAD)
        most, _curves = self._counts(data, 5, 6, address, model)
        factors = self._factor(data, 7, address, model), self._factor(data, 8, address, model)
        enabled = 1 if sunspec.u16(data, 2) == 1 else 0
        size = 1 + (3 if model < 709 else 4) * most
        at = device.point(model, FIRST_TRIP, 3 * size)
        found = [Curve(model, kind, at + 1, enabled, await self._group(model, at, size, most, factors))]
        if cease:
            at += 2 * size
            points = await self._group(model, at, size, most, factors)
            if points:
                found.append(Curve(model, cease, at + 1, enabled, points))
        return found

    async def _group(self, model: int, at: int, size: int, most: int, factors):
        """Read one group of trip points; none where momentary cessation is not implemented."""
        rows = await self._block(model, at, size)
        must = at == self._device.point(model, FIRST_TRIP)
        if not must and sunspec.u16(rows, 0) == NONE:
            return []
        width = (size - 1) // most
        points = []
        for k in range(self._active(rows, 0, most, at, model)):
            start = 1 + width * k
            if model < 709:
                level = sunspec.scaled(sunspec.u16(rows, start), factors[0], 2)
            else:
                level = sunspec.scaled(sunspec.u32(rows, start), factors[0], 3)
            points.append((level, sunspec.scaled(sunspec.u32(rows, start + width - 2), factors[1], 3)))
        return points

    async def _droop(self) -> Droop:
        device = self._device
        address = device.point(711, 0, 24)
        data = await self._block(711, address, 24)
        bands = self._factor(data, 11, address, 711)
        slopes = self._factor(data, 12, address, 711)
        return Droop(
            711,
            address + 14,
            1 if sunspec.u16(data, 2) == 1 else 0,
            sunspec.scaled(sunspec.u32(data, 14), bands, 3),
            sunspec.scaled(sunspec.u32(data, 16), bands, 3),
            sunspec.scaled(sunspec.u16(data, 18), slopes, 3),
            sunspec.scaled(sunspec.u16(data, 19), slopes, 3),
        )
