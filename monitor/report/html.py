"""A snapshot as one HTML file: no script, nothing fetched, charts drawn in place, readable in light and in dark.

It is ASCII (other characters are references), so that it reads the same however it is written out and sent on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from html import escape

import numpy as np

from monitor.changes import latest_interval, sentence
from monitor.changes import summary as changes_of
from monitor.facts import Note
from monitor.records import Episode, Series, Severity, State, to_stamp
from monitor.report.page_style import STYLE
from monitor.report.people import matcher_words, note_words, silence_words
from monitor.report.svg import Line, draw
from monitor.report.text import MARKS, alert_line, headline, left_out, series_name, status
from monitor.rules import asked
from monitor.rules import sentence as rule_sentence
from monitor.snapshot import Snapshot
from monitor.text import age, day, plain, plural, safe

CHARTS = 240
"""Charts in one file, those of the worst models; more would make it too large to be sent."""
PAST = 20
"""Resolved alerts of one model that are listed, the newest."""
CUTS = 12
"""Series of one model that are drawn, those of all rows first."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(snapshot: Snapshot) -> Iterator[str]:
    """The report, line by line; ASCII, and well-formed as XML too."""
    for line in _page(snapshot):
        yield line.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _page(snapshot: Snapshot) -> Iterator[str]:
    title = _text(headline(snapshot))
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8"/>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield '<meta name="color-scheme" content="light dark"/>'
    yield f"<title>{title}</title><style>{STYLE}</style></head><body>"
    yield f'<h1 class="{_class(status(snapshot))}">{title}</h1>'
    newest = snapshot.history.newest
    seen = "none" if newest is None else f"{day(newest)}, {age(snapshot.clock - newest)} old"
    yield f"<p>Judged for {day(snapshot.taken_at)}; newest data {seen}. Times are UTC.</p>"
    yield from _alerts(snapshot)
    yield from _hushed(snapshot)
    left = CHARTS
    for verdict in snapshot.verdicts:
        series = _first_all(snapshot.history.of_model(verdict.model))
        drawn = series[: min(CUTS, left)]
        left -= len(drawn)
        yield f'<section><h2 class="{_class(verdict.severity)}">{_mark(verdict.severity)} {_text(verdict.model)}</h2>'
        yield f"<p>{_text(verdict.sentence)}</p>"
        yield from _table(series, snapshot)
        yield from _charts(series, drawn, snapshot)
        yield from _told(verdict.model, snapshot)
        yield "</section>"
    yield from _rules(snapshot)
    yield "</body></html>"


def _alerts(snapshot: Snapshot) -> Iterator[str]:
    standing = [episode for episode in snapshot.episodes if episode.resolved is None]
    if standing:
        yield "<h2>Alerts</h2>"
        yield from _list(_alert(episode, snapshot) for episode in standing)


def _alert(episode: Episode, snapshot: Snapshot) -> str:
    kind = "pending" if episode.state is State.PENDING else _class(episode.severity)
    name = f" <code>{_text(episode.id)}</code>" if episode.id else ""
    ended = f", resolved {day(episode.resolved)}" if episode.resolved else ""
    return f'<span class="{kind}">{_text(alert_line(episode, snapshot), 900)}{ended}</span>{name}'


def _hushed(snapshot: Snapshot) -> Iterator[str]:
    """Silences that hold or will."""
    now = snapshot.clock
    silences = [one for one in snapshot.facts.silences if one.end > now]
    if silences:
        yield "<h2>Silences</h2>"
        yield from _list(_text(f"{matcher_words(one.matchers)}: {silence_words(one, now)}", 600) for one in silences)


def _table(series: Iterable[Series], snapshot: Snapshot) -> Iterator[str]:
    heads = ("metric", "latest", "95 %", "date", "n", "since previous", "since 7d back", "since first")
    yield f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>"
    for one in series:
        metric = snapshot.catalog.of(one.key.metric)
        changes = changes_of(one, metric)
        deltas = {change.against: metric.show_change(change.delta) for change in changes}
        bounds = latest_interval(one, metric)
        support = one.latest_support
        cells = (
            metric.show(one.latest),
            "" if bounds is None else f"{metric.show(bounds[0])} to {metric.show(bounds[1])}",
            day(one.newest),
            "?" if support is None else plain(support),
            *(deltas.get(name, "") for name in ("previous", "7d", "first")),
        )
        said = _text("; ".join(sentence(change, metric) for change in changes), 600)
        row = "".join(f"<td>{_text(cell)}</td>" for cell in cells)
        yield f'<tr title="{said}"><th>{_text(series_name(one.key))}</th>{row}</tr>'
    yield "</tbody></table>"


