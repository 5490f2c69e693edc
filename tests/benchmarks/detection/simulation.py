"""Seeded simulation of model histories with known drift."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from modeltop.core.diagnosis import Pattern
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, History
from modeltop.history.merge import Block, merge_blocks
from tests.benchmarks.detection.columns import ColumnShift, drifted_share, sample_columns
from tests.benchmarks.detection.ground_truth import MODEL, GroundTruth, LabeledHistory
from tests.benchmarks.detection.metrics import compute_metrics, expected_value, standard_error
from tests.benchmarks.detection.populations import Classifier, Drift, Floats, concept_drift, mixture
from tests.benchmarks.detection.sampling import INDEPENDENT, Noise, sample_counts

START = np.datetime64("2025-01-06", "us")
"""A Monday."""
CATALOG = MetricRegistry()
ROW_COUNT_JITTER = 0.03
"""Relative deviation of the row count of a period from the configured one, at most."""
SEGMENT_SHARES = {"country=de": 0.5, "country=fr": 0.3, "country=us": 0.2}


@dataclass(frozen=True)
class Scenario:
    """Drift to simulate, and what of the model is logged."""

    name: str
    pattern: Pattern
    shape: str = "sudden"
    """Drift over time: `steady`, `sudden`, `gradual`, `spike`, `weekly`, `recovering` or `improving`."""
    drift: Drift = concept_drift
    classifier: Classifier = field(default_factory=Classifier)
    metric: str = "accuracy"
    segment: str = "all"
    with_segments: bool = False
    """Whether segments are logged; always where one of them drops."""
    early_drift: Drift | None = None
    """Drift of the scores of all rows from `lead_periods` before the changepoint on."""
    lead_periods: int = 7
    column_shift: ColumnShift | None = None
    """Drift of the columns of the log; None where no column is logged."""
    metrics: tuple[str, ...] | None = None
    """Names of the logged metrics; None for all."""


@dataclass(frozen=True)
class Settings:
    """Length, row count, effect size and noise of a simulated history."""

    before: int = 90
    """Periods before the changepoint."""
    after: int = 60
    rows: int = 1000
    """Rows per period."""
    effect_size: float = 4.0
    """In standard errors of the metric."""
    ramp: int = 30
    """Periods until a gradual drift is complete."""
    noise: Noise = INDEPENDENT

    @property
    def periods(self) -> int:
        """Number of all periods."""
        return self.before + self.after

    @property
    def conditions(self) -> tuple[tuple[str, str], ...]:
        """Names and values of what may make a history hard to classify."""
        return (
            ("rows", f"{self.rows}"),
            ("SE", f"{self.effect_size:g}"),
            ("days", f"{self.before}+{self.after}"),
        )


def drift_profile(shape: str, settings: Settings) -> Floats:
    """Return the extent of the drift by period, 0 to 1, [K]."""
    age = np.arange(settings.periods) - settings.before
    weekday = np.arange(settings.periods) % 7
    shapes = {
        "steady": np.zeros(settings.periods),
        "sudden": (age >= 0) * 1.0,
        "gradual": np.clip((age + 1) / settings.ramp, 0, 1),
        "spike": (age == 0) * 1.0,
        "weekly": (weekday >= 5) * 1.0,
        "recovering": ((age >= 0) & (age < settings.after - 15)) * 1.0,
        "improving": (age < 0) * 1.0,
    }
    return shapes[shape]


@lru_cache(maxsize=4096)
def solve_drift_share(classifier: Classifier, drift: Drift, metric: str, drop: float) -> float:
    """Return the share of drifted rows that lowers a metric by `drop`.

    Args:
        classifier: The classifier with its healthy population.
        drift: Turns that into the drifted one.
        metric: Name of the metric.
        drop: Difference from the healthy value, in the metric's unit, towards the worse.

    Raises:
        ValueError: The metric drops by less than that even if all rows have drifted.
    """
    healthy = classifier.healthy
    drifted = drift(healthy)
    baseline = expected_value(metric, healthy)
    sign = 1 if CATALOG.get(metric).better.value == "higher" else -1

    def drop_at(share: float) -> float:
        return sign * (baseline - expected_value(metric, mixture(healthy, drifted, share)))

    low, high = 0.0, 1.0
    if drop_at(high) < drop:
        raise ValueError(f"{metric} falls by {drop_at(high):.4f} at most, not by {drop:.4f}")
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if drop_at(middle) < drop else (low, middle)
    return high


def simulate_history(scenario: Scenario, settings: Settings, seed: int, index: int) -> LabeledHistory:
    """Simulate one history of a scenario; equal arguments give equal histories.

    Args:
        scenario: The drift.
        settings: Length, row count, effect size and noise.
        seed: Seed of the series of histories.
        index: Index of the history in that series.

    Raises:
        ValueError: The metric cannot drop by the effect size.
    """
    rng = np.random.default_rng([seed, index])
    truth, drift_share = _ground_truth(scenario, settings)
    profile = drift_profile(scenario.shape, settings)
    times = (START + np.arange(settings.periods) * np.timedelta64(1, "D")).astype(DATETIME_DTYPE)
    rows = np.rint(settings.rows * (1 + ROW_COUNT_JITTER * rng.uniform(-1, 1, settings.periods)))
    blocks = _classification_blocks(scenario, settings, times, drift_share * profile, rows, rng)
    if scenario.column_shift is not None:
        blocks += _column_blocks(scenario.column_shift, times, profile, rows, rng)
    series = {
        merged.key: merged
        for block in blocks
        for merged in merge_blocks([_select_metrics(block, scenario.metrics)], CATALOG)[0]
    }
    return LabeledHistory(truth, History(series, {MODEL: times}))


def _ground_truth(scenario: Scenario, settings: Settings) -> tuple[GroundTruth, float]:
    segment_share = _segment_shares(scenario)[scenario.segment] if scenario.segment != "all" else 1.0
    healthy = scenario.classifier.healthy
    mean = expected_value(scenario.metric, healthy)
    error = standard_error(scenario.metric, healthy, settings.rows * segment_share, settings.noise.duplicates)
    steady = scenario.shape == "steady"
    effect_size, drift_share = 0.0, 0.0
    if not steady:
        effect_size = settings.effect_size
        drift_share = solve_drift_share(scenario.classifier, scenario.drift, scenario.metric, effect_size * error)
    changepoint = None if steady or scenario.shape == "weekly" else settings.before
    truth = GroundTruth(
        scenario.name,
        scenario.metric,
        scenario.segment,
        changepoint,
        effect_size,
        scenario.pattern,
        mean,
        error,
    )
    return truth, drift_share


def _segment_shares(scenario: Scenario) -> dict[str, float]:
    return dict(SEGMENT_SHARES) if scenario.with_segments or scenario.segment != "all" else {}


def _classification_blocks(
    scenario: Scenario,
    settings: Settings,
    times: np.ndarray,
    drift_share: Floats,
    rows: Floats,
    rng: np.random.Generator,
) -> list[Block]:
    """Return the metrics over all rows, and over each segment where they are logged."""
    healthy = scenario.classifier.healthy
    drifted = scenario.drift(healthy)
    population = mixture(healthy, drifted, 0.0)
    no_drift = np.zeros_like(drift_share)
    counts_by_segment: dict[str, Floats] = {}
    segment_shares = _segment_shares(scenario)
    for name, segment_share in (segment_shares or {"all": 1.0}).items():
        segment_drift = drift_share if scenario.segment in ("all", name) else no_drift
        counts_by_segment[name] = sample_counts(
            healthy, drifted, segment_drift, np.rint(rows * segment_share), settings.noise, rng
        )
    if segment_shares:
        counts_by_segment = {"all": np.sum(list(counts_by_segment.values()), axis=0), **counts_by_segment}
    blocks = []
    for name, counts in counts_by_segment.items():
        values, supports = compute_metrics(counts, population, scenario.metrics)
        if scenario.early_drift is not None:
            is_early = np.arange(settings.periods) >= settings.before - scenario.lead_periods
            early_values, _ = compute_metrics(counts, scenario.early_drift(population), scenario.metrics)
            values = {metric: np.where(is_early, early_values[metric], column) for metric, column in values.items()}
        has_rows = counts.sum(axis=1) > 0
        values = {metric: np.where(has_rows, column, np.nan) for metric, column in values.items()}
        blocks.append(Block(MODEL, name, times, values, supports, rows=counts.sum(axis=1)))
    return blocks


def _column_blocks(
    shift: ColumnShift, times: np.ndarray, profile: Floats, rows: Floats, rng: np.random.Generator
) -> list[Block]:
    blocks, distances = [], []
    for name, values, present in sample_columns(shift, profile, rows, rng):
        blocks.append(
            Block(MODEL, f"feature={name}", times, values, {"psi": present, "js_distance": present}, rows=rows)
        )
        distances.append(values["js_distance"])
    values_by_metric = {"drifted_share": drifted_share(distances)}
    supports = {"drifted_share": np.full(len(times), float(len(distances)))}
    return [*blocks, Block(MODEL, "all", times, values_by_metric, supports, rows=rows)]


def _select_metrics(block: Block, names: tuple[str, ...] | None) -> Block:
    if names is None:
        return block
    selected = {name: column for name, column in block.values.items() if name in names}
    return Block(block.model, block.segment, block.times, selected, block.supports, rows=block.rows)
