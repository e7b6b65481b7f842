# SPDX-License-Identifier: MIT
"""Compare the grid settings inside the inverter with the profile in force; each mismatch is a sentence.

The inverter's own protection is certified and stays the first; a mismatch is for a person to settle, not a fault.
"""

from evse.drivers.sunspec_grid import KINDS, RIDE_THROUGH, decimal, droop_text, points_text
from evse.faults import ELEMENTS

VOLT_TOLERANCE = 50  # hundredths of a percent of nominal
HERTZ_TOLERANCE_MHZ = 20
SHARE_TOLERANCE = 200  # hundredths of a percent of rating
SLOPE_TOLERANCE_PERMILLE = 2
TIME_TOLERANCE_MS = 60
TIME_TOLERANCE_PERCENT = 5
TRIPS = ("uv", "ov", "uf", "of")  # as element names begin
# No profile has these: an inverter that does them by itself adds to what the controller asks for.
FOREIGN = ("watt_var", "watt_pf", "dynamic_var", "schedule")


def compare(driver, profile):
    """Return the mismatches of a driver's device with the profile; none when it shows no grid settings."""
    if driver.grid is None:
        return []
    found = [_compared(setting, profile) for setting in driver.grid.all()]
    return [sentence for sentence in found if sentence]


def not_compared(driver):
    """Return what is read and shown and has nothing in a profile to be compared with, one sentence each."""
    found = []
    for setting in driver.grid.all() if driver.grid else ():
        if setting.kind in RIDE_THROUGH or setting.kind == "ramps":
            found.append(
                "The inverter's %s (model %d) is shown, not compared: a profile holds trips, and nothing of this."
                % (KINDS[setting.kind][0], setting.model)
            )
    return found


def _compared(setting, profile) -> str:
    kind = setting.kind
    if kind in TRIPS:
        return _trip(setting, profile)
    if kind == "cease_low" or kind == "cease_high":
        return _cessation(setting, profile)
    if kind == "droop" or kind == "hz_watt":
        return _frequency(setting, profile)
    if kind == "volt_var" or kind == "volt_watt":
        return _share(setting, profile)
    if kind in FOREIGN and setting.enabled:
        return "%s on; profile %s has none: switch it off." % (_where(setting), profile.name)
    return ""


def _where(setting) -> str:
    place = "model %d, register %d" % (setting.model, setting.register)
    return "The inverter's %s (%s) is" % (KINDS[setting.kind][0], place)


# --- trips ---


def stages(points, over: int):
    """Return the (level, time) steps that a trip curve comes to, the quickest first.

    A curve may be a list of steps or a line drawn round them (models 129 and the like): what counts for each time is
    the level nearest to nominal, and a level that a shorter time reaches as well says nothing.
    """
    sign = -1 if over else 1
    found = []
    for level, time_ms in sorted(points, key=lambda pair: (pair[1], -sign * pair[0])):
        if not found or sign * level > sign * found[-1][0]:
            found.append((level, time_ms))
    return found


def _trip(curve, profile) -> str:
    """Compare must-trip points with the profile's stages of that kind."""
    volts = curve.kind == "uv" or curve.kind == "ov"
    wanted = []
    for stage in profile.stages:
        name = ELEMENTS[stage.element][0]
        if name[:2] == curve.kind and name[2:].isdigit():
            wanted.append((_level(stage.threshold, volts, profile), stage.delay_ms))
    if not wanted:
        return ""
    ours = points_text(curve.kind, wanted)
    if not curve.enabled:
        return "%s off; profile %s wants %s." % (_where(curve), profile.name, ours)
    tolerance = VOLT_TOLERANCE if volts else HERTZ_TOLERANCE_MHZ
    over = 1 if curve.kind[0] == "o" else 0
    held = stages(curve.points, over)
    needed = stages(wanted, over)
    missing = [pair for pair in needed if not _held(pair, held, tolerance)]
    foreign = [pair for pair in held if not _held(pair, needed, tolerance)]
    if not missing and not foreign:
        return ""
    told = points_text(curve.kind, curve.points)
    return "%s set to %s; profile %s wants %s." % (_where(curve), told, profile.name, ours)