def _charts(series: list[Series], drawn: list[Series], snapshot: Snapshot) -> Iterator[str]:
    for one in drawn:
        chart = draw(_line(one, snapshot))
        if chart:
            yield f"<figure><figcaption>{_text(series_name(one.key))}</figcaption>{chart}</figure>"
    if len(drawn) < len(series):
        yield f"<p>{plural(len(series) - len(drawn), 'more chart')} left out: `modeltop` draws every one.</p>"


def _line(series: Series, snapshot: Snapshot) -> Line:
    key, metric = series.key, snapshot.catalog.of(series.key.metric)
    rules = [rule for rule in asked(snapshot.rules, key) if not _is_left_out(rule.name, series, snapshot)]
    limits = [
        (_class(severity), side)
        for rule in rules
        for severity, limit in rule.check.limits()
        for side in (limit.below, limit.above)
        if side is not None
    ]
    spans = [
        (_class(one.severity), to_stamp(one.since), to_stamp(one.resolved or series.newest))
        for one in snapshot.episodes
        if one.key == key and one.fired is not None
    ]
    return Line(
        title=f"{series_name(key)} of {safe(key.model, 60)}, {plural(len(series), 'period')}, "
        f"latest {metric.show(series.latest)}",
        times=series.times,
        values=series.values,
        show=metric.show,
        low=series.low,
        high=series.high,
        limits=limits,
        spans=spans,
        marks=_marks(series, snapshot),
    )


def _is_left_out(rule: str, series: Series, snapshot: Snapshot) -> bool:
    return any(one.rule == rule and one.key == series.key and one.left_out for one in snapshot.standings)


def _marks(series: Series, snapshot: Snapshot) -> list[tuple[np.datetime64, str]]:
    """What people wrote down about the model within its time."""
    first, last = series.times[0], series.times[-1]
    notes = [(to_stamp(note.at), note) for note in _notes(series.key.model, snapshot)]
    return [(at, note_words(note, snapshot.clock)) for at, note in notes if first <= at <= last]


def _notes(model: str, snapshot: Snapshot) -> list[Note]:
    return [note for note in snapshot.facts.notes if fnmatchcase(model, note.model)]


def _told(model: str, snapshot: Snapshot) -> Iterator[str]:
    """What people wrote about a model, and its alerts of the past."""
    notes = _notes(model, snapshot)
    if notes:
        yield "<h3>Notes</h3>"
        yield from _list(_text(note_words(note, snapshot.clock), 400) for note in notes)
    past = [one for one in snapshot.episodes if one.key.model == model and one.resolved is not None]
    if past:
        yield f"<details><summary>{plural(len(past), 'resolved alert')}</summary>"
        yield from _list(_alert(one, snapshot) for one in past[:PAST])
        if len(past) > PAST:
            yield f"<p>and {len(past) - PAST:,} older: <code>modeltop alerts --history</code> lists all.</p>"
        yield "</details>"


def _rules(snapshot: Snapshot) -> Iterator[str]:
    """How it was judged, and what could not be read."""
    said = [rule_sentence(rule, snapshot.catalog.of(rule.metric)) for rule in snapshot.rules]
    names = ["default rule" if rule.default else f"rule {rule.name}" for rule in snapshot.rules]
    items = [f"{name}: {sentence}" for name, sentence in zip(names, said, strict=True)]
    items += [line.strip() for line in left_out(snapshot.standings)]
    items += [*snapshot.notices, *(str(problem) for problem in snapshot.history.problems[:PAST])]
    if more := len(snapshot.history.problems[PAST:]):
        items.append(f"and {plural(more, 'more line')} that could not be read")
    if items:
        yield "<h2>How this was judged</h2>"
        yield from _list(_text(item, 400) for item in items)


def _list(items: Iterable[str]) -> Iterator[str]:
    yield "<ul>"
    yield from (f"<li>{item}</li>" for item in items)
    yield "</ul>"


def _first_all(series: list[Series]) -> list[Series]:
    """The series of all rows, then those of segments."""
    return sorted(series, key=lambda one: one.key.segment != "all")


def _mark(severity: Severity) -> str:
    return MARKS[severity][0]


def _class(severity: Severity) -> str:
    return severity.name.lower()


def _text(foreign: object, limit: int = 300) -> str:
    """Foreign text in which nothing is markup, neither between tags nor in an attribute."""
    return escape(safe(foreign, limit), quote=True)
