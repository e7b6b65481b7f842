# SPDX-License-Identifier: MIT
"""The loss-of-mains page: one HTML file that needs nothing else."""

from __future__ import annotations

import html
import math
import statistics
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from backfeed.bench.lom_measure import Lom, Row, finite
from hil.island.suites import LIMIT_MS

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}
td,th{padding:.2rem .6rem;border-bottom:1px solid #d5dae1;text-align:left}
h3{font-size:1rem;margin:.8rem 0 .2rem}summary{cursor:pointer}th[colspan]{text-align:center}
td.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#b3261e;font-weight:600}.good{color:#1b7f3b}
figure{margin:0 0 1.5rem}figcaption{color:#566}svg{max-width:100%;height:auto}
@media(prefers-color-scheme:dark){body{color:#dfe5ec;background:#14181d}td,th{border-color:#39414b}figcaption{color:#9aa}}
"""
TITLES = {
    "active": "active method alone (passive elements off, as the standards ask)",
    "both": "active method and the profile's passive elements",
    "passive": "passive elements alone",
}
SAME = (
    "Grid codes of equal nominal voltage and frequency make the same islands, so their figures with the active method "
    "alone are the same; what their own stages add is in the other columns."
)
HOW = (
    "Firmware's sense and protect stages against the time-domain plant. Run-on counts from the opening of the grid "
    "switch to the open contactor (20 ms). A case still on after 2 s is missed. Each case has its own seed and repeats."
)


def _cells(values: Iterable[object], numbers: int = 0) -> str:
    cells = []
    for n, value in enumerate(values):
        kind = ' class="n"' if n >= numbers else ""
        cells.append(f"<td{kind}>{html.escape(str(value))}</td>")
    return "<tr>" + "".join(cells) + "</tr>"


def _head(names: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<th>{html.escape(name)}</th>" for name in names) + "</tr>"


def _rows(rows: list[Row], first: str = "profile") -> str:
    names = (first, "test", "cases", "missed", "median ms", "worst ms", "worst case")
    lines = [_head(names)]
    for row in rows:
        values = (row.profile, row.test, row.count, row.missed, finite(row.median_ms), finite(row.worst_ms))
        lines.append(_cells(values, 2).replace("</tr>", f"<td>{html.escape(row.worst_case)}</td></tr>"))
    return "<table>" + "".join(lines) + "</table>"


# figure -> what it says, limit as the bench has it
FIGURES = {
    "lom_62116_worst_ms": ("IEC 62116 A, B, C, every grid code, active method alone: longest run-on, ms", "500"),
    "lom_62116_median_ms": ("the same: median, ms", "300"),
    "lom_ndz_cells": ("cells of the map at full power in which an island stays", "0"),
    "false_trips": ("decisions on grids that are there", "0"),
    "lom_q_cost_pct_rms": ("reactive power spent on a quiet grid, % of rating RMS", "2"),
    "lom_passive_missed_cases": ("for comparison: IEC 62116 cases that passive protection misses (uk_g98)", ""),
    "island_solver_x_realtime": ("speed of the plant, times real time", ""),
}


def _verdict(lom: Lom) -> str:
    alone = [row for row in lom.rows if row.method == "active"]
    missed, count = sum(row.missed for row in alone), sum(row.count for row in alone)
    worst = max((row.worst_ms for row in alone if row.test.startswith("62116")), default=math.inf)
    false, trials = sum(len(row.false_trips) for row in lom.stable), sum(row.count for row in lom.stable)
    good = not missed and not false
    longest = html.escape(finite(worst))
    text = f"{count - missed} of {count} islands ended within 2 s with the active method alone, the longest of IEC "
    text += f"62116 took {longest} ms; {false} false decisions in {trials} trials on grids that are there."
    return f"<p class='{'good' if good else 'bad'}'><b>{text}</b></p>"


def _figures(lom: Lom) -> str:
    lines = [_head(("figure", "", "value", "limit"))]
    values = lom.values()
    for name, (words, limit) in FIGURES.items():
        lines.append(_cells((words, name, f"{values[name]:.4g}", limit), 2))
    return "<table>" + "".join(lines) + "</table>"


def _by_profile(lom: Lom) -> str:
    """Return IEC 62116 with one row a grid code: the three ways beside each other."""
    names = list(dict.fromkeys(row.profile for row in lom.rows if row.test.startswith("62116")))
    head = "<tr><th></th><th colspan='4'>active method alone</th><th colspan='2'>with passive elements</th>"
    head += "<th colspan='2'>passive elements alone</th></tr>"
    columns = ("grid code", "cases", "missed", "median ms", "worst ms", "missed", "worst ms", "cases", "missed")
    lines = [head, _head(columns)]
    for name in names:
        rows = {
            method: [row for row in lom.rows if (row.profile, row.method) == (name, method) and row.test[:5] == "62116"]
            for method in TITLES
        }
        alone, both, passive = rows["active"], rows["both"], rows["passive"]
        values = (
            name,
            _total(alone, "count"),
            _total(alone, "missed"),
            finite(statistics.median(row.median_ms for row in alone)),
            finite(max(row.worst_ms for row in alone)),
            _total(both, "missed"),
            finite(max(row.worst_ms for row in both)),
            _total(passive, "count"),
            _total(passive, "missed"),
        )
        lines.append(_cells(values, 1))
    return "<table>" + "".join(lines) + f"</table><p>{SAME}</p>"


def _total(rows: list[Row], what: str) -> int:
    return sum(getattr(row, what) for row in rows)


def _colour(ms: float) -> str:
    if ms > LIMIT_MS:
        return "#b3261e"
    share = min(ms / 1000.0, 1.0)
    return f"hsl({140 - 100 * share:.0f} 55% {70 - 15 * share:.0f}%)"


def heat_map(found: dict[tuple[float, float], float], title: str) -> str:
    """Return an SVG map of run-on over dP (across) and dQ (up)."""
    across = sorted({dp for dp, _ in found})
    up = sorted({dq for _, dq in found})
    size, left, foot = 34, 60, 40
    width, height = left + size * len(across) + 10, size * len(up) + foot + 10
    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{html.escape(title)}">']
    for (dp, dq), ms in found.items():
        x, y = left + size * across.index(dp), size * (len(up) - 1 - up.index(dq)) + 5
        text = f"{ms:.0f}" if math.isfinite(ms) else "-"
        middle = x + size / 2
        parts.append(f'<rect x="{x}" y="{y}" width="{size - 1}" height="{size - 1}" fill="{_colour(ms)}"/>')
        parts.append(f'<text x="{middle:g}" y="{y + 21}" font-size="11" text-anchor="middle" fill="#111">{text}</text>')
    for k, dp in enumerate(across[::2]):
        middle = left + size * 2 * k + size / 2
        label = f"{dp:+.0%}"
        parts.append(
            f'<text x="{middle:g}" y="{height - 18}" font-size="11" text-anchor="middle" fill="#789">{label}</text>'
        )
    for k, dq in enumerate(up[::2]):
        y = size * (len(up) - 1 - 2 * k) + 26
        parts.append(f'<text x="{left - 6}" y="{y}" font-size="11" text-anchor="end" fill="#789">{dq:+.1%}</text>')
    parts.append(f'<text x="{width / 2}" y="{height - 3}" font-size="12" text-anchor="middle" fill="#789">dP</text>')
    parts.append('<text x="4" y="14" font-size="12" fill="#789">dQ</text></svg>')
    return f"<figure>{''.join(parts)}<figcaption>{html.escape(title)}</figcaption></figure>"


def _line(points: list[tuple[float, float]], box: tuple[float, float, float, float], colour: str) -> str:
    """Return a polyline of points within box (x, y, width, height), scaled to their own range."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    y1 = y1 if y1 > y0 + 1e-6 else y0 + 1.0
    left, top, width, height = box
    where = [f"{left + (x - x0) / (x1 - x0) * width:.1f},{top + (y1 - y) / (y1 - y0) * height:.1f}" for x, y in points]
    ends = f'<text x="{left - 6}" y="{top + 10}" font-size="10" text-anchor="end" fill="#789">{y1:.2f}</text>'
    ends += f'<text x="{left - 6}" y="{top + height}" font-size="10" text-anchor="end" fill="#789">{y0:.2f}</text>'
    return f'<polyline points="{" ".join(where)}" fill="none" stroke="{colour}" stroke-width="1.5"/>{ends}'


def trace(points: list[tuple[float, float, float, float]], title: str) -> str:
    """Return frequency and perturbation of one trial from 300 ms before the event."""
    shown = [point for point in points if point[0] >= -300]
    parts = ['<svg viewBox="0 0 760 260" width="760" role="img">']
    hz = [(t, f) for t, f, _q, _v in shown]
    var = [(t, q) for t, _f, q, _v in shown]
    parts.append(_line(hz, (70, 10, 680, 110), "#2a6fdb"))
    parts.append(_line(var, (70, 135, 680, 90), "#c2571a"))
    span = shown[-1][0] - shown[0][0]
    zero = 70 + 680 * (0 - shown[0][0]) / span
    parts.append(f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="5" y2="232" stroke="#999" stroke-dasharray="4 3"/>')
    for name, y in (("Hz, one line cycle", 22), ("Q, % of rating", 147)):
        parts.append(f'<text x="744" y="{y}" font-size="11" text-anchor="end" fill="#789">{name}</text>')
    for share in range(5):
        t = f"{shown[0][0] + span * share / 4:.0f} ms"
        parts.append(f'<text x="{70 + 170 * share}" y="250" font-size="10" text-anchor="middle" fill="#789">{t}</text>')
    parts.append("</svg>")
    return f"<figure>{''.join(parts)}<figcaption>{html.escape(title)}</figcaption></figure>"


def _stability(lom: Lom) -> str:
    lines = [_head(("grid", "trials", "false decisions", "Q cost % RMS"))]
    for row in lom.stable:
        lines.append(_cells((row.group, row.count, len(row.false_trips), f"{row.q_rms_pct:.2f}"), 1))
    named = [f"<li>{html.escape(name)}</li>" for row in lom.stable for name in row.false_trips]
    return "<table>" + "".join(lines) + "</table>" + (f"<ul class='bad'>{''.join(named)}</ul>" if named else "")


def write(lom: Lom, path: Path) -> None:
    """Write the page."""
    parts = ["<!doctype html><html lang='en'><meta charset='utf-8'><title>Loss of mains</title>"]
    parts.append(f"<style>{STYLE}</style><h1>Loss of mains</h1>{_verdict(lom)}<p>{HOW}</p>{_figures(lom)}")
    parts.append("<h2>IEC 62116 A, B and C by grid code</h2>" + _by_profile(lom))
    others = [row for row in lom.rows if not row.test.startswith("62116")]
    parts.append("<h2>IEEE 1547.1 UI, G98 and ten units</h2>")
    for method, title in TITLES.items():
        rows = [row for row in others if row.method == method]
        parts.append(f"<h3>{html.escape(title.capitalize())}</h3>{_rows(rows)}" if rows else "")
    parts.append("<h2>Non-detection zone at full power</h2>")
    for method, found in lom.maps.items():
        missed = sum(ms > LIMIT_MS for ms in found.values())
        parts.append(heat_map(found, f"{TITLES[method]}: run-on ms, {missed} of {len(found)} cells missed"))
    parts.append("<h2>Grids that are ill but there</h2>" + _stability(lom))
    parts += [f"<p>Not run: {html.escape(name)}</p>" for name in lom.skipped]
    changed = [replace(row, profile=row.test, test="62116 A at P 100/55/30 %") for row in lom.tolerance]
    parts.append("<h2>How much other inverters and loads change</h2>" + _rows(changed, "changed"))
    parts.append("<h2>Plots</h2>")
    parts += [trace(points, name) for name, points in lom.traces.items()]
    parts.append("<h2>Every condition</h2>")
    for method, title in TITLES.items():
        rows = [row for row in lom.rows if row.method == method and row.test.startswith("62116")]
        parts.append(f"<details><summary>IEC 62116, {html.escape(title)}</summary>{_rows(rows)}</details>")
    parts.append(f"<p>Measured in {lom.wall_s:.0f} s.</p></html>")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8")
