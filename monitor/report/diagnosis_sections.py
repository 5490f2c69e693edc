"""The evidence of a diagnosis, in sections of sanitized lines."""

from __future__ import annotations

from collections.abc import Iterator

from modeltop.core.diagnosis import ROW_COUNT, BeforeAfter, Diagnosis, FeatureShift, SegmentContribution, SeriesPattern
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import format_value, sanitize
from modeltop.diagnosis.phrases import advice_lines, certainty_word, describe_forecast, describe_pattern
from modeltop.report.phrases import series_name

MAX_CAUSES = 5
"""Causes that are listed, the likeliest."""
MAX_LINES = 8
"""Metrics, features, segments and patterns that are listed."""


def diagnosis_sections(diagnosis: Diagnosis, catalog: MetricRegistry) -> dict[str, tuple[str, ...]]:
    """Return the lines of each section that has any, by its title: pattern, causes, advice, then the evidence."""
    sections = (
        ("How it went", _describe_patterns(diagnosis, catalog)),
        ("Causes", _describe_causes(diagnosis)),
        ("What to do", advice_lines(diagnosis)),
        ("Before and after", (_describe_change(change, catalog) for change in diagnosis.metric_changes[:MAX_LINES])),
        (
            "Expected and realised",
            (
                f"{_format_change(pair.expected, catalog)} beside {_format_change(pair.realized, catalog)}"
                for pair in diagnosis.expectations
            ),
        ),
        ("Features that moved", map(_describe_shift, diagnosis.feature_shifts[:MAX_LINES])),
        (
            "Segments by contribution",
            (_describe_segment(segment, diagnosis, catalog) for segment in diagnosis.segments[:MAX_LINES]),
        ),
    )
    return {title: lines for title, texts in sections if (lines := tuple(texts))}


def _describe_patterns(diagnosis: Diagnosis, catalog: MetricRegistry) -> Iterator[str]:
    def describe(pattern: SeriesPattern) -> str:
        return f"{series_name(pattern.key)}: {describe_pattern(pattern, catalog.get(pattern.key.metric))}"

    if diagnosis.series_pattern is not None:
        yield describe(diagnosis.series_pattern)
    if diagnosis.forecast is not None:
        yield describe_forecast(diagnosis.forecast)
    yield from map(describe, diagnosis.other_patterns[:MAX_LINES])


def _describe_causes(diagnosis: Diagnosis) -> Iterator[str]:
    for cause in diagnosis.hypotheses[:MAX_CAUSES]:
        weight = f"{certainty_word(cause.weight)} ({cause.weight:.2f}), " if cause.weight else ""
        yield f"{weight}{cause.cause.value}: {_join(cause.evidence_for)}"
        if cause.evidence_against:
            yield f"against it: {_join(cause.evidence_against)}"


def _join(clauses: tuple[str, ...]) -> str:
    return "; ".join(sanitize(clause, 300) for clause in clauses)


def _describe_change(change: BeforeAfter, catalog: MetricRegistry) -> str:
    if change.key.metric == ROW_COUNT:
        return f"rows a period {change.before:,.0f} -> {change.after:,.0f}: {change.direction}"
    metric = catalog.get(change.key.metric)
    line = f"{_format_change(change, catalog)}, {metric.format_delta(change.delta)}"
    if change.low is not None and change.high is not None:
        line += f" (95 % {metric.format_delta(change.low)} to {metric.format_delta(change.high)})"
    return f"{line}: {change.direction}"


def _format_change(change: BeforeAfter, catalog: MetricRegistry) -> str:
    metric = catalog.get(change.key.metric)
    return f"{series_name(change.key)} {metric.format(change.before)} -> {metric.format(change.after)}"


def _describe_shift(shift: FeatureShift) -> str:
    line = f"{sanitize(shift.feature, 60)}: {sanitize(shift.metric, 40)} "
    line += f"{format_value(shift.before)} -> {format_value(shift.after)}"
    for name, rates in (("missing", shift.missing), ("values the reference never had", shift.unseen)):
        if rates is not None:
            line += f", {name} {100 * rates[0]:.1f} % -> {100 * rates[1]:.1f} %"
    return line


def _describe_segment(segment: SegmentContribution, diagnosis: Diagnosis, catalog: MetricRegistry) -> str:
    metric = catalog.get(diagnosis.key.metric if diagnosis.key is not None else "")
    share = f"{100 * segment.share[0]:.0f} % -> {100 * segment.share[1]:.0f} % of the cases"
    level = f"{metric.format(segment.level[0])} -> {metric.format(segment.level[1])}"
    return f"{sanitize(segment.segment, 60)}: adds {metric.format_delta(segment.total)}; {level}, {share}"
