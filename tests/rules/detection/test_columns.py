"""Distances of simulated columns, compared with scipy, and the effect of a shift on them."""

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from tests.benchmarks.detection.columns import BIN_COUNT, COLUMNS, ColumnShift, js_distance, psi, sample_columns

COUNTS = np.random.default_rng(2).multinomial(500, np.append(np.linspace(1, 2, BIN_COUNT) / 15.2, 0.2 / 15.2), size=4)
REFERENCE = np.append(np.full(BIN_COUNT, 1 / BIN_COUNT), 0.0)


def sample_metrics(shift, periods=40):
    profile = np.repeat([0.0, 1.0], periods // 2)
    columns = sample_columns(shift, profile, np.full(periods, 5000.0), np.random.default_rng(5))
    return {name: values for name, values, _ in columns}


def test_the_distance_is_that_of_scipy():
    expected = [jensenshannon(counts / counts.sum(), REFERENCE, base=2) for counts in COUNTS]
    assert js_distance(COUNTS) == pytest.approx(expected)


def test_the_index_is_the_sum_of_differences_times_log_ratios():
    share = np.maximum(COUNTS[0] / COUNTS[0].sum(), 1e-4)
    reference = np.maximum(REFERENCE, 1e-4)
    assert psi(COUNTS)[0] == pytest.approx(((share - reference) * np.log(share / reference)).sum())


@pytest.mark.parametrize(
    ("shift", "metric", "before", "after"),
    [
        pytest.param(ColumnShift(drifted=("income",)), "js_distance", 0.03, 0.2, id="drifted"),
        pytest.param(ColumnShift(missing=("income",)), "missing_rate", 0.015, 0.26, id="missing"),
        pytest.param(ColumnShift(unseen=("income", "region")), "unseen_category_rate", 0.001, 0.25, id="unseen"),
    ],
)
def test_a_shift_changes_its_column_and_no_other(shift, metric, before, after):
    columns = sample_metrics(shift)
    shifted = "region" if metric == "unseen_category_rate" else "income"
    assert columns[shifted][metric][:20].max() <= before
    assert columns[shifted][metric][20:].mean() == pytest.approx(after, abs=0.03)
    others = [columns[name] for name in COLUMNS if name not in (shifted, "income")]
    assert max(metrics[metric].max() for metrics in others if metric in metrics) <= 0.04
