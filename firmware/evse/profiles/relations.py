# SPDX-License-Identifier: MIT
"""What must hold between a profile's numbers. Each check returns "" or what is wrong and what to do."""

from evse.faults import ELEMENTS


def check_relations(profile) -> str:
    """Return the first contradiction as text, or ""."""
    return _stages(profile) or _enter(profile) or _droop(profile) or _cessation(profile)


def _stages(profile) -> str:
    seen = []
    for stage in profile.stages:
        name = ELEMENTS[stage.element][0]
        nominal = profile.nominal_mv if name[1] == "v" else profile.nominal_uhz
        if name in seen:
            return "%s is given twice; give each stage once" % name
        seen.append(name)
        if stage.over and stage.threshold - stage.reset <= nominal:
            return "%s.threshold is %d, not above nominal %d" % (name, stage.threshold, nominal)
        if not stage.over and stage.threshold + stage.reset >= nominal:
            return "%s.threshold is %d, not below nominal %d" % (name, stage.threshold, nominal)
        for other in profile.stages:
            if ELEMENTS[other.element][0][:2] == name[:2] and other.delay_ms < stage.delay_ms:
                outer = other.threshold > stage.threshold if stage.over else other.threshold < stage.threshold
                if not outer:
                    return "%s can never act: a faster stage lies within its threshold" % name
    for kind in ("ov", "uv", "of", "uf"):
        if not [name for name in seen if name[:2] == kind]:
            return "no %s stage; give at least one" % kind
    return ""


def _enter(profile) -> str:
    if not profile.enter_low_mv < profile.nominal_mv < profile.enter_high_mv:
        return "enter_low_mv %d .. enter_high_mv %d does not contain nominal_mv %d" % (
            profile.enter_low_mv,
            profile.enter_high_mv,
            profile.nominal_mv,
        )
    if not profile.enter_low_uhz < profile.nominal_uhz < profile.enter_high_uhz:
        return "enter_low_uhz %d .. enter_high_uhz %d does not contain nominal_uhz %d" % (
            profile.enter_low_uhz,
            profile.enter_high_uhz,
            profile.nominal_uhz,
        )
    if profile.mean_mv and profile.mean_mv <= profile.nominal_mv:
        return "mean_mv is %d, not above nominal_mv %d" % (profile.mean_mv, profile.nominal_mv)
    if bool(profile.rocof_mhz_s) != bool(profile.rocof_delay_ms):
        return "rocof_mhz_s and rocof_delay_ms: give both or neither"
    return ""


def _droop(profile) -> str:
    if profile.over_droop_permille and profile.over_start_uhz <= profile.nominal_uhz:
        return "over_start_uhz is %d, not above nominal_uhz %d" % (profile.over_start_uhz, profile.nominal_uhz)
    if profile.under_droop_permille and profile.under_start_uhz >= profile.nominal_uhz:
        return "under_start_uhz is %d, not below nominal_uhz %d" % (profile.under_start_uhz, profile.nominal_uhz)
    return ""


def _cessation(profile) -> str:
    if profile.cessation_low_mv >= profile.nominal_mv:
        return "cessation_low_mv is %d, not below nominal_mv %d" % (profile.cessation_low_mv, profile.nominal_mv)
    if profile.cessation_high_mv and profile.cessation_high_mv <= profile.nominal_mv:
        return "cessation_high_mv is %d, not above nominal_mv %d" % (profile.cessation_high_mv, profile.nominal_mv)
    return ""
