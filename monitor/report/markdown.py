"""A snapshot as GitHub-flavoured markdown, for an incident's page or a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from modeltop.core.series import ModelStatus
from modeltop.core.text import format_age, format_exact, format_period, sanitize
from modeltop.report.diagnosis_sections import diagnosis_sections
from modeltop.report.index import build_index, explain_alerting_models
from modeltop.report.phrases import MARKS, headline, series_name
from modeltop.report.text_report import alert_lines
from modeltop.rules.change_summary import change_summary as changes_of
from modeltop.rules.snapshot import Snapshot


def markdown(snapshot: Snapshot) -> Iterator[str]:
    """The report as GitHub-flavoured markdown; foreign text stands in code spans, so that nothing in it is markup."""
    yield f"# {_escape(headline(snapshot))}"
    yield ""
    yield f"Judged for {format_period(snapshot.taken_at)}; newest data {_newest(snapshot)}."
    yield ""
    known, why = build_index(snapshot), explain_alerting_models(snapshot)
    if known.alerts:
        yield "## Alerts"
        yield ""
        for verdict in snapshot.model_statuses:
            if verdict.model in known.alerts:
                yield f"- {_heading(verdict)}: {_code(why.verdict_for(verdict.model))}"
        yield ""
    for verdict in snapshot.model_statuses:
        yield f"## {_heading(verdict)}"
        yield ""
        yield _code(why.verdict_for(verdict.model))
        yield ""
        yield from _listed("", alert_lines(known, verdict.model))
        found = why.diagnosis_for(verdict.model)
        for section in diagnosis_sections(found, snapshot.catalog) if found is not None else ():
            yield from _listed(section.title, section.lines)
        yield from _markdown_table(snapshot, verdict.model)
        yield ""
    yield from _listed("What could not be worked out", why.errors)


def _heading(verdict: ModelStatus) -> str:
    return f"{MARKS[verdict.severity][0]} {_code(sanitize(verdict.model))}"


def _listed(title: str, lines: Iterable[str]) -> Iterator[str]:
    items = [f"- {_code(line)}" for line in lines]
    if items:
        yield from ([f"**{title}**", ""] if title else [])
        yield from (*items, "")


def _markdown_table(snapshot: Snapshot, model: str) -> Iterator[str]:
    yield "| metric | latest | date | n | Δ previous | Δ first |"
    yield "| --- | ---: | --- | ---: | ---: | ---: |"
    for series in snapshot.history.for_model(model):
        metric = snapshot.catalog.get(series.key.metric)
        deltas = {change.against: metric.format_delta(change.delta) for change in changes_of(series, metric)}
        support = series.latest_support
        cells = (
            _code(series_name(series.key)),
            metric.format(series.latest),
            format_period(series.newest),
            "?" if support is None else format_exact(support),
            deltas.get("previous", ""),
            deltas.get("first", ""),
        )
        yield f"| {' | '.join(cells)} |"


def _newest(snapshot: Snapshot) -> str:
    newest = snapshot.history.newest
    return "none" if newest is None else f"{format_period(newest)}, {format_age(snapshot.clock - newest)} old"


def _code(text: str) -> str:
    """A code span that its content cannot end; a pipe would end a table's cell."""
    inner = text.replace("|", "¦")
    longest = max(map(len, re.findall("`+", inner)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {inner} {fence}" if longest else f"`{inner}`"


def _escape(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>()#+!|~&@" else char for char in text)
