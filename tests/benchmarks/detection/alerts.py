"""The benchmark `detection-alerts`: detection rate and delay of each check on many kinds of drift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Direction, Series
from tests.benchmarks.base import BenchmarkContext, Result, benchmark
from tests.benchmarks.detection.columns import COLUMNS, ColumnShift
from tests.benchmarks.detection.detectors import BASELINES, assumed_truth, default_detectors
from tests.benchmarks.detection.drops import ROW_COUNTS, SEED, STRONG, WEAK
from tests.benchmarks.detection.ground_truth import LabeledHistory
from tests.benchmarks.detection.populations import (
    IMBALANCED,
    covariate_shift,
    feature_loss,
    recall_loss,
    underconfidence,
)
from tests.benchmarks.detection.sampling import INDEPENDENT, NOISES, Noise
from tests.benchmarks.detection.scoring import DetectionScore, evaluate_alerts, summarize
from tests.benchmarks.detection.simulation import Scenario, Settings, simulate_history

SCENARIOS = (
    Scenario("sudden, sure model", Pattern.DROP, classifier=STRONG),
    Scenario("concept, sudden, fair model", Pattern.DROP, classifier=WEAK),
    Scenario("fading over 30", Pattern.DECLINE, classifier=STRONG, shape="gradual"),
    Scenario("spike of one period", Pattern.SPIKE, classifier=STRONG, shape="spike"),
    Scenario("seasonal: weekends", Pattern.SEASONAL, classifier=STRONG, shape="weekly"),
    Scenario("recall hidden under accuracy", Pattern.DROP, classifier=IMBALANCED, drift=recall_loss, metric="recall"),
    Scenario("confidence first", Pattern.DROP, classifier=STRONG, drift=covariate_shift, early_drift=underconfidence),
    Scenario("one segment only", Pattern.DROP, classifier=STRONG, segment="country=fr"),
    Scenario(
        "covariate",
        Pattern.DROP,
        classifier=STRONG,
        drift=covariate_shift,
        column_shift=ColumnShift(drifted=COLUMNS[:4]),
    ),
    Scenario(
        "upstream fault",
        Pattern.DROP,
        classifier=STRONG,
        drift=feature_loss,
        column_shift=ColumnShift(missing=("income",)),
    ),
)
EFFECT_SIZE = 4.0
PERIODS_BEFORE, PERIODS_AFTER = 90, 60


def simulate_histories(scenario: Scenario, noise: Noise, count: int) -> list[tuple[Settings, LabeledHistory]]:
    """Simulate `count` histories with each row count on which the metric can drop that far."""
    histories = []
    for index in range(count):
        for rows in ROW_COUNTS:
            settings = Settings(
                before=PERIODS_BEFORE, after=PERIODS_AFTER, rows=rows, effect_size=EFFECT_SIZE, noise=noise
            )
            try:
                histories.append((settings, simulate_history(scenario, settings, SEED, index)))
            except ValueError:  # on few rows the standard error is too large
                continue
    return histories


def monitored_series(labeled: LabeledHistory) -> list[Series]:
    """Return the series that can get worse: the metrics over all rows, and those of the segment that drops."""
    segment = labeled.truth.segment
    return [
        series
        for series in labeled.history.series.values()
        if series.better is not Direction.NEITHER and series.key.segment in ("all", segment)
    ]


def score_detectors(
    scenario: Scenario, histories: Sequence[tuple[Settings, LabeledHistory]]
) -> dict[str, tuple[DetectionScore, DetectionScore]]:
    """Score each detector on the series that drops, and on all series of the model together."""
    indexed_series = [
        (index, series) for index, (_, labeled) in enumerate(histories) for series in monitored_series(labeled)
    ]
    truths = [assumed_truth(scenario.classifier, series, histories[index][0]) for index, series in indexed_series]
    scores = {}
    for name, detect in (dict(BASELINES) | dict(default_detectors())).items():
        target_alerts: list[list[int]] = [[] for _ in histories]
        model_alerts: list[list[int]] = [[] for _ in histories]
        for (index, series), alerts in zip(
            indexed_series, detect([series for _, series in indexed_series], truths), strict=True
        ):
            labeled, periods = histories[index][1], histories[index][1].history.periods[series.key.model]
            indices = np.searchsorted(periods, series.times[alerts]).tolist()  # a period without rows has no value
            model_alerts[index] += indices
            target_alerts[index] += indices if series.key == labeled.target_series.key else []
        changepoints = [(_first_change(scenario, labeled), settings.periods) for settings, labeled in histories]
        scores[name] = (
            summarize(
                [
                    evaluate_alerts(alerts_of_one, labeled.truth.changepoint, settings.periods)
                    for alerts_of_one, (settings, labeled) in zip(target_alerts, histories, strict=True)
                ]
            ),
            summarize(
                [
                    evaluate_alerts(alerts_of_one, *changepoint)
                    for alerts_of_one, changepoint in zip(model_alerts, changepoints, strict=True)
                ]
            ),
        )
    return scores


def _first_change(scenario: Scenario, labeled: LabeledHistory) -> int | None:
    """Return the first period with any drift: an early alert about confidence is not false."""
    changepoint = labeled.truth.changepoint
    return changepoint if changepoint is None or scenario.early_drift is None else changepoint - scenario.lead_periods


@benchmark("detection-alerts")
def detection_alerts(context: BenchmarkContext) -> Iterator[Result]:
    """Shares that each check finds of what may happen to a model, 4 SE large; beside two rivals."""
    for noise in NOISES:
        count = (2 if noise is INDEPENDENT else 1) * context.runs
        for scenario in SCENARIOS:
            prefix = f"{noise.name}, {scenario.name}"
            scores = score_detectors(scenario, simulate_histories(scenario, noise, count))
            for name, (target_score, model_score) in scores.items():
                yield _result(f"{prefix}: {name}", scenario, target_score, model_score)


def _result(name: str, scenario: Scenario, target_score: DetectionScore, model_score: DetectionScore) -> Result:
    target_rate, model_rate = target_score.false_alert_rate, model_score.false_alert_rate
    if scenario.pattern is Pattern.SEASONAL:
        note = f"alerts a metric-year, all of them false; {model_rate:.3g} a model-year"
        return Result(name, target_rate, None, "", note)
    max_delay = 3 if scenario.pattern is Pattern.SPIKE else 30
    note = f"found within {max_delay}, of {len(target_score.delays)}; median {target_score.median_delay:g} periods"
    note += f"; found at all {target_score.detection_rate:.0%}"
    note += f"; by any metric {model_score.detected_within(max_delay):.0%}"
    note += f"; {target_rate:.3g} false a metric-year of it, {model_rate:.3g} a model-year"
    return Result(name, 100 * target_score.detected_within(max_delay), None, " %", note)
