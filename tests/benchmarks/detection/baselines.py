"""Baseline detectors: a fixed threshold, three sigma, and an oracle that knows all but the changepoint.

Each returns the indices of the periods at which an alert starts; an alert lasts as long as its condition holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.polynomial.legendre import leggauss

from modeltop.core.series import Direction, Series
from tests.benchmarks.detection.ground_truth import GroundTruth
from tests.benchmarks.detection.populations import Floats

THRESHOLD_MARGIN = 0.02
"""Distance of the fixed threshold from the mean, in the metric's unit."""
WINDOW = 30
SIGMAS = 3.0
FALSE_ALERT_RATE = 0.02
"""False alerts per metric-year of daily periods that the oracle is calibrated to."""


def fixed_threshold(series: Series, truth: GroundTruth) -> list[int]:
    """Alert at every crossing of a threshold two points worse than the mean."""
    if series.better is Direction.LOWER:
        return run_starts(series.values > truth.mean + THRESHOLD_MARGIN)
    return run_starts(series.values < truth.mean - THRESHOLD_MARGIN)


def three_sigma(series: Series, truth: GroundTruth) -> list[int]:
    """Alert outside mean ± 3σ of the 30 periods before, on either side."""
    beyond = np.zeros(len(series), bool)
    if len(series) > WINDOW:
        windows = np.lib.stride_tricks.sliding_window_view(series.values, WINDOW)[:-1]
        distance = np.abs(series.values[WINDOW:] - windows.mean(axis=1))
        beyond[WINDOW:] = distance > SIGMAS * windows.std(axis=1, ddof=1)
    return run_starts(beyond)


@dataclass(frozen=True)
class OracleCusum:
    """One-sided CUSUM (Page 1954) with known mean, standard error and effect size; resets after each alert."""

    effect_size: float
    """Of the drop, in standard errors."""
    limit: float
    """Decision interval, in standard errors."""

    def __call__(self, series: Series, truth: GroundTruth) -> list[int]:
        """Return the indices of the alerts."""
        alerts, statistic = [], 0.0
        for index, value in enumerate(adverse_z_scores(series.values, series.better, truth).tolist()):
            statistic = max(0.0, statistic + value - self.effect_size / 2)
            if statistic > self.limit:
                alerts.append(index)
                statistic = 0.0
        return alerts


def adverse_z_scores(values: Floats, better: Direction, truth: GroundTruth) -> Floats:
    """Return z-scores that are positive on the bad side of the mean."""
    return (1 if better is Direction.LOWER else -1) * (values - truth.mean) / truth.standard_error


def run_starts(beyond: np.ndarray) -> list[int]:
    """Return the indices at which runs of true values start."""
    return [int(index) for index in np.flatnonzero(beyond & ~np.append(False, beyond[:-1]))]


def average_run_length(slack: float, limit: float, shift: float = 0.0) -> float:
    """Return the mean periods until a one-sided CUSUM of unit normals alerts, starting from 0.

    Solves Page's integral equation on Gauss-Legendre nodes (Goel & Wu 1971), exact to many digits.

    Args:
        slack: Reference value k that is subtracted from each observation.
        limit: Decision interval h.
        shift: Mean of the observations.
    """
    nodes, weights = leggauss(60)
    states = (nodes + 1) * limit / 2
    weights_by_state = weights * limit / 2
    steps = states[None, :] - states[:, None] + slack - shift
    density = np.exp(-(steps**2) / 2) / np.sqrt(2 * np.pi)
    to_zero = np.array([NormalDist().cdf(slack - shift - x) for x in states])
    # L(x) = 1 + L(0) Φ(k - x) + ∫ L(y) φ(y - x + k) dy, at the nodes and at 0.
    from_zero = np.exp(-((states + slack - shift) ** 2) / 2) / np.sqrt(2 * np.pi) * weights_by_state
    first_equation = np.append(1 - NormalDist().cdf(slack - shift), -from_zero)
    equations = np.column_stack([-to_zero, np.eye(len(states)) - density * weights_by_state[None, :]])
    return float(np.linalg.solve(np.vstack([first_equation, equations]), np.ones(len(states) + 1))[0])


@lru_cache(maxsize=64)
def decision_interval(slack: float, run_length: float) -> float:
    """Return the limit of a CUSUM of unit normals with one false alert in `run_length` periods on average."""
    low, high = 0.0, 8.0 / slack  # the run length grows as e to the 2 × slack × limit
    for _ in range(60):
        midpoint = (low + high) / 2
        low, high = (midpoint, high) if average_run_length(slack, midpoint) < run_length else (low, midpoint)
    return high


MARKOV_STATES = 80


def markov_run_length(steps: Floats, limit: float) -> float:
    """Return the mean periods until a CUSUM of any distribution alerts, by a Markov chain (Brook & Evans 1972).

    Args:
        steps: Sample of the increments of healthy periods, sorted.
        limit: Decision interval.
    """
    width = 2 * limit / (2 * MARKOV_STATES - 1)
    states = np.arange(MARKOV_STATES) * width
    upper_edges = (np.arange(MARKOV_STATES) + 0.5) * width
    cdf = np.searchsorted(steps, upper_edges[None, :] - states[:, None], side="right") / len(steps)
    transitions = np.diff(cdf, axis=1, prepend=0.0)
    try:
        return float(np.linalg.solve(np.eye(MARKOV_STATES) - transitions, np.ones(MARKOV_STATES))[0])
    except np.linalg.LinAlgError:
        return float("inf")


def calibrate_limit(z_scores: Floats, slack: float, run_length: float) -> float:
    """Return the limit of a CUSUM with one false alert in `run_length` periods, for any distribution of the values.

    On few rows values are skewed, and the limit for normal ones would alert ten times as often.

    Args:
        z_scores: Sample of healthy values, in standard errors, positive on the bad side.
        slack: Reference value that is subtracted from each.
        run_length: In periods.
    """
    steps = np.sort(z_scores - slack)
    low, high = 1e-6, 24.0 / slack
    for _ in range(16):
        midpoint = (low + high) / 2
        run_length_there = markov_run_length(steps, midpoint)
        low, high = (midpoint, high) if 0 < run_length_there < run_length else (low, midpoint)
    return high
