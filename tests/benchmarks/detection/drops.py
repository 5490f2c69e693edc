"""The benchmark `detection-falls`: delay of the default rule for lasting shifts, compared with the oracle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from modeltop.core.diagnosis import Pattern
from modeltop.core.stats.intervals import wilson
from modeltop.rules.defaults import default_rules
from tests.benchmarks.base import BenchmarkContext, Result, benchmark
from tests.benchmarks.detection.detectors import DEFAULT_SHIFT, ORACLE, BatchDetector, default_detectors, per_series
from tests.benchmarks.detection.ground_truth import MODEL
from tests.benchmarks.detection.metrics import OWN_SUPPORT
from tests.benchmarks.detection.oracle import calibrated_cusum
from tests.benchmarks.detection.populations import IMBALANCED, Classifier, recall_loss
from tests.benchmarks.detection.sampling import INDEPENDENT, NOISES, Noise
from tests.benchmarks.detection.scoring import DetectionScore, evaluate_alerts, summarize
from tests.benchmarks.detection.simulation import Scenario, Settings, simulate_history

STRONG = Classifier(separation=3.6)
WEAK = Classifier(separation=1.9)
"""Worse than the default floors, which are therefore skipped."""
KNOWN_VARIANCE = (
    Scenario("sudden", Pattern.DROP, classifier=STRONG),
    Scenario("sudden, fair model", Pattern.DROP, classifier=WEAK),
    Scenario("recall under accuracy", Pattern.DROP, classifier=IMBALANCED, drift=recall_loss, metric="recall"),
)
"""Scenarios of metrics whose support is logged, which gives their standard error."""
ESTIMATED_VARIANCE = (
    Scenario("f1", Pattern.DROP, classifier=WEAK, metric="f1_score"),
    Scenario("f1, rare yes", Pattern.DROP, classifier=IMBALANCED, metric="f1_score"),
    Scenario("brier", Pattern.DROP, classifier=STRONG, metric="brier_score"),
)
"""Scenarios of metrics whose standard error has to be estimated."""
EFFECT_SIZES = (2.0, 3.0, 4.0, 5.0, 8.0)
MIN_EFFECT_SIZE = 3.0
"""Effect size from which on drops must be detected."""
ROW_COUNTS = (50, 200, 1000, 5000, 50_000)
PERIODS_BEFORE = (10, 30, 60, 90)
"""Lengths of the history before the drop."""
ALLOWED_DELAY = 3
"""Periods that the detection may be later than the median of the oracle."""
REQUIRED_SHARE = 0.95
"""Share of the drops that must be detected by then."""
SEED = 6


@dataclass(frozen=True, slots=True)
class GridPoint:
    """One combination of scenario and settings."""

    scenario: Scenario
    settings: Settings

    @property
    def possible(self) -> bool:
        """Whether the metric can drop that far: on few rows its standard error may be too large."""
        try:
            simulate_history(self.scenario, replace(self.settings, before=2, after=2), 0, 0)
        except ValueError:
            return False
        return True

    @property
    def evaluated(self) -> bool:
        """Whether the default rule evaluates so few rows; the support decides where the metric has its own."""
        population, rows = self.scenario.classifier.healthy, float(self.settings.rows)
        if self.scenario.metric in OWN_SUPPORT:
            positive = population.label if self.scenario.metric == "recall" else population.predicted
            rows *= float(population.probability @ positive)
        return rows >= min(rule.min_count for rule in default_rules() if rule.name == "baseline-drop")


def parameter_grid(noise: Noise, scenarios: Iterable[Scenario], *, before: int = 90) -> list[GridPoint]:
    """Return the possible combinations of scenario, row count and effect size."""
    points = [
        GridPoint(scenario, Settings(before=before, after=30, rows=rows, effect_size=effect_size, noise=noise))
        for scenario, rows, effect_size in product(scenarios, ROW_COUNTS, EFFECT_SIZES)
    ]
    return [point for point in points if point.possible]


def score_detectors(point: GridPoint, count: int, seed: int = SEED) -> dict[str, DetectionScore]:
    """Score oracle and default on `count` histories, of which only the metric that drops is simulated."""
    scenario, settings = replace(point.scenario, metrics=(point.scenario.metric,)), point.settings
    scenario_seed = seed * 1000 + round(10 * settings.effect_size)  # other histories for each effect size
    histories = [simulate_history(scenario, settings, scenario_seed, index) for index in range(count)]
    targets, truths = [labeled.target_series for labeled in histories], [labeled.truth for labeled in histories]
    start = histories[0].history.periods[MODEL][settings.before]
    changepoints = [int(np.searchsorted(series.times, start)) for series in targets]
    oracle = calibrated_cusum(
        scenario.classifier, scenario.metric, settings.rows, settings.noise.duplicates, settings.effect_size
    )
    detectors: dict[str, BatchDetector] = {
        ORACLE: per_series(oracle),
        DEFAULT_SHIFT: default_detectors()[DEFAULT_SHIFT],
    }
    return {
        name: summarize(
            [
                evaluate_alerts(alerts, changepoint, len(series))
                for alerts, changepoint, series in zip(detect(targets, truths), changepoints, targets, strict=True)
            ]
        )
        for name, detect in detectors.items()
    }


def timely_share(scores: Mapping[str, DetectionScore], name: str) -> float:
    """Return the share that a detector detected within the allowed delay after the median of the oracle."""
    return scores[name].detected_within(scores[ORACLE].median_delay + ALLOWED_DELAY)


@benchmark("detection-falls")
def detection_drops(context: BenchmarkContext) -> Iterator[Result]:
    """Lasting falls that the default finds too late or never, by size and history, beside the oracle."""
    count = 30 * context.runs
    for noise, before in product(NOISES, PERIODS_BEFORE):
        if noise is not INDEPENDENT and before != PERIODS_BEFORE[-1]:
            continue
        name = f"{noise.name}, after {before}"
        scores = {
            point: score_detectors(point, count)
            for point in parameter_grid(noise, (*KNOWN_VARIANCE, *ESTIMATED_VARIANCE), before=before)
        }
        evaluated = {point: score for point, score in scores.items() if point.evaluated}
        target = 100 * (1 - REQUIRED_SHARE) if noise is INDEPENDENT else None
        promised = [score for point, score in evaluated.items() if point.settings.effect_size >= MIN_EFFECT_SIZE]
        yield _late_share(f"{name}, {MIN_EFFECT_SIZE:g} SE or more", promised, target)
        for scenarios, effect_size in product((KNOWN_VARIANCE, ESTIMATED_VARIANCE), EFFECT_SIZES):
            selected = [
                score
                for point, score in evaluated.items()
                if point.scenario in scenarios and point.settings.effect_size == effect_size
            ]
            variance = "known chance" if scenarios is KNOWN_VARIANCE else "chance unknown"
            yield _late_share(
                f"{name}, {variance}, {effect_size:g} SE", selected, target if effect_size >= MIN_EFFECT_SIZE else None
            )
        small = [score for point, score in scores.items() if not point.evaluated]
        yield _late_share(f"{name}, of fewer cases than are judged", small, None)
        yield from _worst_points(name, evaluated)


def _late_share(name: str, scores: Sequence[Mapping[str, DetectionScore]], target: float | None) -> Result:
    """Return the percentage of drops that are detected late or never; each grid point has the same weight."""
    share = float(np.mean([timely_share(score, DEFAULT_SHIFT) for score in scores]))
    count = sum(len(score[DEFAULT_SHIFT].delays) for score in scores)
    low, high = wilson(share, count) or (0.0, 1.0)
    oracle_share = float(np.mean([timely_share(score, ORACLE) for score in scores]))
    median_delays = [
        float(np.median([score[detector].median_delay for score in scores])) for detector in (DEFAULT_SHIFT, ORACLE)
    ]
    detection_rate = float(np.mean([score[DEFAULT_SHIFT].detection_rate for score in scores]))
    note = f"late or never, of {count}, 95 % {100 * (1 - high):.1f} to {100 * (1 - low):.1f}"
    note += f"; oracle {100 * (1 - oracle_share):.1f}"
    note += f"; median {median_delays[0]:g} periods, oracle {median_delays[1]:g}; found within 30: {detection_rate:.1%}"
    return Result(name, 100 * (1 - share), target, " %", note)


def _worst_points(name: str, scores: Mapping[GridPoint, Mapping[str, DetectionScore]]) -> Iterator[Result]:
    """Yield the three grid points at which the default is worst, which the mean would hide."""
    promised = [point for point in scores if point.settings.effect_size >= MIN_EFFECT_SIZE]
    for point in sorted(promised, key=lambda point: timely_share(scores[point], DEFAULT_SHIFT))[:3]:
        point_name = f"{name}: {point.scenario.name} {point.settings.effect_size:g} SE of {point.settings.rows} rows"
        yield _late_share(point_name, [scores[point]], None)
