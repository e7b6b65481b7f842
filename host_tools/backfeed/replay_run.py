# SPDX-License-Identifier: MIT
"""Play a recording to the firmware's grid sensing and protection on a MicroPython VM, and collect what they say.

Only these two stages run, one reading every 10 ms: two hours take well under a minute on an idle core.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backfeed import vm
from backfeed.checkout import FIRMWARE, HIL
from backfeed.errors import PartError
from backfeed.recording.model import RMS, Recording
from backfeed.recording.shape import even_rate
from backfeed.replay_readings import CYCLE_S, Readings, of_recording
from backfeed.report.model import Run
from backfeed.tables import faults

SCRIPT = HIL / "on_board" / "replay.py"
MARGIN_S = 5.0  # of healthy grid beyond the enter-service wait, before the recording begins
SAMPLES_MAX = 6000  # drawn
TICKS = 1 << 30  # the period of the board's millisecond ticks


def play(
    recording: Recording,
    profile: dict[str, Any],
    hold_s: float,
    watch: Callable[[float, float], None] = lambda t_s, end_s: None,
) -> tuple[Run, dict[str, Any]]:
    """Play a fitted recording; return the run (times of the recording) and the final state."""
    rate_hz = even_rate(recording) if recording.kind != RMS else 0.0
    lead_s = round((profile["wait_s"] + MARGIN_S) / CYCLE_S) * CYCLE_S
    readings = of_recording(recording, profile, lead_s, hold_s, rate_hz)
    settings = {"profile": profile["name"], "phases": recording.phases}
    end_s = len(readings) * CYCLE_S - lead_s
    lines = _run(readings, settings, end_s, lambda t_s: watch(t_s - lead_s, end_s))
    return _collect(recording, lines, lead_s)


def _run(
    readings: Readings, settings: dict[str, Any], end_s: float, told: Callable[[float], None]
) -> list[dict[str, Any]]:
    """Let the VM take the readings; return the JSON lines that it prints."""
    period_ms = max(20, round(end_s * 1000 / SAMPLES_MAX / 10) * 10)
    environment = dict(os.environ, MICROPYPATH=f"{FIRMWARE}:.frozen")
    with tempfile.TemporaryDirectory(prefix="backfeed-replay-") as folder:
        path = Path(folder) / "readings.bin"
        path.write_bytes(readings.astype("<i4").tobytes())
        command = [*vm.unix_vm(), str(SCRIPT), json.dumps(settings), str(path), str(period_ms)]
        errors = Path(folder) / "errors.txt"
        with (
            errors.open("w") as stderr,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as run,
        ):
            assert run.stdout is not None
            lines = [_told(line, told) for line in run.stdout]
        if run.returncode:
            said = errors.read_text().strip().splitlines() or ["it said nothing"]
            raise PartError(f"replay: the firmware's stages failed (code {run.returncode}): {said[-1]}")
    return lines


def _told(line: str, told: Callable[[float], None]) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(line)
    except ValueError:
        raise PartError(f"replay: the firmware's stages said: {line.strip()}") from None
    if "at" in content:
        told(float(content["at"]))
    return content


def _collect(recording: Recording, lines: list[dict[str, Any]], lead_s: float) -> tuple[Run, dict[str, Any]]:
    first_ticks = next(line["t0"] for line in lines if "t0" in line)

    def recording_s(ticks_ms: int) -> float:
        """Return recording time of the board's ticks, which may wrap once on the way."""
        return ((ticks_ms - first_ticks) % TICKS) / 1000 - lead_s

    run = Run("replay", f"Replay of {recording.source}")
    volts = [run.trace(f"L{i + 1}", "V") for i in range(recording.phases)]
    frequency = run.trace("frequency", "Hz")
    rocof = run.trace("rate of change", "Hz/s")
    service = run.trace("service", "", ("out", "in"))
    last: list[Any] = []
    for line in lines:
        if "e" in line:
            t_s = round(recording_s(line["e"][0]), 3)
            if t_s >= 0:
                run.events.append(event(t_s, line["e"]))
        elif "s" in line:
            last = line["s"]
            t_s = recording_s(last[0])
            if t_s < -1:
                continue
            for i, trace in enumerate(volts):
                trace.add(t_s, last[1][i] / 1000)
            frequency.add(t_s, last[2] / 1e6 if last[2] >= 0 else math.nan)
            rocof.add(t_s, last[3] / 1000)
            service.add(t_s, last[4])
    if not last:
        raise PartError("the board's script said nothing")
    return run, final_state(last, recording.phases)


def event(t_s: float, row: list[int]) -> dict[str, Any]:
    """Return an event row of the firmware as {t_s, event, element, phase, value, unit}."""
    _, code, subject, value, phase = row
    name, table, unit = faults.EVENTS[code]
    element = faults.ELEMENTS[subject][0] if table == "element" else ""
    if table == "pilot_state":
        element = faults.PILOT_STATES[subject]
    elif table in ("fault", "reason"):
        element = (faults.FAULTS if table == "fault" else faults.REASONS)[subject][0]
    if unit == "element":
        unit = faults.ELEMENTS[subject][2]
    return {"t_s": t_s, "event": name, "element": element, "phase": phase, "value": value, "unit": unit}


def final_state(last: list[Any], phases: int) -> dict[str, Any]:
    """Return the state at the end in words and units."""
    return {
        "in_service": bool(last[4]),
        "tripped": bool(last[5]),
        "trip_element": faults.ELEMENTS[last[6]][0],
        "inhibited": bool(last[7]),
        "wait_ms": last[8],
        "voltage_mv": last[1][:phases],
        "frequency_uhz": last[2] if last[2] >= 0 else None,
        "afe_ok": bool(last[9]),
    }
