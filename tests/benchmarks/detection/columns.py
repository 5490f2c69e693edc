"""Simulated columns of a prediction log: how far each lies from its reference, what is missing, what was never seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tests.benchmarks.detection.populations import Floats

GROUPS = 10
NUMBERS = ("age", "amount", "income", "tenure")
CATEGORIES = ("device", "region")
COLUMNS = (*NUMBERS, *CATEGORIES)
MISSING = 0.01
"""Share of empty cells of a healthy column."""
LEAST_SHARE = 1e-4
MOVED = 0.1
"""JS distance from which on a column counts as moved."""


@dataclass(frozen=True)
class Shift:
    """What happens to the columns of the log, once it is complete."""

    moved: tuple[str, ...] = ()
    """These take other values, all of them valid."""
    tilt: float = 0.8
    """How far: the log-ratio of the outermost groups to the middle."""
    missing: tuple[str, ...] = ()
    """These become empty in `lost` of the rows."""
    unseen: tuple[str, ...] = ()
    """These take values that the reference never had, in `lost` of the rows."""
    lost: float = 0.25


NO_SHIFT = Shift()


def columns(
    shift: Shift, course: Floats, rows: Floats, chance: np.random.Generator
) -> Iterator[tuple[str, dict[str, Floats], Floats]]:
    """Per column its name, its metrics by period, and its rows with a value.

    Args:
        shift: What happens.
        course: How much of it has happened, 0 to 1, by period.
        rows: Rows by period.
        chance: The source of randomness.
    """
    slope = np.linspace(-1, 1, GROUPS)
    for name in COLUMNS:
        tilted = np.exp(shift.tilt * slope * (name in shift.moved))
        part = course[:, None]
        shares = (1 - part) / GROUPS + part * tilted / tilted.sum()
        empty = chance.binomial(rows.astype(int), MISSING + shift.lost * course * (name in shift.missing))
        full = rows - empty
        strange = chance.binomial(full.astype(int), shift.lost * course * (name in shift.unseen))
        now = np.column_stack([chance.multinomial((full - strange).astype(int), shares), strange])
        values = {"psi": psi(now), "js_distance": js_distance(now), "missing_rate": empty / np.maximum(rows, 1)}
        if name in CATEGORIES:
            values["unseen_category_rate"] = strange / np.maximum(full, 1)
        yield name, values, full


def drifted_share(distances: list[Floats]) -> Floats:
    """Share of the columns that moved, by period."""
    found: Floats = (np.stack(distances) >= MOVED).mean(axis=0)
    return found


def _shares(counts: Floats) -> tuple[Floats, Floats]:
    reference = np.append(np.full(GROUPS, 1 / GROUPS), 0.0)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), np.broadcast_to(reference, counts.shape)


def psi(counts: Floats) -> Floats:
    """Population stability index against equal groups and an empty one for what was never seen."""
    used = np.append(np.ones(GROUPS, bool), counts[:, -1].any())
    now, then = (np.maximum(part[:, used], LEAST_SHARE) for part in _shares(counts))
    found: Floats = ((now - then) * np.log(now / then)).sum(axis=1)
    return found


def js_distance(counts: Floats) -> Floats:
    """Jensen-Shannon distance, base 2."""
    now, then = _shares(counts)
    middle = (now + then) / 2
    total = np.zeros(len(counts))
    for part in (now, then):
        safe = np.where(part > 0, part, 1.0)
        total += np.where(part > 0, part * np.log2(safe / np.where(middle > 0, middle, 1.0)), 0.0).sum(axis=1) / 2
    return np.sqrt(np.clip(total, 0, 1))
