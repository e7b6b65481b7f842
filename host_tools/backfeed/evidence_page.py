# SPDX-License-Identifier: MIT
"""The evidence as one offline page, as rows for JSON, and as a run for JUnit."""

from __future__ import annotations

import html
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from backfeed import evidence_coverage
from backfeed.report.model import Check, Run
from backfeed.report.page import STYLE

if TYPE_CHECKING:
    from hil.evidence.run import Result

MORE_STYLE = """
details { margin: 0.4rem 0; } details[open] { margin-bottom: 1.5rem; } .note { color: #56606a; font-size: 0.85rem; }
table.cases td:first-child { max-width: 15rem; overflow-wrap: anywhere; }
table.cases td:nth-child(2), table.cases td:nth-child(5), table.cases td:nth-child(6) { white-space: nowrap; }
small { color: #56606a; }
table.coverage { width: auto; } table.coverage td, table.coverage th { padding: 0.15rem 0.4rem; }
table.coverage th.turned { writing-mode: vertical-rl; transform: rotate(180deg); vertical-align: bottom; }
table.coverage td.none { color: #9aa3ab; text-align: right; }
table.coverage td.left { color: #a05a00; text-align: right; }
"""
UNCHECKED = (
    "Not yet checked: numbers of the profile that come from general knowledge and still await the standard's text. A "
    "session with changed settings has a hash of its own, which the board's console named."
)
CASE_HEAD = ["Case", "What", "Measured", "Unit", "Allowed", "Margin", ""]
ABOUT = (
    "Each session is a board from power-up: the unmodified firmware on a MicroPython VM in lockstep with the plant, a "
    "vehicle plugged in, exporting on a stiff grid. Times count from the grid's own step to the instant at which the "
    "plant's main contacts opened (contactor: 20 ms), at a random place of the line cycle. Delays are the relay's; "
    "where a code gives clearing times the delay is 90 ms less and the clearing time is the limit. Waits that were "
    "shortened, inside the code's own range, stand under the session. This controller is a second layer and claims no "
    "certification; many profile numbers still await the standard's text (`backfeed profile show`)."
)


def rows(results: list[Result]) -> list[dict[str, Any]]:
    """Return one dict a case."""
    found = []
    for result in results:
        for check in result.checks:
            found.append(
                {
                    "profile": result.session.profile,
                    "hash": result.hash,
                    "changes": result.session.changes,
                    "session": result.session.name,
                    "phases": result.session.phases,
                    "case": check.name,
                    "text": check.text,
                    "value": check.value,
                    "unit": check.unit,
                    "low": check.low,
                    "high": check.high,
                    "margin": check.margin,
                    "passed": check.passed,
                    "why": check.why,
                }
            )
    return found


def as_run(results: list[Result]) -> Run:
    """Return all checks as one run, named profile.case."""
    run = Run("evidence", "Grid protection, case by case")
    for result in results:
        prefix = f"{result.session.profile}.{result.session.name}."
        run.checks += [replace(check, name=prefix + check.name) for check in result.checks]
    return run


def page(results: list[Result], figures: dict[str, float], wall_s: float, seed: int) -> str:
    """Return the page's HTML."""
    checks = [check for result in results for check in result.checks]
    failed = sum(not check.passed for check in checks)
    verdict = f"All {len(checks)} cases hold." if not failed else f"{failed} of {len(checks)} cases do not hold."
    by_profile = {name: list(rows_) for name, rows_ in groupby(results, key=lambda r: r.session.profile)}
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>Grid protection evidence</title><style>{STYLE}{MORE_STYLE}</style></head><body>",
        "<h1>Grid protection, case by case</h1>",
        f"<p class='verdict {'fail' if failed else 'pass'}'>{verdict}</p><p>{html.escape(ABOUT)}</p>",
        "<dl><dt>Worst opening after a stage's delay</dt>",
        f"<dd>{figures['stage_overrun_worst_ms']:.1f} ms (limit 100)</dd>",
        f"<dt>False trips</dt><dd>{figures['false_trips']:.0f}</dd><dt>Seed</dt><dd>{seed}</dd>",
        f"<dt>Time</dt><dd>{sum(r.virtual_s for r in results):.0f} s of virtual time in {wall_s:.0f} s</dd></dl>",
        _failures(results),
        _summary(by_profile),
        evidence_coverage.section(by_profile),
        "<h2>Every case</h2>",
        *(_profile(name, found) for name, found in by_profile.items()),
        "</body></html>",
    ]
    return "".join(parts)


