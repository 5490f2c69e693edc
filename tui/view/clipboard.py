"""The selection as plain text to copy, and its points as CSV."""

from __future__ import annotations

import csv
import io
import math
from datetime import datetime

from modeltop.core.series import to_datetime
from modeltop.core.text import format_exact, format_period, sanitize
from modeltop.report.phrases import describe_handling
from modeltop_tui.view.alerts import describe_duration, describe_problem
from modeltop_tui.view.changes import change_lines, selected_series
from modeltop_tui.view.chart import drawn_series, seconds, time_span
from modeltop_tui.view.header import data_age
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, WORDS, plain_text
from modeltop_tui.view.verdict import summary_lines

WIDTH = 100
"""Width of the copied lines in cells."""


def selection_text(state: ScreenState, now: datetime) -> str:
    """Return a few lines for a message to a colleague: model, problem, start and size."""
    if state.snapshot is None or state.selection.model is None:
        return ""
    index = snapshot_index(state.snapshot)
    series = selected_series(state)
    when = f", newest {format_period(series.newest)}, data {data_age(state, now)}" if series is not None else ""
    name = sanitize(state.selection.model, 80)
    lines = [f"{name if series is None else f'{name} > {label(series.key)}'}{when}"]
    for alert in index.alerts_by_model[state.selection.model]:
        mark = f"{SHAPES[alert.severity]} {WORDS[alert.severity]}:"
        rule = f"(rule {sanitize(alert.rule, 60)})"
        lines.append(f"{mark} {describe_problem(alert)}, {describe_duration(index, alert)} {rule}")
        lines += [f"  {clause}" for clause in describe_handling(alert, state.snapshot)]
    lines += [plain_text(line).rstrip() for line in (*summary_lines(state, WIDTH), *change_lines(state, WIDTH))]
    return "\n".join(lines) + "\n"


def points_csv(state: ScreenState) -> str:
    """Return the points that the chart shows as exact CSV, one row each.

    Columns: date (ISO 8601, UTC), model, segment, metric, value, count (empty where unknown).
    """
    series = selected_series(state)
    if series is None or state.snapshot is None:
        return ""
    start, end = time_span(snapshot_index(state.snapshot), series.key.model, state.selection.time_window)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("date", "model", "segment", "metric", "value", "count"))
    for shown in drawn_series(state):
        key = shown.key
        for at, timestamp in enumerate(seconds(shown.times)):
            if start <= timestamp <= end:
                count = float(shown.support[at]) if shown.support is not None else math.nan
                date = to_datetime(shown.times[at]).isoformat().replace("+00:00", "Z")
                value, support = format_exact(float(shown.values[at])), "" if math.isnan(count) else format_exact(count)
                writer.writerow((date, key.model, key.segment, key.metric, value, support))
    return out.getvalue()
