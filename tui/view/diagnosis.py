"""The diagnosis of a model as lines: what happened, why, what to do, and what that rests on. Pure.

The order of the sections is the order of the questions. A section without data says in one line what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from modeltop.core.text import format_period, sanitize, truncate
from modeltop.diagnosis.phrases import advice_lines, certainty_word, describe_fits, describe_forecast, describe_pattern
from modeltop_tui.view.changes import summary_lines
from modeltop_tui.view.diagnosis_tables import evidence_lines, pair_lines, segment_lines
from modeltop_tui.view.distributions import feature_shift_lines, reliability_lines
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import Cells, wrap

if TYPE_CHECKING:
    from modeltop.core.diagnosis import CauseHypothesis, Diagnosis

ROLES = {"likely": "strong", "possible": "", "unlikely": "dim"}
MAX_OTHER_PATTERNS = 8
"""Courses of other metrics that are listed."""
NOTHING_TO_EXPLAIN = "nothing to explain: no metric got worse"
ANALYZING = "looking into it"


def heading_lines(scene: ScreenState, cells_wide: int) -> list[Cells]:
    """The diagnosis in a sentence."""
    return summary_lines(scene, cells_wide) or wrap(
        NOTHING_TO_EXPLAIN if scene.diagnosis else "", cells_wide, role="dim"
    )


def diagnosis_lines(scene: ScreenState, cells_wide: int) -> tuple[Cells, ...]:
    """All sections of the selected model; one line until something is known of it."""
    if scene.snapshot is None or scene.diagnosis is None:
        return (((ANALYZING, "dim"),),)
    return _lines(snapshot_index(scene.snapshot), scene.diagnosis, cells_wide)


@lru_cache(maxsize=4)
def _lines(known: SnapshotIndex, found: Diagnosis, cells_wide: int) -> tuple[Cells, ...]:
    since = (
        f" before and since {format_period(found.series_pattern.started_at)}"
        if found.series_pattern and found.series_pattern.started_at
        else ""
    )
    sections: tuple[tuple[str, Iterable[Cells]], ...] = (
        ("What happened", _what(known, found, cells_wide)),
        ("Likely causes", _causes(found, cells_wide)),
        ("What to do", _advice(found, cells_wide)),
        (f"Evidence{since}", evidence_lines(known, found, cells_wide)),
        ("Features that moved", feature_shift_lines(known, found, cells_wide)),
        ("Segments by contribution", segment_lines(known, found, cells_wide)),
        ("What the model expected of itself", pair_lines(known, found, cells_wide)),
        ("Reliability", reliability_lines(known, found, cells_wide)),
    )
    out: list[Cells] = []
    for title, lines in sections:
        out += [((truncate(title, cells_wide), "head"),), *lines, ()]
    return tuple(out[:-1])


def _said(text: str, cells_wide: int, role: str = "") -> list[Cells]:
    return wrap(text, cells_wide, role=role, indent="    ", lead=(("  ", ""),))


def _what(known: SnapshotIndex, found: Diagnosis, cells_wide: int) -> Iterator[Cells]:
    courses = [*([found.series_pattern] if found.series_pattern else []), *found.other_patterns]
    if not courses:
        yield from _said(
            "no metric is known to have changed" if found.key is None else "its course is not known", cells_wide, "dim"
        )
    for at, course in enumerate(courses[: MAX_OTHER_PATTERNS + 1]):
        words = f"{label(course.key)}: {describe_pattern(course, known.snapshot.catalog.get(course.key.metric))}"
        yield from _said(words, cells_wide, "" if at == 0 else "dim")
        if at == 0 and (fits := describe_fits(course)):
            yield from _said(fits, cells_wide, "dim")
        if at == 0 and found.forecast is not None:
            yield from _said(describe_forecast(found.forecast), cells_wide)
    if len(courses) > MAX_OTHER_PATTERNS + 1:
        yield from _said(
            f"and {len(courses) - MAX_OTHER_PATTERNS - 1} more metrics that are not steady", cells_wide, "dim"
        )


def _causes(found: Diagnosis, cells_wide: int) -> Iterator[Cells]:
    if not found.hypotheses:
        yield from _said("none was looked for: nothing is wrong", cells_wide, "dim")
    for finding in found.hypotheses:
        yield from _cause(finding, cells_wide)


def _cause(finding: CauseHypothesis, cells_wide: int) -> Iterator[Cells]:
    word = certainty_word(finding.weight)
    role = ROLES[word]
    yield from wrap(finding.cause.value, cells_wide, role=role, indent=" " * 12, lead=((f"  {word:<10}", role),))
    for sign, clauses in (("+", finding.evidence_for), ("−", finding.evidence_against)):
        for clause in clauses:
            yield from wrap(sanitize(clause, 300), cells_wide, indent="      ", lead=((f"    {sign} ", "dim"),))


def _advice(found: Diagnosis, cells_wide: int) -> Iterator[Cells]:
    lines = list(advice_lines(found))
    for at, line in enumerate(lines or ["nothing"]):
        yield from _said(line, cells_wide, "" if at else "strong" if lines else "dim")
