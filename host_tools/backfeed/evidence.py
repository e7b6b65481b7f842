# SPDX-License-Identifier: MIT
"""`backfeed evidence`: every stage, slope, reconnection and ride-through of every grid code, on the whole firmware."""

from __future__ import annotations

import difflib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import Progress

from backfeed import evidence_page
from backfeed.checkout import BUILD
from backfeed.errors import LIMIT_BROKEN, InputError
from backfeed.options import ready_folder
from backfeed.report.results import write_junit
from backfeed.tables import points

if TYPE_CHECKING:
    from hil.evidence.model import Session
    from hil.evidence.run import Result

FOLDER = BUILD / "evidence"
WORKERS = 2


def chosen(profiles: tuple[str, ...], case: str, seed: int) -> list[Session]:
    """Return the sessions of the profiles (all where none is named) with cases whose name holds the text."""
    from hil.evidence import catalogue

    for name in profiles:
        if name not in points.PROFILE_NAMES:
            raise InputError(f"--profile {name}: unknown; choose {', '.join(points.PROFILE_NAMES)}.")
    found = [row for name in profiles or points.PROFILE_NAMES for row in catalogue.sessions(name, seed)]
    if not case:
        return found
    picked = catalogue.pick(found, case)
    if not picked:
        kinds = sorted({row.name for session in found for row in session.cases})
        near = difflib.get_close_matches(case, kinds, cutoff=0.0)
        raise InputError(f"--case {case}: no case has that in its name; try {', '.join(near)}; --list shows all.")
    return picked


def short(sessions: list[Session], longest_s: float) -> list[Session]:
    """Return the sessions that take no more than longest_s of virtual time, the wait after power-up included."""
    from hil.evidence.run import lasts_s

    return [session for session in sessions if lasts_s(session) <= longest_s]


def play(sessions: list[Session], jobs: int, seed: int, console: Console) -> list[Result]:
    """Play sessions in workers, showing how far it is; return the results by profile and session."""
    from hil.evidence.run import play_all

    total = sum(len(session.cases) for session in sessions)
    results = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"{total} cases", total=total)
        for result in play_all(sessions, jobs, seed):
            results.append(result)
            progress.advance(task, len(result.session.cases))
            for check in result.checks:
                if not check.passed:
                    progress.console.print(_line(result, check), style="red", highlight=False, soft_wrap=True)
    order = {(session.profile, session.name): i for i, session in enumerate(sessions)}
    return sorted(results, key=lambda result: order[result.session.profile, result.session.name])


def _line(result: Result, check: Any) -> str:
    measured = check.why or f"{check.value:.6g} {check.unit}"
    return f"{result.session.profile} {check.name}: {measured} (allowed {check.allowed}): {check.text}"


def figures(results: list[Result]) -> dict[str, float]:
    """Return stage_overrun_worst_ms and false_trips of played sessions."""
    overrun_ms, false_trips = 0.0, 0
    for result in results:
        for case, check in zip(result.session.cases, result.checks, strict=True):
            if case.judge == "stays":
                false_trips += round(check.value or 0)
            elif case.judge == "opens" and check.value is not None:
                false_trips += check.value < (check.low or 0)
                if case.delay_ms:
                    overrun_ms = max(overrun_ms, check.value - case.delay_ms)
    return {"stage_overrun_worst_ms": overrun_ms, "false_trips": float(false_trips)}


def write(results: list[Result], folder: Path, wall_s: float, seed: int) -> dict[str, Any]:
    """Write evidence.html, evidence.json and junit.xml; return what the JSON holds."""
    run = evidence_page.as_run(results)
    found = figures(results)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evidence.html").write_text(evidence_page.page(results, found, wall_s, seed), encoding="utf-8")
    document = {"seed": seed, "wall_s": round(wall_s, 1), "figures": found, "cases": evidence_page.rows(results)}
    (folder / "evidence.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_junit(run, folder / "junit.xml", wall_s)
    return document


def print_list(sessions: list[Session]) -> None:
    """Print the cases, a line each."""
    for session in sessions:
        for row in session.cases:
            click.echo(f"{session.profile:15} {row.name:24} {row.text}")


def tell(results: list[Result], wall_s: float, left_out: int) -> None:
    """Print the result in a few lines. left_out: sessions that were too long."""
    checks = [check for result in results for check in result.checks]
    failed = sum(not check.passed for check in checks)
    found = figures(results)
    virtual_s = sum(result.virtual_s for result in results)
    click.echo(f"{len(checks)} cases, {failed} do not hold; {virtual_s:.0f} s of virtual time in {wall_s:.0f} s")
    if left_out:
        click.echo(f"{left_out} longer sessions were left out (--longest)")
    click.echo(
        f"worst opening after a stage's delay {found['stage_overrun_worst_ms']:.1f} ms (limit 100); "
        f"false trips {found['false_trips']:.0f}"
    )


@click.command()
@click.option("--profile", "profiles", multiple=True, help="Grid code; may be given more than once. All by default.")
@click.option("--case", default="", help="Only cases with this in their name, such as T-V-ov1 (and what leads there).")
@click.option(
    "--longest", "longest_s", type=click.FloatRange(1), help="Only sessions of at most so many virtual seconds."
)
@click.option("--list", "list_only", is_flag=True, help="List the cases and run nothing.")
@click.option("--jobs", type=click.IntRange(1, 64), default=None, help="Worker processes.  [default: 2, or 1 core]")
@click.option("--seed", type=click.IntRange(0, 2**31), default=1, show_default=True, help="Of noise and of instants.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, help="Folder; build/evidence by default."
)
@click.option("--json", "as_json", is_flag=True, help="Print figures and cases as JSON.")
def evidence(
    profiles: tuple[str, ...],
    case: str,
    longest_s: float | None,
    list_only: bool,
    jobs: int | None,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Prove grid protection case by case: measured value, unit, limit, margin.

    Cases are generated from each profile's numbers and run through the whole firmware on the virtual board; times
    are those at which the plant's contacts really opened. Writes evidence.html, evidence.json and junit.xml. The
    full set takes about half an hour on two cores. Exit code 1 when a case does not hold.

    \b
    backfeed evidence
    backfeed evidence --profile uk_g98 --case T-R
    """
    wanted = chosen(profiles, case, seed)
    sessions = wanted if longest_s is None else short(wanted, longest_s)
    if list_only:
        print_list(sessions)
        return
    ready_folder(out, "--out")
    started_s = time.monotonic()
    results = play(sessions, jobs or min(WORKERS, os.cpu_count() or 1), seed, Console(stderr=True))
    wall_s = time.monotonic() - started_s
    document = write(results, out, wall_s, seed)
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        tell(results, wall_s, len(wanted) - len(sessions))
        click.echo(f"Written: {out / 'evidence.html'}, evidence.json, junit.xml")
    sys.exit(0 if all(check.passed for result in results for check in result.checks) else LIMIT_BROKEN)
