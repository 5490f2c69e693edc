"""Simulated columns of a prediction log: distance from the reference, missing values, unseen categories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.detection.populations import Floats

BIN_COUNT = 10
NUMERIC = ("age", "amount", "income", "tenure")
CATEGORICAL = ("device", "region")
COLUMNS = (*NUMERIC, *CATEGORICAL)
MISSING = 0.01
"""Share of missing values of a healthy column."""
MIN_SHARE = 1e-4
DRIFT_THRESHOLD = 0.1
"""JS distance from which on a column counts as drifted."""


@dataclass(frozen=True)
class ColumnShift:
    """Drift of the columns of the log, at its full extent."""

    drifted: tuple[str, ...] = ()
    """Columns whose distribution shifts."""
    tilt: float = 0.8
    """Extent of that shift: log ratio of the outermost bins to the middle."""
    missing: tuple[str, ...] = ()
    """Columns with missing values in `affected_share` of the rows."""
    unseen: tuple[str, ...] = ()
    """Columns with categories that the reference does not have, in `affected_share` of the rows."""
    affected_share: float = 0.25


NO_SHIFT = ColumnShift()


def sample_columns(
    shift: ColumnShift, profile: Floats, rows: Floats, rng: np.random.Generator
) -> Iterator[tuple[str, dict[str, Floats], Floats]]:
    """Yield name, metrics by period, and rows with a value by period of each column.

    Args:
        shift: Drift of the columns.
        profile: Extent of the drift by period, 0 to 1, [K].
        rows: Rows by period, [K].
        rng: Random number generator.
    """
    slope = np.linspace(-1, 1, BIN_COUNT)
    for name in COLUMNS:
        tilted = np.exp(shift.tilt * slope * (name in shift.drifted))
        drifted_share = profile[:, None]
        shares = (1 - drifted_share) / BIN_COUNT + drifted_share * tilted / tilted.sum()
        missing = rng.binomial(rows.astype(int), MISSING + shift.affected_share * profile * (name in shift.missing))
        present = rows - missing
        unseen = rng.binomial(present.astype(int), shift.affected_share * profile * (name in shift.unseen))
        counts = np.column_stack([rng.multinomial((present - unseen).astype(int), shares), unseen])
        values = {"psi": psi(counts), "js_distance": js_distance(counts), "missing_rate": missing / np.maximum(rows, 1)}
        if name in CATEGORICAL:
            values["unseen_category_rate"] = unseen / np.maximum(present, 1)
        yield name, values, present


def drifted_share(distances: list[Floats]) -> Floats:
    """Return the share of drifted columns by period, from the JS distances of each column."""
    share: Floats = (np.stack(distances) >= DRIFT_THRESHOLD).mean(axis=0)
    return share


def _bin_shares(counts: Floats) -> tuple[Floats, Floats]:
    reference = np.append(np.full(BIN_COUNT, 1 / BIN_COUNT), 0.0)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), np.broadcast_to(reference, counts.shape)


def psi(counts: Floats) -> Floats:
    """Compute the population stability index by period, against equal bins and an empty one for unseen categories."""
    bins = np.append(np.ones(BIN_COUNT, bool), counts[:, -1].any())
    current, reference = (np.maximum(shares[:, bins], MIN_SHARE) for shares in _bin_shares(counts))
    index: Floats = ((current - reference) * np.log(current / reference)).sum(axis=1)
    return index


def js_distance(counts: Floats) -> Floats:
    """Compute the Jensen-Shannon distance by period, base 2."""
    current, reference = _bin_shares(counts)
    mixture = (current + reference) / 2
    divergence = np.zeros(len(counts))
    for shares in (current, reference):
        positive = np.where(shares > 0, shares, 1.0)
        log_ratio = np.log2(positive / np.where(mixture > 0, mixture, 1.0))
        divergence += np.where(shares > 0, shares * log_ratio, 0.0).sum(axis=1) / 2
    return np.sqrt(np.clip(divergence, 0, 1))
