# SPDX-License-Identifier: MIT
"""The grid settings inside a SunSpec inverter: what was read of them, in one form whatever the models' age.

`sunspec_grid_new.py` reads models 705-712, `sunspec_grid_old.py` 126-145; tasks/inverter_check.py compares them with
the profile. All are read at connection time, which allocates. After that each block of registers is asked again within
PASS_MS, one at a time, and compared with what it held: nothing is made until one has changed.
Units: voltage and power in hundredths of a percent of nominal, frequency in mHz, time in ms, shares in hundredths of a
percent, power factor in thousandths.
"""

from time import ticks_diff, ticks_ms

from evse.drivers.modbus_bus import Transfer
from evse.drivers.sunspec_device import DeviceError
from evse.link import modbus, sunspec
from evse.link.sunspec import NONE

POINTS_MAX = 20  # more is no curve
PASS_MS = 600000  # all blocks are asked again within this
AT_ONCE = 4  # blocks in a row while a person waits for them
REGISTERS_MAX = 125  # of one read

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

    models: the models that `_fetch(model)`, of the subclass, can read into a list. blocks: (model, address, registers,
    what they held, empty without an answer), by model. changes: counts the models that were read. left: blocks that
    a person waits for.

    To ask again: `due()` says how many blocks now; for each, transact `next()`, and `read(model)` when `changed()`.
    """

    models = ()

    def __init__(self, device):
        self._device = device
        self.settings = {}
        self.unread = {}
        self.blocks = []
        self.model = 0  # of the block that was asked again
        self.changes = 0
        self.left = 0
        self._at = 0
        self._asked_ms = 0
        self._question = Transfer(device.unit, modbus.READ_HOLDING, 0, 1, bytearray(2 * REGISTERS_MAX))
        self._question.retries = 0  # its turn comes again

    async def _fetch(self, model: int):
        raise NotImplementedError

    async def read_all(self) -> None:
        """Read every model the device has. A broken one is named, not fatal: the inverter can still be commanded."""
        self.settings = {}
        self.unread = {}
        self.blocks = []
        self.left = 0
        for model in self.models:
            if model in self._device.models:
                await self.read(model)
        self._asked_ms = ticks_ms()

    async def read(self, model: int) -> None:
        """Read one model of the device."""
        others = self.blocks
        self.blocks = []
        try:
            self.settings[model] = await self._fetch(model)
            self.unread.pop(model, None)
        except DeviceError as error:
            self.settings.pop(model, None)
            self.unread[model] = str(error)
        below = [block for block in others if block[0] < model]
        self.blocks = below + self.blocks + [block for block in others if block[0] > model]
        self.changes += 1

    async def _block(self, model: int, address: int, count: int):
        """Read registers of a model and remember what they held."""
        self.blocks.append((model, address, count, b""))
        data = await self._device.read(address, count)
        self.blocks[-1] = (model, address, count, bytes(data))
        return data

    # --- asking again: no allocation ---

    def due(self) -> int:
        """Return how many blocks are to be asked now."""
        if self.left:
            return min(self.left, AT_ONCE)
        blocks = len(self.blocks)
        return 1 if blocks and ticks_diff(ticks_ms(), self._asked_ms) >= PASS_MS // blocks else 0

    def hurry(self) -> None:
        """Ask all of them as soon as the line allows: a person waits."""
        self.left = len(self.blocks)

    def next(self):
        """Return the transfer that asks for the next block."""
        self._asked_ms = ticks_ms()
        if self.left:
            self.left -= 1
        self._at = (self._at + 1) % len(self.blocks)
        question = self._question
        block = self.blocks[self._at]
        self.model = block[0]
        question.address = block[1]
        question.count = block[2]
        return question

    def changed(self) -> int:
        """Return 1 when the answer is not what the block held; silence is no answer."""
        question = self._question
        held = self.blocks[self._at][3]
        if question.result != modbus.OK:
            return 1 if held and question.result < modbus.TIMEOUT else 0  # an exception
        if not held:
            return 1
        data = question.data
        for i in range(len(held)):
            if data[i] != held[i]:
                return 1
        return 0

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
