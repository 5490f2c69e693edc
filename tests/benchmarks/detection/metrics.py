"""From tallies of cells to metrics, and how far chance alone moves each of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from tests.benchmarks.detection.populations import BINS, Floats, World

Pair = tuple[Floats, Floats]
"""What is summed above and below the line: a metric is the ratio of two sums over the cases."""


def _right(world: World) -> Floats:
    return (world.label == world.decided).astype(float)


def _confidence(world: World) -> Floats:
    return np.where(world.decided == 1, world.told, 1 - world.told)


def _expected(world: World) -> Floats:
    return np.where(world.decided == 1, world.meant, 1 - world.meant)


def _one(world: World) -> Floats:
    return np.ones(len(world))


RATIOS: dict[str, Callable[[World], Pair]] = {
    "accuracy": lambda w: (_right(w), _one(w)),
    "precision": lambda w: (w.label * w.decided, w.decided),
    "recall": lambda w: (w.label * w.decided, w.label),
    "f1_score": lambda w: (2 * w.label * w.decided, w.label + w.decided),
    "label_rate": lambda w: (w.label, _one(w)),
    "positive_rate": lambda w: (w.decided, _one(w)),
    "avg_confidence": lambda w: (_confidence(w), _one(w)),
    "confidence_gap": lambda w: (_confidence(w) - _right(w), _one(w)),
    "brier_score": lambda w: ((w.told - w.label) ** 2, _one(w)),
    "estimated_accuracy": lambda w: (_expected(w), _one(w)),
}
OWN_SUPPORT = ("precision", "recall")
"""Those whose support is neither the row count nor unknown: what is summed below the line."""


def read(
    counts: Floats, world: World, names: Collection[str] | None = None
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """The metrics of each period, and the supports of those that have their own.

    Args:
        counts: Cases by period and cell, [K, cells].
        world: Says what each cell is.
        names: Of the metrics that are asked for; None: all.
    """
    values: dict[str, Floats] = {}
    supports: dict[str, Floats] = {}
    for name, pair in RATIOS.items():
        if names is not None and name not in names:
            continue
        above, below = pair(world)
        under = counts @ below
        with np.errstate(invalid="ignore", divide="ignore"):
            values[name] = counts @ above / under
        if name in OWN_SUPPORT:
            supports[name] = under
    for name, over_scores in SCORED.items():
        if names is None or name in names:
            values[name] = over_scores(counts, world)
    return values, supports


def level(name: str, world: World) -> float:
    """The value of a metric in a world, without chance."""
    above, below = RATIOS[name](world)
    return float(world.chance @ above / (world.chance @ below))


def deviation(name: str, world: World, rows: float) -> float:
    """Standard deviation of a metric over periods of so many independent cases, by the delta method."""
    above, below = RATIOS[name](world)
    size = float(world.chance @ below)
    rest = above - level(name, world) * below
    return float(np.sqrt(world.chance @ rest**2 / rows) / size)


def auc(counts: Floats, world: World) -> Floats:
    """Area under the ROC curve of the binned scores; cases of one bin are ties. NaN where a class has no case."""
    by = np.zeros((2, len(counts), BINS))
    for label in (0, 1):
        one = np.zeros((len(world), BINS))
        one[np.arange(len(world)), world.rank] = world.label == label
        by[label] = counts @ one
    no, yes = by
    won = (yes * (np.cumsum(no, axis=1) - no / 2)).sum(axis=1)
    pairs = no.sum(axis=1) * yes.sum(axis=1)
    return np.divide(won, pairs, out=np.full(len(counts), np.nan), where=pairs > 0)


def calibration_error(counts: Floats, world: World) -> Floats:
    """Expected calibration error over the distinct scores told, at most ten groups of equal width (Naeini 2015)."""
    group = np.minimum((world.told * 10).astype(np.int64), 9)
    member = np.zeros((len(world), 10))
    member[np.arange(len(world)), group] = 1.0
    gap = np.abs((counts * (world.told - world.label)) @ member).sum(axis=1)
    total = counts.sum(axis=1)
    return np.divide(gap, total, out=np.full(len(counts), np.nan), where=total > 0)


SCORED: Mapping[str, Callable[[Floats, World], Floats]] = {
    "roc_auc": auc,
    "expected_calibration_error": calibration_error,
}
"""Those that are no ratio of two sums."""
