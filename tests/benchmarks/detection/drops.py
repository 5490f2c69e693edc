"""The row `detection-falls`: the default against a lasting fall beside one who knows everything but the moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from modeltop.core.diagnosis import Pattern
from modeltop.core.stats.intervals import wilson
from modeltop.rules.rule import default_rules
from tests.benchmarks.base import Bench, Finding, row
from tests.benchmarks.detection.detectors import LASTING, ORACLE, Watcher, one_by_one, ours
from tests.benchmarks.detection.ground_truth import MODEL
from tests.benchmarks.detection.metrics import OWN_SUPPORT
from tests.benchmarks.detection.oracle import oracle
from tests.benchmarks.detection.populations import Classifier, missed
from tests.benchmarks.detection.sampling import INDEPENDENT, Noise
from tests.benchmarks.detection.scoring import Score, outcome, score
from tests.benchmarks.detection.simulation import Frame, Scenario, history

SURE = Classifier(separation=3.6)
FAIR = Classifier(separation=1.9)
"""Below the floors, which are left out on it."""
RARE = Classifier(prevalence=0.08, threshold=0.2)
KNOWN = (
    Scenario("sudden", Pattern.DROP, classifier=SURE),
    Scenario("sudden, fair model", Pattern.DROP, classifier=FAIR),
    Scenario("recall under accuracy", Pattern.DROP, classifier=RARE, change=missed, metric="recall"),
)
"""Metrics whose number of cases is known, and with it their chance."""
UNKNOWN = (
    Scenario("f1", Pattern.DROP, classifier=FAIR, metric="f1_score"),
    Scenario("f1, rare yes", Pattern.DROP, classifier=RARE, metric="f1_score"),
    Scenario("brier", Pattern.DROP, classifier=SURE, metric="brier_score"),
)
"""Metrics whose chance has to be estimated."""
SIZES = (2.0, 3.0, 4.0, 5.0, 8.0)
PROMISED = 3.0
"""Size from which on falls must be found."""
ROWS = (50, 200, 1000, 5000, 50_000)
BEFORE = (10, 30, 60, 90)
"""Periods of history before the fall."""
NOISES = (INDEPENDENT, Noise(stay=0.3), Noise(stay=0.6), Noise(copies=2))
SLACK = 3
"""Periods that people allow behind the oracle."""
ENOUGH = 0.95
"""Share of falls that must be found by then."""
SEED = 6


@dataclass(frozen=True, slots=True)
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

    @property
    def judged(self) -> bool:
        """Whether so few cases are judged at all; of a metric without own support the rows count."""
        world, rows = self.scenario.classifier.healthy, float(self.frame.rows)
        if self.scenario.metric in OWN_SUPPORT:
            rows *= float(world.chance @ (world.label if self.scenario.metric == "recall" else world.decided))
        return rows >= min(rule.min_count for rule in default_rules() if rule.name == "default-fall")


def cells(noise: Noise, scenarios: Iterable[Scenario], *, before: int = 90) -> list[Cell]:
    """Every fall of every size in periods of every size."""
    found = [
        Cell(scenario, Frame(before=before, after=30, rows=rows, size=size, noise=noise))
        for scenario, rows, size in product(scenarios, ROWS, SIZES)
    ]
    return [cell for cell in found if cell.possible]


def falls(cell: Cell, many: int, seed: int = SEED) -> dict[str, Score]:
    """How oracle and default do on `many` histories of a fall; nothing but the fallen series is drawn."""
    scenario, frame = replace(cell.scenario, logged=(cell.scenario.metric,)), cell.frame
    own = seed * 1000 + round(10 * frame.size)  # falls of each size have histories of their own
    cases = [history(scenario, frame, own, index) for index in range(many)]
    fallen, truths = [case.fallen for case in cases], [case.truth for case in cases]
    start = cases[0].history.periods[MODEL][frame.before]
    begins = [int(np.searchsorted(series.times, start)) for series in fallen]
    known = oracle(scenario.classifier, scenario.metric, frame.rows, frame.noise.copies, frame.size)
    watching: dict[str, Watcher] = {ORACLE: one_by_one(known), LASTING: ours()[LASTING]}
    return {
        name: score(
            [
                outcome(places, begin, len(series))
                for places, begin, series in zip(watch(fallen, truths), begins, fallen, strict=True)
            ]
        )
        for name, watch in watching.items()
    }


def timely(found: Mapping[str, Score], name: str) -> float:
    """Share that a watcher found within some periods of the oracle's median delay."""
    return found[name].within(found[ORACLE].median + SLACK)


@row("detection-falls")
def detection_falls(bench: Bench) -> Iterator[Finding]:
    """Lasting falls that the default finds too late or never, by size and history, beside the oracle."""
    many = 30 * bench.runs
    for noise, before in product(NOISES, BEFORE):
        if noise is not INDEPENDENT and before != BEFORE[-1]:
            continue
        what = f"{noise.name}, after {before}"
        scores = {cell: falls(cell, many) for cell in cells(noise, (*KNOWN, *UNKNOWN), before=before)}
        fair = {cell: found for cell, found in scores.items() if cell.judged}
        aim = 100 * (1 - ENOUGH) if noise is INDEPENDENT else None
        promised = [found for cell, found in fair.items() if cell.frame.size >= PROMISED]
        yield _late(f"{what}, {PROMISED:g} SE or more", promised, aim)
        for scenarios, size in product((KNOWN, UNKNOWN), SIZES):
            some = [found for cell, found in fair.items() if cell.scenario in scenarios and cell.frame.size == size]
            kind = "known chance" if scenarios is KNOWN else "chance unknown"
            yield _late(f"{what}, {kind}, {size:g} SE", some, aim if size >= PROMISED else None)
        few = [found for cell, found in scores.items() if not cell.judged]
        yield _late(f"{what}, of fewer cases than are judged", few, None)
        yield from _worst(what, fair)


def _late(what: str, some: Sequence[Mapping[str, Score]], aim: float | None) -> Finding:
    """What is late or missed, in percent; every cell counts alike."""
    share = float(np.mean([timely(found, LASTING) for found in some]))
    many = sum(len(found[LASTING].delays) for found in some)
    low, high = wilson(share, many) or (0.0, 1.0)
    best = float(np.mean([timely(found, ORACLE) for found in some]))
    middle = [float(np.median([found[name].median for found in some])) for name in (LASTING, ORACLE)]
    found = float(np.mean([one[LASTING].found for one in some]))
    note = (
        f"late or never, of {many}, 95 % {100 * (1 - high):.1f} to {100 * (1 - low):.1f}; oracle {100 * (1 - best):.1f}"
    )
    note += f"; median {middle[0]:g} periods, oracle {middle[1]:g}; found within 30: {found:.1%}"
    return Finding(what, 100 * (1 - share), aim, " %", note)


def _worst(what: str, scores: Mapping[Cell, Mapping[str, Score]]) -> Iterator[Finding]:
    """The cells in which the default is furthest behind, so that no mean hides them."""
    promised = [cell for cell in scores if cell.frame.size >= PROMISED]
    for cell in sorted(promised, key=lambda cell: timely(scores[cell], LASTING))[:3]:
        said = f"{what}: {cell.scenario.kind} {cell.frame.size:g} SE of {cell.frame.rows} rows"
        yield _late(said, [scores[cell]], None)
