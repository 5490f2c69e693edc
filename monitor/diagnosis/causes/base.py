"""The contract of a cause function, pure and in the file of its family under `@cause`, and the registry.

Clauses for a cause are treated as independent, so together they leave (1 - a)(1 - b)... of doubt. Each clause against
it removes its proportion of the remaining weight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import import_module
from math import prod
from typing import NamedTuple

from modeltop.core.diagnosis import Cause, CauseHypothesis, certainty_of
from modeltop.diagnosis.observations import Observations

FAMILIES = ("pipeline_fault", "serving", "chance", "calendar", "external", "drift", "threshold_calibration")
UNLIKE_CALENDAR = {Cause.CALENDAR, Cause.SEASON, Cause.INVERTED_SCORES, Cause.MISJOINED_LABELS, Cause.BUSINESS}
"""Causes that no day of the calendar brings about."""
INDEPENDENT = (Cause.FEATURE_DRIFT, Cause.DATA_DRIFT, Cause.LABEL_SHIFT)
"""Causes beside a known fault of an input: their evidence is of other columns or of labels, which it leaves alone."""

CauseFunction = Callable[[Observations], CauseHypothesis | None]
_registry: list[CauseFunction] = []


class EvidenceItem(NamedTuple):
    """One piece of evidence for or against a cause."""

    strength: float
    """How far it alone would convince, 0 to 1."""
    text: str
    """A clause; foreign text in it is sanitized."""
    leads: bool = False
    """True if it is named before stronger evidence, as it tells a person more."""


def cause(function: CauseFunction) -> CauseFunction:
    """Register a function that weighs the evidence for one cause."""
    _registry.append(function)
    return function


def combine_evidence(
    kind: Cause, pro: Iterable[EvidenceItem | None], contra: Iterable[EvidenceItem | None] = ()
) -> CauseHypothesis | None:
    """Weigh the evidence for and against a cause; None without any for it.

    >>> few, small = EvidenceItem(0.5, "few cases"), EvidenceItem(0.5, "small")
    >>> combine_evidence(Cause.NOISE, [few, small], [EvidenceItem(0.2, "it lasts")]).weight
    0.6
    """
    sides = ([item for item in side if item is not None] for side in (pro, contra))
    evidence, doubts = (sorted(side, key=lambda item: (not item.leads, -item.strength)) for side in sides)
    if not evidence:
        return None
    doubt, remaining = (prod(1 - item.strength for item in side) for side in (evidence, doubts))
    weight = round((1 - doubt) * remaining, 3)
    return CauseHypothesis(kind, weight, tuple(item.text for item in evidence), tuple(item.text for item in doubts))


def rank_causes(observations: Observations) -> tuple[CauseHypothesis, ...]:
    """Return every cause with evidence for it, heaviest first, each with its certainty.

    A broken input does not explain what its columns cannot: such a cause is no rival of it, and both may be likely.
    """
    for family in FAMILIES:
        import_module(f"modeltop.diagnosis.causes.{family}")
    hypotheses = [hypothesis for function in _registry if (hypothesis := function(observations)) is not None]
    hypotheses = _discount_by_calendar(observations, hypotheses)
    order = list(Cause)
    hypotheses.sort(key=lambda hypothesis: (-hypothesis.weight, order.index(hypothesis.cause)))
    return tuple(
        replace(hypothesis, certainty=certainty_of(hypothesis.weight, _rival(observations, hypothesis, hypotheses)))
        for hypothesis in hypotheses
    )


def _discount_by_calendar(observations: Observations, hypotheses: list[CauseHypothesis]) -> list[CauseHypothesis]:
    """Return the causes, with less weight what a calendar effect explains: other days have other inputs and results."""
    calendar = next((hypothesis for hypothesis in hypotheses if hypothesis.cause is Cause.CALENDAR), None)
    if calendar is None:
        return hypotheses
    kept = UNLIKE_CALENDAR | {Cause.UPSTREAM} if observations.faults else UNLIKE_CALENDAR
    return [each if each.cause in kept else _discount(each, calendar) for each in hypotheses]


def _discount(hypothesis: CauseHypothesis, calendar: CauseHypothesis) -> CauseHypothesis:
    weight, against = round(hypothesis.weight * (1 - calendar.weight), 3), calendar.evidence_for[0]
    return replace(hypothesis, weight=weight, evidence_against=(*hypothesis.evidence_against, against))


def _rival(observations: Observations, hypothesis: CauseHypothesis, hypotheses: Iterable[CauseHypothesis]) -> float:
    apart = {hypothesis.cause}
    if observations.faults and hypothesis.cause is Cause.UPSTREAM:
        apart.update(INDEPENDENT)
    elif observations.faults and hypothesis.cause in INDEPENDENT:
        apart.add(Cause.UPSTREAM)
    return max((other.weight for other in hypotheses if other.cause not in apart), default=0.0)
