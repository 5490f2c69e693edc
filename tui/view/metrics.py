"""The table of the selected model's metrics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Alert, Condition, Series, SeriesKey, Severity, State
from modeltop.core.text import display_width, format_value, pad, sanitize
from modeltop_tui.view.acknowledgements import handling_mark
from modeltop_tui.view.state import ScreenState, SnapshotIndex, cached_changes, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, WORDS, Cells, spark

if TYPE_CHECKING:
    from modeltop.core.series import Floats

HEADINGS = ("latest", "Δ prev", "Δ first", "n")
MIN_RULE_WIDTH = 11
MIN_SUPPORT_WIDTH = 4
MIN_WIDTH_FOR_SPARKS = 74
"""Width of the pane's inside, in cells, from which there is room for sparks: a terminal of 100 columns."""
MIN_NAME_WIDTH = 8


@dataclass(frozen=True, slots=True)
class MetricRow:
    """The texts of one line of the table."""

    key: SeriesKey
    severity: Severity
    mark: str
    """How its alerts are handled, in one cell."""
    name: str
    numbers: tuple[str, ...]
    """Latest value, change from the previous period and from the first, support."""
    rule: str
    series: Series


def label(key: SeriesKey) -> str:
    """Return the name of a series within its model, fit for the terminal."""
    return sanitize(key.metric, 80) if key.segment == "all" else sanitize(f"{key.metric} [{key.segment}]", 80)


@lru_cache(maxsize=4)
def _rows(index: SnapshotIndex, model: str) -> tuple[MetricRow, ...]:
    return tuple(_row(index, series) for series in index.series.get(model, []))


def metric_rows(state: ScreenState) -> tuple[MetricRow, ...]:
    """Return a row for each series of the selected model, in the order of its history."""
    if state.snapshot is None or state.selection.model is None:
        return ()
    return _rows(snapshot_index(state.snapshot), state.selection.model)


def _row(index: SnapshotIndex, series: Series) -> MetricRow:
    metric = index.snapshot.catalog.get(series.key.metric)
    deltas = {change.against: change.delta for change in cached_changes(series, metric, index.snapshot.baseline)}
    numbers = (
        metric.format(series.latest),
        *(metric.format_delta(deltas[name]) if name in deltas else "" for name in ("previous", "first")),
        support_text(series),
    )
    key = series.key
    mark = handling_mark(index, index.alerts_by_key[key])
    return MetricRow(key, index.severity(key), mark, label(key), numbers, _rule_text(index, series), series)


def support_text(series: Series, index: int = -1) -> str:
    """Return the support of a point as a number; `?` if it is unknown."""
    return f"{series.support[index]:.0f}" if series.support is not None and np.isfinite(series.support[index]) else "?"


def _rule_text(index: SnapshotIndex, series: Series) -> str:
    """Return the result of the rules for the newest value, short enough for the column."""
    for alert in index.alerts_by_key[series.key]:
        if alert.state is State.RECOVERING:
            return "recovering"
        if alert.breach is not None:
            word = "pend" if alert.state is State.PENDING else WORDS[alert.severity]
            return f"{_crossed_limit(index, alert)} {word}".lstrip()
    if series.provisional is not None and series.provisional[-1]:
        return "provisional"
    for rule in index.rules_for(series.key):
        for _, limit in rule.detector.limits():
            sides = (("<", limit.below), (">", limit.above))
            return "not " + " ".join(f"{sign} {format_value(value)}" for sign, value in sides if value is not None)
    return "no default limit" if any(status.skip_reason for status in index.statuses_by_key[series.key]) else ""


def _crossed_limit(index: SnapshotIndex, alert: Alert) -> str:
    """Return the sign and the limit of the breach; without a fixed limit, the direction of the value."""
    breach, rule = alert.breach, index.rules.get(alert.rule)
    if breach is None or breach.limit is None or alert.condition is not Condition.THRESHOLD:
        return ""
    for _, limit in rule.detector.limits() if rule is not None else ():
        if breach.limit in (limit.below, limit.above):
            return f"{'<' if breach.limit == limit.below else '>'} {format_value(breach.limit)}"
    return "fell" if breach.value < breach.limit else "rose"


