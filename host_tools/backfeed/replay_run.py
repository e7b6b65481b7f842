# SPDX-License-Identifier: MIT
"""Play a recording to the firmware's sensing and protection on the virtual board, and collect what they say."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backfeed.checkout import HIL
from backfeed.errors import PartError
from backfeed.recording.model import RMS, FloatArray, Recording
from backfeed.recording.repair import LONG_GAP_S
from backfeed.recording.shape import even_rate, first_frequency, lead_in, tail
from backfeed.report.model import Run
from backfeed.tables import faults
from hil.plant.interface import BoardInputs, BoardOutputs, SerialDevice
from hil.plant.replay import ReplayPlant
from hil.virtual_board import VirtualBoard, VirtualBoardError

ENTRY = HIL / "on_board" / "replay.py"
MARGIN_S = 5.0  # of healthy grid beyond the enter-service wait, before the recording begins
SINE_S = 1.0  # of it as samples, so that the front end has settled
ROW_S = 0.5
NOISE_V = 0.03  # as the front end's own
SETTLE_US = 500_000  # of those, unseen by the board while the front end's model fills
SLICE_S = 1.0
SAMPLES_MAX = 6000  # drawn
TICKS = 1 << 30  # the period of the board's millisecond ticks


@dataclass
class Healthy:
    """The grid before the recording begins."""

    volts: list[float]
    frequency_hz: float
    own: bool  # the recording's own first values; False: the profile's nominal, as those are outside its window


class LeadPlant:
    """A healthy grid as readings, and then another plant: minutes of lead-in cost nothing. switch_us: its start."""

    def __init__(self, lead: ReplayPlant, then: ReplayPlant, switch_us: int) -> None:
        self.serial: dict[str, SerialDevice] = {}
        self._lead = lead
        self._then = then
        self._switch_us = switch_us

    def advance(self, t_us: int, outputs: BoardOutputs) -> BoardInputs:
        """Play to plant time t_us."""
        inputs = self._lead.advance(t_us, outputs)
        if t_us < self._switch_us:
            return inputs
        then = self._then.advance(t_us - self._switch_us, outputs)
        return then if t_us >= self._switch_us + SETTLE_US else inputs


def healthy(recording: Recording, profile: dict[str, Any], rate_hz: float) -> Healthy:
    """Return the recording's first voltage and frequency, or nominal where they would not let service be entered."""
    if recording.kind == RMS:
        assert recording.frequency_hz is not None
        first = int(np.flatnonzero(np.isfinite(recording.voltage_v).all(axis=1))[0])
        volts = recording.voltage_v[first].tolist()
        frequency_hz = float(recording.frequency_hz[first])
    else:
        cycles = recording.voltage_v[: round(5 * rate_hz / profile["nominal_hz"])]
        volts = np.sqrt(np.mean(np.square(cycles), axis=0)).tolist()
        frequency_hz = first_frequency(recording.voltage_v, rate_hz)
    low_v, high_v = profile["enter_v"]
    low_hz, high_hz = profile["enter_hz"]
    if all(low_v * 1.01 < v < high_v * 0.99 for v in volts) and low_hz < frequency_hz < high_hz:
        return Healthy(volts, frequency_hz, own=True)
    recording.say(
        f"the recording begins at {', '.join(f'{v:.1f}' for v in volts)} V, {frequency_hz:.2f} Hz, where service is not"
        f" entered ({low_v:g}..{high_v:g} V, {low_hz:g}..{high_hz:g} Hz): the lead-in is nominal"
    )
    return Healthy([profile["nominal_v"]] * recording.phases, profile["nominal_hz"], own=False)


def series_plant(recording: Recording, grid: Healthy, lead_s: float, nominal_hz: float, hold_s: float) -> ReplayPlant:
    """Return a plant of RMS rows behind a steady lead-in, with the last row held after them."""
    assert recording.frequency_hz is not None
    before_t = np.array([0.0, lead_s - ROW_S])
    end_t = recording.duration_s + lead_s + np.array([ROW_S, ROW_S + hold_s])
    t_s = np.concatenate((before_t, recording.t_s + lead_s, end_t))
    volts = np.concatenate((np.tile(grid.volts, (2, 1)), recording.voltage_v, np.tile(recording.voltage_v[-1], (2, 1))))
    frequency_hz = np.concatenate(
        ([grid.frequency_hz] * 2, recording.frequency_hz, recording.frequency_hz[-1:].repeat(2))
    )
    steady = ((0.0, lead_s), (recording.duration_s + lead_s, math.inf))
    t_s, volts, frequency_hz = alive(t_s, volts, frequency_hz, steady)
    return ReplayPlant.series(t_s.tolist(), volts, frequency_hz.tolist(), nominal_hz, LONG_GAP_S)


