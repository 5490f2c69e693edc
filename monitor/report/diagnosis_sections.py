"""What a diagnosis rests on, in sections of lines: how it went, causes for and against, what to do, what moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from modeltop.core.diagnosis import (
    ROW_COUNT,
    BeforeAfter,
    CauseHypothesis,
    Diagnosis,
    FeatureShift,
    SegmentContribution,
    SeriesPattern,
)
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import format_value, sanitize
from modeltop.diagnosis.phrases import advice_lines, certainty_word, describe_fits, describe_forecast, describe_pattern
from modeltop.report.phrases import series_name

MAX_CAUSES = 5
"""Causes that are told, the likeliest."""
MAX_LINES = 8
"""Metrics, features, segments and courses that are told."""
CLAUSE = 300


class Section(NamedTuple):
    """A title and its lines; all made safe."""

    title: str
    lines: tuple[str, ...]


def diagnosis_sections(found: Diagnosis, catalog: MetricRegistry) -> list[Section]:
    """All that there is something to say of, in the order of the questions: what, why, what now, and the numbers."""
    told = (
        ("How it went", _went(found, catalog)),
        ("Causes", _causes(found)),
        ("What to do", advice_lines(found)),
        ("Before and after", (_reading(one, catalog) for one in found.metric_changes[:MAX_LINES])),
        (
            "Expected and realised",
            (line for one in found.expectations for line in _pair(one.expected, one.realized, catalog)),
        ),
        ("Features that moved", map(_moved, found.feature_shifts[:MAX_LINES])),
        ("Segments by contribution", (_segment(one, found, catalog) for one in found.segments[:MAX_LINES])),
    )
    return [Section(title, some) for title, lines in told if (some := tuple(lines))]


def _went(found: Diagnosis, catalog: MetricRegistry) -> Iterator[str]:
    if found.series_pattern is not None:
        yield _course(found.series_pattern, catalog)
        if fits := describe_fits(found.series_pattern):
            yield fits
    if found.forecast is not None:
        yield describe_forecast(found.forecast)
    yield from (_course(one, catalog) for one in found.other_patterns[:MAX_LINES])


def _course(course: SeriesPattern, catalog: MetricRegistry) -> str:
    return f"{series_name(course.key)}: {describe_pattern(course, catalog.get(course.key.metric))}"


def _causes(found: Diagnosis) -> Iterator[str]:
    for one in found.hypotheses[:MAX_CAUSES]:
        yield f"{_weight(one)}{one.cause.value}: {'; '.join(sanitize(clause, CLAUSE) for clause in one.evidence_for)}"
        if one.evidence_against:
            yield f"against it: {'; '.join(sanitize(clause, CLAUSE) for clause in one.evidence_against)}"


def _weight(one: CauseHypothesis) -> str:
    if not one.weight:
        return ""
    return f"{certainty_word(one.weight)} ({one.weight:.2f}), "


def _reading(one: BeforeAfter, catalog: MetricRegistry) -> str:
    if one.key.metric == ROW_COUNT:
        return f"rows a period {one.before:,.0f} -> {one.after:,.0f}: {one.direction}"
    metric = catalog.get(one.key.metric)
    line = f"{series_name(one.key)} {metric.format(one.before)} -> {metric.format(one.after)}"
    line += f", {metric.format_delta(one.delta)}"
    if one.low is not None and one.high is not None:
        line += f" (95 % {metric.format_delta(one.low)} to {metric.format_delta(one.high)})"
    return f"{line}: {one.direction}"


def _pair(expected: BeforeAfter, realised: BeforeAfter, catalog: MetricRegistry) -> Iterator[str]:
    told = []
    for one in (expected, realised):
        metric = catalog.get(one.key.metric)
        told.append(f"{series_name(one.key)} {metric.format(one.before)} -> {metric.format(one.after)}")
    yield " beside ".join(told)


def _moved(one: FeatureShift) -> str:
    line = f"{sanitize(one.feature, 60)}: {sanitize(one.metric, 40)} {format_value(one.before)} -> {format_value(one.after)}"
    for name, rates in (("missing", one.missing), ("values the reference never had", one.unseen)):
        if rates is not None:
            line += f", {name} {100 * rates[0]:.1f} % -> {100 * rates[1]:.1f} %"
    return line


def _segment(one: SegmentContribution, found: Diagnosis, catalog: MetricRegistry) -> str:
    metric = catalog.get(found.key.metric if found.key is not None else "")
    share = f"{100 * one.share[0]:.0f} % -> {100 * one.share[1]:.0f} % of the cases"
    level = f"{metric.format(one.level[0])} -> {metric.format(one.level[1])}"
    return f"{sanitize(one.segment, 60)}: adds {metric.format_delta(one.total)}; {level}, {share}"
