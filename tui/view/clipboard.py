"""What is selected as plain text to copy: a model, a series, a point, alerts; and the points as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from modeltop.core.series import to_datetime
from modeltop.core.text import format_exact, format_period, sanitize
from modeltop.report.phrases import describe_handling
from modeltop_tui.view.alerts import describe_duration, describe_problem
from modeltop_tui.view.changes import change_lines, selected_series
from modeltop_tui.view.chart import cursor_readout, drawn_series, seconds, time_span
from modeltop_tui.view.header import data_age
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, WORDS, Cells, plain_text
from modeltop_tui.view.verdict import summary_lines

if TYPE_CHECKING:
    from modeltop.core.series import Alert

WIDTH = 100


def model_text(state: ScreenState, now: datetime) -> str:
    """Return a few lines for a message to a colleague: model, problem, start and size."""
    if state.snapshot is None or state.selection.model is None:
        return ""
    alerts = snapshot_index(state.snapshot).alerts_by_model[state.selection.model]
    return _joined(
        _heading(state, now),
        *_alert_lines(state, alerts),
        *_plain([*summary_lines(state, WIDTH), *change_lines(state, WIDTH)]),
    )


def series_text(state: ScreenState, now: datetime) -> str:
    """Return the point at the cursor; without one the selected series, with its alerts and changes."""
    series = selected_series(state)
    if series is None or state.snapshot is None:
        return ""
    if state.selection.cursor is not None:
        return _joined(f"{_name(state)}: {cursor_readout(state, WIDTH)}")
    alerts = snapshot_index(state.snapshot).alerts_by_key[series.key]
    return _joined(_heading(state, now), *_alert_lines(state, alerts), *_plain(change_lines(state, WIDTH)))


def alerts_text(state: ScreenState, alerts: Sequence[Alert]) -> str:
    """Return some alerts of the selected model."""
    return _joined(sanitize(state.selection.model, 80), *_alert_lines(state, alerts))


def lines_text(title: str, lines: Iterable[Cells]) -> str:
    """Return lines of the screen under a title."""
    return _joined(title, *_plain(lines))


def _joined(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def _plain(lines: Iterable[Cells]) -> list[str]:
    return [plain_text(line).rstrip() for line in lines]


def _name(state: ScreenState) -> str:
    model, key = sanitize(state.selection.model, 80), state.selection.key
    return model if key is None else f"{model} > {label(key)}"


def _heading(state: ScreenState, now: datetime) -> str:
    series = selected_series(state)
    when = f", newest {format_period(series.newest)}, data {data_age(state, now)}" if series is not None else ""
    return _name(state) + when


def _alert_lines(state: ScreenState, alerts: Iterable[Alert]) -> Iterator[str]:
    assert state.snapshot is not None
    for alert in alerts:
        mark = f"{SHAPES[alert.severity]} {WORDS[alert.severity]}:"
        duration = describe_duration(snapshot_index(state.snapshot), alert)
        yield f"{mark} {describe_problem(alert)}, {duration} (rule {sanitize(alert.rule, 60)})"
        yield from (f"  {clause}" for clause in describe_handling(alert, state.snapshot))


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
