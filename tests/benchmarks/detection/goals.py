"""The benchmark `detection-goals`: what the default rules raise on healthy models, and what they find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from modeltop.alerting.grouping import group_incidents
from modeltop.config.load import from_tables
from modeltop.config.suggest import suggest_rules
from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Alert, Direction, History, Series, SeriesKey, Severity, to_datetime64
from modeltop.rules.defaults import default_rules
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.evaluator import Evaluator
from modeltop.rules.rule import Rule
from tests.benchmarks.base import ROOT, BenchmarkContext, Result, benchmark
from tests.benchmarks.detection.baselines import FALSE_ALERT_RATE, OracleCusum, decision_interval, three_sigma
from tests.benchmarks.detection.ground_truth import MODEL, GroundTruth
from tests.benchmarks.detection.healthy_years import CATALOG, KINDS, SOUND, HealthyKind, simulate_year
from tests.benchmarks.detection.metrics import standard_error
from tests.benchmarks.detection.scoring import PERIODS_PER_YEAR

SEED = 20261130
"""Not used while the constants of the rules were chosen."""
MODELS_PER_RUN = 20
HISTORY_OF_INIT = 180
"""Days from which `init` suggests its limits."""
PLAIN_FLOORS = tuple(
    Rule(f"plain-{metric}", Threshold(critical=Limit(below=floor)), metric)
    for metric, floor in (("accuracy", 0.90), ("f1_score", 0.85))
)
NO_TRUTH = GroundTruth("", "", "all", None, 0.0, Pattern.STEADY, 0.0, 1.0)


@dataclass(slots=True)
class Counts:
    """Alerts on many model-years."""

    critical: int = 0
    incidents: int = 0
    by_rule: dict[str, int] = field(default_factory=dict)


def evaluate(history: History, rules: Sequence[Rule]) -> list[Alert]:
    """Return the alerts that fired on one history."""
    evaluator = Evaluator(rules, CATALOG)
    evaluator.evaluate(history.series)
    return [alert for alert in evaluator.alerts if alert.fired is not None]


def count(history: History, rules: Sequence[Rule], counts: Counts) -> None:
    """Add the CRITICAL alerts and the incidents of a history."""
    alerts = evaluate(history, rules)
    incidents = group_incidents(alerts, history, CATALOG)
    counts.critical += sum(incident.severity is Severity.CRITICAL for incident in incidents)
    counts.incidents += len(incidents)
    for alert in alerts:
        name = f"{alert.rule} {alert.key.metric} {alert.severity.name}"
        counts.by_rule[name] = counts.by_rule.get(name, 0) + 1


def init_rules(history: History) -> tuple[Rule, ...]:
    """Return the thresholds that `init` would have written after half a year."""
    past = {key: series[:HISTORY_OF_INIT] for key, series in history.series.items()}
    periods = {model: times[:HISTORY_OF_INIT] for model, times in history.periods.items()}
    return from_tables({"rules": suggest_rules(History(past, periods), CATALOG).tables}, ROOT / "modeltop.toml").rules


def count_kind(kind: HealthyKind, models: int, seed: int = SEED) -> dict[str, Counts]:
    """Count what each set of rules raises on healthy models of one kind."""
    counts = {name: Counts() for name in ("default", "init", "plain floors", "mean ± 3σ")}
    for index in range(models):
        history = simulate_year(kind, seed, index)
        count(history, default_rules(), counts["default"])
        count(history, init_rules(history), counts["init"])
        count(history, PLAIN_FLOORS, counts["plain floors"])
        watched = [series for series in history.series.values() if series.better is not Direction.NEITHER]
        counts["mean ± 3σ"].incidents += sum(len(three_sigma(series, NO_TRUTH)) for series in watched)
    return counts


@benchmark("detection-goals")
def detection_goals(context: BenchmarkContext) -> Iterator[Result]:
    """CRITICAL alerts and incidents a healthy model-year by kind; and the share of falls found, by size."""
    models = MODELS_PER_RUN * context.runs
    for name, kind in KINDS.items():
        counts = count_kind(kind, models)
        default, others = counts["default"], {other: each for other, each in counts.items() if other != "default"}
        beside = ", ".join(f"{other} {each.critical / models:.2f}" for other, each in others.items() if each.critical)
        yield Result(f"{name}: CRITICAL a model-year", default.critical / models, kind.critical_goal, "", beside)
        beside = ", ".join(f"{other} {each.incidents / models:.2f}" for other, each in others.items())
        yield Result(f"{name}: incidents a model-year", default.incidents / models, kind.incident_goal, "", beside)
    yield from _falls(models)
    yield from _confidence_shifts(models)


SIZES = ((9.0, 0, 97.0), (6.0, 2, 95.0))
"""Size of a fall in standard errors of a day, periods after the first, and the goal of the share found by then."""
FALL_AT = 60
ROWS_OF_FALLS = (100, 300)
"""Rows of a day on which such a fall is material: at 1,000 rows nine standard errors are 0.06."""


def notified_at(history: History, metrics: Sequence[str], start: int) -> int | None:
    """Return after how many periods of a change the first alert of a metric fired; None if none did."""
    times = next(iter(history.series.values())).times
    fired = [
        int(np.searchsorted(times, to_datetime64(alert.fired)))
        for alert in evaluate(history, default_rules())
        if alert.fired is not None and alert.key.metric in metrics
    ]
    return min((index - start for index in fired if index >= start), default=None)


def _falls(models: int) -> Iterator[Result]:
    """Yield the share of sudden material falls of accuracy that are notified in time."""
    for rows, (size, periods, goal) in product(ROWS_OF_FALLS, SIZES):
        drop = size * standard_error("accuracy", SOUND.healthy, rows) * (np.arange(FALL_AT + 10) >= FALL_AT)
        histories = (
            simulate_year(KINDS["independent"], SEED, index, drop=drop, days=len(drop), rows=rows)
            for index in range(models)
        )
        delays = [notified_at(history, ("accuracy",), FALL_AT) for history in histories]
        for within in range(4):
            share = 100 * sum(delay is not None and delay <= within for delay in delays) / models
            note = f"goal: {goal:g} % or more" if within == periods else ""
            yield Result(f"fall by {size:g} SE of {rows} rows: found by period {within + 1}", share, None, " %", note)


def _confidence_shifts(models: int) -> Iterator[Result]:
    """Yield how much later than the oracle a shift of confidence by three deviations is notified."""
    oracle = OracleCusum(3.0, decision_interval(1.5, PERIODS_PER_YEAR / FALSE_ALERT_RATE))
    for with_labels in (True, False):
        late = []
        for index in range(models):
            history = simulate_year(KINDS["independent"], SEED, index, days=FALL_AT + 30)
            key = SeriesKey(MODEL, "avg_confidence")
            series = history.series[key]
            error = float(series.values.std())
            shifted = replace(series, values=series.values - 3 * error * (np.arange(len(series)) >= FALL_AT))
            own = {key: shifted} if not with_labels else {**history.series, key: shifted}
            truth = replace(NO_TRUTH, mean=float(series.values.mean()), standard_error=error)
            known = min((alert for alert in oracle(higher_is_better(shifted), truth) if alert >= FALL_AT), default=None)
            found = notified_at(History(own, history.periods), ("avg_confidence",), FALL_AT)
            late.append(found is not None and known is not None and found <= known - FALL_AT + 3)
        name = "with labels" if with_labels else "without labels"
        note = "share notified within 3 periods of the oracle"
        yield Result(f"confidence falls by 3 deviations, {name}", 100 * sum(late) / models, None, " %", note)


def higher_is_better(series: Series) -> Series:
    """Return a series for a detector that looks for falls."""
    return replace(series, better=Direction.HIGHER)
