# SPDX-License-Identifier: MIT
"""`backfeed campaign`: every fault in every session state of the whole firmware, judged by the plant's truth."""

from __future__ import annotations

import html
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
from rich.console import Console

from backfeed.checkout import BUILD
from backfeed.errors import LIMIT_BROKEN, InputError
from hil.campaign import day, soak
from hil.campaign.case import Result
from hil.campaign.invariants import Times
from hil.campaign.long_run import LongRun, Show
from hil.campaign.plan import CASES, Case, Plan, load
from hil.campaign.pool import run_cases

FOLDER = BUILD / "campaign"
STYLE = (
    "body{font-family:system-ui,sans-serif;margin:2rem;color:#1d2329}table{border-collapse:collapse;font-size:.85rem}"
    "td,th{border:1px solid #e3e7ea;padding:.2rem .5rem;text-align:left;vertical-align:top}"
    ".pass{color:#1c6b3f}.fail{color:#a52222;font-weight:600}"
)


def chosen(plan: Plan, names: tuple[str, ...], states: tuple[str, ...], every: int) -> list[Case]:
    """Return the cases of these faults and states; all where none is named; every n-th."""
    known = {trouble.name for trouble in plan.troubles}
    for name in names:
        if name not in known:
            raise InputError(f"FAULT {name}: unknown; choose among {', '.join(sorted(known))}.")
    for name in states:
        if name not in {state.name for state in plan.states}:
            raise InputError(f"--state {name}: unknown; choose {', '.join(state.name for state in plan.states)}.")
    cases = [
        case
        for case in plan.cases()
        if (not names or case.trouble.name in names) and (not states or case.state.name in states)
    ]
    return cases[::every]


def summary(results: list[Result]) -> dict[str, Any]:
    """Return the figures of a campaign."""
    worst = Times()
    for result in results:
        worst.worst(result.times)
    return {
        "campaign_cases": len(results),
        "campaign_unsafe": sum(bool(result.violations) for result in results),
        "not_as_planned": sum(bool(result.problem) for result in results),
        "unsaid": sum(result.unsaid for result in results),
        "virtual_s": round(sum(result.virtual_s for result in results), 1),
        "worst_ms": asdict(worst),
    }


def verdict(result: Result) -> str:
    """Return in one line what a case showed."""
    found = [f"{t_s:g} s: {what}" for t_s, what in result.violations]
    if result.problem:
        found.append(result.problem)
    if result.unsaid:
        found.append("the console did not name the cause")
    return "; ".join(found) or "safe"


def write_reports(results: list[Result], folder: Path, wall_s: float) -> None:
    """Write results.json, junit.xml and report.html."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = summary(results)
    document = {**figures, "wall_s": round(wall_s, 1), "cases": [result.as_dict() for result in results]}
    (folder / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    failed = sum(not result.passed for result in results)
    suite = ElementTree.Element("testsuite", name="campaign", tests=str(len(results)), failures=str(failed))
    for result in results:
        case = ElementTree.SubElement(suite, "testcase", classname=result.state, name=result.name)
        if not result.passed:
            ElementTree.SubElement(case, "failure", message=verdict(result))
    ElementTree.ElementTree(suite).write(folder / "junit.xml", encoding="utf-8", xml_declaration=True)
    (folder / "report.html").write_text(_page(results, figures), encoding="utf-8")


def _page(results: list[Result], figures: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(r.fault)}</td><td>{html.escape(r.state)}</td>"
        f"<td class='{'pass' if r.passed else 'fail'}'>{html.escape(verdict(r))}</td>"
        f"<td>{'' if r.times.dark_ms < 0 else f'{r.times.dark_ms:.1f}'}</td></tr>"
        for r in results
    )
    told = "".join(f"<li>{html.escape(name)}: {html.escape(str(value))}</li>" for name, value in figures.items())
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Fault campaign</title><style>{STYLE}</style>"
        f"<h1>Fault campaign</h1><ul>{told}</ul><table><tr><th>Fault</th><th>State</th><th>Verdict</th>"
        f"<th>Current ended after [ms]</th></tr>{rows}</table></html>"
    )


def live(console: Console, lives: dict[str, Callable[[Show], LongRun]], as_json: bool) -> int:
    """Live through long runs, one after the other; write build/campaign/<name>.json; return the exit code."""

    def show(hour: float, text: str) -> None:
        console.print(f"{hour:5.2f} h  {text}", highlight=False, soft_wrap=True)

    passed = True
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, run in lives.items():
        figures = run(show).as_dict()
        (FOLDER / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
        passed = passed and bool(figures["passed"])
        if as_json:
            click.echo(json.dumps(figures, indent=1))
            continue
        for key, value in figures.items():
            click.echo(f"{name} {key}: {value}")
    return 0 if passed else LIMIT_BROKEN


def long_runs(half: str | None, soak_h: float | None) -> dict[str, Callable[[Show], LongRun]]:
    """Return what --day and --soak ask for."""
    halves = day.HALVES if half == "both" else (half,) if half else ()
    lives: dict[str, Callable[[Show], LongRun]] = {name: partial(day.run_day, day.half(name)) for name in halves}
    if soak_h is not None:
        lives["soak"] = partial(soak.run_soak, soak_h)
    return lives


@click.command()
@click.argument("names", nargs=-1, metavar="[FAULT ...]")
@click.option("--state", "states", multiple=True, help="Only this session state; may be repeated.")
@click.option("--every", type=click.IntRange(1), default=1, help="Only each n-th case.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Worker processes.")
@click.option(
    "--cases", "path", type=click.Path(path_type=Path), default=CASES, help="Another file of states and faults."
)
@click.option(
    "--day", "half", type=click.Choice([*day.HALVES, "both"]), help="Instead: 24 hours of ordinary days, or one half."
)
@click.option(
    "--soak",
    "soak_h",
    type=click.FloatRange(0, min_open=True),
    metavar="HOURS",
    help="Instead: one board through visits, faults and lost brokers for so many virtual hours.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def campaign(
    names: tuple[str, ...],
    states: tuple[str, ...],
    every: int,
    jobs: int,
    path: Path,
    half: str | None,
    soak_h: float | None,
    as_json: bool,
) -> None:
    """Run every fault in every session state.

    Writes results.json, junit.xml and report.html to build/campaign. Exit code 1 when a case does not hold.

    \b
    backfeed campaign
    backfeed campaign estop pilot_diode --state exporting
    backfeed campaign --day both
    backfeed campaign --soak 4
    """
    console = Console(stderr=True)
    if half or soak_h:
        sys.exit(live(console, long_runs(half, soak_h), as_json))
    cases = chosen(load(path), names, states, every)

    def show(result: Result) -> None:
        if not result.passed:
            console.print(f"{result.name}: {verdict(result)}", style="red", highlight=False, soft_wrap=True)

    started_s = time.perf_counter()
    results = run_cases(cases, jobs, path, show)
    wall_s = time.perf_counter() - started_s
    write_reports(results, FOLDER, wall_s)
    figures = summary(results)
    if as_json:
        click.echo(json.dumps(figures, indent=1))
    else:
        for name, value in figures.items():
            click.echo(f"{name}: {value}")
    console.print(f"{wall_s:.0f} s; report: {FOLDER / 'report.html'}", highlight=False)
    sys.exit(0 if all(result.passed for result in results) else LIMIT_BROKEN)
