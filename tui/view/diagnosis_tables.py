"""The numbers of a diagnosis: metrics before and after, segments, and what was expected beside what came true."""

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

NAME = 30
"""Most cells of a name in a table."""
MAX_LINES = 12
"""Lines of a table; those that matter less are counted."""
SPARK = 24
"""Newest periods of a spark."""
ALL = "all"


def missing_lines(text: str, cells_wide: int) -> list[Cells]:
    """One clause about what is not there, and what would bring it."""
    return wrap(text, cells_wide, role="dim", indent="    ", lead=(("  ", ""),))


def evidence_lines(known: SnapshotIndex, found: Diagnosis, cells_wide: int) -> list[Cells]:
    """The metrics before and after the change began; what is within chance is faint."""
    if not found.metric_changes:
        return missing_lines("nothing to compare: no begin of a change is known", cells_wide)
    lines = [_reading(known, found, reading) for reading in found.metric_changes[:MAX_LINES]]
    return format_table(("metric", "before", "after", "change", "95 %", "n"), lines, cells_wide) + _rest(
        len(found.metric_changes) - MAX_LINES, "metric", cells_wide
    )


def _rest(count: int, noun: str, cells_wide: int) -> list[Cells]:
    return missing_lines(f"and {count} more {noun}{'s' if count > 1 else ''}", cells_wide) if count > 0 else []


def _reading(known: SnapshotIndex, found: Diagnosis, reading: BeforeAfter) -> TableRow:
    metric = known.snapshot.catalog.get(reading.key.metric)
    interval = "?"
    if reading.low is not None and reading.high is not None:
        interval = f"[{metric.format_delta(reading.low)}, {metric.format_delta(reading.high)}]"
    values = (metric.format(reading.before), metric.format(reading.after), metric.format_delta(reading.delta))
    if reading.key.metric == ROW_COUNT:  # a mean number of rows: nobody asks for its decimals
        values = (f"{reading.before:.0f}", f"{reading.after:.0f}", f"{reading.delta:+.0f}")
        interval = f"[{reading.low:+.0f}, {reading.high:+.0f}]" if interval != "?" else interval
    count = _cases(known, found, reading.key)
    return TableRow((_name(reading), *values, interval, count), "" if reading.is_significant else "dim")


def _cases(known: SnapshotIndex, found: Diagnosis, key: SeriesKey) -> str:
    """Cases that the values since the begin rest on; `?` where that is not known."""
    series = known.snapshot.history.series.get(key)
    if (
        series is None
        or series.support is None
        or found.series_pattern is None
        or found.series_pattern.started_at is None
    ):
        return "?"
    support = series.support[series.times >= to_datetime64(found.series_pattern.started_at)]
    total = float(support.sum()) if len(support) else float("nan")
    return format_exact(total) if np.isfinite(total) else "?"


def segment_lines(known: SnapshotIndex, found: Diagnosis, cells_wide: int) -> list[Cells]:
    """What each segment adds to the change of the whole."""
    if not found.segments:
        cut = any(
            "=" in key.segment and not key.segment.startswith("feature=") for key in known.series_keys(found.model)
        )
        text = (
            "no segment adds to a change"
            if cut
            else "no segments logged: `modeltop compute --segment COLUMN` cuts by a column"
        )
        return missing_lines(text, cells_wide)
    metric = known.snapshot.catalog.get(found.key.metric if found.key is not None else "")
    lines = [
        TableRow(
            (
                sanitize(one.segment, NAME),
                metric.format_delta(one.total),
                *map(metric.format, one.level),
                *(f"{100 * share:.0f} %" for share in one.share),
            )
        )
        for one in found.segments[:MAX_LINES]
    ]
    headings = ("segment", "adds", "before", "after", "share before", "after")
    return format_table(headings, lines, cells_wide) + _rest(len(found.segments) - MAX_LINES, "segment", cells_wide)


def pair_lines(known: SnapshotIndex, found: Diagnosis, cells_wide: int) -> list[Cells]:
    """Confidence and accuracy, estimated and realised: whether the model noticed."""
    if not found.expectations:
        text = "no estimate beside a realised metric: `modeltop compute --score COLUMN` adds one"
        return missing_lines(text, cells_wide)
    wide = max(
        display_width(_name(reading)) for pair in found.expectations for reading in (pair.expected, pair.realized)
    )
    out: list[Cells] = []
    for pair in found.expectations:
        out += _pair(known, pair, wide, cells_wide)
    return out


def _name(reading: BeforeAfter) -> str:
    return truncate(label(reading.key), NAME)


def _pair(known: SnapshotIndex, pair: ExpectedVsRealized, wide: int, cells_wide: int) -> Iterable[Cells]:
    """Two lines, their sparks on one scale."""
    readings = (pair.expected, pair.realized)
    recent = [_recent(known.snapshot.history.series.get(reading.key)) for reading in readings]
    finite = [value for values in recent for value in values if np.isfinite(value)]
    for reading, values in zip(readings, recent, strict=True):
        metric = known.snapshot.catalog.get(reading.key.metric)
        text = f"  {pad(_name(reading), wide)}  {metric.format(reading.before)}→{metric.format(reading.after)}"
        text += f"  {metric.format_delta(reading.delta)}"
        drawn = block_characters(values, min(finite), max(finite)) if finite else ""
        room = cells_wide - display_width(text) - 2
        yield (truncate(text, cells_wide), ""), (f"  {drawn[-room:]}" if room > 0 and drawn else "", "dim")


def _recent(series: Series | None) -> list[float]:
    return [] if series is None else series.values[-SPARK:].tolist()
