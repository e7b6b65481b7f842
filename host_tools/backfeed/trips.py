# SPDX-License-Identifier: MIT
"""`backfeed trips PORT`: the last trips, and the recording around one as COMTRADE and as a page with plots."""

from __future__ import annotations

import json
import math
import re
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from backfeed.checkout import BUILD
from backfeed.console_link import Answer, ConsoleLink, ignore
from backfeed.errors import InputError, PartError
from backfeed.options import ready_folder
from backfeed.report.model import Note, Panel, Run, Trace
from backfeed.report.page import write_page
from backfeed.tables import faults

MISSING = -32768  # COMTRADE's own mark for "no value"
TIMEOUT_S = 30.0
# channel, circuit unit, scale a and offset b of value = a * count + b; as in the firmware's tasks/recorder.py
VOLTAGE, POWER, REACTIVE = ("V", "V", 0.02, 0.0), ("P", "W", 1.0, 0.0), ("Q", "var", 1.0, 0.0)
FREQUENCY, ROCOF = ("f", "Hz", 0.001, 50.0), ("df/dt", "Hz/s", 0.001, 0.0)


@dataclass
class Recorded:
    """One trip's recording. rows: counts as recorded; trip_row: the row of the trip."""

    number: int
    phases: int
    period_ms: int
    trip_row: int
    utc_s: int
    element: str
    rows: list[tuple[int, ...]]

    def channels(self) -> list[tuple[str, str, float, float]]:
        """Return (name, unit, scale, offset) of each analog channel, in the order of a row."""
        phases = [
            (f"{name} L{phase}", unit, scale, offset)
            for name, unit, scale, offset in (VOLTAGE, POWER, REACTIVE)
            for phase in range(1, self.phases + 1)
        ]
        return [*phases, FREQUENCY, ROCOF]

    def values(self, channel: int) -> list[float | None]:
        """Return a channel in its unit; None where nothing was measured."""
        _, _, scale, offset = self.channels()[channel]
        return [None if row[channel] == MISSING else row[channel] * scale + offset for row in self.rows]

    def bits(self) -> list[tuple[str, list[int]]]:
        """Return the digital channels: the gate, then each element."""
        names = ["gate up"] + [row[0] + " picked up" for row in faults.ELEMENTS[1:]]
        return [(name, [row[-1] >> bit & 1 for row in self.rows]) for bit, name in enumerate(names)]


def parse(number: int, answer: Answer) -> Recorded:
    """Return the recording that `trip N data` printed; PartError when there is none or it is not whole."""
    head: dict[str, int] = {}
    packed = b""
    for line in answer.lines:
        word, _, rest = line.partition(" ")
        if word == "recording":
            head = {name: int(value) for name, value in re.findall(r"(\w+)=(-?\d+)", rest)}
        elif word == "row":
            packed += bytes.fromhex(rest)
    if not head:
        raise PartError(f"trip {number}: no recording came; ask again.")
    layout = f"<{3 * head['phases'] + 3}h"
    if len(packed) != head["rows"] * struct.calcsize(layout):
        raise PartError(f"trip {number}: {len(packed)} bytes came of {head['rows']} rows; ask again.")
    rows = list(struct.iter_unpack(layout, packed))
    element = faults.ELEMENTS[head["element"]][0]
    return Recorded(number, head["phases"], head["period_ms"], head["trip_row"], head["utc_s"], element, rows)


