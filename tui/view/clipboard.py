"""What is said of the selection, as plain text to copy, and its points as CSV."""

from __future__ import annotations

import csv
import io
from datetime import datetime

from modeltop.core.series import to_datetime
from modeltop.core.text import day, plain, safe
from modeltop.report.phrases import handled
from modeltop_tui.view.alerts import how_long, what
from modeltop_tui.view.changes import change_lines, selected_series
from modeltop_tui.view.chart import family, seconds, span
from modeltop_tui.view.header import data_age, place_text
from modeltop_tui.view.state import Scene, board
from modeltop_tui.view.styled_text import SHAPES, WORDS, plain_text

CELLS = 100


def story(scene: Scene, now: datetime) -> str:
    """A few lines for a message to a colleague: where, what, since when, by how much."""
    if scene.snapshot is None or scene.view.model is None:
        return ""
    known = board(scene.snapshot)
    series = selected_series(scene)
    when = f", newest {day(series.newest)}, data {data_age(scene, now)}" if series is not None else ""
    lines = [f"{place_text(scene)}{when}"]
    for episode in known.episodes(scene.view.model):
        mark = f"{SHAPES[episode.severity]} {WORDS[episode.severity]}"
        lines.append(f"{mark} {what(episode)}, {how_long(episode, scene)} (rule {safe(episode.rule, 60)})")
        lines += [f"  {clause}" for clause in handled(episode, scene.snapshot)]
    lines += [plain_text(line).rstrip() for line in change_lines(scene, CELLS)]
    return "\n".join(lines) + "\n"


def points_csv(scene: Scene) -> str:
    """The points that the chart shows, one row each, exact; with the overlay, those of the whole family."""
    series = selected_series(scene)
    if series is None or scene.snapshot is None:
        return ""
    shown = [series, *(family(board(scene.snapshot), series.key) if scene.view.overlay else ())]
    start, end = span(series, scene.view.window)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("date", "model", "segment", "metric", "value", "count"))
    for each in shown:
        for at, stamp in enumerate(seconds(each)):
            if start <= stamp <= end:
                count = each.support[at] if each.support is not None else float("nan")
                moment = to_datetime(each.times[at]).isoformat().replace("+00:00", "Z")
                told = "" if count != count else plain(float(count))  # noqa: PLR0124  NaN alone differs from itself
                key = each.key
                writer.writerow((moment, key.model, key.segment, key.metric, plain(float(each.values[at])), told))
    return out.getvalue()
