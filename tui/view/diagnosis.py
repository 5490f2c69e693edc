"""The evidence about a model as rows: what happened, why, what to do, five questions, and the metrics in a table.

The order is that of the questions. All that has no data shares one line, which opens to the commands that add it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from modeltop.core.diagnosis import ROW_COUNT, SegmentContribution
from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Severity
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import display_width, format_exact, format_percent, pluralize, sanitize, truncate
from modeltop.diagnosis.phrases import advice_lines, describe_pattern
from modeltop.report.phrases import alert_line
from modeltop_tui.view.chart import fitted_periods
from modeltop_tui.view.distributions import OUTPUTS, feature_shift_lines, reliability_lines
from modeltop_tui.view.metrics import downsample_means, label
from modeltop_tui.view.rows import MIN_WIDTH_FOR_ONE_LINE, Row, folded_row, text_row, wrap_row
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, TableRow, format_table, paragraph, spark, wrap

if TYPE_CHECKING:
    from modeltop.core.diagnosis import BeforeAfter, CauseHypothesis, Diagnosis

MAX_NAME_WIDTH = 30
MAX_CAUSES = 3
MAX_SEGMENTS, MAX_SEGMENT_ROWS = 12, 3
"""Segments in the table, of which those that contribute less are counted; and those that are rows of their own."""
SPARK_WIDTH, LONG_SPARK_WIDTH, MIN_WIDTH_FOR_LONG_SPARKS = 12, 28, 100
"""Cells of a spark, and of a longer one for which there is room from this width on."""
CERTAINTY_ROLES = {"certain": "", "likely": "", "possible": "", "unclear": "dim"}
WORDS = {Severity.CRITICAL: "CRITICAL", Severity.WARNING: "warning", Severity.UNKNOWN: "unknown"}
MISSING = {
    "features": "`modeltop compute --feature all` adds them",
    "segments": "`modeltop compute --segment COLUMN` adds them",
    "scores": "`modeltop compute --score COLUMN` adds them",
    "counts": "a column `count` beside the metrics adds them",
    "notifications": "`modeltop watch` sends and records them",
}
"""What may not be logged, and the command that adds it."""


def evidence_rows(state: ScreenState, width: int, timeline: tuple[str, ...] = ()) -> Sequence[Row]:
    """Return the evidence about the selected model; until there is a diagnosis, its alerts.

    Args:
        state: Has the diagnosis.
        width: Width of a line in cells.
        timeline: What happened to the model's incidents, a line each, oldest first.
    """
    if state.snapshot is None or state.selection.model is None:
        return ()
    index = snapshot_index(state.snapshot)
    if state.diagnosis is None:
        return (*_status_rows(index, state.selection.model, width), Row((("analyzing...", "dim"),)))
    return _rows(index, state.diagnosis, width, timeline)


@lru_cache(maxsize=4)
def _rows(index: SnapshotIndex, diagnosis: Diagnosis, width: int, timeline: tuple[str, ...]) -> tuple[Row, ...]:
    return (
        *_status_rows(index, diagnosis.model, width),
        *_verdict_rows(index, diagnosis, width),
        *(
            text_row(f"{answer}: {reason}", width, lead=((f"{question:<17}", "dim"),))
            for question, answer, reason in diagnosis.questions
        ),
        *_section_rows(index, diagnosis, width, timeline),
        *_metric_rows(index, diagnosis, width),
        *_missing_rows(index, diagnosis, width, timeline),
    )


def _status_rows(index: SnapshotIndex, model: str, width: int) -> Iterator[Row]:
    status = index.model_statuses.get(model)
    if status is None:
        return
    role = TINTS[status.severity]
    alerts = [alert_line(alert, index.snapshot, with_model=False) for alert in index.alerts_by_model[model]]
    more = [line for text in alerts for line in paragraph(text, width, "")]
    word = f"{WORDS[status.severity]}: " if status.severity else ""
    text = f"{SHAPES[status.severity]} {word}{sanitize(status.sentence, 300)}"
    yield text_row(text, width, role=role, more=more)


def _verdict_rows(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> Iterator[Row]:
    snapshot = index.snapshot
    sizes = {change.key: change.delta for change in diagnosis.metric_changes}
    patterns = [replace(one, size=sizes.get(one.key, one.size)) for one in diagnosis.other_patterns]
    texts = (
        f"    {label(one.key)}: {describe_pattern(one, snapshot.catalog.get(one.key.metric), snapshot.taken_at)}"
        for one in patterns
    )
    lines = [line for text in texts for line in paragraph(text, width)]
    what = sanitize(diagnosis.verdict.what, 300) or "no metric changed"
    yield text_row(what, width, lead=(("What  ", "dim"),), role="worst", more=lines)
    if not diagnosis.hypotheses:
        yield text_row(sanitize(diagnosis.verdict.why, 300) or "no change", width, lead=(("Why   ", "dim"),))
    for hypothesis, head in zip(diagnosis.hypotheses[:MAX_CAUSES], _heads("Why"), strict=False):
        yield _cause_row(hypothesis, head, width)
    advice = advice_lines(diagnosis) or ["Nothing."]
    for text, head in zip(advice, _heads("Do"), strict=False):
        yield text_row(sanitize(text, 300), width, lead=((head, "dim"),))


def _heads(name: str) -> Iterator[str]:
    yield f"{name:<6}"
    while True:
        yield " " * 6


def _cause_row(hypothesis: CauseHypothesis, head: str, width: int) -> Row:
    certainty = hypothesis.certainty.value
    role = CERTAINTY_ROLES[certainty]
    signed = [("+", clause) for clause in hypothesis.evidence_for]
    signed += [("−", clause) for clause in hypothesis.evidence_against]
    lead: Cells = ((head, "dim"), (f"{certainty:<9} {hypothesis.cause.value:<16} ", role))
    is_narrow = width < MIN_WIDTH_FOR_ONE_LINE
    indent = " " * (2 if is_narrow else 10)
    clauses = [
        line
        for sign, clause in signed
        for line in wrap(sanitize(clause, 300), width, indent=f"{indent}  ", lead=((f"{indent}{sign} ", "dim"),))
    ]
    texts = [f"{sign} {sanitize(clause, 300)}" for sign, clause in signed]
    room, summary = max(1, width - 33), truncate("".join(texts[:1]), max(1, width - 33))
    for text in texts[1:]:
        joined = f"{summary}  {text}"
        summary = joined if display_width(joined) <= room else summary
    lines = [lead, *clauses]
    return folded_row((*lead, (summary, "")), lines, wrapped=lines if is_narrow else ())


def _metric_rows(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> Iterator[Row]:
    if not diagnosis.metric_changes:
        return
    with_counts = any(change.cases for change in diagnosis.metric_changes)
    spark_width = LONG_SPARK_WIDTH if width >= MIN_WIDTH_FOR_LONG_SPARKS else SPARK_WIDTH
    times = index.snapshot.history.periods[diagnosis.model]
    times = times[-fitted_periods(index, diagnosis.model) :]  # those of the chart
    focus = index.snapshot.history.series.get(diagnosis.key) if diagnosis.key is not None else None
    span = pluralize(len(times), "period" if focus is None else period_unit(focus))
    rows = []
    for change in diagnosis.metric_changes:
        series = index.snapshot.history.series.get(change.key)
        recent = [] if series is None else downsample_means(series.values[series.times >= times[0]], spark_width)
        count = "?" if change.cases is None else format_exact(change.cases)
        cells = (*_change_cells(index, change), *([count] if with_counts else []))
        rows.append(TableRow((*cells, spark(recent, spark_width).ljust(spark_width))))
    headings = ("metric", "before", "after", "change", "95 %", *(["n"] if with_counts else []))
    heading, *lines = format_table((*headings, span.ljust(spark_width)), rows, width)
    yield Row(heading)
    for change, ((text, _),) in zip(diagnosis.metric_changes, lines, strict=True):
        severity = index.severity(change.key)
        mark = (f"{SHAPES[severity]} ", TINTS[severity]) if severity else ("  ", "")
        is_series = change.key in index.snapshot.history.series
        line = (mark, (text[2:], "" if change.is_significant else "dim"))
        yield Row(line, key=change.key if is_series else None)


def _change_cells(index: SnapshotIndex, change: BeforeAfter) -> tuple[str, ...]:
    metric = index.snapshot.catalog.get(change.key.metric)
    interval = "?"
    if change.low is not None and change.high is not None:
        interval = f"{metric.format_delta(change.low)} to {metric.format_delta(change.high)}"
    values = (metric.format(change.before), metric.format(change.after), metric.format_delta(change.delta))
    if change.key.metric == ROW_COUNT:  # a mean number of rows: its decimals are noise
        values = (f"{change.before:.0f}", f"{change.after:.0f}", f"{change.delta:+.0f}")
        interval = f"{change.low:+.0f} to {change.high:+.0f}" if interval != "?" else interval
    return truncate(label(change.key), MAX_NAME_WIDTH), *values, interval


def _section_rows(index: SnapshotIndex, diagnosis: Diagnosis, width: int, timeline: tuple[str, ...]) -> Iterator[Row]:
    shifts = sorted(diagnosis.feature_shifts, key=lambda shift: -shift.after)
    if shifts:
        names = ", ".join(sanitize(shift.feature, MAX_NAME_WIDTH) for shift in shifts)
        yield _section(
            "Features", f"{len(shifts)} shifted: {names}", feature_shift_lines(index, diagnosis, width), width
        )
    yield from _segment_rows(index, diagnosis, width)
    if _has_scores(index, diagnosis):
        yield _section(
            "Scores", "reliability: mean score against observed rate", reliability_lines(index, diagnosis, width), width
        )
    if timeline:
        lines = [line for text in timeline for line in wrap(text.strip(), width, indent="      ", lead=(("  ", ""),))]
        yield _section("Timeline", timeline[-1].strip(), lines, width)


def _section(name: str, text: str, lines: Sequence[Cells], width: int) -> Row:
    lead = (f"{name:<10}", "dim")
    wrapped = wrap_row(text, width, (lead,)) if width < MIN_WIDTH_FOR_ONE_LINE else ()
    return folded_row((lead, (truncate(text, max(1, width - 10)), "")), [(lead,), *lines], rank=1, wrapped=wrapped)


def _segment_rows(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> Iterator[Row]:
    share, key = diagnosis.dominant_segment, diagnosis.key
    if key is None or not diagnosis.segments:
        return
    metric = index.snapshot.catalog.get(key.metric)
    shown = [one for one in diagnosis.segments if share is not None and one.segment == share.segment]
    shown = shown or [*diagnosis.segments[:MAX_SEGMENT_ROWS]]
    rest = [one for one in diagnosis.segments if one not in shown]
    heads = [("Segments  ", "dim"), *[(" " * 10, "")] * MAX_SEGMENT_ROWS]
    for head, one in zip(heads, shown, strict=False):
        part = f"adds {metric.format_delta(one.total)}"
        if share is not None:
            part = f"accounts for {format_percent(share.ratio)} of the {'drop' if share.delta < 0 else 'rise'}"
        levels = "→".join(map(metric.format, one.level))
        text, series = f"{sanitize(one.segment, MAX_NAME_WIDTH)} {part}, {levels}", key._replace(segment=one.segment)
        row = text_row(text, width, lead=(head,))
        yield replace(row, key=series if series in index.snapshot.history.series else None, unfold=None)
    if rest:
        line = (heads[-1], (f"and {pluralize(len(rest), 'more segment')}", ""))
        yield folded_row(line, [line, *_segment_lines(metric, rest, width)], rank=1)


def _segment_lines(metric: Metric, segments: Sequence[SegmentContribution], width: int) -> list[Cells]:
    rows = [
        TableRow(
            (
                sanitize(segment.segment, MAX_NAME_WIDTH),
                metric.format_delta(segment.total),
                *map(metric.format, segment.level),
                *(f"{100 * ratio:.0f} %" for ratio in segment.share),
            )
        )
        for segment in segments[:MAX_SEGMENTS]
    ]
    rest = len(segments) - MAX_SEGMENTS
    more = paragraph(f"and {pluralize(rest, 'more segment')}", width) if rest > 0 else []
    return format_table(("segment", "adds", "before", "after", "share before", "after"), rows, width) + more


def _has_scores(index: SnapshotIndex, diagnosis: Diagnosis) -> bool:
    distributions = index.snapshot.distributions.get(diagnosis.model)
    return distributions is not None and distributions.reliability is not None


def _missing_rows(index: SnapshotIndex, diagnosis: Diagnosis, width: int, timeline: tuple[str, ...]) -> Iterator[Row]:
    """Yield one line with all that is not logged, which opens to the commands that add it."""
    keys = index.series_keys(diagnosis.model)
    segments = {key.segment for key in keys} - {"all", *OUTPUTS}
    has_features = any(segment.startswith("feature=") for segment in segments)
    series = (index.snapshot.history.series[key] for key in keys)
    known = {
        "features": has_features or bool(diagnosis.feature_shifts),
        "segments": any(not segment.startswith("feature=") for segment in segments),
        "scores": _has_scores(index, diagnosis),
        "counts": any(one.support is not None for one in series),
        "notifications": bool(timeline),
    }
    names = [name for name, is_known in known.items() if not is_known]
    if names:
        commands = [line for name in names for line in paragraph(f"{name}: {MISSING[name]}", width)]
        yield text_row(f"not logged: {', '.join(names)}", width, role="dim", more=commands)
