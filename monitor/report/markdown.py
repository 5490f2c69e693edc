"""A snapshot as GitHub-flavoured markdown, for an incident's page or a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from modeltop.core.series import Verdict
from modeltop.core.text import age, day, plain, safe
from modeltop.report.diagnosis_sections import sections
from modeltop.report.index import board, explained
from modeltop.report.phrases import MARKS, headline, series_name
from modeltop.report.text_report import alert_lines
from modeltop.rules.change_summary import summary as changes_of
from modeltop.rules.snapshot import Snapshot


def markdown(snapshot: Snapshot) -> Iterator[str]:
    """The report as GitHub-flavoured markdown; foreign text stands in code spans, so that nothing in it is markup."""
    yield f"# {_escape(headline(snapshot))}"
    yield ""
    yield f"Judged for {day(snapshot.taken_at)}; newest data {_newest(snapshot)}."
    yield ""
    known, why = board(snapshot), explained(snapshot)
    if known.alerts:
        yield "## Alerts"
        yield ""
        for verdict in snapshot.verdicts:
            if verdict.model in known.alerts:
                yield f"- {_heading(verdict)}: {_code(why.verdict(verdict.model))}"
        yield ""
    for verdict in snapshot.verdicts:
        yield f"## {_heading(verdict)}"
        yield ""
        yield _code(why.verdict(verdict.model))
        yield ""
        yield from _listed("", alert_lines(known, verdict.model))
        found = why.of(verdict.model)
        for section in sections(found, snapshot.catalog) if found is not None else ():
            yield from _listed(section.title, section.lines)
        yield from _markdown_table(snapshot, verdict.model)
        yield ""
    yield from _listed("What could not be worked out", why.failed)


def _heading(verdict: Verdict) -> str:
    return f"{MARKS[verdict.severity][0]} {_code(safe(verdict.model))}"


def _listed(title: str, lines: Iterable[str]) -> Iterator[str]:
    items = [f"- {_code(line)}" for line in lines]
    if items:
        yield from ([f"**{title}**", ""] if title else [])
        yield from (*items, "")


def _markdown_table(snapshot: Snapshot, model: str) -> Iterator[str]:
    yield "| metric | latest | date | n | Δ previous | Δ first |"
    yield "| --- | ---: | --- | ---: | ---: | ---: |"
    for series in snapshot.history.of_model(model):
        metric = snapshot.catalog.of(series.key.metric)
        deltas = {change.against: metric.show_change(change.delta) for change in changes_of(series, metric)}
        support = series.latest_support
        cells = (
            _code(series_name(series.key)),
            metric.show(series.latest),
            day(series.newest),
            "?" if support is None else plain(support),
            deltas.get("previous", ""),
            deltas.get("first", ""),
        )
        yield f"| {' | '.join(cells)} |"


def _newest(snapshot: Snapshot) -> str:
    newest = snapshot.history.newest
    return "none" if newest is None else f"{day(newest)}, {age(snapshot.clock - newest)} old"


def _code(text: str) -> str:
    """A code span that its content cannot end; a pipe would end a table's cell."""
    inner = text.replace("|", "¦")
    longest = max(map(len, re.findall("`+", inner)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {inner} {fence}" if longest else f"`{inner}`"


def _escape(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>()#+!|~&@" else char for char in text)
