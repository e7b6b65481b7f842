# SPDX-License-Identifier: MIT
"""One offline HTML page: verdict, checks, story, plots, events. Nothing is loaded from anywhere."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from pathlib import Path

from backfeed.report.figures import figure
from backfeed.report.model import Check, Run
from backfeed.report.wording import event_reason, event_value

STYLE = """
body { font-family: system-ui, sans-serif; color: #1d2329; margin: 2rem auto; max-width: 1200px; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0.2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 0.6rem; }
.verdict { font-weight: 600; } .pass { color: #1c6b3f; } .fail { color: #a52222; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; padding: 0.25rem 0.7rem 0.25rem 0; border-bottom: 1px solid #e3e7ea; vertical-align: top; }
th { color: #56606a; font-weight: 600; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; font-size: 0.9rem; margin: 0.5rem 0; }
dt { color: #56606a; } dd { margin: 0; } ol { font-size: 0.9rem; } details summary { cursor: pointer; color: #56606a; }
"""


def write_page(run: Run, path: Path) -> None:
    """Write the page to path, with plotly's own script inside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{_text(run.title)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{_text(run.title)}</h1>{_verdict(run)}{_facts(run)}{_checks(run)}{_story(run)}"
        f"<h2>Plots</h2>{_plots(run)}{_events(run)}</body></html>",
        encoding="utf-8",
    )


def _plots(run: Run) -> str:
    """Return the drawing and plotly.js, which is taken as the file it is: the package itself loads slowly."""
    script = files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")
    drawn = figure(run)
    # A script element ends at the first "</", wherever it stands.
    data, layout = (json.dumps(drawn[part], separators=(",", ":")).replace("</", "<\\/") for part in ("data", "layout"))
    return (
        f"<script>{script}</script><div id='plots' style='height:{drawn['layout']['height']}px'></div>"
        f"<script>Plotly.newPlot('plots',{data},{layout},{{displaylogo:false,responsive:true}})</script>"
    )


def _text(text: object) -> str:
    return html.escape(str(text))


def _verdict(run: Run) -> str:
    if not run.checks:
        return ""
    failed = sum(not check.passed for check in run.checks)
    word = f"All {len(run.checks)} checks hold." if not failed else f"{failed} of {len(run.checks)} checks do not hold."
    return f"<p class='verdict {'fail' if failed else 'pass'}'>{word}</p>"


def _facts(run: Run) -> str:
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in run.facts.items())
    return f"<dl>{rows}</dl>" if rows else ""


def _checks(run: Run) -> str:
    if not run.checks:
        return ""
    head = "<tr><th>Check</th><th>Measured</th><th>Unit</th><th>Allowed</th><th>Margin</th><th></th></tr>"
    return f"<h2>Checks</h2><table>{head}{''.join(_check(check) for check in run.checks)}</table>"


def _check(check: Check) -> str:
    value = check.why if check.value is None else f"{check.value:.6g}"
    margin = "" if check.margin is None else f"{check.margin:.6g}"
    mark = "<span class='pass'>holds</span>" if check.passed else "<span class='fail'>does not hold</span>"
    return (
        f"<tr><td>{_text(check.text)}</td><td class='number'>{_text(value)}</td><td>{_text(check.unit)}</td>"
        f"<td>{_text(check.allowed)}</td><td class='number'>{_text(margin)}</td><td>{mark}</td></tr>"
    )


def _story(run: Run) -> str:
    if not run.story:
        return ""
    rows = "".join(f"<li>{note.t_s:.1f} s: {_text(note.text)}</li>" for note in run.story)
    return f"<h2>Story</h2><ol>{rows}</ol>"


def _events(run: Run) -> str:
    if not run.events:
        return "<h2>Events</h2><p>None.</p>"
    head = "<tr><th>Time [s]</th><th>Event</th><th>Element</th><th>Phase</th><th>Value</th><th>What it means</th></tr>"
    rows = []
    for event in run.events:
        when = "" if event["t_s"] is None else f"{event['t_s']:.3f}"
        phase = f"L{event['phase']}" if event["phase"] else ""
        cells = (event["event"], event["element"], phase, event_value(event), event_reason(event))
        rows.append(f"<tr><td class='number'>{when}</td>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}</tr>")
    return f"<h2>Events</h2><table>{head}{''.join(rows)}</table>"