@dataclass(frozen=True, slots=True)
class ColumnWidths:
    """The width of each column in cells; 0: the column is hidden."""

    name: int
    numbers: tuple[int, ...]
    rule: int
    spark: int


@lru_cache(maxsize=8)
def column_widths(rows: tuple[MetricRow, ...], width: int) -> ColumnWidths:
    """Divide `width` cells among the columns; if they do not fit, support and changes are dropped before the rule.

    Numbers are never clipped: a clipped number is a wrong one.
    """
    numbers = tuple(
        max([len(heading), *(display_width(row.numbers[column]) for row in rows)])
        for column, heading in enumerate(HEADINGS)
    )
    wanted = [
        *numbers[:3],
        max(MIN_SUPPORT_WIDTH, numbers[3]),
        max([MIN_RULE_WIDTH, *(display_width(row.rule) for row in rows)]),
    ]
    name = max([MIN_NAME_WIDTH, *(display_width(row.name) for row in rows)])
    points = max((len(row.series) for row in rows), default=0)
    spark_width = min(_name_width(width, wanted) - name - 2, max(points, MIN_NAME_WIDTH))
    if width >= MIN_WIDTH_FOR_SPARKS and spark_width >= MIN_NAME_WIDTH:
        return ColumnWidths(name, tuple(wanted[:4]), wanted[4], spark_width)
    for column in (3, 2, 1, 4, 0):
        if _name_width(width, wanted) < MIN_NAME_WIDTH:
            wanted[column] = 0
    return ColumnWidths(_name_width(width, wanted), tuple(wanted[:4]), wanted[4], 0)


def _name_width(width: int, others: list[int]) -> int:
    return width - 2 - sum(2 + other for other in others if other)


def heading(widths: ColumnWidths) -> Cells:
    """Return the first line of the table."""
    texts = [f"  {pad('metric', widths.name)}"]
    texts += [f"  {text:>{width}}" for text, width in zip(HEADINGS, widths.numbers, strict=True) if width]
    texts += [f"  {pad(text, width)}" for text, width in (("rule", widths.rule), ("history", widths.spark)) if width]
    return (("".join(texts), "head"),)


def metric_cells(row: MetricRow, widths: ColumnWidths, *, selected: bool) -> Cells:
    """Return one line of the table.

    Args:
        row: The texts of the line.
        widths: The width of each column.
        selected: Whether the cursor is on it.
    """
    role = TINTS[row.severity] if row.severity else ""
    shape = SHAPES[row.severity] if row.severity else " "
    numbers = "".join(f"  {text:>{width}}" for text, width in zip(row.numbers, widths.numbers, strict=True) if width)
    name = pad(row.name, widths.name)
    out = [(shape + row.mark, role), (name, "cursor" if selected else ""), (numbers, "")]
    if widths.rule:
        out.append((f"  {pad(row.rule, widths.rule)}", role or "dim"))
    if widths.spark:
        blocks = spark(downsample_means(row.series.values, widths.spark), widths.spark)
        out.append((f"  {pad(blocks, widths.spark)}", "dim"))
    return tuple(out)


def downsample_means(values: Floats, count: int) -> list[float]:
    """Downsample values to at most `count` means of consecutive chunks; inf for a chunk without a finite value.

    >>> downsample_means(np.array([1.0, 3.0, 5.0, np.inf]), 2)
    [2.0, 5.0]
    """
    chunks = np.array_split(values, min(count, len(values)))
    means = (float(chunk[np.isfinite(chunk)].mean()) if np.isfinite(chunk).any() else np.inf for chunk in chunks)
    return list(means)