def alive(
    t_s: FloatArray, volts: FloatArray, frequency_hz: FloatArray, steady: tuple[tuple[float, float], ...] = ()
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return rows at least every ROW_S, with a noise without which a front end rightly counts as frozen.

    Gaps of more than LONG_GAP_S stay gaps, but for the spans of steady, (from, to) in s. The noise alternates in sign,
    so that no two refreshes are alike.
    """
    dense = np.arange(t_s[0], t_s[-1], ROW_S)
    left = np.clip(np.searchsorted(t_s, dense, side="right") - 1, 0, t_s.size - 2)
    wanted = t_s[left + 1] - t_s[left] <= LONG_GAP_S
    for begin, end in steady:
        wanted |= (dense >= begin) & (dense <= end)
    times = np.union1d(t_s, dense[wanted])
    columns = [np.interp(times, t_s, volts[:, k]) for k in range(volts.shape[1])]
    size_v = NOISE_V * np.random.default_rng(1).uniform(0.5, 1.0, (times.size, volts.shape[1]))
    size_v[1::2] *= -1
    return times, np.abs(np.column_stack(columns) + size_v), np.interp(times, t_s, frequency_hz)


def wave_plant(
    recording: Recording, grid: Healthy, lead_s: float, rate_hz: float, profile: dict[str, Any], hold_s: float
) -> LeadPlant:
    """Return a plant of samples behind a lead-in, with the last state held after them."""
    nominal_hz, nominal_v = profile["nominal_hz"], profile["nominal_v"]
    peak_v = None if grid.own else nominal_v * math.sqrt(2)
    before = lead_in(recording.voltage_v, rate_hz, grid.frequency_hz, SINE_S, peak_v)
    after = tail(recording.voltage_v, rate_hz, nominal_hz, hold_s, nominal_v)
    samples = np.concatenate((before, recording.voltage_v, after))
    ends = np.array([0.0, lead_s])
    t_s, volts, frequency_hz = alive(ends, np.tile(grid.volts, (2, 1)), np.full(2, grid.frequency_hz), ((0.0, lead_s),))
    lead = ReplayPlant.series(t_s.tolist(), volts, frequency_hz.tolist(), nominal_hz, LONG_GAP_S)
    then = ReplayPlant.waveform(samples, rate_hz=rate_hz, nominal_hz=nominal_hz)
    return LeadPlant(lead, then, round((lead_s - SINE_S) * 1e6))


def play(
    recording: Recording,
    profile: dict[str, Any],
    hold_s: float,
    watch: Callable[[float, float], None] = lambda t_s, end_s: None,
) -> tuple[Run, dict[str, Any]]:
    """Play a fitted recording; return the run (times of the recording) and the final state."""
    rate_hz = even_rate(recording) if recording.kind != RMS else 0.0
    grid = healthy(recording, profile, rate_hz)
    lead_s = profile["wait_s"] + MARGIN_S
    if recording.kind == RMS:
        plant: Any = series_plant(recording, grid, lead_s, profile["nominal_hz"], hold_s)
    else:
        plant = wave_plant(recording, grid, lead_s, rate_hz, profile, hold_s)
    end_s = lead_s + recording.duration_s + hold_s
    lines = _run_board(plant, recording, profile, lead_s, end_s, watch)
    return _collect(recording, lines, lead_s)


def _run_board(
    plant: Any,
    recording: Recording,
    profile: dict[str, Any],
    lead_s: float,
    end_s: float,
    watch: Callable[[float, float], None],
) -> list[dict[str, Any]]:
    settings = json.dumps({"profile": profile["name"], "phases": recording.phases})
    period_ms = max(20, round((end_s - lead_s) * 1000 / SAMPLES_MAX / 10) * 10)
    board = VirtualBoard(plant, entry=ENTRY, arguments=(settings, str(period_ms)), step_limit_s=60.0)
    try:
        with board:
            while board.now_us < end_s * 1e6 and not board.finished:
                board.run_until(min(round(end_s * 1e6), board.now_us + round(SLICE_S * 1e6)))
                watch(board.now_us / 1e6 - lead_s, end_s - lead_s)
            text = board.console.text
            if board.finished:
                raise PartError(f"the board's script ended early (code {board.exit_code}): {text[-800:].strip()}")
    except VirtualBoardError as error:
        raise PartError(f"replay: {error}") from error
    return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]


def _collect(recording: Recording, lines: list[dict[str, Any]], lead_s: float) -> tuple[Run, dict[str, Any]]:
    from hil.virtual_board.board import BOOT_US

    first_ticks = next(line["t0"] for line in lines if "t0" in line)

    def recording_s(ticks_ms: int) -> float:
        """Return recording time of the board's ticks, which may wrap once on the way."""
        return BOOT_US / 1e6 + ((ticks_ms - first_ticks + TICKS // 2) % TICKS - TICKS // 2) / 1000 - lead_s

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
