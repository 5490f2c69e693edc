"""A diagnosis as JSON has it: numbers exact, unknown is null, names as written in the data. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from modeltop.core.diagnosis import Contribution, Course, Diagnosis, Finding, Forecast, Moved, Reading
from modeltop.core.series import SeriesKey

Record = dict[str, object]


def diagnosis_record(found: Diagnosis) -> Record:
    """What happened, since when, why, what now, and what that rests on; clauses for people are made safe already."""
    course, first = found.course, found.findings[0] if found.findings else None
    return {
        "severity": found.severity.name.lower(),
        **_key(found.key),
        "pattern": None if course is None else course.pattern.value,
        "since": _iso(course.begin if course is not None else None),
        "size": _number(course.size if course is not None else None),
        "sure": _number(course.sure if course is not None else None),
        "cause": None if first is None else first.cause.value,
        "for": [] if first is None else list(first.because),
        "against": [] if first is None else list(first.against),
        "steps": [step.value for step in found.steps],
        "advice": found.advice,
        "labels": found.labels,
        "causes": [_cause(one) for one in found.findings],
        "courses": [_course(one) for one in found.courses],
        "fits": [] if course is None else _fits(course),
        "forecast": None if found.forecast is None else _forecast(found.forecast),
        "evidence": [_reading(one) for one in found.evidence],
        "expected": [
            {"expected": _reading(pair.expected), "realised": _reading(pair.realised)} for pair in found.pairs
        ],
        "moved": [_moved(one) for one in found.moved],
        "segments": [_segment(one) for one in found.segments],
    }


def _key(key: SeriesKey | None) -> Record:
    return {"metric": None if key is None else key.metric, "segment": None if key is None else key.segment}


def _cause(one: Finding) -> Record:
    return {
        "cause": one.cause.value,
        "weight": _number(one.weight),
        "for": list(one.because),
        "against": list(one.against),
    }


def _course(one: Course) -> Record:
    known: Record = {"pattern": one.pattern.value, "since": _iso(one.begin)}
    return _key(one.key) | known | {"size": _number(one.size), "sure": _number(one.sure)}


def _fits(course: Course) -> list[Record]:
    return [{"name": fit.name, "error": _number(fit.error), "score": _number(fit.score)} for fit in course.fits]


def _forecast(one: Forecast) -> Record:
    return _numbers(one, ("slope", "low", "high", "p", "limit", "days", "soonest", "latest"))


def _reading(one: Reading) -> Record:
    numbers = _numbers(one, ("before", "after", "delta", "low", "high", "z"))
    return _key(one.key) | numbers | {"periods": int(one.periods), "word": one.word}


def _moved(one: Moved) -> Record:
    return {
        "feature": one.feature,
        "metric": one.metric,
        "before": _number(one.before),
        "after": _number(one.distance),
        "missing": _pair(one.missing),
        "unseen": _pair(one.unseen),
    }


def _segment(one: Contribution) -> Record:
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
