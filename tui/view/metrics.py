"""The table of one model's metrics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Alert, Series, SeriesKey, Severity, State
from modeltop.core.text import display_width, format_value, pad, sanitize
from modeltop.rules.detectors.limit import Limit
from modeltop_tui.view.acknowledgements import handling_mark
from modeltop_tui.view.state import ScreenState, SnapshotIndex, cached_changes, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, WORDS, Cells, spark

if TYPE_CHECKING:
    from modeltop.core.series import Floats

HEADINGS = ("latest", "Δ prev", "Δ first", "n")
RULE_WIDE = 11
MIN_SUPPORT_WIDTH = 4
SPARK_FROM = 74
"""Cells inside the pane from which there is room for sparks: a terminal of 100 columns."""
MIN_NAME_WIDTH = 8


@dataclass(frozen=True, slots=True)
class MetricRow:
    """The texts of one line of the table."""

    key: SeriesKey
    severity: Severity
    mark: str
    """What is done about its alerts, in one cell."""
    name: str
    numbers: tuple[str, ...]
    """Latest value, change from the previous period and from the first, support."""
    rule: str
    series: Series


def label(key: SeriesKey) -> str:
    """A series within its model, as people read it."""
    return sanitize(key.metric, 80) if key.segment == "all" else sanitize(f"{key.metric} [{key.segment}]", 80)


@lru_cache(maxsize=4)
def _rows(known: SnapshotIndex, model: str) -> tuple[MetricRow, ...]:
    return tuple(_row(known, series) for series in known.series.get(model, []))


def metric_rows(scene: ScreenState) -> tuple[MetricRow, ...]:
    """All series of the selected model, in the order of its history."""
    if scene.snapshot is None or scene.selection.model is None:
        return ()
    return _rows(snapshot_index(scene.snapshot), scene.selection.model)


def _row(known: SnapshotIndex, series: Series) -> MetricRow:
    metric = known.snapshot.catalog.get(series.key.metric)
    deltas = {change.against: change.delta for change in cached_changes(series, metric, known.snapshot.baseline)}
    numbers = (
        metric.format(series.latest),
        *(metric.format_delta(deltas[name]) if name in deltas else "" for name in ("previous", "first")),
        _support(series),
    )
    key = series.key
    done = handling_mark(known, known.alerts_on(key))
    return MetricRow(key, known.severity(key), done, label(key), numbers, _rule(known, series), series)


def _support(series: Series) -> str:
    if series.support is None or not np.isfinite(series.support[-1]):
        return "?"
    return f"{series.support[-1]:.0f}"


def _rule(known: SnapshotIndex, series: Series) -> str:
    """What the rules say of the newest value, in the width of the column."""
    for episode in known.alerts_on(series.key):
        if episode.state is State.RECOVERING:
            return "recovering"
        if episode.breach is not None:
            word = "pend" if episode.state is State.PENDING else WORDS[episode.severity]
            return f"{_crossed(known, episode)} {word}"
    if series.provisional is not None and series.provisional[-1]:
        return "provisional"
    for rule in known.rules_for(series.key):
        for _, limit in rule.detector.limits():
            return f"not {_sides(limit)}"
    return "left out" if any(s.skip_reason for s in known.rule_statuses(series.key)) else ""


def _crossed(known: SnapshotIndex, episode: Alert) -> str:
    """The sign and the limit that an alert is about; where it is about the past alone, to which side the value went."""
    evidence, rule = episode.breach, known.rules.get(episode.rule)
    if evidence is None or evidence.limit is None:
        return ""
    for _, limit in rule.detector.limits() if rule is not None else ():
        if evidence.limit in (limit.below, limit.above):
            return f"{'<' if evidence.limit == limit.below else '>'} {format_value(evidence.limit)}"
    return "fell" if evidence.value < evidence.limit else "rose"


def _sides(limit: Limit) -> str:
    sides = [
        f"{sign} {format_value(value)}" for sign, value in (("<", limit.below), (">", limit.above)) if value is not None
    ]
    return " ".join(sides)


@dataclass(frozen=True, slots=True)
class ColumnWidths:
    """How many cells each column takes."""

    name: int
    numbers: tuple[int, ...]
    rule: int
    spark: int


@lru_cache(maxsize=8)
def column_widths(table: tuple[MetricRow, ...], cells_wide: int) -> ColumnWidths:
    """Share `cells_wide` among the columns; where they do not fit, support and changes go before the rule.

    Numbers are never clipped: a clipped number is a wrong one.
    """
    numbers = tuple(
        max(len(heading), *(display_width(row.numbers[at]) for row in table)) if table else len(heading)
        for at, heading in enumerate(HEADINGS)
    )
    wanted = [
        *numbers[:3],
        max(MIN_SUPPORT_WIDTH, numbers[3]),
        max([RULE_WIDE, *(display_width(row.rule) for row in table)]),
    ]
    longest = max([MIN_NAME_WIDTH, *(display_width(row.name) for row in table)])
    points = max((len(row.series) for row in table), default=0)
    sparks = min(_name_wide(cells_wide, wanted) - longest - 2, max(points, MIN_NAME_WIDTH))
    if cells_wide >= SPARK_FROM and sparks >= MIN_NAME_WIDTH:
        return ColumnWidths(longest, tuple(wanted[:4]), wanted[4], sparks)
    for least in (3, 2, 1, 4, 0):
        if _name_wide(cells_wide, wanted) < MIN_NAME_WIDTH:
            wanted[least] = 0
    return ColumnWidths(_name_wide(cells_wide, wanted), tuple(wanted[:4]), wanted[4], 0)


def _name_wide(cells_wide: int, columns_wide: list[int]) -> int:
    return cells_wide - 2 - sum(2 + size for size in columns_wide if size)


def heading(shape: ColumnWidths) -> Cells:
    """The table's first line."""
    texts = [f"  {pad('metric', shape.name)}"]
    texts += [f"  {head:>{size}}" for head, size in zip(HEADINGS, shape.numbers, strict=True) if size]
    texts += [f"  {pad(head, size)}" for head, size in (("rule", shape.rule), ("history", shape.spark)) if size]
    return (("".join(texts), "head"),)


def metric_cells(row: MetricRow, shape: ColumnWidths, *, selected: bool) -> Cells:
    """One line of the table."""
    tint = TINTS[row.severity] if row.severity else ""
    shape_mark = SHAPES[row.severity] if row.severity else " "
    numbers = "".join(f"  {text:>{size}}" for text, size in zip(row.numbers, shape.numbers, strict=True) if size)
    out: list[tuple[str, str]] = [
        (shape_mark + row.mark, tint),
        (pad(row.name, shape.name), "cursor" if selected else ""),
    ]
    out.append((numbers, ""))
    if shape.rule:
        out.append((f"  {pad(row.rule, shape.rule)}", tint or "dim"))
    if shape.spark:
        out.append(
            (f"  {pad(spark(downsample_means(row.series.values, shape.spark), shape.spark), shape.spark)}", "dim")
        )
    return tuple(out)


def downsample_means(values: Floats, most: int) -> list[float]:
    """The whole of a history in at most so many numbers: the means of stretches of it; inf where nothing is finite.

    >>> downsample_means(np.array([1.0, 3.0, 5.0, np.inf]), 2)
    [2.0, 5.0]
    """
    parts = np.array_split(values, min(most, len(values)))
    means = (float(part[np.isfinite(part)].mean()) if np.isfinite(part).any() else np.inf for part in parts)
    return list(means)
