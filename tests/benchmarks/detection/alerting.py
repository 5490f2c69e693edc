"""The row `detection-alerts`: what is found, how soon, and how often people are called for nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from monitor.findings import Pattern
from monitor.records import Better, Series
from tests.benchmarks.base import Bench, Finding, row
from tests.benchmarks.detection.drawing import INDEPENDENT, Noise
from tests.benchmarks.detection.histories import Frame, Scenario, history
from tests.benchmarks.detection.oracles import TYPICAL, oracle, spread
from tests.benchmarks.detection.readings import RATIOS, level
from tests.benchmarks.detection.rivals import RATE, YEAR
from tests.benchmarks.detection.scoring import Score, interval, outcome, score
from tests.benchmarks.detection.truth import MODEL, Truth
from tests.benchmarks.detection.watchers import LASTING, ORACLE, RIVALS, Watcher, one_by_one, ours
from tests.benchmarks.detection.worlds import Classifier, missed

SURE = Classifier(separation=3.6)
FAIR = Classifier(separation=1.9)
"""Below the floors, which are left out on it."""
RARE = Classifier(prevalence=0.08, threshold=0.2)
FALLS = (
    Scenario("sudden", Pattern.DROP, classifier=SURE),
    Scenario("sudden, fair model", Pattern.DROP, classifier=FAIR),
    Scenario("recall under accuracy", Pattern.DROP, classifier=RARE, change=missed, metric="recall"),
    Scenario("fading", Pattern.DECLINE, classifier=SURE, shape="fading"),
)
SUDDEN, FADING = FALLS[:3], FALLS[3:]
SIZES = (3.0, 4.0, 5.0, 8.0)
ROWS = (50, 200, 1000, 5000, 50_000)
NOISES = (INDEPENDENT, Noise(stay=0.3), Noise(stay=0.6), Noise(copies=2))
HEALTHY = (
    Scenario("healthy", Pattern.STEADY, classifier=SURE, shape="steady"),
    Scenario("healthy, fair model", Pattern.STEADY, classifier=FAIR, shape="steady"),
    Scenario("healthy, rare yes", Pattern.STEADY, classifier=RARE, shape="steady"),
)
SLACK = 3
"""Periods that people allow behind the oracle."""
ENOUGH = 0.95
"""Share of falls that must be found by then."""
SEED = 6


def watchers(classifier: Classifier, metric: str, frame: Frame, size: float = TYPICAL) -> dict[str, Watcher]:
    """All that are compared, the oracle for this metric first."""
    known = oracle(classifier, metric, frame.rows, frame.noise.copies, size)
    return {ORACLE: one_by_one(known), **RIVALS, **ours()}


def names() -> list[str]:
    """Of all that are compared."""
    return [ORACLE, *RIVALS, *ours()]


@dataclass(frozen=True)
class Cell:
    """One combination that is measured."""

    scenario: Scenario
    frame: Frame

    @property
    def possible(self) -> bool:
        """Whether such a fall can be: of few cases, chance alone may reach further than the worst model."""
        try:
            history(self.scenario, replace(self.frame, before=2, after=2), 0, 0)
        except ValueError:
            return False
        return True


def cells(noise: Noise, *, before: int = 90, scenarios: Iterable[Scenario] = FALLS) -> list[Cell]:
    """Every lasting fall of every size in periods of every size."""
    found = [
        Cell(scenario, Frame(before=before, after=60, rows=rows, size=size, noise=noise))
        for scenario, rows, size in product(scenarios, ROWS, SIZES)
    ]
    return [cell for cell in found if cell.possible]


def falls(cell: Cell, many: int, seed: int) -> dict[str, Score]:
    """How each watcher does on `many` histories of a fall; only the fallen series is looked at."""
    cases = [history(cell.scenario, cell.frame, seed, index) for index in range(many)]
    fallen = [case.fallen for case in cases]
    start = cases[0].history.periods[MODEL][cell.frame.before]
    begins = [int(np.searchsorted(series.times, start)) for series in fallen]
    found: dict[str, Score] = {}
    watching = watchers(cell.scenario.classifier, cell.scenario.metric, cell.frame, cell.frame.size)
    for name, watch in watching.items():
        alerts = watch(fallen, [case.truth for case in cases])
        three = zip(alerts, begins, fallen, strict=True)
        found[name] = score([outcome(places, begin, len(series)) for places, begin, series in three])
    return found


def timely(found: Mapping[str, Score], name: str) -> float:
    """Share that a watcher found within some periods of the oracle's median delay."""
    return found[name].within(found[ORACLE].median + SLACK)


