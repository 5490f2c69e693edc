"""The cumulative sum value by value, in plain Python: the oracle of `modeltop.core.stats.cusum`."""

import math
from dataclasses import dataclass

from modeltop.core.stats.clipped_moments import OUTLIER_CUTOFF
from modeltop.core.stats.cusum import (
    CORRELATION_BLOCKS,
    CORRELATION_CAUTION,
    MAX_AUTOCORRELATION,
    MIN_RELATIVE_STD,
    ROUNDING,
    Cusum,
)

TINY = 2.2250738585072014e-308


def blockwise(terms, size):
    """Return the sum of the last `size` terms: first those left of the block before, newest first, then the others."""
    start = len(terms) // size * size
    before = terms[max(len(terms) - size, 0) : start]
    return add(reversed(before)) + add(terms[start:])


def exact(terms, size):
    """Return the sum of the last `size` terms, rounded once."""
    return math.fsum(terms[-size:])


def add(terms):
    """Add one by one, as `np.cumsum` does and `sum` from Python 3.12 on does not."""
    total = 0.0
    for term in terms:
        total += term
    return total


@dataclass
class Run:
    start: int
    mean: float
    variance: float
    gain: float
    score: float = 0.0
    peak: float = 0.0
    good_values: int = 0


def scores_by_value(values, cusum=None, *, noise=None, trust=None, total=blockwise):
    """Return the sum after each value and the start of its run (itself outside of runs).

    Args:
        values: Of one sequence.
        cusum: Its settings.
        noise: Sampling variance of each value, if it is known.
        trust: Weight of each deviate, if not 1.
        total: How a window is summed up.
    """
    if not len(values):
        return [], []
    cusum = cusum or Cusum()
    scores, starts = [], []
    clipped, squares, products = [], [], []
    run = None
    first = sorted(values[: cusum.min_reference])
    median = first[(len(first) - 1) // 2]
    offset = median if abs(values[0]) > 1e6 * abs(median) else values[0]
    for row, value in enumerate(values):
        shifted, size = value - offset, min(row, cusum.max_reference)
        if size >= cusum.min_reference:
            mean = total(clipped, cusum.max_reference) / size
            deviation = total(squares, cusum.max_reference) - total(clipped, cusum.max_reference) * mean
            variance = max(deviation, 0.0) / (size - 1)
            fall = mean - shifted
            if run is None and fall > 0 and fall * fall > cusum.slack**2 * (noise[row] if noise else variance):
                rho = correlation(row, cusum.max_reference, (clipped, squares, products), total)
                own_noise = total(noise[:row], cusum.max_reference) / size if noise else None
                usual = mean + offset
                run = start_run(row, cusum, size, mean, variance, rho, own_noise, usual)
            if run is not None:
                run = advance(run, cusum, row, shifted, noise[row] if noise else 0.0, trust[row] if trust else 1.0)
            reach = OUTLIER_CUTOFF * math.sqrt(variance)
            shifted = min(max(shifted, mean - reach), mean + reach)
        products.append(shifted * (clipped[-1] if clipped else 0.0))
        clipped.append(shifted)
        squares.append(shifted * shifted)
        scores.append(run.score if run else 0.0)
        starts.append(run.start if run else row)
    return scores, starts


def correlation(row, size, columns, total):
    """Return the autocorrelation before a value: of the values before it, and of whole blocks before those."""
    used = min(row, size)
    weighted, count = window_correlation(row, size, columns, total) * used, used
    for lag in range(1, CORRELATION_BLOCKS + 1):
        end = (row // size - lag) * size
        if end > 0:
            weighted += window_correlation(end, size, columns, total) * size
            count += size
    return min(max(weighted / count - CORRELATION_CAUTION / math.sqrt(count), 0.0), MAX_AUTOCORRELATION)


def window_correlation(end, size, columns, total):
    """Return the autocorrelation of the values before an index, less its bias."""
    used = min(end, size)
    sums, squares, products = (total(column[:end], size) for column in columns)
    mean = sums / used
    population = max(squares - sums * mean, 0.0) / (used - 1) * (used - 1) / used
    rho = (products / used - mean * mean) / population if population > (ROUNDING * mean) ** 2 else 0.0
    return rho + (1 + 3 * rho) / used


def start_run(row, cusum, size, mean, variance, rho, noise, usual):
    least, rounding = MIN_RELATIVE_STD * usual, ROUNDING * mean
    excess = max(variance, rounding * rounding, least * least)
    certainty = 1 / (1 + (cusum.scale_uncertainty if noise is None else 1.0) / math.sqrt(2 * (size - 1)))
    if noise is not None:
        excess = max((1 - math.sqrt(2 / size)) * variance - noise, 0.0)
        certainty = certainty if excess > 0 else 1.0
    return Run(row, mean, excess * (1 + 1 / size), certainty * math.sqrt((1 - rho) / (1 + rho)))


def advance(run, cusum, row, value, noise, trust):
    """Return the run after one more value; None if that ends it."""
    deviate = (run.mean - value) / math.sqrt(max(run.variance + noise, TINY)) * trust
    run.good_values = run.good_values + 1 if deviate <= cusum.slack else 0
    deviate *= run.gain
    counted = min(deviate, cusum.cap)
    run.score = max(run.score + counted - cusum.slack, 0.0)
    run.peak = max(run.peak, run.score)
    is_recovered = run.good_values >= cusum.recovery_values or row - run.start >= cusum.max_run
    return None if run.score <= 0 or (run.peak > cusum.threshold and is_recovered) else run


def runs_by_value(values, cusum=None, **columns):
    """Return start and scores of the runs with an alarm."""
    cusum = cusum or Cusum()
    scores, starts = scores_by_value(values, cusum, **columns)
    runs = {}
    for score, start in zip(scores, starts, strict=True):
        if score > 0:
            runs.setdefault(start, []).append(score)
    return [(start, run) for start, run in runs.items() if max(run) > cusum.threshold]
