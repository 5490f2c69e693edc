"""Which difference is bad: what every check that compares has to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from monitor.records import Better, Severity

if TYPE_CHECKING:
    from monitor.records import Floats, Levels


T = TypeVar("T")


def worse(differences: Floats, better: Better, *, outside: bool = False) -> Floats:
    """How far differences (value less what it is compared with) lie on the bad side; NaN where neither side is.

    Args:
        differences: Any numbers; NaN stays.
        better: The direction of the metric.
        outside: Whether both sides are bad.

    >>> worse(np.array([-0.1, 0.1]), Better.HIGHER).tolist(), worse(np.array([-0.1, 0.1]), Better.NEITHER).tolist()
    ([0.1, -0.1], [nan, nan])
    """
    if outside:
        return np.abs(differences)
    if better is Better.NEITHER:
        return np.full(len(differences), np.nan)
    return -differences if better is Better.HIGHER else differences + 0.0


def graded(sizes: Floats, warn: float | None, critical: float | None) -> Levels:
    """The level of each size that lies beyond what a level asks; a NaN is beyond nothing."""
    found = np.zeros(len(sizes), dtype=np.int8)
    for severity, limit in ((Severity.WARNING, warn), (Severity.CRITICAL, critical)):
        if limit is not None:
            found[sizes > limit] = severity
    return found


def pairs(warn: T | None, critical: T | None) -> list[tuple[Severity, T]]:
    """What was given, worst first."""
    both = ((Severity.CRITICAL, critical), (Severity.WARNING, warn))
    return [(severity, one) for severity, one in both if one is not None]