def _failures(results: list[Result]) -> str:
    """Return what does not hold, before everything else."""
    lines = [
        _row([f"<a href='#{result.session.profile}'>{result.session.profile}</a>", *_cells(check)], (3, 6))
        for result in results
        for check in result.checks
        if not check.passed
    ]
    if not lines:
        return ""
    head = _row(["Grid code", *CASE_HEAD], tag="th")
    return f"<h2>What does not hold</h2><table>{head}{''.join(lines)}</table>"


def _row(cells: list[str], numbers: tuple[int, ...] = (), tag: str = "td") -> str:
    made = [
        f"<{tag}{' class=number' if i in numbers and tag == 'td' else ''}>{cell}</{tag}>"
        for i, cell in enumerate(cells)
    ]
    return f"<tr>{''.join(made)}</tr>"


def _summary(by_profile: dict[str, list[Result]]) -> str:
    from hil.evidence.model import Facts

    head = ["Grid code", "", "Edition", "Hash", "Not yet checked", "Cases", "Do not hold", "Opening after delay, worst"]
    lines = [_row(head, tag="th")]
    for name, results in by_profile.items():
        profile = Facts(name).profile
        checks = [check for result in results for check in result.checks]
        overruns = [
            check.value - case.delay_ms
            for result in results
            for case, check in zip(result.session.cases, result.checks, strict=True)
            if case.judge == "opens" and case.delay_ms and check.value is not None
        ]
        worst = f"{max(overruns):.1f} ms" if overruns else "-"
        failed = str(sum(not check.passed for check in checks))
        link = f"<a href='#{name}'>{name}</a>"
        cells = [link, html.escape(profile.title), html.escape(profile.edition), profile.hash]
        lines.append(_row([*cells, str(len(profile.unverified)), str(len(checks)), failed, worst], (4, 5, 6, 7)))
    return f"<h2>Grid codes</h2><table>{''.join(lines)}</table><p class='note'>{UNCHECKED}</p>"


def _profile(name: str, results: list[Result]) -> str:
    lines = [_row(["Session", *CASE_HEAD], tag="th")]
    for result in results:
        session = result.session
        title = session.name + (", three-phase" if session.phases == 3 else "")
        if session.rated_w:
            title += f"<br><small>rated {session.rated_w} W</small>"
        if session.changes:
            title += f"<br><small>{html.escape(session.changes.replace(',', ', '))}</small>"
        for check in result.checks:
            lines.append(_row([title, *_cells(check)], (3, 6)))
            title = ""
    failed = sum(not check.passed for result in results for check in result.checks)
    count = sum(len(result.checks) for result in results)
    words = f"{count} cases, " + (f"<span class='fail'>{failed} do not hold</span>" if failed else "all hold")
    return (
        f"<details id='{name}'{' open' if failed else ''}><summary><b>{name}</b> {words}</summary>"
        f"<table class='cases'>{''.join(lines)}</table></details>"
    )


def _cells(check: Check) -> list[str]:
    value = html.escape(check.why) if check.value is None else f"{check.value:.6g}"
    margin = "" if check.margin is None else f"{check.margin:.4g}"
    mark = "<span class='pass'>holds</span>" if check.passed else "<span class='fail'>does not hold</span>"
    return [check.name, html.escape(check.text), value, check.unit, html.escape(check.allowed), margin, mark]
