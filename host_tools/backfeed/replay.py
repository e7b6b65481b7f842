# SPDX-License-Identifier: MIT
"""`backfeed replay FILE`: how the firmware's own sensing and protection answer a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from backfeed import firmware_ask
from backfeed.checkout import BUILD
from backfeed.errors import InputError
from backfeed.options import Number, ready_folder
from backfeed.progress import progress_on
from backfeed.recording import load
from backfeed.recording.fit import ZERO_SEQUENCE, fit
from backfeed.recording.model import RMS, Choice, Recording
from backfeed.recording.repair import repair, say_dead_bus
from backfeed.recording.shape import first_frequency
from backfeed.replay_run import play
from backfeed.report.model import Panel, Run
from backfeed.report.page import write_page
from backfeed.report.wording import event_line
from backfeed.tables import points

# The profile taken when none is named, by the recording's nominal frequency.
USUAL_PROFILE = {50: "uk_g98", 60: "ieee1547_cat_b"}
HELD = (
    "trip",
    "pickup",
    "reset",
    "hold",
    "grid_healthy",
    "grid_unhealthy",
    "service_entered",
    "fault_set",
    "fault_cleared",
)


def nominal_frequency(recording: Recording) -> int:
    """Return 50 or 60, whichever the recording's usual frequency is nearer to."""
    if recording.frequency_hz is not None:
        live = recording.frequency_hz[np.isfinite(recording.frequency_hz) & (recording.frequency_hz > 0)]
        usual_hz = float(np.median(live)) if live.size else 50.0
    else:
        usual_hz = first_frequency(recording.voltage_v, 1 / float(np.median(np.diff(recording.t_s))))
    return 50 if abs(usual_hz - 50) <= abs(usual_hz - 60) else 60


def choose_profile(recording: Recording, named: str | None) -> dict[str, Any]:
    """Return the profile named, else the usual one of the recording's nominal frequency; a mismatch is said."""
    nominal_hz = nominal_frequency(recording)
    profile = firmware_ask.profile(named or USUAL_PROFILE[nominal_hz])
    if named is None:
        recording.say(f"{nominal_hz} Hz: profile {profile['name']} ({profile['title']})")
    elif round(profile["nominal_hz"]) != nominal_hz:
        recording.say(
            f"the recording is of a {nominal_hz} Hz grid, profile {named} of a {profile['nominal_hz']:g} Hz grid:"
            f" its frequency stages will act; --profile {USUAL_PROFILE[nominal_hz]} is of {nominal_hz} Hz"
        )
    return profile


def cut(recording: Recording, from_s: float | None, to_s: float | None) -> None:
    """Keep from_s..to_s of a recording; its time then counts from there, and that is said."""
    if from_s is None and to_s is None:
        return
    begin_s, end_s = from_s or 0.0, recording.duration_s if to_s is None else to_s
    kept = (recording.t_s >= begin_s) & (recording.t_s <= end_s)
    if np.count_nonzero(kept) < 2:
        raise InputError(
            f"--from {begin_s:g} --to {end_s:g}: holds fewer than two samples; the recording lasts"
            f" {recording.duration_s:g} s."
        )
    first_s = float(recording.t_s[kept][0])
    recording.t_s = recording.t_s[kept] - first_s
    recording.voltage_v = recording.voltage_v[kept]
    if recording.frequency_hz is not None:
        recording.frequency_hz = recording.frequency_hz[kept]
    recording.say(f"cut to {first_s:g}..{first_s + recording.duration_s:g} s; times count from there")


def draw(run: Run, profile: dict[str, Any], path: Path) -> None:
    """Write the page: voltages and frequency with the profile's stages, rate of change, service, events."""
    volts = tuple(
        (f"{name} {limit / 1000:g} V, {ms / 1000:g} s", limit / 1000)
        for name, limit, _, ms in profile["stages"]
        if name.startswith(("ov", "uv"))
    )
    hertz = tuple(
        (f"{name} {limit / 1e6:g} Hz, {ms / 1000:g} s", limit / 1e6)
        for name, limit, _, ms in profile["stages"]
        if name.startswith(("of", "uf"))
    )
    phases = tuple(name for name in run.traces if name.startswith("L"))
    run.panels = [
        Panel("Voltage, one-cycle RMS as the board measures it", "V", phases, volts),
        Panel("Frequency as the board measures it", "Hz", ("frequency",), hertz),
        Panel("Rate of change of frequency", "Hz/s", ("rate of change",)),
        Panel("Service", "", ("service",)),
    ]
    write_page(run, path)


def print_run(run: Run, final: dict[str, Any], notes: list[str], console: Console) -> None:
    """Print what was done to the recording, each event, and how it ended."""
    for note in notes:
        console.print(f"- {note}", highlight=False, soft_wrap=True, style="dim")
    for event in run.events:
        style = {"trip": "red", "pickup": "yellow"}.get(event["event"], "")
        console.print(event_line(event), highlight=False, soft_wrap=True, style=style)
    if not run.events:
        console.print("No element picked up.")
    console.print(final_line(final), highlight=False, soft_wrap=True, style="bold")


