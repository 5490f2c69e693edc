"""Distances of simulated columns against scipy, and what a shift does to them."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from tests.benchmarks.detection.columns import COLUMNS, GROUPS, Shift, columns, js_distance, psi

COUNTS = np.random.default_rng(2).multinomial(500, np.append(np.linspace(1, 2, GROUPS) / 15.2, 0.2 / 15.2), size=4)
REFERENCE = np.append(np.full(GROUPS, 1 / GROUPS), 0.0)


def drawn(shift, periods=40):
    course = np.repeat([0.0, 1.0], periods // 2)
    found = columns(shift, course, np.full(periods, 5000.0), np.random.default_rng(5))
    return {name: values for name, values, _ in found}


def test_the_distance_is_that_of_scipy():
    expected = [jensenshannon(one / one.sum(), REFERENCE, base=2) for one in COUNTS]
    assert js_distance(COUNTS) == pytest.approx(expected)


def test_the_index_is_the_sum_of_differences_times_log_ratios():
    share = np.maximum(COUNTS[0] / COUNTS[0].sum(), 1e-4)
    then = np.maximum(REFERENCE, 1e-4)
    assert psi(COUNTS)[0] == pytest.approx(((share - then) * np.log(share / then)).sum())


@pytest.mark.parametrize(
    ("shift", "metric", "before", "after"),
    [
        pytest.param(Shift(moved=("income",)), "js_distance", 0.03, 0.2, id="moved"),
        pytest.param(Shift(missing=("income",)), "missing_rate", 0.015, 0.26, id="missing"),
        pytest.param(Shift(unseen=("income", "region")), "unseen_category_rate", 0.001, 0.25, id="unseen"),
    ],
)
def test_a_shift_moves_its_column_and_no_other(shift, metric, before, after):
    found = drawn(shift)
    hit = "region" if metric == "unseen_category_rate" else "income"
    assert found[hit][metric][:20].max() <= before
    assert found[hit][metric][20:].mean() == pytest.approx(after, abs=0.03)
    others = [found[name] for name in COLUMNS if name not in (hit, "income")]
    assert max(one[metric].max() for one in others if metric in one) <= 0.04
