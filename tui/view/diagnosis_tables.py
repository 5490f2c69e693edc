"""The numbers of a diagnosis: metrics before and after, segments, and what was expected beside what came true."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import ROWS
from modeltop.core.series import Series, SeriesKey, to_stamp
from modeltop.core.text import clip, pad, plain, safe, width
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import Board
from modeltop_tui.view.styled_text import Cells, Line, blocks, table, wrap

if TYPE_CHECKING:
    from modeltop.core.diagnosis import Diagnosis, Pair, Reading

NAME = 30
"""Most cells of a name in a table."""
MOST = 12
"""Lines of a table; those that matter less are counted."""
SPARK = 24
"""Newest periods of a spark."""
ALL = "all"


def missing(text: str, cells_wide: int) -> list[Cells]:
    """One clause about what is not there, and what would bring it."""
    return wrap(text, cells_wide, role="dim", indent="    ", lead=(("  ", ""),))


def evidence_lines(known: Board, found: Diagnosis, cells_wide: int) -> list[Cells]:
    """The metrics before and after the change began; what is within chance is faint."""
    if not found.evidence:
        return missing("nothing to compare: no begin of a change is known", cells_wide)
    lines = [_reading(known, found, reading) for reading in found.evidence[:MOST]]
    return table(("metric", "before", "after", "change", "95 %", "n"), lines, cells_wide) + _rest(
        len(found.evidence) - MOST, "metric", cells_wide
    )


def _rest(count: int, noun: str, cells_wide: int) -> list[Cells]:
    return missing(f"and {count} more {noun}{'s' if count > 1 else ''}", cells_wide) if count > 0 else []


def _reading(known: Board, found: Diagnosis, reading: Reading) -> Line:
    metric = known.snapshot.catalog.of(reading.key.metric)
    interval = "?"
    if reading.low is not None and reading.high is not None:
        interval = f"[{metric.show_change(reading.low)}, {metric.show_change(reading.high)}]"
    values = (metric.show(reading.before), metric.show(reading.after), metric.show_change(reading.delta))
    if reading.key.metric == ROWS:  # a mean number of rows: nobody asks for its decimals
        values = (f"{reading.before:.0f}", f"{reading.after:.0f}", f"{reading.delta:+.0f}")
        interval = f"[{reading.low:+.0f}, {reading.high:+.0f}]" if interval != "?" else interval
    count = _cases(known, found, reading.key)
    return Line((_name(reading), *values, interval, count), "" if reading.moved else "dim")


def _cases(known: Board, found: Diagnosis, key: SeriesKey) -> str:
    """Cases that the values since the begin rest on; `?` where that is not known."""
    series = known.snapshot.history.series.get(key)
    if series is None or series.support is None or found.course is None or found.course.begin is None:
        return "?"
    support = series.support[series.times >= to_stamp(found.course.begin)]
    total = float(support.sum()) if len(support) else float("nan")
    return plain(total) if np.isfinite(total) else "?"


def segment_lines(known: Board, found: Diagnosis, cells_wide: int) -> list[Cells]:
    """What each segment adds to the change of the whole."""
    if not found.segments:
        cut = any("=" in key.segment and not key.segment.startswith("feature=") for key in known.keys(found.model))
        text = (
            "no segment adds to a change"
            if cut
            else "no segments logged: `modeltop compute --segment COLUMN` cuts by a column"
        )
        return missing(text, cells_wide)
    metric = known.snapshot.catalog.of(found.key.metric if found.key is not None else "")
    lines = [
        Line(
            (
                safe(one.segment, NAME),
                metric.show_change(one.total),
                *map(metric.show, one.level),
                *(f"{100 * share:.0f} %" for share in one.share),
            )
        )
        for one in found.segments[:MOST]
    ]
    headings = ("segment", "adds", "before", "after", "share before", "after")
    return table(headings, lines, cells_wide) + _rest(len(found.segments) - MOST, "segment", cells_wide)


def pair_lines(known: Board, found: Diagnosis, cells_wide: int) -> list[Cells]:
    """Confidence and accuracy, estimated and realised: whether the model noticed."""
    if not found.pairs:
        text = "no estimate beside a realised metric: `modeltop compute --score COLUMN` adds one"
        return missing(text, cells_wide)
    wide = max(width(_name(reading)) for pair in found.pairs for reading in (pair.expected, pair.realised))
    out: list[Cells] = []
    for pair in found.pairs:
        out += _pair(known, pair, wide, cells_wide)
    return out


def _name(reading: Reading) -> str:
    return clip(label(reading.key), NAME)


def _pair(known: Board, pair: Pair, wide: int, cells_wide: int) -> Iterable[Cells]:
    """Two lines, their sparks on one scale."""
    readings = (pair.expected, pair.realised)
    recent = [_recent(known.snapshot.history.series.get(reading.key)) for reading in readings]
    finite = [value for values in recent for value in values if np.isfinite(value)]
    for reading, values in zip(readings, recent, strict=True):
        metric = known.snapshot.catalog.of(reading.key.metric)
        text = f"  {pad(_name(reading), wide)}  {metric.show(reading.before)}→{metric.show(reading.after)}"
        text += f"  {metric.show_change(reading.delta)}"
        drawn = blocks(values, min(finite), max(finite)) if finite else ""
        room = cells_wide - width(text) - 2
        yield (clip(text, cells_wide), ""), (f"  {drawn[-room:]}" if room > 0 and drawn else "", "dim")


def _recent(series: Series | None) -> list[float]:
    return [] if series is None else series.values[-SPARK:].tolist()
