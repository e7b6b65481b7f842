# SPDX-License-Identifier: MIT
"""The plots of a run: panels above one common time axis, story marks, and a lane of events to point at.

Written as the JSON that plotly.js draws (data and layout), without plotly's Python objects: they check every value
and take seconds for what is built here in milliseconds.
"""

from __future__ import annotations

import math
from typing import Any

from backfeed.report.model import Panel, Run, Trace
from backfeed.report.wording import event_line, event_reason

COLOURS = ("#1f5fa8", "#d9730d", "#2a7d4f", "#8e3a9d", "#b03030", "#5c6670")
POINTS_MAX = 4000  # per trace; more are reduced to the extremes of each bin, so that no dip is lost
PANEL_PX, GAP_PX = 150, 40
EVENT_PX = 15  # a line of the lane of events: its name must not touch the next
CROWDED = 0.02  # of the time axis: numbers of the story closer than this stand above one another
AXIS = {"gridcolor": "#ebf0f8", "zerolinecolor": "#ebf0f8", "linecolor": "#ebf0f8", "automargin": True}
EVENT_COLOURS = {
    "trip": "#b03030",
    "fault_set": "#b03030",
    "pickup": "#d9730d",
    "hold": "#2a7d4f",
    "reset": "#5c6670",
    "limit": "#8e3a9d",
}
QUIET_EVENTS = ("energy",)


Json = dict[str, Any]


def figure(run: Run) -> Json:
    """Return plotly.js's data and layout of every panel and the events of a run."""
    panels = [panel for panel in run.panels if any(name in run.traces for name in panel.traces)]
    rows = len(panels) + 1
    data: list[Json] = []
    shown = [event for event in run.events if event["event"] not in QUIET_EVENTS and event["t_s"] is not None]
    kinds = sorted({event["event"] for event in shown})
    layout = _layout([PANEL_PX] * len(panels) + [max(PANEL_PX, EVENT_PX * len(kinds))])
    for row, panel in enumerate(panels, start=1):
        _draw_panel(data, layout, row, panel, run)
        _title(layout, row, f"{panel.title}{f' [{panel.unit}]' if panel.unit else ''}")
    _draw_events(data, layout, rows, shown, kinds)
    _title(layout, rows, "Events")
    _draw_story(layout, run)
    return {"data": data, "layout": layout}


def _name(kind: str, row: int) -> str:
    """Return plotly.js's name of a row's axis or legend: x, x2, x3."""
    return f"{kind}{row}" if row > 1 else kind


def _layout(heights_px: list[int]) -> Json:
    """Return axes for panels of these heights, the first on top."""
    rows = len(heights_px)
    drawn_px = sum(heights_px) + GAP_PX * (rows - 1)
    layout: Json = {
        "height": drawn_px + 120,
        "margin": {"l": 90, "r": 150, "t": 70, "b": 50},
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "#2a3f5f"},
        "hovermode": "closest",
        "plot_bgcolor": "white",
        "paper_bgcolor": "white",
        "shapes": [],
        "annotations": [],
    }
    top_px = drawn_px
    for row, height_px in enumerate(heights_px, start=1):
        domain = [(top_px - height_px) / drawn_px, top_px / drawn_px]
        top_px -= height_px + GAP_PX
        matches = {} if row == rows else {"matches": _name("x", rows)}
        layout[_name("xaxis", row)] = {**AXIS, "anchor": _name("y", row), "domain": [0, 1], **matches}
        layout[_name("yaxis", row)] = {**AXIS, "anchor": _name("x", row), "domain": domain}
        if row < rows:
            layout[_name("legend", row)] = {"x": 1.01, "y": domain[1], "yanchor": "top"}
    layout[_name("xaxis", rows)]["title"] = {"text": "time [s]"}
    return layout


def _title(layout: Json, row: int, text: str) -> None:
    top = layout[_name("yaxis", row)]["domain"][1]
    layout["annotations"].append(_text(text, 0, top, "left", 13))


def _text(text: str, x: float, y: float, xanchor: str, size: int, **more: Any) -> Json:
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": xanchor, "yanchor": "bottom"}
    return {"text": text, **place, "showarrow": False, "font": {"size": size}, **more}


