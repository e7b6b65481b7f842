# SPDX-License-Identifier: MIT
"""`backfeed demo`: the whole firmware through twenty virtual minutes, with a page to look at afterwards."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from backfeed.checkout import BUILD, HIL
from backfeed.errors import LIMIT_BROKEN
from backfeed.options import ready_folder
from backfeed.panels import panels
from backfeed.report.model import Run
from backfeed.report.page import write_page
from backfeed.report.results import write_json, write_junit
from backfeed.scenario_run import Outcome, Progress, run_scenario
from hil.scenario import load

SCENARIO = HIL / "scenarios" / "demo.toml"


class StatusLine:
    """One live line on a terminal; elsewhere only the story, a line a step."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = (
            Live(Text(""), console=console, refresh_per_second=8, transient=True) if console.is_terminal else None
        )

    def __enter__(self) -> StatusLine:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, progress: Progress) -> None:
        if progress.told:
            self._console.print(f"[bold]{progress.t_s:7.1f} s[/]  {progress.told}", highlight=False, soft_wrap=True)
        elif self._live:
            self._live.update(Text(_status(progress)))


def _status(progress: Progress) -> str:
    now = progress.latest
    head = f"{progress.t_s:7.1f} s  {progress.t_s / progress.duration_s:4.0%}"
    if not now:
        return f"{head}  starting"
    return (
        f"{head}  {now['session_state']:<10} {now['voltage_l1_mv'] / 1000:5.1f} V {now['frequency_uhz'] / 1e6:6.3f} Hz"
        f"  wanted {now['wanted_w']:6d} W  allowed {now['allowed_w']:6d} W  grid {now['grid_w']:6d} W"
        f"  SOC {now['soc_permille'] / 10:4.1f} %  {now['reason']}"
    )


def print_summary(outcome: Outcome, console: Console) -> None:
    """Print every check as a row: measured, allowed, margin."""
    table = Table("check", "measured", "unit", "allowed", "margin", "", title=outcome.run.title)
    for check in outcome.run.checks:
        value = check.why if check.value is None else f"{check.value:.4g}"
        margin = "" if check.margin is None else f"{check.margin:.4g}"
        style = "" if check.passed else "red"
        verdict = "holds" if check.passed else "does not hold"
        table.add_row(check.text, value, check.unit, check.allowed, margin, verdict, style=style)
    console.print(table)
    console.print(
        f"{outcome.virtual_s:.0f} s of virtual time in {outcome.wall_s:.1f} s: {outcome.speed:.0f} times real time;"
        f" {len(outcome.run.events)} events.",
        highlight=False,
    )


def write_reports(outcome: Outcome, folder: Path) -> None:
    """Write report.html, results.json, junit.xml and console.txt."""
    run: Run = outcome.run
    run.panels = panels(run)
    write_page(run, folder / "report.html")
    write_json(run, folder / "results.json")
    write_junit(run, folder / "junit.xml", outcome.wall_s)
    (folder / "console.txt").write_text(outcome.console)


@click.command()
@click.option(
    "--scenario",
    "path",
    type=click.Path(path_type=Path),
    default=SCENARIO,
    help="Another scenario file than that of the demo.",
)
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder of the reports; build/<name of the scenario> by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON instead of a table.")
def demo(path: Path, folder: Path | None, as_json: bool) -> None:
    """Run the whole firmware against a simulated plant.

    Unmodified, in virtual time. Writes report.html (one offline page), results.json and junit.xml to build/demo. Exit
    code 1 when a check does not hold.

    \b
    backfeed demo
    backfeed demo --scenario hil/scenarios/demo.toml --out /tmp/demo
    """
    scenario = load(path)
    folder = ready_folder(folder or BUILD / scenario.name, "--out")
    console = Console(stderr=as_json)
    with StatusLine(console) as status:
        outcome = run_scenario(scenario, status)
    write_reports(outcome, folder)
    if as_json:
        click.echo((folder / "results.json").read_text(), nl=False)
    else:
        print_summary(outcome, console)
    console.print(f"Report: {folder / 'report.html'}", highlight=False)
    sys.exit(0 if outcome.run.passed else LIMIT_BROKEN)
