# SPDX-License-Identifier: MIT
"""Checks a profile's data and turns it into plain ints. Runs at boot, and on the host for `backfeed profile`.

Refuses with one line naming file, key, value and range; nothing is half loaded. Installer's changes stay
within what the code allows: a key without a range in the profile's RANGES cannot be changed. The data
module is dropped from RAM afterwards.
"""

import binascii
import gc
import hashlib
import sys

from evse.faults import ELEMENTS
from evse.fixed import INT_MAX
from evse.points import PROFILE_NAMES
from evse.profiles import schema
from evse.profiles.relations import check_relations

PACKAGE = "evse.profiles."
KEEP = ("evse.profiles.loader", "evse.profiles.schema", "evse.profiles.relations")


class ProfileError(ValueError):
    """A profile was refused: one line naming file, key, value, range and what to do."""


class Stage:
    """One definite-time stage. threshold and reset (hysteresis) in mV or uHz; delay_ms: clearing time if clearing."""

    def __init__(self, element: int, threshold: int, over: int, delay_ms: int, reset: int, clearing: int):
        self.element = element
        self.threshold = threshold
        self.over = over
        self.delay_ms = delay_ms
        self.reset = reset
        self.clearing = clearing


class Profile:
    """A grid code: the keys of schema.KEYS as attributes, and stages, curves, hash, unverified, changed."""

    def __init__(self, name: str):
        self.name = name
        self.title = ""
        self.edition = ""
        self.hash = ""
        self.stages = []
        self.unverified = []
        self.changed = []  # keys that the installer changed
        for key, _low, _high, default in schema.KEYS:
            setattr(self, key, default)
        self.volt_var = (0, (), ())
        self.volt_watt = (0, (), ())


def load(name: str, changes: str = "") -> Profile:
    """Return the profile, with the installer's changes ("ov1.delay_ms=1500,enter_wait_ms=60000") applied."""
    if name not in PROFILE_NAMES:
        raise ProfileError("profile: %r is not one of %s; give one of these" % (name, ", ".join(PROFILE_NAMES)))
    module = __import__(PACKAGE + name, None, None, ("NAME",))
    try:
        return build(module, name, changes)
    finally:
        _drop()


def build(module, name: str, changes: str = "") -> Profile:
    """Check a profile's data module and return the Profile."""
    file = name + ".py"
    profile = Profile(name)
    profile.title = module.TITLE
    profile.edition = module.EDITION
    values = _values(module, file)
    stages = _stages(module, file)
    profile.unverified = _unverified(values, stages, module)
    _apply(profile, module, file, values, stages, _parse(changes))
    for key, low, high, _default in schema.KEYS:
        setattr(profile, key, _whole(file, key, values[key][0], low, high))
    for row in stages:
        profile.stages.append(_stage(profile, file, row, module.CLEARING))
    for key, low, high in schema.CURVES:
        setattr(profile, key, _curve(profile, module, file, key, low, high))
    problem = check_relations(profile)
    if problem:
        raise ProfileError("%s: %s" % (file, problem))
    profile.hash = _digest(profile)
    return profile


def _values(module, file: str) -> dict:
    values = {}
    known = [row[0] for row in schema.KEYS]
    for key in module.VALUES:
        if key not in known:
            raise ProfileError("%s: %s is not a key of a profile; see schema.py" % (file, key))
        values[key] = _sourced(file, key, module.VALUES[key])
    for key, _low, _high, default in schema.KEYS:
        if key not in values:
            if default is schema.REQUIRED:
                raise ProfileError("%s: %s is missing; every profile must state it" % (file, key))
            values[key] = (default, "default", True)
    return values


def _stages(module, file: str) -> list:
    names = [row[0] for row in ELEMENTS]
    stages = []
    for element, threshold, delay in module.STAGES:
        if element not in names or element[:2] not in ("ov", "uv", "of", "uf") or element == "ov_mean":
            raise ProfileError("%s: %s is not a stage; give ov1, ov2, uv1..uv3, of1, of2, uf1, uf2" % (file, element))
        stages.append(
            [element, _sourced(file, element + ".threshold", threshold), _sourced(file, element + ".delay_ms", delay)]
        )
    return stages


def _sourced(file: str, key: str, entry):
    if not isinstance(entry, tuple) or len(entry) != 3 or not entry[1] or entry[2] not in (True, False):
        raise ProfileError("%s: %s is %r; give (value, source, verified)" % (file, key, entry))
    return entry


def _unverified(values: dict, stages: list, module) -> list:
    keys = [row[0] for row in schema.KEYS if not values[row[0]][2]]
    for element, threshold, delay in stages:
        if not threshold[2]:
            keys.append(element + ".threshold")
        if not delay[2]:
            keys.append(element + ".delay_ms")
    for key, _low, _high in schema.CURVES:
        if not getattr(module, key.upper(), (0, "", True))[2]:
            keys.append(key)
    return keys


