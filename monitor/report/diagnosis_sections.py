"""What a diagnosis rests on, in sections of lines: how it went, causes for and against, what to do, what moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from modeltop.core.diagnosis import ROWS, Contribution, Course, Diagnosis, Finding, Moved, Reading
from modeltop.core.metrics.registry import Catalog
from modeltop.core.text import brief, safe
from modeltop.diagnosis.phrases import advice_words, course_words, fits_words, forecast_words, weight_word
from modeltop.report.phrases import series_name

CAUSES = 5
"""Causes that are told, the likeliest."""
MOST = 8
"""Metrics, features, segments and courses that are told."""
CLAUSE = 300


class Section(NamedTuple):
    """A title and its lines; all made safe."""

    title: str
    lines: tuple[str, ...]


def sections(found: Diagnosis, catalog: Catalog) -> list[Section]:
    """All that there is something to say of, in the order of the questions: what, why, what now, and the numbers."""
    told = (
        ("How it went", _went(found, catalog)),
        ("Causes", _causes(found)),
        ("What to do", advice_words(found)),
        ("Before and after", (_reading(one, catalog) for one in found.evidence[:MOST])),
        ("Expected and realised", (line for one in found.pairs for line in _pair(one.expected, one.realised, catalog))),
        ("Features that moved", map(_moved, found.moved[:MOST])),
        ("Segments by contribution", (_segment(one, found, catalog) for one in found.segments[:MOST])),
    )
    return [Section(title, some) for title, lines in told if (some := tuple(lines))]


def _went(found: Diagnosis, catalog: Catalog) -> Iterator[str]:
    if found.course is not None:
        yield _course(found.course, catalog)
        if fits := fits_words(found.course):
            yield fits
    if found.forecast is not None:
        yield forecast_words(found.forecast)
    yield from (_course(one, catalog) for one in found.courses[:MOST])


def _course(course: Course, catalog: Catalog) -> str:
    return f"{series_name(course.key)}: {course_words(course, catalog.of(course.key.metric))}"


def _causes(found: Diagnosis) -> Iterator[str]:
    for one in found.findings[:CAUSES]:
        yield f"{_weight(one)}{one.cause.value}: {'; '.join(safe(clause, CLAUSE) for clause in one.because)}"
        if one.against:
            yield f"against it: {'; '.join(safe(clause, CLAUSE) for clause in one.against)}"


def _weight(one: Finding) -> str:
    if not one.weight:
        return ""
    return f"{weight_word(one.weight)} ({one.weight:.2f}), "


def _reading(one: Reading, catalog: Catalog) -> str:
    if one.key.metric == ROWS:
        return f"rows a period {one.before:,.0f} -> {one.after:,.0f}: {one.word}"
    metric = catalog.of(one.key.metric)
    line = f"{series_name(one.key)} {metric.show(one.before)} -> {metric.show(one.after)}"
    line += f", {metric.show_change(one.delta)}"
    if one.low is not None and one.high is not None:
        line += f" (95 % {metric.show_change(one.low)} to {metric.show_change(one.high)})"
    return f"{line}: {one.word}"


def _pair(expected: Reading, realised: Reading, catalog: Catalog) -> Iterator[str]:
    told = []
    for one in (expected, realised):
        metric = catalog.of(one.key.metric)
        told.append(f"{series_name(one.key)} {metric.show(one.before)} -> {metric.show(one.after)}")
    yield " beside ".join(told)


def _moved(one: Moved) -> str:
    line = f"{safe(one.feature, 60)}: {safe(one.metric, 40)} {brief(one.before)} -> {brief(one.distance)}"
    for name, rates in (("missing", one.missing), ("values the reference never had", one.unseen)):
        if rates is not None:
            line += f", {name} {100 * rates[0]:.1f} % -> {100 * rates[1]:.1f} %"
    return line


def _segment(one: Contribution, found: Diagnosis, catalog: Catalog) -> str:
    metric = catalog.of(found.key.metric if found.key is not None else "")
    share = f"{100 * one.share[0]:.0f} % -> {100 * one.share[1]:.0f} % of the cases"
    level = f"{metric.show(one.level[0])} -> {metric.show(one.level[1])}"
    return f"{safe(one.segment, 60)}: adds {metric.show_change(one.total)}; {level}, {share}"
