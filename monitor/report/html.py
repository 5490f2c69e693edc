"""A snapshot as one HTML file: no script, nothing fetched, charts drawn in place, readable in light and in dark.

It is ASCII (other characters are references), so that it reads the same however it is written out and sent on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from modeltop.alerting.messages.explanation import MAX_VERDICT_WIDTH, ExplanationCache
from modeltop.core.diagnosis import Diagnosis
from modeltop.core.series import Alert, Series, Severity, State
from modeltop.core.text import format_age, format_exact, format_period, pluralize, sanitize
from modeltop.report.diagnosis_sections import diagnosis_sections
from modeltop.report.index import explain_alerting_models
from modeltop.report.phrases import (
    MARKS,
    alert_line,
    describe_matchers,
    describe_note,
    describe_silence,
    headline,
    overall_severity,
    series_name,
    skipped_rules,
)
from modeltop.report.svg import model_notes, render_svg, series_chart, severity_class
from modeltop.rules.change_summary import change_summary as changes_of
from modeltop.rules.change_summary import describe_change, latest_interval
from modeltop.rules.rule import describe_rule as rule_sentence
from modeltop.rules.snapshot import Snapshot

STYLE = """
:root { color-scheme: light dark; --fg: #1c1e21; --bg: #fdfdfc; --dim: #666c74; --rule: #d9dce0; --band: #4a78b833;
  --line: #2458a6; --critical: #b3261e; --warning: #8a5a00; --unknown: #6b4fa0; --ok: #2c6e3f; --pending: #666c74; }
@media (prefers-color-scheme: dark) { :root { --fg: #e3e5e8; --bg: #16181b; --dim: #9aa1aa; --rule: #363b42;
  --band: #7faaeb40; --line: #8ab4f8; --critical: #ff8a80; --warning: #f2bd55; --unknown: #c3a6ff; --ok: #7fcf95;
  --pending: #9aa1aa; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--fg); background: var(--bg); max-width: 64rem;
  margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.35rem; } h2 { font-size: 1.1rem; } h3 { font-size: 1rem; }
section { border-top: 1px solid var(--rule); margin-top: 1.5rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; overflow-wrap: normal;
  font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th:first-child { text-align: left; } thead th, figcaption, .axis { color: var(--dim); }
figure { margin: .8rem 0; } svg { width: 100%; height: auto; max-width: 44rem; display: block; }
.critical { color: var(--critical); --tone: var(--critical); }
.warning { color: var(--warning); --tone: var(--warning); }
.unknown { color: var(--unknown); --tone: var(--unknown); } .ok { color: var(--ok); --tone: var(--ok); }
.pending { color: var(--pending); --tone: var(--pending); }
.axis { fill: var(--dim); font-size: 11px; } .grid { stroke: var(--rule); stroke-width: .6; }
.line { stroke: var(--line); stroke-width: 1.4; fill: none; } .dot { fill: var(--line); }
.band { fill: var(--band); } .mark { stroke: var(--fg); stroke-width: 1.4; stroke-dasharray: 2 3; }
.usual { fill: var(--dim); fill-opacity: .13; } .begin { stroke: var(--fg); stroke-width: 1.6; }
.trend { stroke: var(--warning); stroke-width: 1.6; fill: none; stroke-dasharray: 8 3; }
.limit { stroke: var(--tone); stroke-width: 1.2; stroke-dasharray: 6 4; }
.span { fill: var(--tone); fill-opacity: .16; }
@media print { details { display: block; } section { break-inside: avoid; } }
"""


MAX_CHARTS = 240
"""Charts in one file, those of the worst models; more would make it too large to be sent."""
MAX_PAST_ALERTS = 20
"""Resolved alerts of one model that are listed, the newest."""
MAX_CHARTS_PER_MODEL = 12
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
    yield f'<h1 class="{severity_class(overall_severity(snapshot))}">{title}</h1>'
    newest = snapshot.history.newest
    seen = "none" if newest is None else f"{format_period(newest)}, {format_age(snapshot.clock - newest)} old"
    yield f"<p>Judged for {format_period(snapshot.taken_at)}; newest data {seen}. Times are UTC.</p>"
    why = explain_alerting_models(snapshot)
    yield from _wrong(snapshot, why)
    yield from _hushed(snapshot)
    left = MAX_CHARTS
    for verdict in snapshot.model_statuses:
        series = _first_all(snapshot.history.for_model(verdict.model))
        drawn = series[: min(MAX_CHARTS_PER_MODEL, left)]
        left -= len(drawn)
        yield f'<section><h2 class="{severity_class(verdict.severity)}">{_mark(verdict.severity)} {_text(verdict.model)}</h2>'
        yield from _found(verdict.model, snapshot, why)
        yield from _table(series, snapshot)
        yield from _charts(series, drawn, snapshot, why.diagnosis_for(verdict.model))
        yield from _told(verdict.model, snapshot)
        yield "</section>"
    yield from _rules(snapshot, why)
    yield "</body></html>"


def _wrong(snapshot: Snapshot, why: ExplanationCache) -> Iterator[str]:
    """Which models alert, and the verdict on each; the alerts themselves stand with the models."""
    alerting = {one.key.model for one in snapshot.alerts if one.resolved is None}
    if alerting:
        yield "<h2>Alerts</h2>"
        yield from _list(
            f'<span class="{severity_class(one.severity)}">{_mark(one.severity)} {_text(one.model, 60)}</span> '
            f"{_text(why.verdict_for(one.model), MAX_VERDICT_WIDTH)}"
            for one in snapshot.model_statuses
            if one.model in alerting
        )


def _found(model: str, snapshot: Snapshot, why: ExplanationCache) -> Iterator[str]:
    """The verdict, the alerts, and what the verdict rests on."""
    yield f"<p>{_text(why.verdict_for(model), MAX_VERDICT_WIDTH)}</p>"
    standing = [one for one in snapshot.alerts if one.key.model == model and one.resolved is None]
    if standing:
        yield from _list(_alert(one, snapshot) for one in standing)
    found = why.diagnosis_for(model)
    for section in diagnosis_sections(found, snapshot.catalog) if found is not None else ():
        yield f"<h3>{_text(section.title)}</h3>"
        yield from _list(_text(line, 900) for line in section.lines)


def _alert(episode: Alert, snapshot: Snapshot) -> str:
    kind = "pending" if episode.state is State.PENDING else severity_class(episode.severity)
    name = f" <code>{_text(episode.id)}</code>" if episode.id else ""
    ended = f", resolved {format_period(episode.resolved)}" if episode.resolved else ""
    return f'<span class="{kind}">{_text(alert_line(episode, snapshot), 900)}{ended}</span>{name}'


def _hushed(snapshot: Snapshot) -> Iterator[str]:
    """Silences that hold or will."""
    now = snapshot.clock
    silences = [one for one in snapshot.alerting_state.silences if one.end > now]
    if silences:
        yield "<h2>Silences</h2>"
        yield from _list(
            _text(f"{describe_matchers(one.matchers)}: {describe_silence(one, now)}", 600) for one in silences
        )


def _table(series: Iterable[Series], snapshot: Snapshot) -> Iterator[str]:
    heads = ("metric", "latest", "95 %", "date", "n", "since previous", "since 7d back", "since first")
    yield f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>"
    for one in series:
        metric = snapshot.catalog.get(one.key.metric)
        changes = changes_of(one, metric, snapshot.baseline)
        deltas = {change.against: metric.format_delta(change.delta) for change in changes}
        bounds = latest_interval(one, metric)
        support = one.latest_support
        cells = (
            metric.format(one.latest),
            "" if bounds is None else f"{metric.format(bounds[0])} to {metric.format(bounds[1])}",
            format_period(one.newest),
            "?" if support is None else format_exact(support),
            *(deltas.get(name, "") for name in ("previous", "7d", "first")),
        )
        said = _text("; ".join(describe_change(change, metric) for change in changes), 600)
        row = "".join(f"<td>{_text(cell)}</td>" for cell in cells)
        yield f'<tr title="{said}"><th>{_text(series_name(one.key))}</th>{row}</tr>'
    yield "</tbody></table>"


def _charts(series: list[Series], drawn: list[Series], snapshot: Snapshot, found: Diagnosis | None) -> Iterator[str]:
    for one in drawn:
        if drawing := render_svg(series_chart(one, snapshot, found)):
            yield f"<figure><figcaption>{_text(series_name(one.key))}</figcaption>{drawing}</figure>"
    if len(drawn) < len(series):
        yield f"<p>{pluralize(len(series) - len(drawn), 'more chart')} left out: `modeltop` draws every one.</p>"


def _told(model: str, snapshot: Snapshot) -> Iterator[str]:
    """What people wrote about a model, and its alerts of the past."""
    known = model_notes(model, snapshot)
    if known:
        yield "<h3>Notes</h3>"
        yield from _list(_text(describe_note(note, snapshot.clock), 400) for note in known)
    past = [one for one in snapshot.alerts if one.key.model == model and one.resolved is not None]
    if past:
        yield f"<details><summary>{pluralize(len(past), 'resolved alert')}</summary>"
        yield from _list(_alert(one, snapshot) for one in past[:MAX_PAST_ALERTS])
        if len(past) > MAX_PAST_ALERTS:
            yield f"<p>and {len(past) - MAX_PAST_ALERTS:,} older: <code>modeltop alerts --history</code> lists all.</p>"
        yield "</details>"


def _rules(snapshot: Snapshot, why: ExplanationCache) -> Iterator[str]:
    """How it was judged, and what could not be read."""
    said = [rule_sentence(rule, snapshot.catalog.get(rule.metric)) for rule in snapshot.rules]
    names = ["default rule" if rule.default else f"rule {rule.name}" for rule in snapshot.rules]
    items = [f"{name}: {sentence}" for name, sentence in zip(names, said, strict=True)]
    items += [line.strip() for line in skipped_rules(snapshot.rule_statuses)]
    items += [
        *snapshot.notices,
        *why.errors,
        *(str(problem) for problem in snapshot.history.problems[:MAX_PAST_ALERTS]),
    ]
    if more := len(snapshot.history.problems[MAX_PAST_ALERTS:]):
        items.append(f"and {pluralize(more, 'more line')} that could not be read")
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


def _text(foreign: object, limit: int = 300) -> str:
    """Foreign text in which nothing is markup, neither between tags nor in an attribute."""
    return escape(sanitize(foreign, limit), quote=True)
