"""What is said of the selection, as plain text to copy, and its points as CSV."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from modeltop.core.series import to_datetime
from modeltop.core.text import format_exact, format_period, sanitize
from modeltop.report.phrases import describe_handling
from modeltop_tui.view.alerts import describe_duration, describe_problem
from modeltop_tui.view.changes import change_lines, selected_series
from modeltop_tui.view.chart import related_series, seconds, time_span
from modeltop_tui.view.header import data_age, location_text
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, WORDS, plain_text

CELLS = 100


def selection_text(scene: ScreenState, now: datetime) -> str:
    """A few lines for a message to a colleague: where, what, since when, by how much."""
    if scene.snapshot is None or scene.selection.model is None:
        return ""
    known = snapshot_index(scene.snapshot)
    series = selected_series(scene)
    when = f", newest {format_period(series.newest)}, data {data_age(scene, now)}" if series is not None else ""
    lines = [f"{location_text(scene)}{when}"]
    for episode in known.alerts(scene.selection.model):
        mark = f"{SHAPES[episode.severity]} {WORDS[episode.severity]}"
        lines.append(
            f"{mark} {describe_problem(episode)}, {describe_duration(episode, scene)} (rule {sanitize(episode.rule, 60)})"
        )
        lines += [f"  {clause}" for clause in describe_handling(episode, scene.snapshot)]
    lines += [plain_text(line).rstrip() for line in change_lines(scene, CELLS)]
    return "\n".join(lines) + "\n"


def points_csv(scene: ScreenState) -> str:
    """The points that the chart shows, one row each, exact; with the overlay, those of the whole family."""
    series = selected_series(scene)
    if series is None or scene.snapshot is None:
        return ""
    shown = [series, *(related_series(snapshot_index(scene.snapshot), series.key) if scene.selection.overlay else ())]
    start, end = time_span(series, scene.selection.time_window)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("date", "model", "segment", "metric", "value", "count"))
    for each in shown:
        for at, stamp in enumerate(seconds(each)):
            if start <= stamp <= end:
                count = each.support[at] if each.support is not None else float("nan")
                moment = to_datetime(each.times[at]).isoformat().replace("+00:00", "Z")
                told = "" if count != count else format_exact(float(count))  # noqa: PLR0124  NaN alone differs from itself
                key = each.key
                writer.writerow(
                    (moment, key.model, key.segment, key.metric, format_exact(float(each.values[at])), told)
                )
    return out.getvalue()
