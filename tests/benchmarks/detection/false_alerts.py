"""The row `detection-quiet`: how often people are called for nothing, on models that are well all the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Direction, Series
from tests.benchmarks.base import Bench, Finding, row
from tests.benchmarks.detection.baselines import RATE, YEAR
from tests.benchmarks.detection.detectors import DEFAULTS, LASTING, ORACLE, RIVALS, Watcher, one_by_one, ours, usually
from tests.benchmarks.detection.drops import FAIR, NOISES, RARE, ROWS, SEED, SURE
from tests.benchmarks.detection.metrics import RATIOS
from tests.benchmarks.detection.oracle import oracle
from tests.benchmarks.detection.sampling import INDEPENDENT
from tests.benchmarks.detection.scoring import interval
from tests.benchmarks.detection.simulation import Frame, Scenario, history

HEALTHY = (
    Scenario("sure model", Pattern.STEADY, classifier=SURE, shape="steady"),
    Scenario("fair model", Pattern.STEADY, classifier=FAIR, shape="steady"),
    Scenario("rare yes", Pattern.STEADY, classifier=RARE, shape="steady"),
)
DAYS = 365
FEWEST = 30
"""Metrics that mostly rest on fewer cases are not watched: by default they are not judged."""


@dataclass(slots=True)
class Calls:
    """What one watcher said of many healthy models."""

    periods: float = 0.0
    """Of all metrics that it watched."""
    by_model: list[int] = field(default_factory=list)
    """Alerts of each model."""
    by_cell: Counter[str] = field(default_factory=Counter)
    """Alerts by metric, rows and model."""

    @property
    def crowding(self) -> float:
        """Variance over mean of the alerts of a model: its metrics move together. At least 1."""
        calls = np.array(self.by_model, dtype=float)
        return max(1.0, float(calls.var() / calls.mean())) if calls.any() else 1.0

    def finding(self, what: str, aim: float | None) -> Finding:
        """Alerts a metric-year; the interval is that of a Poisson rate, widened by how alerts crowd."""
        alerts, years = sum(self.by_model), self.periods / YEAR
        low, high = interval(round(alerts / self.crowding), years / self.crowding)
        models = len(self.by_model) * DAYS / YEAR
        worst = ", ".join(f"{name} {number / alerts:.0%}" for name, number in self.by_cell.most_common(3))
        note = f"{alerts} in {years:.0f} metric-years, 95 % {low:.3f} to {high:.3f}; {alerts / models:.3g} a model-year"
        return Finding(what, alerts / years, aim, "", note + (f"; most: {worst}" if worst else ""))


def quiet(scenario: Scenario, frame: Frame, many: int, seed: int = SEED) -> dict[str, Calls]:
    """Per watcher the alerts over all metrics of healthy models."""
    owned: dict[str, list[tuple[int, Series]]] = {}
    for index in range(many):
        for key, series in history(scenario, frame, seed, index).history.series.items():
            if series.better is not Direction.NEITHER and series.evaluable(FEWEST).mean() > 0.5:
                owned.setdefault(key.metric, []).append((index, series))
    found: dict[str, Calls] = {}
    for metric, some in owned.items():
        truths = [usually(scenario.classifier, series, frame) for _, series in some]
        for name, watch in _watching(scenario, frame, metric).items():
            calls = found.setdefault(name, Calls(by_model=[0] * many))
            calls.periods += sum(float(series.evaluable(FEWEST).sum()) for _, series in some)
            said = watch([series for _, series in some], truths)
            for (index, _), places in zip(some, said, strict=True):
                calls.by_model[index] += len(places)
            calls.by_cell[f"{metric} of {frame.rows} rows, {scenario.kind}"] += sum(map(len, said))
    return found


def _watching(scenario: Scenario, frame: Frame, metric: str) -> Mapping[str, Watcher]:
    """All that are compared; of a metric that is no ratio the oracle knows nothing."""
    known = {}
    if metric in RATIOS:
        known[ORACLE] = one_by_one(oracle(scenario.classifier, metric, frame.rows, frame.noise.copies))
    return known | dict(RIVALS) | dict(ours())


@row("detection-quiet")
def detection_quiet(bench: Bench) -> Iterator[Finding]:
    """False alerts a metric-year and a model-year, on models that are well for a year of days."""
    for noise in NOISES:
        many = (5 if noise is INDEPENDENT else 2) * bench.runs
        totals: dict[str, Calls] = {}
        for scenario, rows in product(HEALTHY, ROWS):
            for name, calls in quiet(scenario, Frame(before=DAYS, after=0, rows=rows, noise=noise), many).items():
                total = totals.setdefault(name, Calls())
                total.periods += calls.periods
                total.by_model += calls.by_model
                total.by_cell.update(calls.by_cell)
        for name, total in totals.items():
            aim = RATE if name in (LASTING, DEFAULTS) and noise is INDEPENDENT else None
            yield total.finding(f"{noise.name}, false per metric-year: {name}", aim)
