"""A snapshot as GitHub-flavoured markdown, for an incident's page or a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.core.series import ModelStatus
from modeltop.core.text import sanitize
from modeltop.report.diagnosis_sections import diagnosis_sections
from modeltop.report.phrases import (
    MARKS,
    describe_time,
    handling_mark,
    headline,
    latest_cells,
    problem_details,
    series_name,
    unknown_directions,
)
from modeltop.report.summary import CHANGE_NAMES, LEAD_NAMES, change_cells, lead_cells, lead_series
from modeltop.report.text_report import ReportIndex, alert_lines
from modeltop.rules.rule import direction_hint
from modeltop.rules.snapshot import Snapshot


def markdown(snapshot: Snapshot) -> Iterator[str]:
    """Yield the lines of the report; foreign text is put in code spans, so that nothing in it is markup."""
    yield f"# {_escape(headline(snapshot))}"
    yield ""
    for shared in snapshot.shared_starts:
        yield f"**{_escape(shared.sentence)}**"
        yield ""
    yield describe_time(snapshot)
    yield ""
    index, explanations = ReportIndex(snapshot), ExplanationCache(snapshot)
    if len(snapshot.model_statuses) > 1:
        rows = ((_heading(status, index), *_lead(status, snapshot)) for status in snapshot.model_statuses)
        yield from _table(("model", *LEAD_NAMES), rows)
    for status in snapshot.model_statuses:
        yield f"## {_heading(status, index)}"
        yield ""
        yield _code(explanations.text_for(status.model))
        yield ""
        yield from _list("", alert_lines(index, status.model))
        diagnosis = explanations.diagnosis_for(status.model)
        sections = {} if diagnosis is None else diagnosis_sections(diagnosis, snapshot.catalog)
        for title, lines in sections.items():
            yield from _list(title, lines)
        if snapshot.history.for_model(status.model):
            names = ("metric", "now", "95 %", "date", "n", *CHANGE_NAMES.values())
            yield from _table(names, _metric_rows(snapshot, status.model))
    hints = (f"{sanitize(metric)}: {direction_hint(metric, k)}" for metric, k in unknown_directions(snapshot).items())
    yield from _list("Unknown directions", map(sanitize, hints))
    yield from _list("Problems of the input", problem_details(snapshot.history.problems))
    yield from _list("Failed diagnoses", explanations.errors)


def _heading(status: ModelStatus, index: ReportIndex) -> str:
    handling = handling_mark(index.snapshot, index.alerts.get(status.model, ())).strip()
    return f"{MARKS[status.severity][0]}{handling} {_code(sanitize(status.model))}"


def _list(title: str, lines: Iterable[str]) -> Iterator[str]:
    items = [f"- {_code(line)}" for line in lines]
    if items:
        yield from ([f"**{title}**", ""] if title else [])
        yield from (*items, "")


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield f"| --- | {' | '.join(['---:'] * (len(names) - 1))} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _lead(status: ModelStatus, snapshot: Snapshot) -> Iterator[str]:
    series = lead_series(status.model, snapshot.history.for_model(status.model), snapshot)
    return (_code(cell) if cell else "" for cell in lead_cells(status.model, series, snapshot))


def _metric_rows(snapshot: Snapshot, model: str) -> Iterator[Sequence[str]]:
    for series in snapshot.history.for_model(model):
        changes = change_cells(series, snapshot)
        texts = (changes[against].text if against in changes else "" for against in CHANGE_NAMES)
        yield (_code(series_name(series.key)), *latest_cells(series, snapshot), *texts)


def _code(text: str) -> str:
    """Return a code span that its content cannot close; a pipe would close a table's cell."""
    content = text.replace("|", "¦")
    longest = max(map(len, re.findall("`+", content)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {content} {fence}" if longest else f"`{content}`"


def _escape(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>()#+!|~&@" else char for char in text)
