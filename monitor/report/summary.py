"""A snapshot in lines that people read: what `check` prints, and the text report."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.changes import latest_interval, sentence
from monitor.changes import summary as changes_of
from monitor.message.reasons import Reasons
from monitor.records import Series
from monitor.report.board import Board, board
from monitor.report.calm import calm, calm_line
from monitor.report.evidence import sections
from monitor.report.explained import explained
from monitor.report.lines import HANG, wrapped
from monitor.report.text import headline, left_out, series_name
from monitor.report.verdicts import block, verdict_lines
from monitor.rules import sentence as rule_sentence
from monitor.snapshot import Snapshot
from monitor.text import day, plain, safe

DETAILED = 50
"""Models whose alerts are listed one by one, the worst; of the others the verdict is told."""
NOTE = 4
"""Cells in front of what goes on from one line at the foot to the next."""


def summary(snapshot: Snapshot) -> Iterator[str]:
    """What `check` prints: the headline, what alerts, the worst first, what does not, and how it was judged."""
    yield headline(snapshot)
    known, why = board(snapshot), explained(snapshot)
    wrong = [one for one in snapshot.verdicts if one.model in known.alerts]
    for verdict in wrong[:DETAILED]:
        yield from block(verdict, known, why.of(verdict.model))
    for verdict in wrong[DETAILED:]:
        yield from verdict_lines(verdict, why.of(verdict.model))
    yield from calm([one for one in snapshot.verdicts if one.model not in known.alerts], known)
    yield from _foot(snapshot, why)


def _foot(snapshot: Snapshot, why: Reasons) -> Iterator[str]:
    """How it was judged."""
    for line in (*left_out(snapshot.standings), *(f"  {safe(one, 300)}" for one in snapshot.notices)):
        yield from wrapped(line, NOTE)
    for line in why.failed:
        yield from wrapped(f"  {line}", NOTE)
    for rule in snapshot.rules:
        name = "default rule" if rule.default else f"rule {safe(rule.name, 60)}"
        said = safe(rule_sentence(rule, snapshot.catalog.of(rule.metric)), 300)
        yield from wrapped(f"  {name}: {said}", NOTE)


def pages(snapshot: Snapshot) -> Iterator[str]:
    """The text report: the headline, a page a model, and how it was judged."""
    yield headline(snapshot)
    known, why = board(snapshot), explained(snapshot)
    for verdict in snapshot.verdicts:
        yield ""
        yield from _page(verdict.model, known, why)
    yield ""
    yield from _foot(snapshot, why)


def _page(model: str, known: Board, why: Reasons) -> Iterator[str]:
    """A model: the verdict, what it rests on, every metric as it stands and has changed."""
    snapshot, found = known.snapshot, why.of(model)
    verdict = next(one for one in snapshot.verdicts if one.model == model)
    if model in known.alerts:
        yield from block(verdict, known, found)
    else:
        yield from wrapped(calm_line(verdict, known), HANG)
    for section in sections(found, snapshot.catalog) if found is not None else ():
        yield f"  {section.title}"
        for line in section.lines:
            yield from wrapped(f"    {line}", 6)
    for series in snapshot.history.of_model(model):
        yield f"  {_latest(series, snapshot)}"
        metric = snapshot.catalog.of(series.key.metric)
        for change in changes_of(series, metric, snapshot.reference):
            yield f"    {safe(sentence(change, metric))}"


def _latest(series: Series, snapshot: Snapshot) -> str:
    metric = snapshot.catalog.of(series.key.metric)
    interval = latest_interval(series, metric)
    bounds = "" if interval is None else f" (95 % {metric.show(interval[0])} to {metric.show(interval[1])})"
    support = series.latest_support
    count = "n unknown" if support is None else f"n {plain(support)}"
    return f"{series_name(series.key)} {metric.show(series.latest)}{bounds} on {day(series.newest)}, {count}"
