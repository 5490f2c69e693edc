"""A diagnosis as JSON: numbers exact, unknown values null, names as written in the data. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from modeltop.core.diagnosis import (
    BeforeAfter,
    CauseHypothesis,
    Diagnosis,
    FeatureShift,
    SegmentContribution,
    SeriesPattern,
)
from modeltop.core.series import SeriesKey

Record = dict[str, object]
FORECAST_FIELDS = ("slope", "low", "high", "p", "limit", "days", "soonest", "latest")


def diagnosis_record(diagnosis: Diagnosis) -> Record:
    """Return what happened, since when, why, what now, and the evidence; sentences and clauses are sanitized."""
    pattern = diagnosis.series_pattern
    likeliest = diagnosis.hypotheses[0] if diagnosis.hypotheses else None
    return {
        "severity": diagnosis.severity.name.lower(),
        **_key(diagnosis.key),
        "pattern": None if pattern is None else pattern.pattern.value,
        "since": _iso(pattern.started_at if pattern is not None else None),
        "size": finite_or_none(pattern.size if pattern is not None else None),
        "sure": finite_or_none(pattern.confidence if pattern is not None else None),
        "cause": None if likeliest is None else likeliest.cause.value,
        "for": [] if likeliest is None else list(likeliest.evidence_for),
        "against": [] if likeliest is None else list(likeliest.evidence_against),
        "steps": [action.value for action in diagnosis.actions],
        "advice": diagnosis.advice,
        "labels": diagnosis.labels_since_change,
        "causes": [_hypothesis(hypothesis) for hypothesis in diagnosis.hypotheses],
        "courses": [_pattern(other) for other in diagnosis.other_patterns],
        "forecast": None if diagnosis.forecast is None else _numbers(diagnosis.forecast, FORECAST_FIELDS),
        "evidence": [_before_after(change) for change in diagnosis.metric_changes],
        "expected": [
            {"expected": _before_after(pair.expected), "realised": _before_after(pair.realized)}
            for pair in diagnosis.expectations
        ],
        "moved": [_feature_shift(shift) for shift in diagnosis.feature_shifts],
        "segments": [_segment(segment) for segment in diagnosis.segments],
    }


def _key(key: SeriesKey | None) -> Record:
    return {"metric": None if key is None else key.metric, "segment": None if key is None else key.segment}


def _hypothesis(hypothesis: CauseHypothesis) -> Record:
    return {
        "cause": hypothesis.cause.value,
        "weight": finite_or_none(hypothesis.weight),
        "for": list(hypothesis.evidence_for),
        "against": list(hypothesis.evidence_against),
    }


def _pattern(pattern: SeriesPattern) -> Record:
    return {
        **_key(pattern.key),
        "pattern": pattern.pattern.value,
        "since": _iso(pattern.started_at),
        "size": finite_or_none(pattern.size),
        "sure": finite_or_none(pattern.confidence),
    }


def _before_after(change: BeforeAfter) -> Record:
    numbers = _numbers(change, ("before", "after", "delta", "low", "high", "z"))
    return _key(change.key) | numbers | {"periods": int(change.periods), "word": change.direction}


def _feature_shift(shift: FeatureShift) -> Record:
    return {
        "feature": shift.feature,
        "metric": shift.metric,
        "before": finite_or_none(shift.before),
        "after": finite_or_none(shift.after),
        "missing": _pair(shift.missing),
        "unseen": _pair(shift.unseen),
    }


def _segment(segment: SegmentContribution) -> Record:
    pairs: Record = {"share": _pair(segment.share), "level": _pair(segment.level)}
    return {"segment": segment.segment} | pairs | _numbers(segment, ("within", "mix", "total"))


def _pair(pair: Sequence[float] | None) -> list[float | None] | None:
    return None if pair is None else [finite_or_none(value) for value in pair]


def _numbers(value: object, names: Sequence[str]) -> Record:
    return {name: finite_or_none(getattr(value, name)) for name in names}


def finite_or_none(value: float | None) -> float | None:
    """Return a number that JSON can represent: a Python float, or None if it is not finite."""
    return float(value) if value is not None and math.isfinite(value) else None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
