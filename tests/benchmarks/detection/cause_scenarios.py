"""Scenarios with known causes, and the simulation of their histories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

import numpy as np

from modeltop.core.diagnosis import Cause, Pattern
from modeltop.core.series import History
from modeltop.rules.defaults import default_rules
from tests.benchmarks.detection.columns import COLUMNS, NO_SHIFT, ColumnShift
from tests.benchmarks.detection.ground_truth import MODEL, LabeledHistory
from tests.benchmarks.detection.populations import (
    IMBALANCED,
    Classifier,
    covariate_shift,
    feature_loss,
    label_shift,
    lowered_threshold,
    overconfidence,
    recall_loss,
    underconfidence,
)
from tests.benchmarks.detection.sampling import INDEPENDENT, Noise
from tests.benchmarks.detection.simulation import Scenario, Settings, simulate_history

STRONG = Classifier(separation=3.2)
DROP, DECLINE = Pattern.DROP, Pattern.DECLINE
ACCURACY_ONLY = ("accuracy",)
DECISION_METRICS = ("accuracy", "precision", "recall", "f1_score")
_LOGGED = {"classifier": STRONG, "with_segments": True, "column_shift": NO_SHIFT}
_MANY_SHIFTED = _LOGGED | {"column_shift": ColumnShift(drifted=COLUMNS[:4])}
_ONE_SHIFTED = _LOGGED | {"column_shift": ColumnShift(drifted=("income",))}
_MISSING_VALUES = _LOGGED | {"column_shift": ColumnShift(missing=("income",))}
_UNSEEN_VALUES = _LOGGED | {"column_shift": ColumnShift(unseen=("device",))}
IDENTIFIABLE = (
    Scenario("covariate", DROP, Cause.DATA_DRIFT, drift=covariate_shift, **_MANY_SHIFTED),
    Scenario("covariate, fading", DECLINE, Cause.DATA_DRIFT, "gradual", drift=covariate_shift, **_MANY_SHIFTED),
    Scenario("covariate, no features", DROP, Cause.DATA_DRIFT, drift=covariate_shift, classifier=STRONG),
    Scenario(
        "confidence first",
        DROP,
        Cause.DATA_DRIFT,
        drift=covariate_shift,
        early_drift=underconfidence,
        **_MANY_SHIFTED,
    ),
    Scenario("one feature", DROP, Cause.FEATURE_DRIFT, drift=covariate_shift, **_ONE_SHIFTED),
    Scenario("concept", DROP, Cause.CONCEPT_DRIFT, **_LOGGED),
    Scenario("concept, fading", DECLINE, Cause.CONCEPT_DRIFT, "gradual", **_LOGGED),
    Scenario("concept, no features", DROP, Cause.CONCEPT_DRIFT, classifier=STRONG),
    Scenario("recall hidden", DROP, Cause.CONCEPT_DRIFT, drift=recall_loss, metric="recall", classifier=IMBALANCED),
    Scenario("fewer yes", DROP, Cause.LABEL_SHIFT, drift=label_shift, metric="precision", **_LOGGED),
    Scenario("values missing", DROP, Cause.UPSTREAM, drift=feature_loss, **_MISSING_VALUES),
    Scenario("values unseen", DROP, Cause.UPSTREAM, drift=feature_loss, **_UNSEEN_VALUES),
    Scenario("noted", DROP, Cause.BUSINESS, note="new price list in all shops", **_LOGGED),
    Scenario("new segment", DROP, Cause.BUSINESS, new_segment=True, **_LOGGED),
    Scenario("stopped", Pattern.STEADY, Cause.OUTAGE, "steady", **_LOGGED),
    Scenario("few rows", DROP, Cause.OUTAGE, drift=covariate_shift, volume_ratio=0.2, **_LOGGED),
    Scenario("one segment", DROP, Cause.SEGMENT, segment="country=fr", **_LOGGED),
    Scenario("chance", Pattern.STEADY, Cause.NOISE, "steady", **_LOGGED),
    Scenario("weekends", Pattern.SEASONAL, Cause.SEASON, "weekly", **_LOGGED),
    Scenario("threshold", DROP, Cause.THRESHOLD, drift=lowered_threshold, metric="precision", **_LOGGED),
    Scenario(
        "overconfident", DROP, Cause.CALIBRATION, drift=overconfidence, metric="brier_score", drift_share=1.0, **_LOGGED
    ),
)
"""Scenarios whose log holds the evidence of the cause."""
UNIDENTIFIABLE = (
    Scenario(
        "covariate, accuracy alone",
        DROP,
        Cause.UNKNOWN,
        drift=covariate_shift,
        classifier=STRONG,
        metrics=ACCURACY_ONLY,
    ),
    Scenario("concept, accuracy alone", DROP, Cause.UNKNOWN, classifier=STRONG, metrics=ACCURACY_ONLY),
    Scenario(
        "blinded, decisions alone", DROP, Cause.UNKNOWN, drift=feature_loss, classifier=STRONG, metrics=DECISION_METRICS
    ),
    Scenario("fading, accuracy alone", DECLINE, Cause.UNKNOWN, "gradual", classifier=STRONG, metrics=ACCURACY_ONLY),
)
"""Scenarios whose log does not hold it."""
SETTINGS = (Settings(before=60, after=10), Settings(before=90, after=25))
GRADUAL_SETTINGS = (Settings(before=60, after=30, ramp=20), Settings(before=90, after=45, ramp=40))


@dataclass(frozen=True, slots=True)
class Difficulty:
    """Effect sizes, row counts and noise of a set of histories."""

    name: str
    effect_sizes: tuple[float, ...]
    row_counts: tuple[int, ...]
    noise: Noise
    seed: int


CLEAR = Difficulty("evidence exists", (5.0, 8.0), (2000, 10_000), INDEPENDENT, 62)
FAINT = Difficulty(
    "evidence is faint (3 and 4 SE, AR(1) φ=0.3)", (3.0, 4.0), (500, 5000), Noise(autocorrelation=0.3), 63
)
"""Held out: nothing is tuned on these."""
OUTAGE_AGE = timedelta(days=5)
"""Age of the last row at which an outage is diagnosed."""
FEW_ROWS = 120


def simulate_causes(
    scenario: Scenario, count: int, difficulty: Difficulty = CLEAR
) -> Iterator[tuple[int, Settings, LabeledHistory]]:
    """Yield index, settings and history; those of noise and seasons end at a breach of the default floor."""
    candidates = GRADUAL_SETTINGS if scenario.shape == "gradual" else SETTINGS
    grid = list(product(candidates, difficulty.row_counts, difficulty.effect_sizes))
    simulated, index = 0, 0
    while simulated < count:
        candidate, rows, effect_size = grid[index % len(grid)]
        settings = replace(
            candidate,
            rows=FEW_ROWS if scenario.cause is Cause.NOISE else rows,
            effect_size=effect_size,
            noise=difficulty.noise,
        )
        labeled: LabeledHistory | None = simulate_history(scenario, settings, difficulty.seed, index)
        if labeled is not None and scenario.cause in (Cause.NOISE, Cause.SEASON):
            labeled = _truncate_at_breach(labeled)
        if labeled is not None:
            simulated += 1
            yield index, settings, labeled
        index += 1


def _truncate_at_breach(labeled: LabeledHistory) -> LabeledHistory | None:
    """Return the history up to its last period under the default floor; None if none of the last thirty is."""
    floor = next(rule for rule in default_rules() if rule.metric == "accuracy")
    breaches = np.flatnonzero(floor.detector.exceeded(labeled.target_series))
    if not len(breaches) or breaches[-1] < len(labeled.target_series) - 30:
        return None
    end = labeled.target_series.times[breaches[-1]]
    truncated = {
        key: series[: int(np.searchsorted(series.times, end)) + 1] for key, series in labeled.history.series.items()
    }
    times = labeled.history.periods[MODEL]
    return replace(labeled, history=History(truncated, {MODEL: times[times <= end]}))
