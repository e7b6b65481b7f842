# SPDX-License-Identifier: MIT
"""Gains of the front end: worked out by `calibrate` against an instrument, kept as settings, applied at boot.

The part's gain registers are written only before the first cycle: two users of its SPI would spoil each other's frames.
"""

from evse.drivers import ade9000_registers as reg
from evse.points import HIGH, LOW, find

KINDS = ("voltage", "current")
_BASES = {"voltage": reg.VGAIN, "current": reg.IGAIN}
_PPM = 1000000


def setting_name(kind: str, phase: int) -> str:
    """Return the setting of a gain. kind: one of KINDS; phase: 1..3."""
    return "gain_%s_l%d_ppm" % (kind, phase)


def apply_gains(afe, settings) -> None:
    """Write the gains that are not zero; after the front end's start, before the first cycle."""
    for kind in KINDS:
        for phase in range(settings.phases):
            ppm = getattr(settings, setting_name(kind, phase + 1))
            if ppm:
                afe.set_gain(phase, _BASES[kind], ppm)


def corrected_ppm(gain_ppm: int, measured: int, reference: int) -> int:
    """Return the gain with which `measured` (taken with gain_ppm in force) would read `reference`.

    ValueError with one line when nothing was measured or the front end would be too far off to be trusted.
    """
    if measured <= 0:
        raise ValueError("nothing is measured there; apply the reference first")
    ppm = (_PPM + gain_ppm) * reference // measured - _PPM
    row = find(setting_name("voltage", 1))
    if not row[LOW] <= ppm <= row[HIGH]:
        raise ValueError(
            "the reading is %d ppm from the reference; at most %d ppm can be corrected: check wiring and SCALES"
            % (ppm, row[HIGH])
        )
    return ppm