def nominal_hz(trip: Recorded) -> int:
    """Return the grid's nominal frequency: the recording says 50 or 60 by itself."""
    known = sorted(value for value in trip.values(3 * trip.phases) if value is not None)
    return 60 if known and known[len(known) // 2] > 55 else 50


def configuration(trip: Recorded) -> str:
    """Return the .cfg of a COMTRADE 1999 pair."""
    analog, digital = trip.channels(), trip.bits()
    rows = len(trip.rows)
    ended = datetime.fromtimestamp(trip.utc_s, UTC)  # 1970 where the board's clock was unknown
    tripped = ended - timedelta(milliseconds=trip.period_ms * (rows - 1 - trip.trip_row))
    begun = tripped - timedelta(milliseconds=trip.period_ms * trip.trip_row)
    lines = ["backfeed,charger,1999", f"{len(analog) + len(digital)},{len(analog)}A,{len(digital)}D"]
    for number, (name, unit, scale, offset) in enumerate(analog, start=1):
        phase = name[-1] if name[-2:-1] == "L" else ""
        lines.append(f"{number},{name},{phase},,{unit},{scale:g},{offset:g},0,-32767,32767,1,1,P")
    lines += [f"{number},{name},,,0" for number, (name, _) in enumerate(digital, start=1)]
    stamps = [moment.strftime("%d/%m/%Y,%H:%M:%S.%f") for moment in (begun, tripped)]
    lines += [f"{nominal_hz(trip)}", "1", f"{1000 / trip.period_ms:g},{rows}", *stamps, "BINARY", "1"]
    return "\r\n".join(lines) + "\r\n"


def data(trip: Recorded) -> bytes:
    """Return the binary .dat of a COMTRADE 1999 pair."""
    packed = b""
    for number, row in enumerate(trip.rows):
        stamp_us = number * trip.period_ms * 1000
        packed += struct.pack(f"<II{len(row) - 1}hH", number + 1, stamp_us, *row[:-1], row[-1] & 0xFFFF)
    return packed


def write_comtrade(trip: Recorded, folder: Path) -> Path:
    """Write trip_N.cfg and trip_N.dat; return the path of the .cfg."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"trip_{trip.number}.cfg"
    path.write_text(configuration(trip), newline="")
    path.with_suffix(".dat").write_bytes(data(trip))
    return path


def write_plot(trip: Recorded, folder: Path) -> Path:
    """Write trip_N.html: one page with a plot a quantity; return its path."""
    path = folder / f"trip_{trip.number}.html"
    write_page(as_run(trip), path)
    return path


def as_run(trip: Recorded) -> Run:
    """Return the recording as a report draws it; time counts from the trip, in seconds."""
    run = Run(f"trip_{trip.number}", f"Trip {trip.number}: {trip.element}")
    run.facts = {"Recorded": f"{len(trip.rows)} rows, {trip.period_ms} ms apart; the trip is at 0 s"}
    t_s = [(row - trip.trip_row) * trip.period_ms / 1000 for row in range(len(trip.rows))]
    groups: dict[tuple[str, str], list[str]] = {}
    for channel, (name, unit, _, _) in enumerate(trip.channels()):
        groups.setdefault((name.split()[0], unit), []).append(name)
        known = [math.nan if value is None else value for value in trip.values(channel)]
        run.traces[name] = Trace(name, unit, t_s, known)
    run.panels = [Panel(title, unit, tuple(names)) for (title, unit), names in groups.items()]
    seen = [(name, values) for name, values in trip.bits() if any(values)]
    levels = tuple(text for name, _ in seen for text in ("", name))  # a lane a bit: off below, on at its name
    for base, (name, values) in enumerate(seen):
        run.traces[name] = Trace(name, "", t_s, [2 * base + value for value in values], levels)
    run.panels.append(Panel("Gate and elements", "", tuple(name for name, _ in seen)))
    run.story = [Note(0.0, f"{trip.element} trips.")]
    run.events = [{"t_s": 0.0, "event": "trip", "element": trip.element, "phase": 0, "value": 0, "unit": ""}]
    return run


def export(link: ConsoleLink, number: int, folder: Path) -> dict[str, Any]:
    """Fetch one trip's recording and write it as COMTRADE and as a page."""
    answer = link.ask(f"trip {number} data", timeout_s=TIMEOUT_S)
    if not answer.ok:
        raise InputError(f"--trip {number}: {answer.reason}")
    if answer.value("recording") == "none":
        raise InputError(f"--trip {number}: its recording is no longer kept; --list names those that are.")
    trip = parse(number, answer)
    return {
        "trip": number,
        "element": trip.element,
        "rows": len(trip.rows),
        "comtrade": str(write_comtrade(trip, folder)),
        "page": str(write_plot(trip, folder)),
    }


def recorded(answer: Answer) -> list[int]:
    """Return the numbers of the trips whose recording the board keeps, oldest first."""
    return [int(number) for number in answer.value("recorded").split(",") if number.isdigit()]


@click.command()
@click.argument("port")
@click.option("--trip", "number", type=click.IntRange(1), help="Export this trip; the last one when left away.")
@click.option("--all", "every", is_flag=True, help="Export every recording that the board keeps.")
@click.option("--list", "only_list", is_flag=True, help="List the trips, export nothing.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=BUILD / "trips",
    help="Folder; build/trips by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print trips and what was written as JSON.")
def trips(port: str, number: int | None, every: bool, only_list: bool, out: Path, as_json: bool) -> None:
    """List the last trips, export their recordings.

    As COMTRADE (.cfg, .dat) and as a page with plots: 2 s before and 3 s after the trip, each half cycle. The board
    keeps as many as fit; `recorded` names them.

    \b
    backfeed trips /dev/ttyACM0
    backfeed trips /dev/ttyACM0 --trip 3 --out /tmp/trips
    backfeed trips /dev/ttyACM0 --all
    """
    if sum((number is not None, every, only_list)) > 1:
        raise InputError("--trip, --all, --list: give one of them.")
    if not only_list:
        ready_folder(out, "--out")
    with ConsoleLink(port) as link:
        link.script()
        answer = link.ask("trips", heard=ignore if as_json or number else click.echo)
        if not answer.ok:
            raise PartError(f"{port}: {answer.reason}")
        kept = recorded(answer)
        wanted = [number] if number else kept if every else [] if only_list else kept[-1:]
        written = [export(link, one, out) for one in wanted]
    if as_json:
        click.echo(json.dumps({"trips": answer.lines, "recorded": kept, "written": written}))
        return
    for row in written:
        click.echo(f"{row['comtrade']}\n{row['page']}")
    if not written:
        names = ", ".join(str(one) for one in kept)
        click.echo(
            f"Recordings kept: {names}." if kept else "No trip." if not answer.lines else "No recording is kept."
        )
