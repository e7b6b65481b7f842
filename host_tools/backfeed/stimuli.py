# SPDX-License-Identifier: MIT
"""What a scenario's actions do to the plant, the grid and the firmware's connections. ONE table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backfeed.checkout import HIL, ROOT
from backfeed.errors import InputError
from backfeed.recording import load
from backfeed.recording.fit import fit
from backfeed.recording.model import RMS, Choice
from backfeed.recording.repair import repair
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

# Where a scenario's recordings are looked for: beside the scenarios, then beside the checkout.
RECORDINGS = (HIL / "scenarios", ROOT.parent / "shared" / "recordings")


@dataclass
class Bench:
    """What an action may touch. told: what it wants the report to say."""

    station: Station
    board: VirtualBoard
    device_id: str
    told: list[str]


Action = Callable[..., None]


def _plug(bench: Bench, cable_a: int = 32, ready: bool = True) -> None:
    bench.station.vehicle.plug(cable_a, ready)


def _unplug(bench: Bench) -> None:
    bench.station.vehicle.unplug()


def _vehicle_ready(bench: Bench, wants: bool) -> None:
    bench.station.vehicle.ready(wants)


def _soc(bench: Bench, share: float) -> None:
    bench.station.vehicle.soc = share


def _grid(bench: Bench, **values: Any) -> None:
    bench.station.grid.set(**values)


def _open_mains(bench: Bench) -> None:
    bench.station.grid.open()


def _close_mains(bench: Bench) -> None:
    bench.station.grid.close()


def _load(bench: Bench, power_w: float, reactive_var: float = 0.0) -> None:
    bench.station.grid.load(power_w, reactive_var)


def _island_load(bench: Bench, quality: float = 1.0, dp: float = 0.0, dq: float = 0.0) -> None:
    """Balance the load against what the inverter feeds in now."""
    export_w = -bench.station.truth.power_w
    if export_w <= 100:
        raise InputError(f"island_load: the inverter feeds in {export_w:.0f} W; let it export 100 W or more first.")
    bench.station.grid.island_load(export_w, quality, dp, dq, -bench.station.truth.reactive_var)
    bench.told.append(f"the load takes the inverter's {export_w:.0f} W, quality factor {quality:g}")


def find_recording(name: str, otherwise: str = "") -> Path:
    """Return the path of a recording, or that of the one to take where it is absent."""
    for wanted in (name, otherwise):
        for folder in RECORDINGS:
            if wanted and (folder / wanted).is_file():
                return folder / wanted
    raise InputError(f"recording {name}: neither in hil/scenarios nor in {RECORDINGS[1]}; add it or name another.")


def _play(
    bench: Bench,
    file: str,
    from_s: float = 0.0,
    to_s: float = float("inf"),
    otherwise: str = "",
    otherwise_from_s: float = 0.0,
) -> None:
    """Play part of an RMS recording from now on, scaled to the station's nominal voltage."""
    path = find_recording(file, otherwise)
    if path.name != file:
        from_s, to_s = otherwise_from_s, float("inf")
    recording = load(path, Choice())
    if recording.kind != RMS or recording.frequency_hz is None:
        raise InputError(f"recording {path.name}: samples; play takes RMS voltages with a frequency.")
    repair(recording)
    fit(recording, bench.station.config.nominal_v)
    chosen = np.flatnonzero((recording.t_s >= from_s) & (recording.t_s <= to_s))
    if chosen.size < 2:
        raise InputError(
            f"recording {path.name}: no rows within {from_s:g}..{to_s:g} s; it lasts {recording.duration_s:g} s."
        )
    rows = []
    for i in chosen:
        volts = np.resize(recording.voltage_v[i], 3).tolist()
        rows.append((float(recording.t_s[i] - recording.t_s[chosen[0]]), volts, float(recording.frequency_hz[i])))
    bench.station.grid.play(bench.station, rows)
    bench.told.append(
        f"{path.name}, {recording.t_s[chosen[0]]:g}..{recording.t_s[chosen[-1]]:g} s; {recording.notes[-1]}"
    )


def _fault(bench: Bench, name: str, value: object = None) -> None:
    bench.station.faults.set(name, value)


def _clear_fault(bench: Bench, name: str) -> None:
    bench.station.faults.clear(name)


def _mqtt(bench: Bench, topic: str, payload: Any) -> None:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    bench.board.publish(f"backfeed/{bench.device_id}/{topic}", text)


def _console(bench: Bench, line: str) -> None:
    bench.board.console_write(line + "\r")


def _note(bench: Bench) -> None:
    del bench  # a step that only tells


ACTIONS: dict[str, Action] = {
    "plug": _plug,
    "unplug": _unplug,
    "vehicle_ready": _vehicle_ready,
    "soc": _soc,
    "grid": _grid,
    "open_mains": _open_mains,
    "close_mains": _close_mains,
    "island_load": _island_load,
    "load": _load,
    "play": _play,
    "fault": _fault,
    "clear_fault": _clear_fault,
    "mqtt": _mqtt,
    "console": _console,
    "note": _note,
}
