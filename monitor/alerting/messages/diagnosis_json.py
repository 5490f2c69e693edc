"""A diagnosis as JSON: numbers exact, unknown values null; sentences are sanitized. Pure."""

from __future__ import annotations

import math

from modeltop.core.diagnosis import Diagnosis, Verdict

Record = dict[str, object]


def verdict_record(verdict: Verdict) -> Record:
    """Return what happened, why and what to do; empty where nothing is known."""
    return {"what": verdict.what, "why": verdict.why, "do": verdict.do}


def questions_record(diagnosis: Diagnosis | None) -> Record:
    """Return the five questions and the causes, likeliest first; both empty without a diagnosis."""
    questions = () if diagnosis is None else diagnosis.questions
    hypotheses = () if diagnosis is None else diagnosis.hypotheses
    return {
        "questions": [question._asdict() for question in questions],
        "causes": [
            {
                "cause": hypothesis.cause.value,
                "certainty": hypothesis.certainty.value,
                "weight": finite_or_none(hypothesis.weight),
            }
            for hypothesis in hypotheses
        ],
    }


def finite_or_none(value: float | None) -> float | None:
    """Return a number that JSON can represent: a Python float, or None if it is not finite."""
    return float(value) if value is not None and math.isfinite(value) else None
