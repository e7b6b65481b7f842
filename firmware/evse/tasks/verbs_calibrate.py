# SPDX-License-Identifier: MIT
"""Console verb `calibrate`: one phase of the front end against an instrument."""

import asyncio

from evse.store.settings import STAGED, SettingError
from evse.tasks import calibration
from evse.tasks.verbs import VerbError

SAMPLES = 20
SAMPLE_MS = 50


async def calibrate(session, words) -> str:
    """Compare one phase with an instrument for a second, keep the gain."""
    usage = "give `calibrate voltage L1 230.4` (V) or `calibrate current L1 10.0` (A), of a phase that is connected"
    station = session.station
    phases = ["L%d" % (n + 1) for n in range(station.settings.phases)]
    if len(words) != 3 or words[0] not in calibration.KINDS or words[1].upper() not in phases:
        raise VerbError("usage", usage)
    try:
        reference = int(float(words[2][:10]) * 1000)
    except (ValueError, OverflowError):
        raise VerbError("usage", usage) from None
    phase = int(words[1][1])
    name = calibration.setting_name(words[0], phase)
    if station.settings.asked()[name] != station.gains.get(name, 0):
        raise VerbError("state", "%s has changed since boot; reboot first" % name)
    measured = await _measured(session, words[0], phase)
    before = station.settings.asked()
    try:
        ppm = calibration.corrected_ppm(station.gains.get(name, 0), measured, reference)
        result = station.settings.set(name, ppm, session.level)
    except (ValueError, SettingError) as error:
        raise VerbError("refused", str(error)) from None
    station.settings.save()
    station.settings_changed(before, "console")
    staged = " staged=until no power can flow" if result == STAGED else ""
    unit = "mV" if words[0] == "voltage" else "mA"
    return "%s=%d ppm measured=%d %s reference=%d %s%s effect=after reboot" % (
        name, ppm, measured, unit, reference, unit, staged)  # fmt: skip


async def _measured(session, kind: str, phase: int) -> int:
    """Return the mean of a second's readings, mV or mA."""
    inputs = session.station.image.inputs
    if not inputs.afe_ok:
        raise VerbError("state", "the front end is not believed now; see `faults`")
    total = 0
    for _ in range(SAMPLES):
        total += (inputs.phase_mv if kind == "voltage" else inputs.phase_ma)[phase - 1]
        await asyncio.sleep_ms(SAMPLE_MS)
    return total // SAMPLES
