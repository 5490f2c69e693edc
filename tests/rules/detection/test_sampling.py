"""How periods vary: each alone by chance, together as they were asked to."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.tsa.stattools import acf

from tests.benchmarks.detection.metrics import deviation, level, read
from tests.benchmarks.detection.populations import Classifier, concept, joined
from tests.benchmarks.detection.sampling import Noise, draw

HEALTHY = Classifier().healthy
CHANGED = concept(HEALTHY)
BOTH = joined(HEALTHY, CHANGED, 0.0)


def accuracy(noise, *, rows=500, periods=4000, share=0.0, seed=3):
    many = np.full(periods, float(rows))
    counts = draw(HEALTHY, CHANGED, np.full(periods, share), many, noise, np.random.default_rng(seed))
    return read(counts, BOTH)[0]["accuracy"]


@pytest.mark.parametrize("stay", [0.0, 0.3, 0.6])
def test_values_are_autocorrelated_as_asked_and_vary_as_chance_says(stay):
    values = accuracy(Noise(stay=stay))
    assert acf(values, nlags=3)[1:] == pytest.approx([stay, stay**2, stay**3], abs=0.05)
    assert values.std() == pytest.approx(deviation("accuracy", HEALTHY, 500), rel=0.05)
    assert values.mean() == pytest.approx(level("accuracy", HEALTHY), abs=0.001)


def test_each_period_alone_is_binomial_even_where_rows_stay():
    right = np.rint(accuracy(Noise(stay=0.6), rows=20, periods=60_000)[::12] * 20).astype(int)
    chance = stats.binom(20, level("accuracy", HEALTHY)).pmf(np.arange(21))
    seen, expected = np.bincount(right, minlength=21), len(right) * chance
    few = expected < 5
    pooled = [np.append(one[~few], one[few].sum()) for one in (seen, expected)]
    assert stats.chisquare(pooled[0], pooled[1] * pooled[0].sum() / pooled[1].sum()).pvalue > 0.001


def test_copies_widen_the_spread_by_their_root():
    values = accuracy(Noise(copies=4))
    assert values.std() == pytest.approx(2 * deviation("accuracy", HEALTHY, 500), rel=0.05)
    assert acf(values, nlags=1)[1] == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("stay", [0.0, 0.6])
def test_a_change_shows_at_once_whatever_stays(stay):
    share = np.repeat([0.0, 0.2], 50)
    counts = [
        draw(HEALTHY, CHANGED, share, np.full(100, 1000.0), Noise(stay=stay), np.random.default_rng(seed))
        for seed in range(200)
    ]
    mean = np.mean([read(one, BOTH)[0]["accuracy"] for one in counts], axis=0)
    fall = 0.2 * (level("accuracy", HEALTHY) - level("accuracy", CHANGED))
    assert mean[49] - mean[50] == pytest.approx(fall, abs=0.004)
    assert mean[50:].std() < 0.002


def test_every_row_is_somewhere():
    rows = np.array([100.0, 80, 120])
    counts = draw(HEALTHY, CHANGED, np.array([0.0, 0.5, 1.0]), rows, Noise(stay=0.3), np.random.default_rng(1))
    assert counts.sum(axis=1).tolist() == rows.tolist()
    assert counts[2, : len(HEALTHY)].sum() == 0
