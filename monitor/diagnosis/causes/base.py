"""The contract of a cause, and the table of all that are known.

A cause is a pure function of facts. To add one: a function in the file of its family, under `@cause`; a new family is a
file and its name in `FAMILIES`.

Weights: each clause for a cause says how far it alone would convince, 0 to 1; clauses are taken as independent, so
together they leave 1 - (1 - a)(1 - b)... of doubt away. Each clause against takes its share of what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from typing import NamedTuple

from modeltop.core.diagnosis import Cause, CauseHypothesis
from modeltop.diagnosis.observations import Observations

FAMILIES = ("pipeline_fault", "chance", "external", "drift", "threshold_calibration")
MIN_WEIGHT = 0.4
"""A lighter cause is not named."""
ORDER = (
    Cause.OUTAGE,
    Cause.UPSTREAM,
    Cause.NOISE,
    Cause.SEASON,
    Cause.BUSINESS,
    Cause.SEGMENT,
    Cause.FEATURE_DRIFT,
    Cause.DATA_DRIFT,
    Cause.LABEL_SHIFT,
    Cause.THRESHOLD,
    Cause.CALIBRATION,
    Cause.CONCEPT_DRIFT,
    Cause.UNKNOWN,
)
"""Of equal weights the earlier is named: what is quickly checked and undone before what is costly."""


class EvidenceItem(NamedTuple):
    """One piece of evidence."""

    strength: float
    """How far it alone would convince, 0 to 1."""
    text: str
    """A clause for people; foreign text in it is made safe."""


CauseFunction = Callable[[Observations], CauseHypothesis | None]
_KNOWN: list[CauseFunction] = []


def cause(function: CauseFunction) -> CauseFunction:
    """Enter a cause into the table."""
    _KNOWN.append(function)
    return function


@cache
def _load() -> None:
    for family in FAMILIES:
        import_module(f"modeltop.diagnosis.causes.{family}")


def combine_evidence(
    kind: Cause, pro: Iterable[EvidenceItem | None], contra: Iterable[EvidenceItem | None] = ()
) -> CauseHypothesis | None:
    """Evidence put together; None where nothing speaks for the cause.

    >>> combine_evidence(Cause.NOISE, [EvidenceItem(0.5, "few cases"), EvidenceItem(0.5, "small")], [EvidenceItem(0.2, "it lasts")]).weight
    0.6
    """
    reasons = sorted((one for one in pro if one is not None), key=lambda one: -one.strength)
    doubts = sorted((one for one in contra if one is not None), key=lambda one: -one.strength)
    if not reasons:
        return None
    missing = left = 1.0
    for one in reasons:
        missing *= 1 - one.strength
    for one in doubts:
        left *= 1 - one.strength
    weight = round((1 - missing) * left, 3)
    return CauseHypothesis(kind, weight, tuple(one.text for one in reasons), tuple(one.text for one in doubts))


def rank_causes(facts: Observations) -> tuple[CauseHypothesis, ...]:
    """Every cause for which something speaks, heaviest first."""
    _load()
    found = [finding for function in _KNOWN if (finding := function(facts)) is not None]
    return tuple(sorted(found, key=lambda one: (-one.weight, ORDER.index(one.cause))))
