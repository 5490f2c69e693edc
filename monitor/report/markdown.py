"""A snapshot as GitHub-flavoured markdown, for an incident's page or a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.changes import summary as changes_of
from monitor.report.text import MARKS, alert_line, headline, series_name
from monitor.snapshot import Snapshot
from monitor.text import age, day, plain, safe


def markdown(snapshot: Snapshot) -> Iterator[str]:
    """The report as GitHub-flavoured markdown; foreign text stands in code spans, so that nothing in it is markup."""
    yield f"# {_escape(headline(snapshot))}"
    yield ""
    yield f"Judged for {day(snapshot.taken_at)}; newest data {_newest(snapshot)}."
    yield ""
    standing = [episode for episode in snapshot.episodes if episode.resolved is None]
    if standing:
        yield "## Alerts"
        yield ""
        yield from (f"- {_code(alert_line(episode, snapshot))}" for episode in standing)
        yield ""
    for verdict in snapshot.verdicts:
        yield f"## {MARKS[verdict.severity][0]} {_code(safe(verdict.model))}"
        yield ""
        yield _code(safe(verdict.sentence, 300))
        yield ""
        yield from _markdown_table(snapshot, verdict.model)
        yield ""


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