def quiet(scenario: Scenario, frame: Frame, many: int, seed: int) -> dict[str, Counter[str]]:
    """Per watcher the alerts over all metrics of healthy models, with the periods and models that it watched."""
    by_metric: dict[str, list[Series]] = {}
    for index in range(many):
        for key, series in history(scenario, frame, seed, index).history.series.items():
            if series.better is not Better.NEITHER:
                by_metric.setdefault(key.metric, []).append(series)
    found = {name: Counter(models=many * frame.periods) for name in names()}
    for metric, some in by_metric.items():
        truth = believed(scenario, frame, metric)
        watching = watchers(scenario.classifier, metric, frame) if truth else ours()
        for name, watch in watching.items():
            found[name]["periods"] += sum(len(series) for series in some)
            found[name]["alerts"] += sum(len(places) for places in watch(some, [truth or NOBODY] * len(some)))
    return found


def believed(scenario: Scenario, frame: Frame, metric: str) -> Truth | None:
    """What the oracle knows of a healthy series; None where it knows nothing."""
    if metric not in RATIOS:
        return None
    usual = level(metric, scenario.classifier.healthy)
    chance = spread(scenario.classifier, metric, frame.rows, frame.noise.copies)
    return Truth(scenario.kind, metric, "all", None, 0.0, Pattern.STEADY, None, usual, chance)


NOBODY = Truth("", "", "all", None, 0.0, Pattern.STEADY, None, 0.0, 1.0)


@row("detection-alerts")
def detection_alerts(bench: Bench) -> Iterator[Finding]:
    """Falls found, how soon, and false alerts, on generated histories."""
    many = 6 * bench.runs
    for noise in NOISES:
        yield from _of_falls(noise, many)
        yield from _of_quiet(noise, 4 * bench.runs)
    yield from _of_short(many)


def _of_falls(noise: Noise, many: int) -> Iterator[Finding]:
    figure = 100 * (1 - ENOUGH) if noise is INDEPENDENT else None
    scores = {cell: falls(cell, many, SEED) for cell in cells(noise)}
    for size, group in product(SIZES, (SUDDEN, FADING)):
        some = [found for cell, found in scores.items() if cell.frame.size == size and cell.scenario in group]
        what = f"{noise.name}, {'fading to' if group is FADING else 'sudden'} {size:g} SE"
        for name in names():
            late = 100 * (1 - float(np.mean([timely(found, name) for found in some])))
            aim = figure if name == LASTING and group is SUDDEN else None
            yield Finding(f"{what}: {name}", late, aim, " %", _said(some, name))
    yield from _worst(noise, scores)


def _worst(noise: Noise, scores: Mapping[Cell, Mapping[str, Score]]) -> Iterator[Finding]:
    """The cells in which the defaults are furthest behind, so that no mean hides them."""
    ordered = sorted(scores, key=lambda cell: timely(scores[cell], LASTING))[:5]
    for cell in ordered:
        what = f"{noise.name}, {cell.scenario.kind} {cell.frame.size:g} SE of {cell.frame.rows} rows"
        late = 100 * (1 - timely(scores[cell], LASTING))
        yield Finding(f"{what}: {LASTING}", late, None, " %", "among the worst; " + _said([scores[cell]], LASTING))


def _said(some: list[Mapping[str, Score]], name: str) -> str:
    found = float(np.mean([one[name].found for one in some]))
    middle = float(np.median([one[name].median for one in some]))
    oracles = float(np.median([one[ORACLE].median for one in some]))
    false = sum(one[name].false for one in some) / sum(one[name].years for one in some)
    return f"late or never; found {found:.1%}, median {middle:g} periods (oracle {oracles:g}), {false:.3f} false/year"


def _of_quiet(noise: Noise, many: int) -> Iterator[Finding]:
    totals: dict[str, Counter[str]] = {name: Counter() for name in names()}
    for scenario, rows in product(HEALTHY, ROWS):
        for name, found in quiet(scenario, Frame(before=365, after=0, rows=rows, noise=noise), many, SEED).items():
            totals[name].update(found)
    for name, total in totals.items():
        years = total["periods"] / YEAR
        low, high = interval(total["alerts"], years)
        models = total["models"] / YEAR
        note = f"{total['alerts']} in {years:.0f} metric-years, 95 % {low:.3f} to {high:.3f}"
        note += f"; {total['alerts'] / models:.3g} per model-year"
        aim = RATE if name == LASTING and noise is INDEPENDENT else None
        yield Finding(f"{noise.name}, false per metric-year: {name}", total["alerts"] / years, aim, "", note)


def _of_short(many: int) -> Iterator[Finding]:
    """Falls with little history before them, which has to serve as the reference."""
    for before in (15, 30, 60):
        scores = {cell: falls(cell, many, SEED) for cell in cells(INDEPENDENT, before=before, scenarios=SUDDEN[:1])}
        for name in names():
            late = 100 * (1 - float(np.mean([timely(found, name) for found in scores.values()])))
            what = f"independent, sudden, after {before} periods: {name}"
            yield Finding(what, late, None, " %", _said(list(scores.values()), name))
