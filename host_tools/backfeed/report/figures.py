# SPDX-License-Identifier: MIT
"""The plots of a run: panels above one common time axis, story marks, and a lane of events to point at."""

from __future__ import annotations

import math
from typing import Any

from backfeed.report.model import Panel, Run, Trace
from backfeed.report.wording import event_line, event_reason

COLOURS = ("#1f5fa8", "#d9730d", "#2a7d4f", "#8e3a9d", "#b03030", "#5c6670")
POINTS_MAX = 4000  # per trace; more are reduced to the extremes of each bin, so that no dip is lost
PANEL_PX = 190
EVENT_COLOURS = {
    "trip": "#b03030",
    "fault_set": "#b03030",
    "pickup": "#d9730d",
    "hold": "#2a7d4f",
    "reset": "#5c6670",
    "limit": "#8e3a9d",
}
QUIET_EVENTS = ("energy",)


def figure(run: Run) -> Any:
    """Return a plotly figure of every panel and the events of a run."""
    from plotly.subplots import make_subplots

    panels = [panel for panel in run.panels if any(name in run.traces for name in panel.traces)]
    rows = len(panels) + 1
    titles = [f"{panel.title}{f' [{panel.unit}]' if panel.unit else ''}" for panel in panels] + ["Events"]
    fig = make_subplots(rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.22 / rows, subplot_titles=titles)
    for row, panel in enumerate(panels, start=1):
        _draw_panel(fig, row, panel, run)
    _draw_events(fig, rows, run)
    _draw_story(fig, run)
    _lay_out(fig, rows)
    return fig


def _draw_panel(fig: Any, row: int, panel: Panel, run: Run) -> None:
    import plotly.graph_objects as go

    codes: tuple[str, ...] = ()
    for i, name in enumerate(name for name in panel.traces if name in run.traces):
        trace = run.traces[name]
        codes = trace.codes or codes
        t_s, values = thin(trace)
        fig.add_trace(
            go.Scatter(
                x=t_s,
                y=values,
                name=name,
                mode="lines",
                line={"color": COLOURS[i % len(COLOURS)], "width": 1.6, "shape": "hv" if trace.codes else "linear"},
                legend=f"legend{row}" if row > 1 else "legend",
                hovertemplate=f"%{{x:.3f}} s  %{{y:.6g}} {trace.unit}<extra>{name}</extra>",
            ),
            row=row,
            col=1,
        )
    for text, value in panel.lines:
        fig.add_hline(
            y=value,
            line={"color": "#b03030", "width": 1, "dash": "dot"},
            row=row,
            col=1,
            annotation={"text": text, "font": {"size": 10, "color": "#b03030"}, "xanchor": "right"},
        )
    if codes:
        fig.update_yaxes(tickvals=list(range(len(codes))), ticktext=list(codes), row=row, col=1)


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


def _draw_events(fig: Any, row: int, run: Run) -> None:
    import plotly.graph_objects as go

    shown = [event for event in run.events if event["event"] not in QUIET_EVENTS and event["t_s"] is not None]
    kinds = sorted({event["event"] for event in shown})
    texts = [
        event_line(event).strip() + (f"<br>{event_reason(event)}" if event_reason(event) else "") for event in shown
    ]
    fig.add_trace(
        go.Scatter(
            x=[event["t_s"] for event in shown],
            y=[kinds.index(event["event"]) for event in shown],
            mode="markers",
            marker={"size": 8, "color": [EVENT_COLOURS.get(event["event"], "#1f5fa8") for event in shown]},
            text=texts,
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
        ),
        row=row,
        col=1,
    )
    fig.update_yaxes(tickvals=list(range(len(kinds))), ticktext=kinds, row=row, col=1)


def _draw_story(fig: Any, run: Run) -> None:
    for number, note in enumerate(run.story, start=1):
        fig.add_vline(x=note.t_s, line={"color": "#9aa3ab", "width": 1, "dash": "dash"})
        fig.add_annotation(
            x=note.t_s,
            y=1.0,
            yref="paper",
            yanchor="bottom",
            yshift=22,
            text=str(number),
            hovertext=note.text,
            showarrow=False,
            font={"size": 11, "color": "#40484f"},
        )


def _lay_out(fig: Any, rows: int) -> None:
    fig.update_layout(
        height=PANEL_PX * rows + 120,
        template="plotly_white",
        margin={"l": 90, "r": 150, "t": 70, "b": 50},
        font={"family": "system-ui, sans-serif", "size": 12},
        hovermode="closest",
    )
    for row in range(1, rows):
        axis = fig.layout[f"yaxis{row}" if row > 1 else "yaxis"]
        fig.update_layout({f"legend{row}" if row > 1 else "legend": {"x": 1.01, "y": axis.domain[1], "yanchor": "top"}})
    fig.update_xaxes(showticklabels=True, title_text="")
    fig.update_xaxes(title_text="time [s]", row=rows, col=1)
    for note in fig.layout.annotations[:rows]:  # the panel titles
        note.update(x=0, xanchor="left", font={"size": 13})
