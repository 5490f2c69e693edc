"""The diagnosis of a model as lines: what happened, why, what to do, and the evidence in tables.

The order of the sections is the order of the questions. A section without data states in one line what it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.diagnosis import ROW_COUNT
from modeltop.core.series import SeriesKey, to_datetime64
from modeltop.core.text import display_width, format_day, format_exact, pad, sanitize, truncate
from modeltop.diagnosis.phrases import advice_lines, describe_pattern
from modeltop_tui.view.changes import summary_lines
from modeltop_tui.view.distributions import feature_shift_lines, reliability_lines
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import Cells, TableRow, block_characters, format_table, paragraph, wrap

if TYPE_CHECKING:
    from modeltop.core.diagnosis import BeforeAfter, CauseHypothesis, Diagnosis, ExpectedVsRealized

MAX_NAME_WIDTH = 30
"""Maximum width of a name in a table, in cells."""
MAX_LINES = 12
"""Lines of a table; those that matter less are counted."""
SPARK_PERIODS = 24
"""Newest periods that a spark shows."""
CERTAINTY_ROLES = {"certain": "strong", "likely": "strong", "possible": "", "unclear": "dim"}
MAX_OTHER_PATTERNS = 8
"""Patterns of other metrics that are listed."""


def heading_lines(state: ScreenState, width: int) -> list[Cells]:
    """Return what happened, why, and what to do."""
    nothing = "no metric changed" if state.diagnosis else ""
    return summary_lines(state, width) or wrap(nothing, width, role="dim")


def diagnosis_lines(state: ScreenState, width: int) -> tuple[Cells, ...]:
    """Return all sections about the selected model; one line until there is a diagnosis."""
    if state.snapshot is None or state.diagnosis is None:
        return ((("analyzing...", "dim"),),)
    return _lines(snapshot_index(state.snapshot), state.diagnosis, width)


@lru_cache(maxsize=4)
def _lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> tuple[Cells, ...]:
    started_at = diagnosis.series_pattern.started_at if diagnosis.series_pattern else None
    since = f" before and since {format_day(started_at, index.snapshot.taken_at)}" if started_at else ""
    patterns = tuple(_pattern_lines(index, diagnosis, width))
    sections: tuple[tuple[str, Iterable[Cells]], ...] = (
        ("Five questions", _question_lines(diagnosis, width)),
        ("Causes", _cause_lines(diagnosis, width)),
        ("What to do", _advice_lines(diagnosis, width)),
        *((("Patterns", patterns),) if patterns else ()),
        (f"Evidence{since}", _evidence_lines(index, diagnosis, width)),
        ("Features that shifted", feature_shift_lines(index, diagnosis, width)),
        ("Segments by contribution", _segment_lines(index, diagnosis, width)),
        ("Confidence vs accuracy", _expectation_lines(index, diagnosis, width)),
        ("Reliability", reliability_lines(index, diagnosis, width)),
    )
    out: list[Cells] = []
    for title, lines in sections:
        out += [((truncate(title, width), "head"),), *lines, ()]
    return tuple(out[:-1])


def _question_lines(diagnosis: Diagnosis, width: int) -> Iterator[Cells]:
    for question, answer, reason in diagnosis.questions:
        role = "strong" if answer in ("yes", "likely") else ""
        yield from wrap(f"{answer}: {reason}", width, role=role, indent=" " * 19, lead=((f"  {question:<17}", "dim"),))


def _pattern_lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> Iterator[Cells]:
    """Yield the patterns of the model's metrics, that of the verdict first."""
    snapshot = index.snapshot
    patterns = [*([diagnosis.series_pattern] if diagnosis.series_pattern else []), *diagnosis.other_patterns]
    for pattern in patterns[: MAX_OTHER_PATTERNS + 1]:
        text = describe_pattern(pattern, snapshot.catalog.get(pattern.key.metric), snapshot.taken_at)
        yield from paragraph(f"{label(pattern.key)}: {text}", width)
    yield from _more_lines(len(patterns) - MAX_OTHER_PATTERNS - 1, "metric", width)


def _cause_lines(diagnosis: Diagnosis, width: int) -> Iterator[Cells]:
    if not diagnosis.hypotheses:
        yield from paragraph("no metric changed", width)
    for hypothesis in diagnosis.hypotheses:
        yield from _hypothesis_lines(hypothesis, width)


def _hypothesis_lines(hypothesis: CauseHypothesis, width: int) -> Iterator[Cells]:
    certainty = hypothesis.certainty.value
    role = CERTAINTY_ROLES[certainty]
    yield from wrap(hypothesis.cause.value, width, role=role, indent=" " * 12, lead=((f"  {certainty:<10}", role),))
    for sign, clauses in (("+", hypothesis.evidence_for), ("−", hypothesis.evidence_against)):
        for clause in clauses:
            yield from wrap(sanitize(clause, 300), width, indent="      ", lead=((f"    {sign} ", "dim"),))


