"""The row `detection-patterns`: whether a course is called by its right name, and dated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import product

import numpy as np

from modeltop.core.diagnosis import Pattern, SeriesPattern
from modeltop.core.series import Series, to_datetime64
from tests.benchmarks.base import Bench, Finding, row
from tests.benchmarks.detection.confusion import Answer, note, spoken, wrong
from tests.benchmarks.detection.ground_truth import Case
from tests.benchmarks.detection.populations import Classifier
from tests.benchmarks.detection.sampling import Noise
from tests.benchmarks.detection.simulation import Frame, Scenario, history

SURE = Classifier(separation=3.2)
STEADY = Scenario("steady", Pattern.STEADY, classifier=SURE, shape="steady")
SCENARIOS = (
    STEADY,
    Scenario("sudden", Pattern.DROP, classifier=SURE),
    Scenario("fading", Pattern.DECLINE, classifier=SURE, shape="fading"),
    Scenario("spike", Pattern.SPIKE, classifier=SURE, shape="spike"),
    Scenario("weekends", Pattern.SEASONAL, classifier=SURE, shape="weekends"),
    Scenario("mended", Pattern.RECOVERING, classifier=SURE, shape="mended"),
    Scenario("improving", Pattern.IMPROVING, classifier=SURE, shape="improving"),
    replace(STEADY, kind="too short", pattern=Pattern.TOO_LITTLE),
)
FRAMES = {
    "too short": (Frame(before=9, after=0), Frame(before=4, after=0)),
    "spike": (Frame(before=90, after=6), Frame(before=60, after=20), Frame(before=45, after=10)),
    "mended": (Frame(before=60, after=35), Frame(before=90, after=30)),
    "fading": (Frame(before=60, after=30, fade=30), Frame(before=80, after=45, fade=40), Frame(60, 20, fade=20)),
}
USUAL = (Frame(before=60, after=20), Frame(before=90, after=10), Frame(before=60, after=40))
SIZES = (4.0, 6.0, 8.0)
ROWS = (200, 1000, 5000, 50_000)
NOISES = (Noise(), Noise(stay=0.3), Noise(stay=0.6), Noise(copies=2))
RIGHT = 0.9
"""Share of patterns that must be right."""
SEED = 61
Namer = Callable[[Series], SeriesPattern]


@cache
def namer() -> Namer | None:
    """What names a course; None while there is nothing that does."""
    if find_spec("modeltop.diagnosis.timeseries.pattern") is None:
        return None
    found: Namer = import_module("modeltop.diagnosis.timeseries.pattern").recent_pattern
    return found


@dataclass(frozen=True, slots=True)
class Naming:
    """One course and what it was called."""

    case: Case
    index: int
    frame: Frame
    course: SeriesPattern

    @property
    def answer(self) -> Answer:
        """The planted name, and the one that was given."""
        frame, truth = self.frame, self.case.truth
        traits = (("rows", f"{frame.rows}"), ("SE", f"{frame.size:g}"), ("days", f"{frame.before}+{frame.after}"))
        return Answer(truth.pattern.value, self.course.pattern.value, self.index, traits)

    @property
    def off(self) -> float | None:
        """Periods from the planted begin to the named one; None where either is unknown."""
        if self.course.started_at is None or self.case.truth.begin is None:
            return None
        place = int(np.searchsorted(self.case.fallen.times, to_datetime64(self.course.started_at)))
        return float(place - self.case.truth.begin)


def case(scenario: Scenario, noise: Noise, index: int, seed: int = SEED) -> tuple[Frame, Case]:
    """The `index`-th history of a kind, as long after the change as a person may look; each of its own size."""
    frames = FRAMES.get(scenario.kind, USUAL)
    sizes = SIZES if scenario.pattern not in (Pattern.STEADY, Pattern.TOO_LITTLE) else (0.0,)
    grid = list(product(frames, ROWS, sizes))
    frame, rows, size = grid[index % len(grid)]
    asked = replace(frame, rows=rows, size=size, noise=noise)
    return asked, history(scenario, asked, seed, index)


def named(scenario: Scenario, noise: Noise, many: int, seed: int = SEED) -> list[Naming]:
    """What the courses of many histories are called."""
    name = namer()
    assert name is not None
    drawn = [case(scenario, noise, index, seed) for index in range(many)]
    return [Naming(one, index, frame, name(one.fallen)) for index, (frame, one) in enumerate(drawn)]


@row("detection-patterns")
def detection_patterns(bench: Bench) -> Iterator[Finding]:
    """Courses of generated histories that are called by another name than the planted one."""
    many = 36 * bench.runs
    if namer() is None:
        yield Finding("courses called by a wrong name", None, 100 * (1 - RIGHT), " %", "nothing names courses yet")
        return
    for noise in NOISES:
        found = {scenario.kind: named(scenario, noise, many) for scenario in SCENARIOS}
        answers = [one.answer for part in found.values() for one in part]
        aim = 100 * (1 - RIGHT) if noise == Noise() else None
        yield Finding(
            f"{noise.name}: courses called by a wrong name", wrong(answers), aim, " %", note(answers, "courses")
        )
        for kind, part in found.items():
            yield Finding(
                f"{noise.name}, {kind}: wrong name", wrong([one.answer for one in part]), None, " %", _called(part)
            )


def _called(part: Sequence[Naming]) -> str:
    off = [abs(one.off) for one in part if one.answer.right and one.off is not None]
    dated = f"begin off by {np.median(off):g}, 90 % within {np.quantile(off, 0.9):g}; " if off else ""
    return f"{dated}called {spoken([one.answer for one in part])}"
