"""What others do on the same histories, and what could be done by one who knew everything but the moment.

Each gives the places at which an alert begins, and is told once for as long as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.polynomial.legendre import leggauss

from modeltop.core.series import Direction, Series
from tests.benchmarks.detection.ground_truth import Truth
from tests.benchmarks.detection.populations import Floats

FLOOR = 0.02
"""The naive floor lies so far below what is usual."""
WINDOW = 30
SIGMAS = 3.0
RATE = 0.02
"""False alerts per metric-year of daily periods that the oracle is set to."""
YEAR = 365.25


def naive(series: Series, truth: Truth) -> list[int]:
    """A limit at a typical place, two points beyond the usual value, and every crossing an alert."""
    if series.better is Direction.LOWER:
        return begins(series.values > truth.mean + FLOOR)
    return begins(series.values < truth.mean - FLOOR)


def usual(series: Series, truth: Truth) -> list[int]:
    """Outside mean ± 3σ of the 30 periods before, on either side."""
    beyond = np.zeros(len(series), bool)
    if len(series) > WINDOW:
        windows = np.lib.stride_tricks.sliding_window_view(series.values, WINDOW)[:-1]
        far = np.abs(series.values[WINDOW:] - windows.mean(axis=1))
        beyond[WINDOW:] = far > SIGMAS * windows.std(axis=1, ddof=1)
    return begins(beyond)


@dataclass(frozen=True)
class Oracle:
    """A one-sided CUSUM (Page 1954) that knows mean, deviation and size; it starts anew after each alert."""

    size: float
    """Of the fall, in deviations."""
    limit: float

    def __call__(self, series: Series, truth: Truth) -> list[int]:
        """Places at which it alerts."""
        found, total = [], 0.0
        for place, value in enumerate(fallen_by(series.values, series.better, truth).tolist()):
            total = max(0.0, total + value - self.size / 2)
            if total > self.limit:
                found.append(place)
                total = 0.0
        return found


def fallen_by(values: Floats, better: Direction, truth: Truth) -> Floats:
    """How far values lie on the bad side of their mean, in deviations."""
    return (1 if better is Direction.LOWER else -1) * (values - truth.mean) / truth.deviation


def begins(beyond: np.ndarray) -> list[int]:
    """Places at which a run of objections begins."""
    return [int(place) for place in np.flatnonzero(beyond & ~np.append(False, beyond[:-1]))]


def run_length(slack: float, limit: float, shift: float = 0.0) -> float:
    """Mean periods until a one-sided CUSUM of unit normals of mean `shift` alerts, from 0.

    Solves Page's integral equation on Gauss-Legendre nodes (Goel & Wu 1971), exact to many digits.
    """
    nodes, weights = leggauss(60)
    at = (nodes + 1) * limit / 2
    weight = weights * limit / 2
    steps = at[None, :] - at[:, None] + slack - shift
    density = np.exp(-(steps**2) / 2) / np.sqrt(2 * np.pi)
    back = np.array([NormalDist().cdf(slack - shift - x) for x in at])
    # L(x) = 1 + L(0) Φ(k - x) + ∫ L(y) φ(y - x + k) dy, at the nodes and at 0.
    first = np.exp(-((at + slack - shift) ** 2) / 2) / np.sqrt(2 * np.pi) * weight
    top = np.append(1 - NormalDist().cdf(slack - shift), -first)
    body = np.column_stack([-back, np.eye(len(at)) - density * weight[None, :]])
    return float(np.linalg.solve(np.vstack([top, body]), np.ones(len(at) + 1))[0])


@lru_cache(maxsize=64)
def decision_interval(slack: float, length: float) -> float:
    """The limit of a CUSUM that alerts by chance once in `length` periods."""
    low, high = 0.0, 8.0 / slack  # the run length grows as e to the 2 × slack × limit
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if run_length(slack, middle) < length else (low, middle)
    return high


STATES = 80


def chained_length(steps: Floats, limit: float) -> float:
    """Mean periods until a CUSUM of such steps alerts, from 0: a Markov chain (Brook & Evans 1972).

    Args:
        steps: Draws of the step of a healthy period, sorted.
        limit: Beyond which it alerts.
    """
    width = 2 * limit / (2 * STATES - 1)
    at = np.arange(STATES) * width
    ends = (np.arange(STATES) + 0.5) * width
    below = np.searchsorted(steps, ends[None, :] - at[:, None], side="right") / len(steps)
    moves = np.diff(below, axis=1, prepend=0.0)
    try:
        return float(np.linalg.solve(np.eye(STATES) - moves, np.ones(STATES))[0])
    except np.linalg.LinAlgError:
        return float("inf")


def calibrated(z: Floats, slack: float, length: float) -> float:
    """The limit of a CUSUM that alerts by chance once in `length` periods, for whatever way the values are spread.

    Few cases make skewed values, on which the limit for normal ones would alert ten times as often.

    Args:
        z: Draws of healthy values, in deviations on the bad side; the more, the better the limit is known.
        slack: What is taken off each.
        length: In periods.
    """
    steps = np.sort(z - slack)
    low, high = 1e-6, 24.0 / slack
    for _ in range(16):
        middle = (low + high) / 2
        length_there = chained_length(steps, middle)
        low, high = (middle, high) if 0 < length_there < length else (low, middle)
    return high
