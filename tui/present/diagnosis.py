"""The diagnosis of a model as lines: what happened, why, what to do, and what that rests on. Pure.

The order of the sections is the order of the questions. A section without data says in one line what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from monitor.text import brief, clip, day, safe
from tui.present.cells import Cells, wrap
from tui.present.changes import sentence_lines
from tui.present.exhibits import moved_lines, reliability_lines
from tui.present.metrics import label
from tui.present.numbers import evidence_lines, pair_lines, segment_lines
from tui.present.scene import Board, Scene, board

if TYPE_CHECKING:
    from monitor.findings import Course, Diagnosis, Finding, Fit, Forecast

LIKELY, POSSIBLE = 0.7, 0.4
"""Weights from which a cause is called so."""
RIVAL = 6.0
"""Two descriptions whose BIC differ by less compete: strong evidence for one begins there (Raftery 1995)."""
OTHERS = 8
"""Courses of other metrics that are listed."""
FITS = {"level": "no change"}
"""By the name of a description, where another word is plainer."""
RISES = {"DROP": "sudden rise", "DECLINE": "gradual rise"}
CALM = "nothing to explain: no metric got worse"
LOOKING = "looking into it"


def heading_lines(scene: Scene, cells_wide: int) -> list[Cells]:
    """The diagnosis in a sentence."""
    return sentence_lines(scene, cells_wide) or wrap(CALM if scene.diagnosis else "", cells_wide, role="dim")


def diagnosis_lines(scene: Scene, cells_wide: int) -> tuple[Cells, ...]:
    """All sections of the selected model; one line until something is known of it."""
    if scene.snapshot is None or scene.diagnosis is None:
        return (((LOOKING, "dim"),),)
    return _lines(board(scene.snapshot), scene.diagnosis, cells_wide)


@lru_cache(maxsize=4)
def _lines(known: Board, found: Diagnosis, cells_wide: int) -> tuple[Cells, ...]:
    since = f" before and since {day(found.course.begin)}" if found.course and found.course.begin else ""
    sections: tuple[tuple[str, Iterable[Cells]], ...] = (
        ("What happened", _what(known, found, cells_wide)),
        ("Likely causes", _causes(found, cells_wide)),
        ("What to do", _advice(found, cells_wide)),
        (f"Evidence{since}", evidence_lines(known, found, cells_wide)),
        ("Features that moved", moved_lines(known, found, cells_wide)),
        ("Segments by contribution", segment_lines(known, found, cells_wide)),
        ("What the model expected of itself", pair_lines(known, found, cells_wide)),
        ("Reliability", reliability_lines(known, found, cells_wide)),
    )
    out: list[Cells] = []
    for title, lines in sections:
        out += [((clip(title, cells_wide), "head"),), *lines, ()]
    return tuple(out[:-1])


def _said(text: str, cells_wide: int, role: str = "") -> list[Cells]:
    return wrap(text, cells_wide, role=role, indent="    ", lead=(("  ", ""),))


def _what(known: Board, found: Diagnosis, cells_wide: int) -> Iterator[Cells]:
    courses = [*([found.course] if found.course else []), *found.courses]
    if not courses:
        yield from _said(
            "every metric is steady" if found.key is None else "its course is not known", cells_wide, "dim"
        )
    for at, course in enumerate(courses[: OTHERS + 1]):
        yield from _said(course_words(known, course), cells_wide, "" if at == 0 else "dim")
        if at == 0 and (rivals := rival_words(course)):
            yield from _said(rivals, cells_wide, "dim")
        if at == 0 and found.forecast is not None:
            yield from _said(forecast_words(found.forecast), cells_wide)
    if len(courses) > OTHERS + 1:
        yield from _said(f"and {len(courses) - OTHERS - 1} more metrics that are not steady", cells_wide, "dim")


def course_words(known: Board, course: Course) -> str:
    """How a metric went, since when, by how much, and how sure that is."""
    metric = known.snapshot.catalog.of(course.key.metric)
    text = f"{label(course.key)}: {pattern_words(course)}"
    if course.begin is not None:
        text += f" since {day(course.begin)}"
    if course.size is not None:
        text += f", {metric.show_change(course.size)}"
    return f"{text}, {100 * course.sure:.0f} % sure"


def pattern_words(course: Course) -> str:
    """The name of a course; of a metric that is better when it is low, a fall is a rise."""
    rose = course.size is not None and course.size > 0
    return RISES.get(course.pattern.name, course.pattern.value) if rose else course.pattern.value


def rival_words(course: Course) -> str:
    """The two best descriptions of the course, so that a doubtful one is seen to be; nothing where one was tried."""
    if len(course.fits) < 2:
        return ""
    first, second = course.fits[:2]
    words = "nearly as well" if second.score - first.score <= RIVAL else "then"
    return f"fits best: {_fit(first)}; {words}: {_fit(second)}"


def _fit(fit: Fit) -> str:
    return f"{FITS.get(fit.name, safe(fit.name, 20))} (BIC {fit.score:.1f})"


def forecast_words(forecast: Forecast) -> str:
    """Where the trend leads."""
    pace = f"{'+' if forecast.slope > 0 else ''}{brief(forecast.slope, 4)} a day"
    if forecast.limit is None or forecast.days is None:
        return f"at this pace, {pace}, no limit lies ahead"
    latest = f"{forecast.latest:.0f}" if forecast.latest is not None else "never"
    soonest = f"{forecast.soonest:.0f}" if forecast.soonest is not None else "0"
    days = f"{forecast.days:.0f} day{'' if round(forecast.days) == 1 else 's'}"
    side = "below" if forecast.slope < 0 else "above"
    return f"at this pace, {pace}, {side} {brief(forecast.limit)} in about {days} ({soonest} to {latest})"


def _causes(found: Diagnosis, cells_wide: int) -> Iterator[Cells]:
    if not found.findings:
        yield from _said("none was looked for: nothing is wrong", cells_wide, "dim")
    for finding in found.findings:
        yield from _cause(finding, cells_wide)


def _cause(finding: Finding, cells_wide: int) -> Iterator[Cells]:
    word, role = weight_word(finding.weight)
    yield from wrap(finding.cause.value, cells_wide, role=role, indent=" " * 12, lead=((f"  {word:<10}", role),))
    for sign, clauses in (("+", finding.because), ("−", finding.against)):
        for clause in clauses:
            yield from wrap(safe(clause, 300), cells_wide, indent="      ", lead=((f"    {sign} ", "dim"),))


def weight_word(weight: float) -> tuple[str, str]:
    """How a weight is called, and the role of the line."""
    if weight >= LIKELY:
        return "likely", "strong"
    return ("possible", "") if weight >= POSSIBLE else ("unlikely", "dim")


def _advice(found: Diagnosis, cells_wide: int) -> Iterator[Cells]:
    if found.advice:
        yield from _said(safe(found.advice, 600), cells_wide, "strong")
    steps = [step.value for step in found.steps if step.value not in found.advice]
    if steps:
        yield from _said(", then ".join(steps), cells_wide, "" if found.advice else "strong")
    if found.labels is not None and f"{found.labels:,}" not in found.advice:
        yield from _said(f"{found.labels:,} labelled row{'s' if found.labels != 1 else ''} since it began", cells_wide)
    if not found.steps and not found.advice:
        yield from _said("nothing", cells_wide, "dim")