def _draw_panel(data: list[Json], layout: Json, row: int, panel: Panel, run: Run) -> None:
    codes: tuple[str, ...] = ()
    for i, name in enumerate(name for name in panel.traces if name in run.traces):
        trace = run.traces[name]
        codes = trace.codes or codes
        t_s, values = thin(trace)
        data.append(
            {
                "type": "scatter",
                "x": t_s,
                "y": values,
                "name": name,
                "mode": "lines",
                "line": {"color": COLOURS[i % len(COLOURS)], "width": 1.6, "shape": "hv" if trace.codes else "linear"},
                "legend": _name("legend", row),
                "showlegend": True,
                "xaxis": _name("x", row),
                "yaxis": _name("y", row),
                "hovertemplate": f"%{{x:.3f}} s  %{{y:.6g}} {trace.unit}<extra>{name}</extra>",
            }
        )
    for text, value in panel.lines:
        _draw_line(layout, row, text, value)
    if codes:
        layout[_name("yaxis", row)].update(tickvals=list(range(len(codes))), ticktext=list(codes))


def _draw_line(layout: Json, row: int, text: str, value: float) -> None:
    """Draw a line across a panel, such as a threshold."""
    line = {"color": "#b03030", "width": 1, "dash": "dot"}
    place = {"xref": "paper", "yref": _name("y", row)}
    layout["shapes"].append({"type": "line", **place, "x0": 0, "x1": 1, "y0": value, "y1": value, "line": line})
    font = {"size": 10, "color": "#b03030"}
    layout["annotations"].append(_text(text, 1, value, "right", 10, yref=_name("y", row), font=font))


def thin(trace: Trace) -> tuple[list[float], list[float | None]]:
    """Return a trace of at most POINTS_MAX points: minimum and maximum of each bin, in their order."""
    values = [None if math.isnan(value) else value for value in trace.values]
    if len(values) <= POINTS_MAX:
        return trace.t_s, values
    bins = POINTS_MAX // 2
    step = len(values) / bins
    kept: list[int] = []
    for b in range(bins):
        span = range(int(b * step), max(int((b + 1) * step), int(b * step) + 1))
        known = [i for i in span if values[i] is not None]
        if not known:
            kept.append(span[0])
            continue
        extremes = {min(known, key=lambda i: trace.values[i]), max(known, key=lambda i: trace.values[i])}
        kept += sorted(extremes)
    return [trace.t_s[i] for i in kept], [values[i] for i in kept]


def _draw_events(data: list[Json], layout: Json, row: int, shown: list[Json], kinds: list[str]) -> None:
    texts = [
        event_line(event).strip() + (f"<br>{event_reason(event)}" if event_reason(event) else "") for event in shown
    ]
    data.append(
        {
            "type": "scatter",
            "x": [event["t_s"] for event in shown],
            "y": [kinds.index(event["event"]) for event in shown],
            "mode": "markers",
            "marker": {"size": 8, "color": [EVENT_COLOURS.get(event["event"], "#1f5fa8") for event in shown]},
            "text": texts,
            "hovertemplate": "%{text}<extra></extra>",
            "showlegend": False,
            "xaxis": _name("x", row),
            "yaxis": _name("y", row),
        }
    )
    layout[_name("yaxis", row)].update(tickvals=list(range(len(kinds))), ticktext=kinds)


def _draw_story(layout: Json, run: Run) -> None:
    """Mark each step of the story by a line through all panels and its number on top."""
    line = {"color": "#9aa3ab", "width": 1, "dash": "dash"}
    near_s = CROWDED * max((trace.t_s[-1] for trace in run.traces.values() if trace.t_s), default=0.0)
    before_s, storey = -math.inf, 0
    for number, note in enumerate(run.story, start=1):
        place = {"x0": note.t_s, "x1": note.t_s, "y0": 0, "y1": 1, "xref": "x", "yref": "paper"}
        layout["shapes"].append({"type": "line", **place, "line": line})
        font = {"size": 11, "color": "#40484f"}
        storey = (storey + 1) % 3 if note.t_s - before_s < near_s else 0
        before_s = note.t_s
        up_px = 22 + 12 * storey
        mark = _text(str(number), note.t_s, 1.0, "center", 11, xref="x", yshift=up_px, hovertext=note.text, font=font)
        layout["annotations"].append(mark)
