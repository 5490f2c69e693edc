"""The tables of a diagnosis: metrics before and after, segments, and expected beside realized metrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import ROW_COUNT
from modeltop.core.series import Series, SeriesKey, to_datetime64
from modeltop.core.text import display_width, format_exact, pad, sanitize, truncate
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import SnapshotIndex
from modeltop_tui.view.styled_text import Cells, TableRow, block_characters, format_table, wrap

if TYPE_CHECKING:
    from modeltop.core.diagnosis import BeforeAfter, Diagnosis, ExpectedVsRealized

MAX_NAME_WIDTH = 30
"""Maximum width of a name in a table, in cells."""
MAX_LINES = 12
"""Lines of a table; those that matter less are counted."""
SPARK_PERIODS = 24
"""Newest periods that a spark shows."""


def missing_lines(text: str, width: int) -> list[Cells]:
    """Return one clause about data that is not there, and the command that would bring it."""
    return wrap(text, width, role="dim", indent="    ", lead=(("  ", ""),))


def evidence_lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> list[Cells]:
    """Return the metrics before and after the change; differences that may be noise are dim.

    Args:
        index: Index of the diagnosed snapshot.
        diagnosis: The diagnosis of one model.
        width: Width of a line in cells.
    """
    if not diagnosis.metric_changes:
        return missing_lines("nothing to compare: no begin of a change is known", width)
    lines = [_change_row(index, diagnosis, change) for change in diagnosis.metric_changes[:MAX_LINES]]
    return format_table(("metric", "before", "after", "change", "95 %", "n"), lines, width) + _more_lines(
        len(diagnosis.metric_changes) - MAX_LINES, "metric", width
    )


def _more_lines(count: int, noun: str, width: int) -> list[Cells]:
    return missing_lines(f"and {count} more {noun}{'s' if count > 1 else ''}", width) if count > 0 else []


def _change_row(index: SnapshotIndex, diagnosis: Diagnosis, change: BeforeAfter) -> TableRow:
    metric = index.snapshot.catalog.get(change.key.metric)
    interval = "?"
    if change.low is not None and change.high is not None:
        interval = f"[{metric.format_delta(change.low)}, {metric.format_delta(change.high)}]"
    values = (metric.format(change.before), metric.format(change.after), metric.format_delta(change.delta))
    if change.key.metric == ROW_COUNT:  # a mean number of rows: nobody asks for its decimals
        values = (f"{change.before:.0f}", f"{change.after:.0f}", f"{change.delta:+.0f}")
        interval = f"[{change.low:+.0f}, {change.high:+.0f}]" if interval != "?" else interval
    count = _support_text(index, diagnosis, change.key)
    return TableRow((_name(change), *values, interval, count), "" if change.is_significant else "dim")


def _support_text(index: SnapshotIndex, diagnosis: Diagnosis, key: SeriesKey) -> str:
    """Return the support of the values since the change; `?` where that is not known."""
    series = index.snapshot.history.series.get(key)
    started_at = diagnosis.series_pattern.started_at if diagnosis.series_pattern is not None else None
    if series is None or series.support is None or started_at is None:
        return "?"
    support = series.support[series.times >= to_datetime64(started_at)]
    total = float(support.sum()) if len(support) else float("nan")
    return format_exact(total) if np.isfinite(total) else "?"


def segment_lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> list[Cells]:
    """Return what each segment contributes to the change of the metric.

    Args:
        index: Index of the diagnosed snapshot.
        diagnosis: The diagnosis of one model.
        width: Width of a line in cells.
    """
    if not diagnosis.segments:
        segments = {key.segment for key in index.series_keys(diagnosis.model)}
        if any("=" in segment and not segment.startswith("feature=") for segment in segments):
            return missing_lines("no segment adds to a change", width)
        return missing_lines("no segments logged: `modeltop compute --segment COLUMN` cuts by a column", width)
    metric = index.snapshot.catalog.get(diagnosis.key.metric if diagnosis.key is not None else "")
    lines = [
        TableRow(
            (
                sanitize(segment.segment, MAX_NAME_WIDTH),
                metric.format_delta(segment.total),
                *map(metric.format, segment.level),
                *(f"{100 * ratio:.0f} %" for ratio in segment.share),
            )
        )
        for segment in diagnosis.segments[:MAX_LINES]
    ]
    headings = ("segment", "adds", "before", "after", "share before", "after")
    return format_table(headings, lines, width) + _more_lines(len(diagnosis.segments) - MAX_LINES, "segment", width)


def expectation_lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> list[Cells]:
    """Return the expected beside the realized metrics, such as confidence and accuracy: whether the model noticed.

    Args:
        index: Index of the diagnosed snapshot.
        diagnosis: The diagnosis of one model.
        width: Width of a line in cells.
    """
    if not diagnosis.expectations:
        text = "no estimate beside a realised metric: `modeltop compute --score COLUMN` adds one"
        return missing_lines(text, width)
    pairs = diagnosis.expectations
    name_width = max(display_width(_name(change)) for pair in pairs for change in (pair.expected, pair.realized))
    return [line for pair in pairs for line in _pair_lines(index, pair, name_width, width)]


def _name(change: BeforeAfter) -> str:
    return truncate(label(change.key), MAX_NAME_WIDTH)


def _pair_lines(index: SnapshotIndex, pair: ExpectedVsRealized, name_width: int, width: int) -> Iterable[Cells]:
    """Return two lines, their sparks on one scale."""
    changes = (pair.expected, pair.realized)
    recent = [_recent_values(index.snapshot.history.series.get(change.key)) for change in changes]
    finite = [value for values in recent for value in values if np.isfinite(value)]
    for change, values in zip(changes, recent, strict=True):
        metric = index.snapshot.catalog.get(change.key.metric)
        text = f"  {pad(_name(change), name_width)}  {metric.format(change.before)}→{metric.format(change.after)}"
        text += f"  {metric.format_delta(change.delta)}"
        blocks = block_characters(values, min(finite), max(finite)) if finite else ""
        spark_width = width - display_width(text) - 2
        yield (truncate(text, width), ""), (f"  {blocks[-spark_width:]}" if spark_width > 0 and blocks else "", "dim")


def _recent_values(series: Series | None) -> list[float]:
    return [] if series is None else series.values[-SPARK_PERIODS:].tolist()
