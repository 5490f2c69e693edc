"""The diagnosis of a model as lines: what happened, why, what to do, and what that rests on. Pure.

The order of the sections is the order of the questions. A section without data says in one line what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from modeltop.core.text import clip, day, safe
from modeltop.diagnosis.phrases import advice_words, course_words, fits_words, forecast_words, weight_word
from modeltop_tui.view.changes import sentence_lines
from modeltop_tui.view.diagnosis_tables import evidence_lines, pair_lines, segment_lines
from modeltop_tui.view.distributions import moved_lines, reliability_lines
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import Board, Scene, board
from modeltop_tui.view.styled_text import Cells, wrap

if TYPE_CHECKING:
    from modeltop.core.diagnosis import Diagnosis, Finding

ROLES = {"likely": "strong", "possible": "", "unlikely": "dim"}
OTHERS = 8
"""Courses of other metrics that are listed."""
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
            "no metric is known to have changed" if found.key is None else "its course is not known", cells_wide, "dim"
        )
    for at, course in enumerate(courses[: OTHERS + 1]):
        words = f"{label(course.key)}: {course_words(course, known.snapshot.catalog.of(course.key.metric))}"
        yield from _said(words, cells_wide, "" if at == 0 else "dim")
        if at == 0 and (fits := fits_words(course)):
            yield from _said(fits, cells_wide, "dim")
        if at == 0 and found.forecast is not None:
            yield from _said(forecast_words(found.forecast), cells_wide)
    if len(courses) > OTHERS + 1:
        yield from _said(f"and {len(courses) - OTHERS - 1} more metrics that are not steady", cells_wide, "dim")


def _causes(found: Diagnosis, cells_wide: int) -> Iterator[Cells]:
    if not found.findings:
        yield from _said("none was looked for: nothing is wrong", cells_wide, "dim")
    for finding in found.findings:
        yield from _cause(finding, cells_wide)


def _cause(finding: Finding, cells_wide: int) -> Iterator[Cells]:
    word = weight_word(finding.weight)
    role = ROLES[word]
    yield from wrap(finding.cause.value, cells_wide, role=role, indent=" " * 12, lead=((f"  {word:<10}", role),))
    for sign, clauses in (("+", finding.because), ("−", finding.against)):
        for clause in clauses:
            yield from wrap(safe(clause, 300), cells_wide, indent="      ", lead=((f"    {sign} ", "dim"),))


def _advice(found: Diagnosis, cells_wide: int) -> Iterator[Cells]:
    lines = list(advice_words(found))
    for at, line in enumerate(lines or ["nothing"]):
        yield from _said(line, cells_wide, "" if at else "strong" if lines else "dim")
