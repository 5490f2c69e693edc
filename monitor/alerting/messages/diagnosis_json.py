"""A diagnosis as JSON has it: numbers exact, unknown is null, names as written in the data. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from modeltop.core.diagnosis import (
    BeforeAfter,
    CauseHypothesis,
    Diagnosis,
    FeatureShift,
    Forecast,
    SegmentContribution,
    SeriesPattern,
)
from modeltop.core.series import SeriesKey

Record = dict[str, object]


def diagnosis_record(found: Diagnosis) -> Record:
    """What happened, since when, why, what now, and what that rests on; clauses for people are made safe already."""
    course, first = found.series_pattern, found.hypotheses[0] if found.hypotheses else None
    return {
        "severity": found.severity.name.lower(),
        **_key(found.key),
        "pattern": None if course is None else course.pattern.value,
        "since": _iso(course.started_at if course is not None else None),
        "size": _number(course.size if course is not None else None),
        "sure": _number(course.confidence if course is not None else None),
        "cause": None if first is None else first.cause.value,
        "for": [] if first is None else list(first.evidence_for),
        "against": [] if first is None else list(first.evidence_against),
        "steps": [step.value for step in found.actions],
        "advice": found.advice,
        "labels": found.labels_since_change,
        "causes": [_cause(one) for one in found.hypotheses],
        "courses": [_course(one) for one in found.other_patterns],
        "fits": [] if course is None else _fits(course),
        "forecast": None if found.forecast is None else _forecast(found.forecast),
        "evidence": [_reading(one) for one in found.metric_changes],
        "expected": [
            {"expected": _reading(pair.expected), "realised": _reading(pair.realized)} for pair in found.expectations
        ],
        "moved": [_moved(one) for one in found.feature_shifts],
        "segments": [_segment(one) for one in found.segments],
    }


def _key(key: SeriesKey | None) -> Record:
    return {"metric": None if key is None else key.metric, "segment": None if key is None else key.segment}


def _cause(one: CauseHypothesis) -> Record:
    return {
        "cause": one.cause.value,
        "weight": _number(one.weight),
        "for": list(one.evidence_for),
        "against": list(one.evidence_against),
    }


def _course(one: SeriesPattern) -> Record:
    known: Record = {"pattern": one.pattern.value, "since": _iso(one.started_at)}
    return _key(one.key) | known | {"size": _number(one.size), "sure": _number(one.confidence)}


def _fits(course: SeriesPattern) -> list[Record]:
    return [{"name": fit.name, "error": _number(fit.weighted_rss), "score": _number(fit.bic)} for fit in course.fits]


def _forecast(one: Forecast) -> Record:
    return _numbers(one, ("slope", "low", "high", "p", "limit", "days", "soonest", "latest"))


def _reading(one: BeforeAfter) -> Record:
    numbers = _numbers(one, ("before", "after", "delta", "low", "high", "z"))
    return _key(one.key) | numbers | {"periods": int(one.periods), "word": one.direction}


def _moved(one: FeatureShift) -> Record:
    return {
        "feature": one.feature,
        "metric": one.metric,
        "before": _number(one.before),
        "after": _number(one.after),
        "missing": _pair(one.missing),
        "unseen": _pair(one.unseen),
    }


def _segment(one: SegmentContribution) -> Record:
    pairs: Record = {"share": _pair(one.share), "level": _pair(one.level)}
    return {"segment": one.segment} | pairs | _numbers(one, ("within", "mix", "total"))


def _pair(pair: Sequence[float] | None) -> list[float | None] | None:
    """Before and after."""
    return None if pair is None else [_number(one) for one in pair]


def _numbers(one: object, names: Sequence[str]) -> Record:
    return {name: _number(getattr(one, name)) for name in names}


def _number(value: float | None) -> float | None:
    """What is not finite is null; numbers of numpy are plain ones."""
    return float(value) if value is not None and math.isfinite(value) else None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
