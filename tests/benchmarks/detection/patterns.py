"""The benchmark `detection-patterns`: accuracy of the detected patterns and of their changepoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import product

import numpy as np

from modeltop.core.diagnosis import Pattern, SeriesPattern
from modeltop.core.series import DATETIME_DTYPE, Direction, Floats, Series, SeriesKey, to_datetime64
from tests.benchmarks.base import BenchmarkContext, Result, benchmark
from tests.benchmarks.detection.confusion import Prediction, error_percent, format_interval, format_predictions
from tests.benchmarks.detection.ground_truth import LabeledHistory
from tests.benchmarks.detection.populations import Classifier
from tests.benchmarks.detection.sampling import INDEPENDENT, NOISES, Noise
from tests.benchmarks.detection.simulation import START, Scenario, Settings, simulate_history

STRONG = Classifier(separation=3.2)
STEADY = Scenario("steady", Pattern.STEADY, classifier=STRONG, shape="steady")
SCENARIOS = (
    STEADY,
    Scenario("sudden", Pattern.DROP, classifier=STRONG),
    Scenario("fading", Pattern.DECLINE, classifier=STRONG, shape="gradual"),
    Scenario("spike", Pattern.SPIKE, classifier=STRONG, shape="spike"),
    Scenario("weekends", Pattern.SEASONAL, classifier=STRONG, shape="weekly"),
    Scenario("mended", Pattern.RECOVERING, classifier=STRONG, shape="recovering"),
    Scenario("improving", Pattern.IMPROVING, classifier=STRONG, shape="improving"),
    replace(STEADY, name="too short", pattern=Pattern.TOO_LITTLE),
)
SETTINGS_BY_SCENARIO = {
    "too short": (Settings(before=9, after=0), Settings(before=4, after=0)),
    "spike": (
        Settings(before=90, after=6),
        Settings(before=60, after=20),
        Settings(before=45, after=10),
    ),
    "mended": (Settings(before=60, after=35), Settings(before=90, after=30)),
    "fading": (
        Settings(before=60, after=30, ramp=30),
        Settings(before=80, after=45, ramp=40),
        Settings(60, 20, ramp=20),
    ),
}
DEFAULT_SETTINGS = (
    Settings(before=60, after=20),
    Settings(before=90, after=10),
    Settings(before=60, after=40),
)
EFFECT_SIZES = (4.0, 6.0, 8.0)
ROW_COUNTS = (200, 1000, 5000, 50_000)
REQUIRED_ACCURACY = 0.9
"""Share of the patterns that must be correct."""
WANDERING = {"independent": 0.0, "AR(1) φ=0.9": 0.9, "heavy tails": 0.0}
"""Autocorrelation of the values of each kind of healthy series."""
MAX_UNSTEADY = 5.0
"""Percentage of healthy series that may be called anything but steady."""
SEED = 61
PatternDetector = Callable[[Series], SeriesPattern]


@cache
def pattern_detector() -> PatternDetector | None:
    """Return the product's pattern detector; None where it is not installed."""
    if find_spec("modeltop.diagnosis.timeseries.pattern") is None:
        return None
    detector: PatternDetector = import_module("modeltop.diagnosis.timeseries.pattern").recent_pattern
    return detector


@dataclass(frozen=True, slots=True)
class DetectedPattern:
    """Detected pattern of one simulated history."""

    labeled: LabeledHistory
    index: int
    settings: Settings
    detected: SeriesPattern

    @property
    def prediction(self) -> Prediction:
        """True and detected pattern."""
        true, detected = self.labeled.truth.pattern.value, self.detected.pattern.value
        return Prediction(true, detected, self.index, self.settings.conditions)

    @property
    def changepoint_error(self) -> float | None:
        """Periods from the true changepoint to the detected one; None where either is missing."""
        if self.detected.started_at is None or self.labeled.truth.changepoint is None:
            return None
        index = int(np.searchsorted(self.labeled.target_series.times, to_datetime64(self.detected.started_at)))
        return float(index - self.labeled.truth.changepoint)


def simulate_at(scenario: Scenario, noise: Noise, index: int, seed: int = SEED) -> tuple[Settings, LabeledHistory]:
    """Simulate the `index`-th history of a scenario, with the settings of that index in the parameter grid."""
    candidates = SETTINGS_BY_SCENARIO.get(scenario.name, DEFAULT_SETTINGS)
    effect_sizes = EFFECT_SIZES if scenario.pattern not in (Pattern.STEADY, Pattern.TOO_LITTLE) else (0.0,)
    grid = list(product(candidates, ROW_COUNTS, effect_sizes))
    candidate, rows, effect_size = grid[index % len(grid)]
    settings = replace(candidate, rows=rows, effect_size=effect_size, noise=noise)
    return settings, simulate_history(scenario, settings, seed, index)


