"""Histories of which the cause is known, and what a person on call would be handed of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product

import numpy as np

from modeltop.core.diagnosis import Cause, Pattern
from modeltop.core.series import History
from modeltop.rules.rule import default_rules
from tests.benchmarks.detection.columns import COLUMNS, NO_SHIFT, Shift
from tests.benchmarks.detection.ground_truth import MODEL, Case
from tests.benchmarks.detection.populations import Classifier, blinded, boastful, eager, harder, missed, rarer, unsure
from tests.benchmarks.detection.sampling import INDEPENDENT, Noise
from tests.benchmarks.detection.simulation import Frame, Scenario, history

GOOD = Classifier(separation=3.2)
RARE = Classifier(prevalence=0.08, threshold=0.2)
DROP, DECLINE = Pattern.DROP, Pattern.DECLINE
MANY, ONE = Shift(moved=COLUMNS[:4]), Shift(moved=("income",))
BARE = ("accuracy",)
DECISIONS = ("accuracy", "precision", "recall", "f1_score")
_LOGGED = {"classifier": GOOD, "cuts": True, "shift": NO_SHIFT}
CAUSED = (
    Scenario("covariate", DROP, Cause.DATA_DRIFT, change=harder, **(_LOGGED | {"shift": MANY})),
    Scenario("covariate, fading", DECLINE, Cause.DATA_DRIFT, "fading", change=harder, **(_LOGGED | {"shift": MANY})),
    Scenario("covariate, no features", DROP, Cause.DATA_DRIFT, change=harder, classifier=GOOD),
    Scenario("confidence first", DROP, Cause.DATA_DRIFT, change=harder, lead=unsure, **(_LOGGED | {"shift": MANY})),
    Scenario("one feature", DROP, Cause.FEATURE_DRIFT, change=harder, **(_LOGGED | {"shift": ONE})),
    Scenario("concept", DROP, Cause.CONCEPT_DRIFT, **_LOGGED),
    Scenario("concept, fading", DECLINE, Cause.CONCEPT_DRIFT, "fading", **_LOGGED),
    Scenario("concept, no features", DROP, Cause.CONCEPT_DRIFT, classifier=GOOD),
    Scenario("recall hidden", DROP, Cause.CONCEPT_DRIFT, change=missed, metric="recall", classifier=RARE),
    Scenario("fewer yes", DROP, Cause.LABEL_SHIFT, change=rarer, metric="precision", **_LOGGED),
    Scenario(
        "values missing", DROP, Cause.UPSTREAM, change=blinded, **(_LOGGED | {"shift": Shift(missing=("income",))})
    ),
    Scenario("values unseen", DROP, Cause.UPSTREAM, change=blinded, **(_LOGGED | {"shift": Shift(unseen=("device",))})),
    Scenario("noted", DROP, Cause.BUSINESS, note="new price list in all shops", **_LOGGED),
    Scenario("new segment", DROP, Cause.BUSINESS, newcomer=True, **_LOGGED),
    Scenario("stopped", Pattern.STEADY, Cause.OUTAGE, "steady", **_LOGGED),
    Scenario("few rows", DROP, Cause.OUTAGE, change=harder, volume=0.2, **_LOGGED),
    Scenario("one segment", DROP, Cause.SEGMENT, segment="country=fr", **_LOGGED),
    Scenario("chance", Pattern.STEADY, Cause.NOISE, "steady", **_LOGGED),
    Scenario("weekends", Pattern.SEASONAL, Cause.SEASON, "weekends", **_LOGGED),
    Scenario("threshold", DROP, Cause.THRESHOLD, change=eager, metric="precision", **_LOGGED),
    Scenario("overconfident", DROP, Cause.CALIBRATION, change=boastful, metric="brier_score", share=1.0, **_LOGGED),
)
"""The evidence is there."""
UNTOLD = (
    Scenario("covariate, accuracy alone", DROP, Cause.UNKNOWN, change=harder, classifier=GOOD, logged=BARE),
    Scenario("concept, accuracy alone", DROP, Cause.UNKNOWN, classifier=GOOD, logged=BARE),
    Scenario("blinded, decisions alone", DROP, Cause.UNKNOWN, change=blinded, classifier=GOOD, logged=DECISIONS),
    Scenario("fading, accuracy alone", DECLINE, Cause.UNKNOWN, "fading", classifier=GOOD, logged=BARE),
)
"""It is not."""
FRAMES = (Frame(before=60, after=10), Frame(before=90, after=25))
FADES = (Frame(before=60, after=30, fade=20), Frame(before=90, after=45, fade=40))


@dataclass(frozen=True, slots=True)
class Grade:
    """How plain the evidence is."""

    name: str
    sizes: tuple[float, ...]
    rows: tuple[int, ...]
    noise: Noise
    seed: int


PLAIN = Grade("evidence exists", (5.0, 8.0), (2000, 10_000), INDEPENDENT, 62)
FAINT = Grade("evidence is faint (3 and 4 SE, AR(1) φ=0.3)", (3.0, 4.0), (500, 5000), Noise(stay=0.3), 63)
"""Nobody tunes on these."""
STALE = timedelta(days=5)
FEW = 120


def planted(scenario: Scenario, many: int, grade: Grade = PLAIN) -> Iterator[tuple[int, Frame, Case]]:
    """Index, frame and history of one kind; those of chance end where few cases happened to be bad ones."""
    frames = FADES if scenario.shape == "fading" else FRAMES
    grid = list(product(frames, grade.rows, grade.sizes))
    found, index = 0, 0
    while found < many:
        frame, rows, size = grid[index % len(grid)]
        asked = replace(frame, rows=FEW if scenario.cause is Cause.NOISE else rows, size=size, noise=grade.noise)
        case: Case | None = history(scenario, asked, grade.seed, index)
        if case is not None and scenario.cause in (Cause.NOISE, Cause.SEASON):
            case = _ending_low(case)
        if case is not None:
            found += 1
            yield index, asked, case
        index += 1


def _ending_low(case: Case) -> Case | None:
    """The history up to its last period under the default floor; None where none of the last thirty is."""
    floor = next(rule for rule in default_rules() if rule.metric == "accuracy")
    low = np.flatnonzero(floor.detector.exceeded(case.fallen))
    if not len(low) or low[-1] < len(case.fallen) - 30:
        return None
    until = case.fallen.times[low[-1]]
    kept = {key: series[: int(np.searchsorted(series.times, until)) + 1] for key, series in case.history.series.items()}
    times = case.history.periods[MODEL]
    return replace(case, history=History(kept, {MODEL: times[times <= until]}))
