"""The diagnosis of a model as lines: what happened, why, what to do, and the evidence.

The order of the sections is the order of the questions. A section without data says in one line what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from modeltop.core.text import format_period, sanitize, truncate
from modeltop.diagnosis.phrases import advice_lines, certainty_word, describe_forecast, describe_pattern
from modeltop_tui.view.changes import summary_lines
from modeltop_tui.view.diagnosis_tables import evidence_lines, expectation_lines, segment_lines
from modeltop_tui.view.distributions import feature_shift_lines, reliability_lines
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import Cells, wrap

if TYPE_CHECKING:
    from modeltop.core.diagnosis import CauseHypothesis, Diagnosis

ROLES = {"likely": "strong", "possible": "", "unlikely": "dim"}
MAX_OTHER_PATTERNS = 8
"""Patterns of other metrics that are listed."""
NOTHING_TO_EXPLAIN = "nothing to explain: no metric got worse"
ANALYZING = "looking into it"


def heading_lines(state: ScreenState, width: int) -> list[Cells]:
    """Return the diagnosis in one sentence."""
    return summary_lines(state, width) or wrap(NOTHING_TO_EXPLAIN if state.diagnosis else "", width, role="dim")


def diagnosis_lines(state: ScreenState, width: int) -> tuple[Cells, ...]:
    """Return all sections about the selected model; one line until there is a diagnosis."""
    if state.snapshot is None or state.diagnosis is None:
        return (((ANALYZING, "dim"),),)
    return _lines(snapshot_index(state.snapshot), state.diagnosis, width)


@lru_cache(maxsize=4)
def _lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> tuple[Cells, ...]:
    started_at = diagnosis.series_pattern.started_at if diagnosis.series_pattern else None
    since = f" before and since {format_period(started_at)}" if started_at else ""
    sections: tuple[tuple[str, Iterable[Cells]], ...] = (
        ("What happened", _pattern_lines(index, diagnosis, width)),
        ("Likely causes", _cause_lines(diagnosis, width)),
        ("What to do", _advice_lines(diagnosis, width)),
        (f"Evidence{since}", evidence_lines(index, diagnosis, width)),
        ("Features that moved", feature_shift_lines(index, diagnosis, width)),
        ("Segments by contribution", segment_lines(index, diagnosis, width)),
        ("What the model expected of itself", expectation_lines(index, diagnosis, width)),
        ("Reliability", reliability_lines(index, diagnosis, width)),
    )
    out: list[Cells] = []
    for title, lines in sections:
        out += [((truncate(title, width), "head"),), *lines, ()]
    return tuple(out[:-1])


def _paragraph(text: str, width: int, role: str = "") -> list[Cells]:
    return wrap(text, width, role=role, indent="    ", lead=(("  ", ""),))


def _pattern_lines(index: SnapshotIndex, diagnosis: Diagnosis, width: int) -> Iterator[Cells]:
    patterns = [*([diagnosis.series_pattern] if diagnosis.series_pattern else []), *diagnosis.other_patterns]
    if not patterns:
        text = "no metric is known to have changed" if diagnosis.key is None else "its course is not known"
        yield from _paragraph(text, width, "dim")
    for at, pattern in enumerate(patterns[: MAX_OTHER_PATTERNS + 1]):
        text = f"{label(pattern.key)}: {describe_pattern(pattern, index.snapshot.catalog.get(pattern.key.metric))}"
        yield from _paragraph(text, width, "" if at == 0 else "dim")
        if at == 0 and diagnosis.forecast is not None:
            yield from _paragraph(describe_forecast(diagnosis.forecast), width)
    more = len(patterns) - MAX_OTHER_PATTERNS - 1
    if more > 0:
        yield from _paragraph(f"and {more} more metrics that are not steady", width, "dim")


def _cause_lines(diagnosis: Diagnosis, width: int) -> Iterator[Cells]:
    if not diagnosis.hypotheses:
        yield from _paragraph("none was looked for: nothing is wrong", width, "dim")
    for hypothesis in diagnosis.hypotheses:
        yield from _hypothesis_lines(hypothesis, width)


def _hypothesis_lines(hypothesis: CauseHypothesis, width: int) -> Iterator[Cells]:
    certainty = certainty_word(hypothesis.weight)
    role = ROLES[certainty]
    yield from wrap(hypothesis.cause.value, width, role=role, indent=" " * 12, lead=((f"  {certainty:<10}", role),))
    for sign, clauses in (("+", hypothesis.evidence_for), ("−", hypothesis.evidence_against)):
        for clause in clauses:
            yield from wrap(sanitize(clause, 300), width, indent="      ", lead=((f"    {sign} ", "dim"),))


def _advice_lines(diagnosis: Diagnosis, width: int) -> Iterator[Cells]:
    lines = list(advice_lines(diagnosis))
    for at, line in enumerate(lines or ["nothing"]):
        yield from _paragraph(line, width, "" if at else "strong" if lines else "dim")