def _advice_lines(diagnosis: Diagnosis, width: int) -> Iterator[Cells]:
    lines = list(advice_lines(diagnosis))
    for at, line in enumerate(lines or ["nothing"]):
        yield from paragraph(line, width, "" if at else "strong" if lines else "dim")


def _evidence_lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> list[Cells]:
    """Return the metrics before and after the change; differences that may be noise are dim."""
    if not diagnosis.metric_changes:
        return paragraph("no change point found", width)
    lines = [_change_row(index, diagnosis, change) for change in diagnosis.metric_changes[:MAX_LINES]]
    return format_table(("metric", "before", "after", "change", "95 %", "n"), lines, width) + _more_lines(
        len(diagnosis.metric_changes) - MAX_LINES, "metric", width
    )


def _more_lines(count: int, noun: str, width: int) -> list[Cells]:
    return paragraph(f"and {count} more {noun}{'s' if count > 1 else ''}", width) if count > 0 else []


def _change_row(index: SnapshotIndex, diagnosis: Diagnosis, change: BeforeAfter) -> TableRow:
    metric = index.snapshot.catalog.get(change.key.metric)
    interval = "?"
    if change.low is not None and change.high is not None:
        interval = f"[{metric.format_delta(change.low)}, {metric.format_delta(change.high)}]"
    values = (metric.format(change.before), metric.format(change.after), metric.format_delta(change.delta))
    if change.key.metric == ROW_COUNT:  # a mean number of rows: its decimals are noise
        values = (f"{change.before:.0f}", f"{change.after:.0f}", f"{change.delta:+.0f}")
        interval = f"[{change.low:+.0f}, {change.high:+.0f}]" if interval != "?" else interval
    count = _support_text(index, diagnosis, change.key)
    return TableRow((_name(change), *values, interval, count), "" if change.is_significant else "dim")


def _support_text(index: SnapshotIndex, diagnosis: Diagnosis, key: SeriesKey) -> str:
    """Return the support of the values since the change; `?` if it is unknown."""
    series = index.snapshot.history.series.get(key)
    started_at = diagnosis.series_pattern.started_at if diagnosis.series_pattern is not None else None
    if series is None or series.support is None or started_at is None:
        return "?"
    support = series.support[series.times >= to_datetime64(started_at)]
    total = float(support.sum()) if len(support) else float("nan")
    return format_exact(total) if np.isfinite(total) else "?"


def _segment_lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> list[Cells]:
    """Return the contribution of each segment to the change of the metric."""
    if not diagnosis.segments:
        segments = {key.segment for key in index.series_keys(diagnosis.model)}
        if any("=" in segment and not segment.startswith("feature=") for segment in segments):
            return paragraph("no segment contributes to a change", width)
        return paragraph("no segments are logged: `modeltop compute --segment COLUMN` adds them", width)
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


def _expectation_lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> list[Cells]:
    """Return the expected beside the realized metrics, such as confidence and accuracy: whether the model noticed."""
    if not diagnosis.expectations:
        text = "no confidence beside accuracy: `modeltop compute --score COLUMN` adds it"
        return paragraph(text, width)
    pairs = diagnosis.expectations
    name_width = max(display_width(_name(change)) for pair in pairs for change in (pair.expected, pair.realized))
    return [line for pair in pairs for line in _pair_lines(index, pair, name_width, width)]


def _name(change: BeforeAfter) -> str:
    return truncate(label(change.key), MAX_NAME_WIDTH)


def _pair_lines(index: SnapshotIndex, pair: ExpectedVsRealized, name_width: int, width: int) -> Iterable[Cells]:
    """Return two lines, their sparks on one scale."""
    changes = (pair.expected, pair.realized)
    histories = [index.snapshot.history.series.get(change.key) for change in changes]
    recent = [[] if series is None else series.values[-SPARK_PERIODS:].tolist() for series in histories]
    finite = [value for values in recent for value in values if np.isfinite(value)]
    for change, values in zip(changes, recent, strict=True):
        metric = index.snapshot.catalog.get(change.key.metric)
        text = f"  {pad(_name(change), name_width)}  {metric.format(change.before)}→{metric.format(change.after)}"
        text += f"  {metric.format_delta(change.delta)}"
        blocks = block_characters(values, min(finite), max(finite)) if finite else ""
        spark_width = width - display_width(text) - 2
        yield (truncate(text, width), ""), (f"  {blocks[-spark_width:]}" if spark_width > 0 and blocks else "", "dim")
