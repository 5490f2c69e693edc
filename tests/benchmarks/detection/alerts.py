"""The row `detection-alerts`: what each check finds of what may happen to a model, and how soon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Direction, Series
from tests.benchmarks.base import Bench, Finding, row
from tests.benchmarks.detection.columns import COLUMNS, Shift
from tests.benchmarks.detection.detectors import RIVALS, ours, usually
from tests.benchmarks.detection.drops import FAIR, NOISES, RARE, ROWS, SEED, SURE
from tests.benchmarks.detection.ground_truth import Case
from tests.benchmarks.detection.populations import blinded, harder, missed, unsure
from tests.benchmarks.detection.sampling import INDEPENDENT, Noise
from tests.benchmarks.detection.scoring import Score, outcome, score
from tests.benchmarks.detection.simulation import Frame, Scenario, history

KINDS = (
    Scenario("sudden, sure model", Pattern.DROP, classifier=SURE),
    Scenario("concept, sudden, fair model", Pattern.DROP, classifier=FAIR),
    Scenario("fading over 30", Pattern.DECLINE, classifier=SURE, shape="fading"),
    Scenario("spike of one period", Pattern.SPIKE, classifier=SURE, shape="spike"),
    Scenario("seasonal: weekends", Pattern.SEASONAL, classifier=SURE, shape="weekends"),
    Scenario("recall hidden under accuracy", Pattern.DROP, classifier=RARE, change=missed, metric="recall"),
    Scenario("confidence first", Pattern.DROP, classifier=SURE, change=harder, lead=unsure),
    Scenario("one segment only", Pattern.DROP, classifier=SURE, segment="country=fr"),
    Scenario("covariate", Pattern.DROP, classifier=SURE, change=harder, shift=Shift(moved=COLUMNS[:4])),
    Scenario("upstream fault", Pattern.DROP, classifier=SURE, change=blinded, shift=Shift(missing=("income",))),
)
SIZE = 4.0
BEFORE, AFTER = 90, 60


def drawn(scenario: Scenario, noise: Noise, many: int) -> list[tuple[Frame, Case]]:
    """Histories with periods of every size that such a fall can be of."""
    found = []
    for index in range(many):
        for rows in ROWS:
            frame = Frame(before=BEFORE, after=AFTER, rows=rows, size=SIZE, noise=noise)
            try:
                found.append((frame, history(scenario, frame, SEED, index)))
            except ValueError:  # of few cases, chance alone reaches further than the worst model
                continue
    return found


def watched(case: Case) -> list[Series]:
    """What of a model can get worse: the metrics over all rows, and the planted series."""
    key = case.truth.segment
    return [
        one
        for one in case.history.series.values()
        if one.better is not Direction.NEITHER and one.key.segment in ("all", key)
    ]


def said(scenario: Scenario, cases: Sequence[tuple[Frame, Case]]) -> dict[str, tuple[Score, Score]]:
    """Per watcher what it says of the planted series, and of any metric of the model."""
    owned = [(place, one) for place, (_, case) in enumerate(cases) for one in watched(case)]
    truths = [usually(scenario.classifier, one, cases[place][0]) for place, one in owned]
    found = {}
    for name, watch in (dict(RIVALS) | dict(ours())).items():
        own: list[list[int]] = [[] for _ in cases]
        whole: list[list[int]] = [[] for _ in cases]
        for (place, one), alerts in zip(owned, watch([one for _, one in owned], truths), strict=True):
            case, periods = cases[place][1], cases[place][1].history.periods[one.key.model]
            at = np.searchsorted(periods, one.times[alerts]).tolist()  # a period without any case has no value
            whole[place] += at
            own[place] += at if one.key == case.fallen.key else []
        ends = [(_first(scenario, case), frame.periods) for frame, case in cases]
        found[name] = (
            score(
                [
                    outcome(places, case.truth.begin, frame.periods)
                    for places, (frame, case) in zip(own, cases, strict=True)
                ]
            ),
            score([outcome(places, *end) for places, end in zip(whole, ends, strict=True)]),
        )
    return found


def _first(scenario: Scenario, case: Case) -> int | None:
    """The first period in which anything is changed: an alert about confidence that leads is not false."""
    begin = case.truth.begin
    return begin if begin is None or scenario.lead is None else begin - scenario.ahead


@row("detection-alerts")
def detection_alerts(bench: Bench) -> Iterator[Finding]:
    """Shares that each check finds of what may happen to a model, 4 SE large; beside two rivals."""
    for noise in NOISES:
        many = (2 if noise is INDEPENDENT else 1) * bench.runs
        for scenario in KINDS:
            kind = f"{noise.name}, {scenario.kind}"
            for name, (own, whole) in said(scenario, drawn(scenario, noise, many)).items():
                yield _finding(f"{kind}: {name}", scenario, own, whole)


def _finding(what: str, scenario: Scenario, own: Score, whole: Score) -> Finding:
    false = f"{own.rate:.3g} false a metric-year of it, {whole.rate:.3g} a model-year"
    if scenario.pattern is Pattern.SEASONAL:
        return Finding(
            what, own.rate, None, "", f"alerts a metric-year, all of them false; {whole.rate:.3g} a model-year"
        )
    soon = 3 if scenario.pattern is Pattern.SPIKE else 30
    note = f"found within {soon}, of {len(own.delays)}; median {own.median:g} periods; found at all {own.found:.0%}"
    return Finding(what, 100 * own.within(soon), None, " %", f"{note}; by any metric {whole.within(soon):.0%}; {false}")
