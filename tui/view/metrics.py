"""The table of the selected model's metrics: values, limits, changes, sparks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Alert, Condition, Series, SeriesKey, Severity, State
from modeltop.core.text import display_width, format_day, format_value, pad, sanitize
from modeltop.report.phrases import handling_mark
from modeltop.report.summary import change_cells
from modeltop_tui.view.metric_tree import TreeRow, guilt_text, guilty_segment, hidden_text, tree_rows
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, spark

if TYPE_CHECKING:
    from datetime import datetime

    from modeltop.core.series import Floats

UNKNOWN_COUNT = "?"
COLUMNS = ("now", "limit", "previous", "7d", "reference", "first", "cases")
"""The columns in the order of display."""
PRIORITY = ("now", "limit", "reference", "first", "previous", "7d", "cases")
"""The columns in the order in which they get room."""
DISPLAY_NAMES = {"avg_confidence": "confidence"}
SHORT_NAMES = {
    "accuracy": "acc", "precision": "prec", "recall": "rec", "f1_score": "F1", "avg_confidence": "conf",
    "roc_auc": "AUC", "log_loss": "loss",
}  # fmt: skip
MAX_SHORT_NAME = 5
CONDITIONS = {Condition.NO_DATA: "no data", Condition.ERROR: "unreadable", Condition.UNREADABLE: "unreadable"}
MIN_NAME_WIDTH = 8
MIN_SPARK_WIDTH, MAX_SPARK_WIDTH = 8, 28


@dataclass(frozen=True, slots=True, eq=False)
class MetricRow:
    """The texts of one line of the table."""

    key: SeriesKey
    severity: Severity
    mark: str
    name: str
    texts: dict[str, str]
    headings: dict[str, str]
    """The same: those of changes have the date that the row is compared with."""
    series: Series
    is_text: bool = False
    """Whether it has no values: it stands for hidden segments."""


def label(key: SeriesKey) -> str:
    """Return the name of a series within its model, fit for the terminal."""
    name = DISPLAY_NAMES.get(key.metric, key.metric)
    return sanitize(name, 80) if key.segment == "all" else sanitize(f"{name} [{key.segment}]", 80)


def short_name(metric: str) -> str:
    """Return the name of a metric in a few cells, fit for the terminal."""
    return SHORT_NAMES.get(metric) or sanitize(metric, MAX_SHORT_NAME)


def metric_rows(state: ScreenState) -> tuple[MetricRow, ...]:
    """Return a row for each visible series of the selected model, and for its hidden segments."""
    if state.snapshot is None:
        return ()
    index, guilty, rows = snapshot_index(state.snapshot), guilty_segment(state), tree_rows(state)
    selected = state.selection.key.metric if state.selection.key is not None else None
    guilt = guilt_text(state)
    return tuple(_tree_row(index, row, row.key.metric == selected, guilt * (row.key == guilty)) for row in rows)


@lru_cache(maxsize=512)
def _tree_row(index: SnapshotIndex, row: TreeRow, is_open: bool, guilt: str) -> MetricRow:
    node = row.node
    if row.hidden:
        severity = max(map(index.severity, row.hidden))
        series = index.snapshot.history.series[row.key]
        return MetricRow(row.key, severity, " ", f"└{hidden_text(index, row)}", {}, {}, series, is_text=True)
    values = metric_row(index, row.key)
    if not row.is_parent:
        values = replace(values, name=f"└{sanitize(row.key.segment, 80)}")
    elif node.segments:
        severity = values.severity if is_open else max(map(index.severity, (node.key, *node.segments)))
        values = replace(values, name=f"{values.name} {'▾' if is_open else '▸'}", severity=severity)
    if guilt:
        values = replace(values, texts=values.texts | {"limit": guilt})
    return values


@lru_cache(maxsize=512)
def metric_row(index: SnapshotIndex, key: SeriesKey) -> MetricRow:
    """Return the row of a series."""
    series = index.snapshot.history.series[key]
    metric = index.snapshot.catalog.get(key.metric)
    cells = change_cells(series, index.snapshot)
    texts = {"now": metric.format(series.latest), "limit": _limit_text(index, series), "cases": support_text(series)}
    texts |= {name: cell.text for name, cell in cells.items()}
    if "reference" not in cells and not texts["limit"]:
        texts["limit"] = next((_direction(alert) for alert in index.alerts_by_key[key]), "")
    headings = {name: f"vs {short_day(cell.change.before_at, series.newest)}" for name, cell in cells.items()}
    mark = handling_mark(index.snapshot, index.alerts_by_key[key])
    return MetricRow(key, index.severity(key), mark, label(key), texts, headings | {"reference": "vs base"}, series)


def short_day(moment: datetime, newest: datetime) -> str:
    """Return the date of an earlier period; of the newest day only the time."""
    return f"{moment:%H:%M}" if moment.date() == newest.date() else format_day(moment, newest)


def support_text(series: Series, index: int = -1) -> str:
    """Return the support of a point as a number; `?` if it is unknown."""
    if series.support is None or not np.isfinite(series.support[index]):
        return UNKNOWN_COUNT
    return f"{series.support[index]:.0f}"


def _limit_text(index: SnapshotIndex, series: Series) -> str:
    for alert in index.alerts_by_key[series.key]:
        if alert.state is State.RECOVERING:
            return "recovering"
        if alert.condition in CONDITIONS:
            return CONDITIONS[alert.condition]
        if text := crossed_limit(index, alert):
            return f"{text} pending" if alert.state is State.PENDING else text
    if series.provisional is not None and series.provisional[-1]:
        return "provisional"
    for rule in index.rules_for(series.key):
        for _, limit in rule.detector.limits():
            return " ".join(format_value(value) for value in (limit.below, limit.above) if value is not None)
    return ""


def crossed_limit(index: SnapshotIndex, alert: Alert) -> str:
    """Return the sign and the limit of a breach; of a trend its direction; empty if it is about a baseline."""
    breach, rule = alert.breach, index.rules.get(alert.rule)
    if breach is None or breach.limit is None or breach.is_baseline or alert.condition is not Condition.THRESHOLD:
        return ""
    for _, limit in rule.detector.limits() if rule is not None else ():
        if breach.limit in (limit.below, limit.above):
            return f"{'<' if breach.limit == limit.below else '>'} {format_value(breach.limit)}"
    return _direction(alert)


def _direction(alert: Alert) -> str:
    breach = alert.breach
    if breach is None or breach.limit is None:
        return ""
    return "falling" if breach.value < breach.limit else "rising"


@dataclass(frozen=True, slots=True)
class TableLayout:
    """The width of each column in cells."""

    name: int
    columns: dict[str, int]
    headings: dict[str, str]
    spark: int
    """0: there is no room for it."""

    @property
    def width(self) -> int:
        """Width of a line without its mark."""
        return self.name + sum(2 + width for width in self.columns.values()) + (2 + self.spark if self.spark else 0)


@lru_cache(maxsize=8)
def table_layout(rows: tuple[MetricRow, ...], width: int) -> TableLayout:
    """Divide `width` cells among the columns; those that do not fit are dropped.

    Numbers are never clipped: a clipped number is a wrong one.
    """
    headings = {name: next((row.headings[name] for row in rows if name in row.headings), name) for name in COLUMNS}
    widths = {
        column: max(display_width(headings[column]), *(display_width(row.texts.get(column, "")) for row in rows))
        for column in COLUMNS
        if any(row.texts.get(column, "") not in {"", UNKNOWN_COUNT} for row in rows)
    }
    name = max(MIN_NAME_WIDTH, *(display_width(row.name) for row in rows if not row.is_text))
    shown, room = dict[str, int](), width - 2
    for column in PRIORITY:
        # A name may be cut for the first columns, not for the others.
        least = MIN_NAME_WIDTH if len(shown) < 3 else name
        if column in widths and room - 2 - widths[column] >= least:
            shown[column] = widths[column]
            room -= 2 + widths[column]
    points = max(len(row.series) for row in rows)
    spark_width = min(room - name - 2, max(points, MIN_SPARK_WIDTH), MAX_SPARK_WIDTH)
    spark_width = spark_width if spark_width >= MIN_SPARK_WIDTH else 0
    ordered = {column: shown[column] for column in COLUMNS if column in shown}
    return TableLayout(min(name, room), ordered, headings, spark_width)


def heading(layout: TableLayout) -> Cells:
    """Return the first line of the table."""
    texts = [" " * (2 + layout.name)]
    texts += [_align(column, layout.headings[column], width) for column, width in layout.columns.items()]
    return (("".join(texts), "dim"), (f"  {pad('history', layout.spark)}" if layout.spark else "", "dim"))


def _align(column: str, text: str, width: int) -> str:
    return f"  {pad(text, width)}" if column == "limit" else f"  {' ' * (width - display_width(text))}{text}"


def metric_cells(row: MetricRow, layout: TableLayout, *, since: float = -np.inf) -> Cells:
    """Return one line of the table.

    Args:
        row: The texts of the line.
        layout: The width of each column.
        since: Time from which the spark starts, in seconds since 1970, UTC.
    """
    role = TINTS[row.severity] if row.severity else ""
    shape = SHAPES[row.severity] if row.severity else " "
    if row.is_text:
        return (shape + row.mark, role), (pad(row.name, layout.width), "dim")
    out = [(shape + row.mark, role), (pad(row.name, layout.name), "")]
    for column, width in layout.columns.items():
        breached = column == "limit" and row.texts.get(column, "").startswith(("<", ">"))
        out.append((_align(column, row.texts.get(column, ""), width), role if breached else ""))
    if layout.spark:
        recent = row.series.values[row.series.times.astype(np.int64) >= since * 1e6]
        blocks = spark(downsample_means(recent, layout.spark), layout.spark) if len(recent) else ""
        out.append((f"  {pad(blocks, layout.spark)}", "dim"))
    return tuple(out)


def downsample_means(values: Floats | Sequence[float], count: int) -> list[float]:
    """Downsample values to at most `count` means of consecutive chunks; inf for a chunk without a finite value.

    >>> downsample_means(np.array([1.0, 3.0, 5.0, np.inf]), 2)
    [2.0, 5.0]
    """
    chunks = np.array_split(np.asarray(values), min(count, len(values)))
    means = (float(chunk[np.isfinite(chunk)].mean()) if np.isfinite(chunk).any() else np.inf for chunk in chunks)
    return list(means)
