# SPDX-License-Identifier: MIT
"""The grid settings inside a SunSpec inverter: what was read of them, in one form whatever the models' age.

`sunspec_grid_new.py` reads models 705-712, `sunspec_grid_old.py` 126-145; tasks/inverter_check.py compares them with
the profile. Runs at connection time and once in a while after; allocates.
Units: voltage and power in hundredths of a percent of nominal, frequency in mHz, time in ms, shares in hundredths of a
percent, power factor in thousandths.
"""

from evse.drivers.sunspec_device import DeviceError
from evse.link import sunspec
from evse.link.sunspec import NONE

POINTS_MAX = 20  # more is no curve

# kind: (words, digits and unit of x, digits and unit of y)
KINDS = {
    "uv": ("under-voltage trip", 2, "% V", 3, "s"),
    "ov": ("over-voltage trip", 2, "% V", 3, "s"),
    "uf": ("under-frequency trip", 3, "Hz", 3, "s"),
    "of": ("over-frequency trip", 3, "Hz", 3, "s"),
    "cease_low": ("momentary cessation at low voltage", 2, "% V", 3, "s"),
    "cease_high": ("momentary cessation at high voltage", 2, "% V", 3, "s"),
    "stay_uv": ("low-voltage ride-through", 2, "% V", 3, "s"),
    "stay_ov": ("high-voltage ride-through", 2, "% V", 3, "s"),
    "stay_uf": ("low-frequency ride-through", 3, "Hz", 3, "s"),
    "stay_of": ("high-frequency ride-through", 3, "Hz", 3, "s"),
    "extra_uv": ("low-voltage extended curve", 2, "% V", 3, "s"),
    "extra_ov": ("high-voltage extended curve", 2, "% V", 3, "s"),
    "extra_uf": ("low-frequency extended curve", 3, "Hz", 3, "s"),
    "extra_of": ("high-frequency extended curve", 3, "Hz", 3, "s"),
    "volt_var": ("volt-var", 2, "% V", 2, "%"),
    "volt_watt": ("volt-watt", 2, "% V", 2, "%"),
    "watt_var": ("watt-var", 2, "% W", 2, "%"),
    "watt_pf": ("watt-power-factor", 2, "% W", 3, "cos"),
    "hz_watt": ("frequency-watt curve", 3, "Hz", 2, "%"),
    "droop": ("frequency droop", 0, "", 0, ""),
    "dynamic_var": ("dynamic reactive current", 0, "", 0, ""),
    "schedule": ("schedule of its own", 0, "", 0, ""),
    "ramps": ("ramp rates", 0, "", 0, ""),
}
RIDE_THROUGH = ("stay_uv", "stay_ov", "stay_uf", "stay_of", "extra_uv", "extra_ov", "extra_uf", "extra_of")


class Curve:
    """A curve in force. kind: of KINDS; register: where its points begin; points: (x, y) in the kind's units.

    Trips: x is voltage or frequency, y a time. A curve that holds no points is off.
    """

    def __init__(self, model: int, kind: str, register: int, enabled: int, points):
        self.model = model
        self.kind = kind
        self.register = register
        self.enabled = enabled
        self.points = points


class Droop:
    """Frequency droop in force: dead bands in mHz; slopes (share of nominal frequency for full power) in permille.

    gradient: of model 127, which has a slope in hundredths of a percent of power for each Hz instead; else 0.
    """

    kind = "droop"

    def __init__(self, model: int, register: int, enabled: int, over_mhz: int, under_mhz: int, over: int, under: int):
        self.model = model
        self.register = register
        self.enabled = enabled
        self.over_mhz = over_mhz
        self.under_mhz = under_mhz
        self.over_permille = over
        self.under_permille = under
        self.gradient = 0


class Switch:
    """A function that is on or off, and a word on it. kind: "dynamic_var", "schedule" or "ramps"."""

    def __init__(self, model: int, kind: str, register: int, enabled: int, text: str = ""):
        self.model = model
        self.kind = kind
        self.register = register
        self.enabled = enabled
        self.text = text


class GridSettings:
    """What one device holds. settings: {model: its Curves, Droop or Switch}; unread: {model: why it cannot be read}.

    models: the models that `_fetch(model)`, of the subclass, can read into a list.
    """

    models = ()

    def __init__(self, device):
        self._device = device
        self.settings = {}
        self.unread = {}
        self._next = 0

    async def _fetch(self, model: int):
        raise NotImplementedError

    async def read_all(self) -> None:
        """Read every model the device has. A broken one is named, not fatal: the inverter can still be commanded."""
        self.settings = {}
        self.unread = {}
        for model in self.models:
            await self.read(model)

    async def read_next(self) -> None:
        """Read the next model that the device has, in turn."""
        for _ in self.models:
            self._next = (self._next + 1) % len(self.models)
            if self.models[self._next] in self._device.models:
                await self.read(self.models[self._next])
                return

    async def read(self, model: int) -> None:
        """Read one model, if the device has it."""
        if model not in self._device.models:
            return
        try:
            self.settings[model] = await self._fetch(model)
            self.unread.pop(model, None)
        except DeviceError as error:
            self.settings.pop(model, None)
            self.unread[model] = str(error)

    def all(self):
        """Return every setting, by model."""
        found = []
        for model in sorted(self.settings):
            found += self.settings[model]
        return found

    def problems(self):
        """Return one sentence for each model that could not be read."""
        unread = self.unread
        return [
            "The inverter's %s cannot be read: %s." % (self.words(model), unread[model]) for model in sorted(unread)
        ]

    def words(self, model: int) -> str:
        """Return what a model is about."""
        return "model %d" % model

    def lines(self):
        """Return one line a setting, as read."""
        return [line(setting) for setting in self.all()]

    # For the subclasses

    def _counts(self, data, points_at: int, curves_at: int, address: int, model: int):
        """Return (NPt, NCrv) of a head; DeviceError when they are impossible."""
        points = sunspec.u16(data, points_at)
        curves = sunspec.u16(data, curves_at)
        if not 1 <= points <= POINTS_MAX:
            what = "model %d has NPt %d; 1..%d are possible" % (model, points, POINTS_MAX)
            raise self._device.error(address + points_at, what)
        if not curves >= 1:
            raise self._device.error(address + curves_at, "model %d has %d curves" % (model, curves))
        return points, curves

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
    """Return one setting, for a person."""
    head = "%d %s %s" % (setting.model, KINDS[setting.kind][0], "on" if setting.enabled else "off")
    if setting.kind == "droop":
        return "%s: %s" % (head, droop_text(setting))
    if isinstance(setting, Switch):
        return "%s: %s" % (head, setting.text) if setting.text else head
    return "%s: %s" % (head, points_text(setting.kind, setting.points))


def droop_text(droop: Droop) -> str:
    """Return a droop's figures, for a person."""
    if droop.gradient:
        return "over +%s Hz %s %% for each Hz" % (decimal(droop.over_mhz, 3), decimal(droop.gradient, 2))
    return "over +%s Hz %s %%, under -%s Hz %s %%" % (
        decimal(droop.over_mhz, 3),
        decimal(droop.over_permille, 1),
        decimal(droop.under_mhz, 3),
        decimal(droop.under_permille, 1),
    )


def points_text(kind: str, points) -> str:
    """Return points of a kind of curve, for a person."""
    if not points:
        return "no points"
    _words, x_digits, x_unit, y_digits, y_unit = KINDS[kind]
    form = "%s %s %s %s" if y_unit == "s" else "%s %s -> %s %s"
    return ", ".join([form % (decimal(x, x_digits), x_unit, decimal(y, y_digits), y_unit) for x, y in points])