def final_line(final: dict[str, Any]) -> str:
    """Return the state at the end as a sentence."""
    if final["in_service"]:
        return "At the end: in service, power may flow."
    wait = f", {final['wait_ms'] / 1000:g} s of healthy grid still to wait" if final["wait_ms"] else ""
    cause = f"tripped by {final['trip_element']}" if final["tripped"] else "out of service"
    return f"At the end: {cause}, no power may flow{wait}."


def profile_and_repair(
    recording: Recording, named: str | None, from_s: float | None, to_s: float | None
) -> dict[str, Any]:
    """Cut and repair a recording; return its profile."""
    if named:
        firmware_ask.profile(named)  # an unknown name is told before the recording is worked on
    cut(recording, from_s, to_s)
    repair(recording)
    return choose_profile(recording, named)


def watched(recording: Recording, profile: dict[str, Any], hold_s: float) -> tuple[Run, dict[str, Any]]:
    """Play a recording under a progress bar; return the run with its facts and the final state."""
    with progress_on(Console(stderr=True)) as progress:
        task = progress.add_task(f"replay {Path(recording.source).name}")
        run, final = play(
            recording, profile, hold_s, lambda t_s, end_s: progress.update(task, completed=max(t_s, 0), total=end_s)
        )
    run.events = [event for event in run.events if event["event"] in HELD]
    if hold_s and recording.kind != RMS:
        recording.say(f"the last state is held for {hold_s:g} s after the end at {recording.duration_s:.3f} s")
    run.facts = {
        "Recording": recording.source,
        "Grid code": f"{profile['title']} (hash {profile['hash']})",
        "Read": "; ".join(recording.notes),
        "At the end": final_line(final),
    }
    return run, final


def as_dict(run: Run, final: dict[str, Any], recording: Recording, profile: dict[str, Any]) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {
        "file": recording.source,
        "profile": profile["name"],
        "profile_hash": profile["hash"],
        "notes": recording.notes,
        "events": run.events,
        "final_state": final,
    }


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", "profile_name", help=f"Grid code: {', '.join(points.PROFILE_NAMES)}.")
@click.option(
    "--nominal",
    "nominal_v",
    type=Number(1, 1_000_000),
    help="Nominal phase voltage, V: the recording's own, or the profile's where its level is far from that.",
)
@click.option("--rate", "rate_hz", type=Number(0.01, 1_000_000), help="Samples (or RMS rows) a second.")
@click.option("--columns", default="", help="One to three voltage columns or channels, by name or number from 1.")
@click.option(
    "--zero-sequence",
    type=click.Choice(ZERO_SEQUENCE),
    default="auto",
    show_default=True,
    help="Keep or remove (va+vb+vc)/3; auto removes it from recordings of a network above the charger's.",
)
@click.option(
    "--hold",
    "hold_s",
    type=Number(0, 600),
    default=5.0,
    show_default=True,
    help="Seconds for which the last state is held after the end.",
)
@click.option("--from", "from_s", type=Number(0), help="Begin here, s of the recording.")
@click.option("--to", "to_s", type=Number(0), help="End here, s of the recording.")
@click.option("--json", "as_json", is_flag=True, help="Print events and final state as JSON.")
@click.option(
    "--report",
    "report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to draw it; build/replay/<file>.html by default.",
)
def replay(
    file: Path,
    profile_name: str | None,
    nominal_v: float | None,
    rate_hz: float | None,
    columns: str,
    zero_sequence: str,
    hold_s: float,
    from_s: float | None,
    to_s: float | None,
    as_json: bool,
    report: Path | None,
) -> None:
    """Show how the protection answers a recording.

    The firmware's own sensing and protection run on a MicroPython VM, at their own 10 ms.

    FILE: a CSV of frequency and RMS voltages, a CSV of sampled waveforms (plain or .gz), or a COMTRADE pair.
    Waveforms pass the model of the board's metering front end. Prints each pickup, reset, trip and hold.

    \b
    backfeed replay recording.csv
    backfeed replay samples.csv.gz --rate 20000 --columns va,vb,vc --profile ieee1547_cat_b
    backfeed replay feeder.cfg --json
    backfeed replay blackout.csv --from 5500 --to 5700
    """
    path = report or BUILD / "replay" / f"{file.name}.html"
    ready_folder(path.parent, "--report")
    recording = load(file, Choice(tuple(name.strip() for name in columns.split(",") if name.strip()), rate_hz))
    profile = profile_and_repair(recording, profile_name, from_s, to_s)
    fit(recording, profile["nominal_v"], nominal_v, zero_sequence)
    say_dead_bus(recording, profile["nominal_v"])
    run, final = watched(recording, profile, hold_s)
    draw(run, profile, path)
    if as_json:
        click.echo(json.dumps(as_dict(run, final, recording, profile), indent=1))
        return
    console = Console()
    print_run(run, final, recording.notes, console)
    console.print(f"Drawn: {path}", highlight=False, soft_wrap=True)