def _level(threshold: int, volts: int, profile) -> int:
    """Return a stage's threshold as the curve has it: hundredths of a percent of nominal, or mHz."""
    if volts:
        return (threshold * 100 + profile.nominal_mv // 200) // (profile.nominal_mv // 100)
    return threshold // 1000


def _held(pair, points, tolerance: int) -> bool:
    level, delay_ms = pair
    slack_ms = max(TIME_TOLERANCE_MS, delay_ms * TIME_TOLERANCE_PERCENT // 100)
    for other, other_ms in points:
        if abs(other - level) <= tolerance and abs(other_ms - delay_ms) <= slack_ms:
            return True
    return False


def _cessation(curve, profile) -> str:
    """Compare where the inverter ceases by itself with where the profile wants that; the controller ceases anyway."""
    wanted_mv = profile.cessation_low_mv if curve.kind == "cease_low" else profile.cessation_high_mv
    if not curve.enabled or not curve.points:
        return ""
    told = points_text(curve.kind, curve.points)
    if not wanted_mv:
        return "%s set to %s; profile %s wants none." % (_where(curve), told, profile.name)
    level = _level(wanted_mv, 1, profile)
    for other, _delay_ms in curve.points:
        if abs(other - level) <= VOLT_TOLERANCE:
            return ""
    return "%s set to %s; profile %s wants %s %% V." % (_where(curve), told, profile.name, decimal(level, 2))


# --- frequency ---


def _frequency(setting, profile) -> str:
    """Compare a droop or a frequency-watt curve. Both on: two answers to one deviation would add up."""
    if not setting.enabled:
        return ""
    droop = setting.kind == "droop"
    told = droop_text(setting) if droop else points_text(setting.kind, setting.points)
    where = "The inverter answers frequency by itself (model %d, register %d: %s)"
    where = where % (setting.model, setting.register, told)
    if not profile.over_droop_permille and not profile.under_droop_permille:
        return "%s; profile %s wants no droop." % (where, profile.name)
    over_mhz = (profile.over_start_uhz - profile.nominal_uhz) // 1000
    if droop and _same_droop(setting, profile, over_mhz):
        return "%s and so does the controller: both would add up. Switch one off." % where
    return "%s; profile %s wants +%s Hz %s %%, and the controller answers too: switch one off." % (
        where,
        profile.name,
        decimal(over_mhz, 3),
        decimal(profile.over_droop_permille, 1),
    )


def _same_droop(droop, profile, over_mhz: int) -> bool:
    slope = droop.over_permille
    if droop.gradient > 0:  # hundredths of a percent of power for each Hz
        slope = 10000000 // (droop.gradient * (profile.nominal_uhz // 1000000))
    same = abs(droop.over_mhz - over_mhz) <= HERTZ_TOLERANCE_MHZ
    return same and abs(slope - profile.over_droop_permille) <= SLOPE_TOLERANCE_PERMILLE


# --- voltage ---


def _share(curve, profile) -> str:
    """Compare volt-var or volt-watt: on or off, then point by point."""
    enabled, voltages_mv, shares = profile.volt_var if curve.kind == "volt_var" else profile.volt_watt
    if bool(enabled) != bool(curve.enabled):
        words = "on" if curve.enabled else "off", "on" if enabled else "off"
        return "%s %s; profile %s wants it %s." % (_where(curve), words[0], profile.name, words[1])
    if not enabled:
        return ""
    sign = -1 if curve.kind == "volt_var" else 1  # SunSpec: + injects; ours: + absorbs
    wanted = []
    for k in range(len(voltages_mv)):
        wanted.append((_level(voltages_mv[k], 1, profile), sign * shares[k] * 10))
    same = len(wanted) == len(curve.points)
    for k in range(len(wanted) if same else 0):
        voltage, share = curve.points[k]
        same = same and abs(voltage - wanted[k][0]) <= VOLT_TOLERANCE and abs(share - wanted[k][1]) <= SHARE_TOLERANCE
    if same:
        return ""
    told = points_text(curve.kind, curve.points)
    ours = points_text(curve.kind, wanted)
    return "%s %s; profile %s wants %s." % (_where(curve), told, profile.name, ours)
