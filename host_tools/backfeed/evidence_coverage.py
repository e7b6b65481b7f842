# SPDX-License-Identifier: MIT
"""The coverage table of the evidence page: each family of the test procedures, and its cases for each grid code."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.evidence.run import Result


def section(by_profile: dict[str, list[Result]]) -> str:
    """Return the section: the catalogue's counts, what of it was played, and why a family is empty."""
    from hil.evidence import catalogue, coverage

    there = {name: catalogue.sessions(name) for name in by_profile}
    played = {name: coverage.counted([r.session for r in results]) for name, results in by_profile.items()}
    lines = [_head(list(by_profile))]
    reasons: dict[str, list[str]] = {}
    for family, row in coverage.table(there):
        cells = [f"<td>{family.code}</td><td>{html.escape(family.what)}</td>"]
        for name, (count, why) in row.items():
            cells.append(_cell(count, played[name][family.code], why))
            if not count:
                reasons.setdefault(f"{family.code}: {why}", []).append(name)
        total = sum(count for count, _why in row.values())
        lines.append(f"<tr>{''.join(cells)}<td class='number'>{total}</td></tr>")
    return (
        "<h2>What is covered</h2><p class='note'>Cases of each family in the catalogue; where fewer were played this "
        f"time, played / all. A dash has its reason below.</p><table class='coverage'>{''.join(lines)}</table>"
        f"{_reasons(reasons)}{_elsewhere()}"
    )


def _head(names: list[str]) -> str:
    turned = "".join(f"<th class='turned'>{name}</th>" for name in names)
    return f"<tr><th>Family</th><th>What</th>{turned}<th>All</th></tr>"


def _cell(count: int, played: int, why: str) -> str:
    if not count:
        return f"<td class='none' title='{html.escape(why)}'>-</td>"
    if played < count:
        return f"<td class='left'>{played}/{count}</td>"
    return f"<td class='number'>{count}</td>"


def _reasons(reasons: dict[str, list[str]]) -> str:
    items = [f"<li>{html.escape(why)} ({', '.join(names)})</li>" for why, names in reasons.items()]
    return f"<details><summary>Why a family has no case</summary><ul class='note'>{''.join(items)}</ul></details>"


def _elsewhere() -> str:
    from hil.evidence import coverage

    rows = "".join(
        f"<tr><td>{html.escape(code)}</td><td>{html.escape(what)}</td><td>{html.escape(where)}</td></tr>"
        for code, what, where in coverage.ELSEWHERE
    )
    head = "<tr><th>Procedure</th><th>What</th><th>Where</th></tr>"
    return f"<h2>Proved elsewhere</h2><table>{head}{rows}</table>"
