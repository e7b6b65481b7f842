# SPDX-License-Identifier: MIT
"""Compare the grid settings inside the inverter with the profile in force; each mismatch is a sentence.

The inverter's own protection is certified and stays the first; a mismatch is for a person to settle, not a fault.
"""

from evse.drivers.sunspec_grid import decimal, points_text
from evse.faults import ELEMENTS

VOLT_TOLERANCE = 50  # hundredths of a percent of nominal
HERTZ_TOLERANCE_MHZ = 20
SHARE_TOLERANCE = 200  # hundredths of a percent of rating
SLOPE_TOLERANCE_PERMILLE = 2
TIME_TOLERANCE_MS = 60
TIME_TOLERANCE_PERCENT = 5
TRIPS = {707: "uv", 708: "ov", 709: "uf", 710: "of"}  # model: element names begin with
WORDS = {707: "under-voltage", 708: "over-voltage", 709: "under-frequency", 710: "over-frequency"}


def compare(driver, profile):
    """Return the mismatches of a driver's device with the profile; none when it shows no grid settings."""
    grid = getattr(driver, "grid", None)
    if grid is None:
        return []
    found = []
    for model in sorted(grid.settings):
        setting = grid.settings[model]
        if model in TRIPS:
            sentence = _trip(setting, profile)
        elif model == 711:
            sentence = _droop(setting, profile)
        else:
            sentence = _curve(setting, profile)
        if sentence:
            found.append(sentence)
    return found


def _trip(curve, profile) -> str:
    """Compare must-trip points with the profile's stages of that kind."""
    volts = curve.model < 709
    wanted = []
    for stage in profile.stages:
        name = ELEMENTS[stage.element][0]
        if name[:2] == TRIPS[curve.model] and name[2:].isdigit():
            wanted.append((_level(stage.threshold, volts, profile), stage.delay_ms))
    if not wanted:
        return ""
    where = "%s trip (model %d, register %d)" % (WORDS[curve.model], curve.model, curve.register)
    ours = _stages_text(wanted, volts)
    if not curve.enabled:
        return "The inverter's %s is off; profile %s wants %s." % (where, profile.name, ours)
    tolerance = VOLT_TOLERANCE if volts else HERTZ_TOLERANCE_MHZ
    missing = [pair for pair in wanted if not _held(pair, curve.points, tolerance)]
    foreign = [pair for pair in curve.points if not _held(pair, wanted, tolerance)]
    if not missing and not foreign:
        return ""
    return "The inverter's %s is set to %s; profile %s wants %s." % (where, points_text(curve), profile.name, ours)


def _level(threshold: int, volts: int, profile) -> int:
    """Return a stage's threshold as the curve has it: hundredths of a percent of nominal, or mHz."""
    if volts:
        return (threshold * 100 + profile.nominal_mv // 200) // (profile.nominal_mv // 100)
    return threshold // 1000


def _stages_text(stages, volts: int) -> str:
    digits, unit = (2, "% V") if volts else (3, "Hz")
    return ", ".join(["%s %s %s s" % (decimal(level, digits), unit, decimal(ms, 3)) for level, ms in stages])


def _held(pair, points, tolerance: int) -> bool:
    level, delay_ms = pair
    slack_ms = max(TIME_TOLERANCE_MS, delay_ms * TIME_TOLERANCE_PERCENT // 100)
    for other, other_ms in points:
        if abs(other - level) <= tolerance and abs(other_ms - delay_ms) <= slack_ms:
            return True
    return False


def _droop(droop, profile) -> str:
    """Compare 711 with the profile. Both on: two answers to one deviation would add up."""
    wants = 1 if profile.over_droop_permille or profile.under_droop_permille else 0
    if not droop.enabled:
        return ""
    nominal_mhz = profile.nominal_uhz // 1000
    over_mhz = profile.over_start_uhz // 1000 - nominal_mhz
    where = "The inverter answers frequency by itself (model 711, register %d: over +%s Hz %s %%)" % (
        droop.register,
        decimal(droop.over_mhz, 3),
        decimal(droop.over_permille, 1),
    )
    if not wants:
        return "%s; profile %s wants no droop." % (where, profile.name)
    same = abs(droop.over_mhz - over_mhz) <= HERTZ_TOLERANCE_MHZ
    same = same and abs(droop.over_permille - profile.over_droop_permille) <= SLOPE_TOLERANCE_PERMILLE
    if same:
        return "%s and so does the controller: both would add up. Switch one off." % where
    return "%s; profile %s wants +%s Hz %s %%, and the controller answers too: switch one off." % (
        where,
        profile.name,
        decimal(over_mhz, 3),
        decimal(profile.over_droop_permille, 1),
    )


def _curve(curve, profile) -> str:
    """Compare volt-var or volt-watt: on or off, then point by point."""
    name = "volt-var" if curve.model == 705 else "volt-watt"
    enabled, voltages_mv, shares = profile.volt_var if curve.model == 705 else profile.volt_watt
    where = "The inverter's %s (model %d, register %d) is" % (name, curve.model, curve.register)
    if bool(enabled) != bool(curve.enabled):
        return "%s %s; profile %s wants it %s." % (
            where,
            "on" if curve.enabled else "off",
            profile.name,
            "on" if enabled else "off",
        )
    if not enabled:
        return ""
    sign = -1 if curve.model == 705 else 1  # SunSpec: + injects; ours: + absorbs
    wanted = []
    for k in range(len(voltages_mv)):
        wanted.append((_level(voltages_mv[k], 1, profile), sign * shares[k] * 10))
    same = len(wanted) == len(curve.points)
    for k in range(len(wanted) if same else 0):
        voltage, share = curve.points[k]
        same = same and abs(voltage - wanted[k][0]) <= VOLT_TOLERANCE and abs(share - wanted[k][1]) <= SHARE_TOLERANCE
    if same:
        return ""
    text = ", ".join(["%s %% V -> %s %%" % (decimal(v, 2), decimal(share, 2)) for v, share in wanted])
    return "%s %s; profile %s wants %s." % (where, points_text(curve), profile.name, text)
