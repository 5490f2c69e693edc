"""The evidence of a diagnosis, in sections of sanitized lines."""

from __future__ import annotations

from collections.abc import Iterator

from modeltop.core.diagnosis import ROW_COUNT, BeforeAfter, Cause, Diagnosis, FeatureShift
from modeltop.core.metrics.phrases import format_change
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import format_value, sanitize
from modeltop.diagnosis.phrases import advice_lines, format_percent_change
from modeltop.report.phrases import series_name

QUESTIONS_TITLE = "Five questions"
MAX_CAUSES = 5
MAX_LINES = 8


def diagnosis_sections(diagnosis: Diagnosis, catalog: MetricRegistry) -> dict[str, tuple[str, ...]]:
    """Return the lines of each section that has any, by its title: questions, causes, advice, then evidence."""
    sections = (
        (QUESTIONS_TITLE, (f"{question:16} {answer}: {reason}" for question, answer, reason in diagnosis.questions)),
        ("Causes", _describe_causes(diagnosis)),
        ("What to do", advice_lines(diagnosis)),
        ("Before and after", (_describe_change(change, catalog) for change in diagnosis.metric_changes[:MAX_LINES])),
        ("Features that shifted", map(_describe_shift, diagnosis.feature_shifts[:MAX_LINES])),
        ("Segments by contribution", _describe_segments(diagnosis, catalog)),
    )
    return {title: lines for title, texts in sections if (lines := tuple(texts))}


def _describe_causes(diagnosis: Diagnosis) -> Iterator[str]:
    for cause in diagnosis.hypotheses[:MAX_CAUSES]:
        name = "" if cause.cause is Cause.UNKNOWN else f"{cause.cause.value}, "
        yield f"{name}{cause.certainty.value}: {_join(cause.evidence_for)}"
        if cause.evidence_against:
            yield f"against {name or 'it, '}".rstrip(", ") + f": {_join(cause.evidence_against)}"


def _join(clauses: tuple[str, ...]) -> str:
    return "; ".join(sanitize(clause, 300) for clause in clauses)


def _describe_change(change: BeforeAfter, catalog: MetricRegistry) -> str:
    if change.key.metric == ROW_COUNT:
        return f"rows {change.before:,.0f}→{change.after:,.0f}: {change.direction}"
    metric = catalog.get(change.key.metric)
    levels = f"{metric.format(change.before)}→{metric.format(change.after)}"
    line = f"{series_name(change.key)} {levels}, {metric.format_delta(change.delta)}"
    if change.low is not None and change.high is not None:
        low, high = (metric.format_delta(round(bound, metric.digits)) for bound in (change.low, change.high))
        line += f", 95 % {low} to {high}"
    return f"{line}: {change.direction}"


def _describe_shift(shift: FeatureShift) -> str:
    line = f"{sanitize(shift.feature, 60)}: {sanitize(shift.metric, 40)} "
    line += f"{format_value(shift.before)}→{format_value(shift.after)}"
    for name, rates in (("missing", shift.missing), ("unseen values", shift.unseen)):
        if rates is not None:
            line += f", {name} {format_percent_change(rates)}"
    return line


def _describe_segments(diagnosis: Diagnosis, catalog: MetricRegistry) -> Iterator[str]:
    metric = catalog.get(diagnosis.key.metric if diagnosis.key is not None else "")
    for segment in diagnosis.segments[:MAX_LINES]:
        if total := round(segment.total, metric.digits):
            levels, share = format_change(metric, *segment.level), format_percent_change(segment.share)
            contribution = f"{sanitize(segment.segment, 60)}: contributes {metric.format_delta(total)}"
            yield f"{contribution}; {levels}, {share} of the cases"
