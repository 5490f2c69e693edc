"""95 % intervals cover the truth in 93 to 97.5 % of simulated periods, also where positives are one in a hundred."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from modeltop.predictions.aggregates.classification import MulticlassCounts
from modeltop.predictions.aggregates.regression import RegressionSums
from modeltop.predictions.metrics.binary import (
    BinaryConfusion,
    Cost,
    compute_binary,
    compute_confusion,
    cost_per_1000_rows,
)
from modeltop.predictions.metrics.compute import compute_metrics
from modeltop.predictions.metrics.intervals import fourth_central_moment

PERIODS = 20_000


def coverage(values, truth):
    """Return the proportion of the defined intervals that hold the truth."""
    defined = ~np.isnan(values.value)
    assert defined.mean() > 0.9
    return ((values.low <= truth) & (truth <= values.high))[defined].mean()


def assert_covers(values, truth, name):
    proportion = coverage(values, truth)
    assert 0.93 <= proportion <= 0.975, f"{name} covers {proportion:.3f}"


@pytest.mark.parametrize(
    ("rows", "prevalence", "recall", "alarms"),
    [
        pytest.param(1000, 0.01, 0.7, 0.01, id="1 % prevalence, ten positives a period"),
        pytest.param(5000, 0.01, 0.7, 0.01, id="1 % prevalence, fifty positives"),
        pytest.param(10_000, 0.01, 0.9, 0.001, id="1 % prevalence, a good model"),
        pytest.param(200, 0.3, 0.8, 0.1, id="small and mixed"),
        pytest.param(2000, 0.5, 0.6, 0.5, id="hardly better than chance"),
    ],
)
def test_intervals_of_decisions_cover_the_truth(rows, prevalence, recall, alarms):
    probabilities = np.array([prevalence * recall, (1 - prevalence) * alarms, prevalence * (1 - recall)])
    probabilities = np.append(probabilities, 1 - probabilities.sum())
    drawn = np.random.default_rng(1).multinomial(rows, probabilities, PERIODS).astype(float)
    tables, cost = BinaryConfusion(*drawn.T), Cost(fp=1, fn=20)
    exact = BinaryConfusion(*(np.array([probability * 1e9]) for probability in probabilities))
    truth = compute_confusion(exact) | {"cost": cost_per_1000_rows(exact, cost)}
    for name, values in (compute_confusion(tables) | {"cost": cost_per_1000_rows(tables, cost)}).items():
        assert_covers(values, truth[name].value[0], name)


def draw_scores(rng, rows, *, centre, width):
    inner = centre + width * rng.standard_normal(rows)
    score = 1 / (1 + np.exp(-inner))
    return (rng.random(rows) < score).astype(int), (score >= 0.5).astype(int), score


def truths(label, prediction, score):
    confidence = np.where(prediction == 1, score, 1 - score).mean()
    return {
        "roc_auc": oracle.roc_auc_score(label, score),
        "average_precision": oracle.average_precision_score(label, score),
        "brier_score": oracle.brier_score_loss(label, score),
        "log_loss": oracle.log_loss(label, score),
        "avg_confidence": confidence,
        "confidence_gap": confidence - (label == prediction).mean(),
    }


@pytest.mark.parametrize(
    ("rows", "centre", "width"),
    [
        pytest.param(1000, -6, 2, id="1.4 % prevalence, fourteen positives a period"),
        pytest.param(300, -1, 2, id="small and mixed"),
        pytest.param(1000, -8, 3.5, id="2 % prevalence, crowded at 0"),
    ],
)
@pytest.mark.slow
def test_intervals_of_scores_cover_the_truth(binary, rows, centre, width):
    rng, cells = np.random.default_rng(2), 2500
    truth = truths(*draw_scores(rng, 2_000_000, centre=centre, width=width))
    cell = np.arange(rows * cells) % cells
    metrics = compute_binary(
        binary(*draw_scores(rng, rows * cells, centre=centre, width=width), cell=cell, cells=cells)
    )
    for name, value in truth.items():
        assert_covers(metrics[name], value, name)


def regression_sums(label, error):
    rows = label.shape[1]
    sums = {
        "error": error,
        "absolute": np.abs(error),
        "squared": error**2,
        "fourth": error**4,
        "label": label,
        "spread": (label - label.mean(axis=1, keepdims=True)) ** 2,
        "relative": np.abs(error / label),
        "relative2": (error / label) ** 2,
    }
    counts = np.full(len(label), rows)
    return RegressionSums(
        count=counts,
        unlabelled=counts * 0,
        nonzero=counts,
        **{name: values.sum(axis=1) for name, values in sums.items()},
    )


@pytest.mark.parametrize("rows", [30, 300])
@pytest.mark.parametrize("draw", ["normal", "laplace"])
def test_intervals_of_mean_errors_cover_the_truth(draw, rows):
    rng, periods = np.random.default_rng(3), 4000
    label = 10 + rng.random((periods, rows))
    error = getattr(rng, draw)(0.3, 1.0, (periods, rows))
    errors, labels = getattr(rng, draw)(0.3, 1.0, 4_000_000), 10 + rng.random(4_000_000)
    truth = {
        "mae": np.abs(errors).mean(),
        "rmse": np.sqrt((errors**2).mean()),
        "bias": 0.3,
        "mape": np.abs(errors / labels).mean(),
    }
    metrics = compute_metrics(regression_sums(label, error))
    for name, value in truth.items():
        assert_covers(metrics[name], value, name)


@pytest.mark.parametrize("rows", [150, 2000])
def test_intervals_of_several_classes_cover_the_truth(rows):
    probabilities = np.array([[0.5, 0.06, 0.04], [0.05, 0.2, 0.05], [0.02, 0.02, 0.06]])
    drawn = np.random.default_rng(4).multinomial(rows, probabilities.ravel(), 4000).reshape(-1, 3, 3)

    def multiclass_counts(confusion):
        counts = MulticlassCounts.empty(len(confusion), ("a", "b", "c"), scores=False)
        counts.confusion[:, :3] = confusion
        return counts

    truth = compute_metrics(multiclass_counts((probabilities * 1e9).round().astype(int)[None]))
    for name, values in compute_metrics(multiclass_counts(drawn)).items():
        if name != "label_coverage":
            assert_covers(values, truth[name].value[0], name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "centre", "width"),
    [(500, -6, 2), (5000, -6, 2), (100, 0, 1.5), (5000, 0, 6), (5000, -8, 3.5)],
)
def test_intervals_of_scores_cover_the_truth_in_more_cases(binary, concat, rows, centre, width):
    rng = np.random.default_rng(5)
    truth = truths(*draw_scores(rng, 4_000_000, centre=centre, width=width))
    counts = []
    for _ in range(max(1, rows // 500)):
        cells = 500 * 500 // rows * 8
        cell = np.arange(rows * cells) % cells
        drawn = draw_scores(rng, rows * cells, centre=centre, width=width)
        counts.append(binary(*drawn, cell=cell, cells=cells))
    metrics = compute_binary(concat(counts))
    for name, value in truth.items():
        assert_covers(metrics[name], value, name)


def test_the_fourth_central_moment_is_that_of_the_values():
    values = np.random.default_rng(4).gamma(2.0, 3.0, 500)
    raw = [np.array([(values**power).mean()]) for power in (1, 2, 3, 4)]
    assert fourth_central_moment(*raw)[0] == pytest.approx(((values - values.mean()) ** 4).mean())