def detect_patterns(scenario: Scenario, noise: Noise, count: int, seed: int = SEED) -> list[DetectedPattern]:
    """Detect the patterns of `count` histories of a scenario."""
    detect = pattern_detector()
    assert detect is not None
    simulated = [simulate_at(scenario, noise, index, seed) for index in range(count)]
    return [
        DetectedPattern(labeled, index, settings, detect(labeled.target_series))
        for index, (settings, labeled) in enumerate(simulated)
    ]


@benchmark("detection-patterns")
def detection_patterns(context: BenchmarkContext) -> Iterator[Result]:
    """Courses of generated histories that are called by another name than the planted one."""
    count = 36 * context.runs
    if pattern_detector() is None:
        yield Result(
            "courses called by a wrong name", None, 100 * (1 - REQUIRED_ACCURACY), " %", "nothing names courses yet"
        )
        return
    for noise in NOISES:
        by_scenario = {scenario.name: detect_patterns(scenario, noise, count) for scenario in SCENARIOS}
        predictions = [pattern.prediction for patterns in by_scenario.values() for pattern in patterns]
        target = 100 * (1 - REQUIRED_ACCURACY) if noise is INDEPENDENT else None
        yield Result(
            f"{noise.name}: courses called by a wrong name",
            error_percent(predictions),
            target,
            " %",
            format_interval(predictions, "courses"),
        )
        for scenario_name, patterns in by_scenario.items():
            yield Result(
                f"{noise.name}, {scenario_name}: wrong name",
                error_percent([pattern.prediction for pattern in patterns]),
                None,
                " %",
                _format_patterns(patterns),
            )


@benchmark("detection-steady")
def detection_steady(context: BenchmarkContext) -> Iterator[Result]:
    """Healthy values with long memory or heavy tails that are not called steady, and drops in them that are not."""
    detect, count = pattern_detector(), 36 * context.runs
    if detect is None:
        yield Result("healthy values not called steady", None, MAX_UNSTEADY, " %", "nothing names courses yet")
        return
    for kind, periods in product(WANDERING, (60, 120)):
        values = [wandering_values(kind, periods, index) for index in range(count)]
        named = Counter(detect(_accuracy(series)).pattern for series in values)
        steady = 100 * named[Pattern.STEADY] / count
        counts = ", ".join(f"{pattern.value} {times}" for pattern, times in named.most_common())
        yield Result(f"{kind}, {periods} periods: not called steady", 100 - steady, MAX_UNSTEADY, " %", counts)
        for size in (6, 9):
            fall = 0.01 * size * (np.arange(periods) >= periods * 3 // 4)
            patterns = [detect(_accuracy(series - fall)).pattern for series in values]
            missed = 100 - 100 * patterns.count(Pattern.DROP) / count
            yield Result(f"{kind}, {periods} periods: drop by {size} SE not called so", missed, 10.0, " %", "")


def wandering_values(kind: str, periods: int, index: int) -> Floats:
    """Return values of mean 0.9 and deviation 0.01: independent, of Student's t with 3 degrees of freedom, or AR(1)."""
    rng = np.random.default_rng([SEED, periods, index])
    if kind == "heavy tails":
        return np.asarray(0.9 + 0.01 * rng.standard_t(3, periods) / np.sqrt(3))
    memory, noise = WANDERING[kind], rng.standard_normal(periods)
    for period in range(1, periods):
        noise[period] = memory * noise[period - 1] + np.sqrt(1 - memory**2) * noise[period]
    return np.asarray(0.9 + 0.01 * noise)


def _accuracy(values: Floats) -> Series:
    times = (START + np.arange(len(values)) * np.timedelta64(1, "D")).astype(DATETIME_DTYPE)
    return Series(SeriesKey("model", "accuracy"), Direction.HIGHER, times, values)


def _format_patterns(patterns: Sequence[DetectedPattern]) -> str:
    errors = [
        abs(pattern.changepoint_error)
        for pattern in patterns
        if pattern.prediction.correct and pattern.changepoint_error is not None
    ]
    dated = f"begin off by {np.median(errors):g}, 90 % within {np.quantile(errors, 0.9):g}; " if errors else ""
    return f"{dated}called {format_predictions([pattern.prediction for pattern in patterns])}"