def _parse(changes: str) -> dict:
    parsed = {}
    for part in changes.replace(" ", "").split(","):
        if not part:
            continue
        key, equals, text = part.partition("=")
        digits = text[1:] if text.startswith("-") else text
        if not key or not equals or not digits or len(digits) > 10 or not digits.isdigit():
            raise ProfileError("profile_changes: %r is not key=number; give for example ov1.delay_ms=1500" % part)
        parsed[key] = int(text)
    return parsed


def _apply(profile, module, file: str, values: dict, stages: list, changes: dict) -> None:
    """Put the installer's changes in place of the code's defaults, if the code leaves them open."""
    for key, wanted in changes.items():
        allowed = module.RANGES.get(key)
        if allowed is None:
            raise ProfileError("%s: %s cannot be changed; this code fixes it" % (file, key))
        value = _whole(file, key, wanted, allowed[0], allowed[1])
        profile.changed.append(key)
        if key in values:
            values[key] = (value, "installer", True)
            continue
        element, _dot, what = key.partition(".")
        for row in stages:
            if row[0] == element:
                row[1 if what == "threshold" else 2] = (value, "installer", True)


def _whole(file: str, key: str, value, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProfileError("%s: %s is %r, not a whole number; give %d..%d" % (file, key, value, low, high))
    if not -INT_MAX <= value <= INT_MAX:
        raise ProfileError("%s: %s is %d, above 31 bits; give %d..%d" % (file, key, value, low, high))
    if not low <= value <= high:
        raise ProfileError("%s: %s is %d, out of range; give %d..%d" % (file, key, value, low, high))
    return value


def _stage(profile, file: str, row, clearing: int) -> Stage:
    element, threshold, delay = row
    of_voltage = element[1] == "v"
    low, high = schema.VOLTAGE_MV if of_voltage else schema.FREQUENCY_UHZ
    reset = profile.nominal_mv * schema.VOLTAGE_RESET_PERMILLE // 1000
    for code in range(len(ELEMENTS)):
        if ELEMENTS[code][0] == element:
            break
    return Stage(
        code,
        _whole(file, element + ".threshold", threshold[0], low, high),
        1 if element[0] == "o" else 0,
        _whole(file, element + ".delay_ms", delay[0], schema.DELAY_MS[0], schema.DELAY_MS[1]),
        reset if of_voltage else schema.FREQUENCY_RESET_UHZ,
        clearing,
    )


def _curve(profile, module, file: str, key: str, low: int, high: int):
    """Return (enabled, voltages_mv, shares_permille)."""
    curve = getattr(module, key.upper(), None)
    if curve is None:
        if getattr(profile, key + "_enabled"):
            raise ProfileError("%s: %s is enabled and has no curve; give %s" % (file, key, key.upper()))
        return (0, (), ())
    points = _sourced(file, key, curve)[0]
    if not 2 <= len(points) <= schema.CURVE_POINTS:
        raise ProfileError("%s: %s has %d points; give 2..%d" % (file, key, len(points), schema.CURVE_POINTS))
    voltages = []
    shares = []
    for mv, share in points:
        voltages.append(_whole(file, key + ".voltage", mv, schema.CURVE_MV[0], schema.CURVE_MV[1]))
        shares.append(_whole(file, key + ".share", share, low, high))
        if len(voltages) > 1 and voltages[-1] <= voltages[-2]:
            raise ProfileError("%s: %s.voltage is %d, not above the one before; give rising ones" % (file, key, mv))
    return (getattr(profile, key + "_enabled"), tuple(voltages), tuple(shares))


def canonical(profile) -> list:
    """Return (key, value) of everything that the firmware acts on, in a fixed order."""
    rows = [(key[0], getattr(profile, key[0])) for key in schema.KEYS]
    for stage in profile.stages:
        name = ELEMENTS[stage.element][0]
        rows.append((name + ".threshold", stage.threshold))
        rows.append((name + ".delay_ms", stage.delay_ms))
        rows.append((name + ".reset", stage.reset))
        rows.append((name + ".clearing", stage.clearing))
    for key, _low, _high in schema.CURVES:
        enabled, voltages, shares = getattr(profile, key)
        for i in range(len(voltages)):
            rows.append(("%s.%d" % (key, i), "%d:%d" % (voltages[i], shares[i])))
    return rows


def _digest(profile) -> str:
    digest = hashlib.sha256(("%s %s\n" % (profile.name, profile.edition)).encode())
    for key, value in canonical(profile):
        digest.update(("%s=%s\n" % (key, value)).encode())
    return binascii.hexlify(digest.digest()[:4]).decode()


def _drop() -> None:
    """Forget the data modules: only their numbers are needed."""
    package = sys.modules[PACKAGE[:-1]]
    for name in list(sys.modules):
        if name.startswith(PACKAGE) and name not in KEEP:
            del sys.modules[name]
            short = name[len(PACKAGE) :]
            if hasattr(package, short):
                delattr(package, short)
    gc.collect()
