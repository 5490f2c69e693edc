"""The table of one model's metrics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import Episode, Series, SeriesKey, Severity, State
from modeltop.core.text import brief, pad, safe, width
from modeltop.rules.detectors.limit import Limit
from modeltop_tui.view.acknowledgements import mark
from modeltop_tui.view.state import Board, Scene, board, changes_of
from modeltop_tui.view.styled_text import SHAPES, TINTS, WORDS, Cells, spark

if TYPE_CHECKING:
    from modeltop.core.series import Floats

HEADINGS = ("latest", "Δ prev", "Δ first", "n")
RULE_WIDE = 11
N_LEAST = 4
SPARK_FROM = 74
"""Cells inside the pane from which there is room for sparks: a terminal of 100 columns."""
NAME_LEAST = 8


@dataclass(frozen=True, slots=True)
class Row:
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
    return safe(key.metric, 80) if key.segment == "all" else safe(f"{key.metric} [{key.segment}]", 80)


@lru_cache(maxsize=4)
def _rows(known: Board, model: str) -> tuple[Row, ...]:
    return tuple(_row(known, series) for series in known.series.get(model, []))


def rows(scene: Scene) -> tuple[Row, ...]:
    """All series of the selected model, in the order of its history."""
    if scene.snapshot is None or scene.view.model is None:
        return ()
    return _rows(board(scene.snapshot), scene.view.model)


def _row(known: Board, series: Series) -> Row:
    metric = known.snapshot.catalog.of(series.key.metric)
    deltas = {change.against: change.delta for change in changes_of(series, metric, known.snapshot.reference)}
    numbers = (
        metric.show(series.latest),
        *(metric.show_change(deltas[name]) if name in deltas else "" for name in ("previous", "first")),
        _support(series),
    )
    key = series.key
    done = mark(known, known.on(key))
    return Row(key, known.severity(key), done, label(key), numbers, _rule(known, series), series)


def _support(series: Series) -> str:
    if series.support is None or not np.isfinite(series.support[-1]):
        return "?"
    return f"{series.support[-1]:.0f}"


def _rule(known: Board, series: Series) -> str:
    """What the rules say of the newest value, in the width of the column."""
    for episode in known.on(series.key):
        if episode.state is State.RECOVERING:
            return "recovering"
        if episode.evidence is not None:
            word = "pend" if episode.state is State.PENDING else WORDS[episode.severity]
            return f"{_crossed(known, episode)} {word}"
    if series.provisional is not None and series.provisional[-1]:
        return "provisional"
    for rule in known.asked(series.key):
        for _, limit in rule.check.limits():
            return f"not {_sides(limit)}"
    return "left out" if any(s.left_out for s in known.standings(series.key)) else ""


def _crossed(known: Board, episode: Episode) -> str:
    """The sign and the limit that an alert is about; where it is about the past alone, to which side the value went."""
    evidence, rule = episode.evidence, known.rules.get(episode.rule)
    if evidence is None or evidence.limit is None:
        return ""
    for _, limit in rule.check.limits() if rule is not None else ():
        if evidence.limit in (limit.below, limit.above):
            return f"{'<' if evidence.limit == limit.below else '>'} {brief(evidence.limit)}"
    return "fell" if evidence.value < evidence.limit else "rose"


def _sides(limit: Limit) -> str:
    sides = [f"{sign} {brief(value)}" for sign, value in (("<", limit.below), (">", limit.above)) if value is not None]
    return " ".join(sides)


@dataclass(frozen=True, slots=True)
class Columns:
    """How many cells each column takes."""

    name: int
    numbers: tuple[int, ...]
    rule: int
    spark: int


@lru_cache(maxsize=8)
def columns(table: tuple[Row, ...], cells_wide: int) -> Columns:
    """Share `cells_wide` among the columns; where they do not fit, support and changes go before the rule.

    Numbers are never clipped: a clipped number is a wrong one.
    """
    numbers = tuple(
        max(len(heading), *(width(row.numbers[at]) for row in table)) if table else len(heading)
        for at, heading in enumerate(HEADINGS)
    )
    wanted = [*numbers[:3], max(N_LEAST, numbers[3]), max([RULE_WIDE, *(width(row.rule) for row in table)])]
    longest = max([NAME_LEAST, *(width(row.name) for row in table)])
    points = max((len(row.series) for row in table), default=0)
    sparks = min(_name_wide(cells_wide, wanted) - longest - 2, max(points, NAME_LEAST))
    if cells_wide >= SPARK_FROM and sparks >= NAME_LEAST:
        return Columns(longest, tuple(wanted[:4]), wanted[4], sparks)
    for least in (3, 2, 1, 4, 0):
        if _name_wide(cells_wide, wanted) < NAME_LEAST:
            wanted[least] = 0
    return Columns(_name_wide(cells_wide, wanted), tuple(wanted[:4]), wanted[4], 0)


def _name_wide(cells_wide: int, columns_wide: list[int]) -> int:
    return cells_wide - 2 - sum(2 + size for size in columns_wide if size)


def heading(shape: Columns) -> Cells:
    """The table's first line."""
    texts = [f"  {pad('metric', shape.name)}"]
    texts += [f"  {head:>{size}}" for head, size in zip(HEADINGS, shape.numbers, strict=True) if size]
    texts += [f"  {pad(head, size)}" for head, size in (("rule", shape.rule), ("history", shape.spark)) if size]
    return (("".join(texts), "head"),)


def metric_cells(row: Row, shape: Columns, *, selected: bool) -> Cells:
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
        out.append((f"  {pad(spark(stretches(row.series.values, shape.spark), shape.spark), shape.spark)}", "dim"))
    return tuple(out)


def stretches(values: Floats, most: int) -> list[float]:
    """The whole of a history in at most so many numbers: the means of stretches of it; inf where nothing is finite.

    >>> stretches(np.array([1.0, 3.0, 5.0, np.inf]), 2)
    [2.0, 5.0]
    """
    parts = np.array_split(values, min(most, len(values)))
    means = (float(part[np.isfinite(part)].mean()) if np.isfinite(part).any() else np.inf for part in parts)
    return list(means)
