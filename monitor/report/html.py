"""A snapshot as one HTML file: no script, nothing fetched, charts drawn in place, readable in light and in dark.

It is ASCII (other characters are references), so that it reads the same however it is written out and sent on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.core.diagnosis import Diagnosis
from modeltop.core.series import Alert, Series, State
from modeltop.core.text import format_period, pluralize
from modeltop.report.diagnosis_sections import diagnosis_sections
from modeltop.report.phrases import (
    MARKS,
    alert_line,
    describe_matchers,
    describe_note,
    describe_silence,
    headline,
    latest_cells,
    newest_data,
    problem_lines,
    resolved_clause,
    rule_lines,
    series_name,
    skipped_rules,
    unknown_directions,
)
from modeltop.report.svg import escape_text, model_notes, render_svg, series_chart, severity_class
from modeltop.rules.change_summary import change_summary, describe_change
from modeltop.rules.rule import direction_hint
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

MAX_VERDICT_WIDTH = 400
"""Maximum terminal cells of a verdict."""
MAX_CHARTS = 240
"""Charts in one file, those of the worst models; more would make it too large to be sent."""
MAX_CHARTS_PER_MODEL = 12
"""Series of one model that are drawn, those of all rows first."""
MAX_LISTED = 20
"""Resolved alerts of one model, and lines that could not be read, that are listed; the newest."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(snapshot: Snapshot) -> Iterator[str]:
    """Yield the lines of the report; ASCII, and well-formed as XML too."""
    for line in _page(snapshot):
        yield line.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _page(snapshot: Snapshot) -> Iterator[str]:
    title = escape_text(headline(snapshot))
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8"/>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield '<meta name="color-scheme" content="light dark"/>'
    yield f"<title>{title}</title><style>{STYLE}</style></head><body>"
    yield f'<h1 class="{severity_class(snapshot.severity)}">{title}</h1>'
    yield from (f"<p><strong>{escape_text(shared.sentence)}</strong></p>" for shared in snapshot.shared_starts)
    newest = newest_data(snapshot)
    yield f"<p>Evaluated for {format_period(snapshot.taken_at)}; newest data {newest}. Times are UTC.</p>"
    explanations = ExplanationCache(snapshot)
    yield from _alerting_models(snapshot, explanations)
    yield from _silences(snapshot)
    charts_left = MAX_CHARTS
    for status in snapshot.model_statuses:
        # The series of all rows, then those of segments.
        history = sorted(snapshot.history.for_model(status.model), key=lambda series: series.key.segment != "all")
        drawn = history[: min(MAX_CHARTS_PER_MODEL, charts_left)]
        charts_left -= len(drawn)
        heading = f'<h2 class="{severity_class(status.severity)}">{MARKS[status.severity][0]}'
        yield f"<section>{heading} {escape_text(status.model)}</h2>"
        yield from _verdict(status.model, snapshot, explanations)
        if history:
            yield from _table(history, snapshot)
        yield from _charts(history, drawn, snapshot, explanations.diagnosis_for(status.model))
        yield from _notes_and_past_alerts(status.model, snapshot)
        yield "</section>"
    yield from _footer(snapshot, explanations)
    yield "</body></html>"


def _alerting_models(snapshot: Snapshot, explanations: ExplanationCache) -> Iterator[str]:
    """Yield the models with an open alert and their verdicts; the alerts are listed in the sections of the models."""
    alerting = {alert.key.model for alert in snapshot.alerts if alert.resolved is None}
    items = (
        f'<span class="{severity_class(status.severity)}">{MARKS[status.severity][0]} '
        f"{escape_text(status.model, 60)}</span> "
        f"{escape_text(explanations.text_for(status.model), MAX_VERDICT_WIDTH)}"
        for status in snapshot.model_statuses
        if status.model in alerting
    )
    if alerting:
        yield from _list(items, "<h2>Alerts</h2>")


def _verdict(model: str, snapshot: Snapshot, explanations: ExplanationCache) -> Iterator[str]:
    """Yield the verdict on a model, its open alerts, and the evidence of the verdict."""
    yield f"<p>{escape_text(explanations.text_for(model), MAX_VERDICT_WIDTH)}</p>"
    alerts = [alert for alert in snapshot.alerts if alert.key.model == model and alert.resolved is None]
    if alerts:
        yield from _list(_alert(alert, snapshot) for alert in alerts)
    diagnosis = explanations.diagnosis_for(model)
    sections = {} if diagnosis is None else diagnosis_sections(diagnosis, snapshot.catalog)
    for title, lines in sections.items():
        yield from _list((escape_text(line, 900) for line in lines), f"<h3>{escape_text(title)}</h3>")


def _alert(alert: Alert, snapshot: Snapshot) -> str:
    kind = "pending" if alert.state is State.PENDING else severity_class(alert.severity)
    name = f" <code>{escape_text(alert.id)}</code>" if alert.id else ""
    return f'<span class="{kind}">{escape_text(alert_line(alert, snapshot), 900)}{resolved_clause(alert)}</span>{name}'


def _silences(snapshot: Snapshot) -> Iterator[str]:
    """Yield the silences that hold, or have yet to start."""
    now = snapshot.clock
    silences = [silence for silence in snapshot.alerting_state.silences if silence.end > now]
    if silences:
        texts = (f"{describe_matchers(silence.matchers)}: {describe_silence(silence, now)}" for silence in silences)
        yield from _list((escape_text(text, 600) for text in texts), "<h2>Silences</h2>")


def _table(history: Iterable[Series], snapshot: Snapshot) -> Iterator[str]:
    heads = ("metric", "latest", "95 %", "date", "n", "vs previous", "vs 7 days ago", "vs first")
    yield f"<table><thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead><tbody>"
    for series in history:
        metric = snapshot.catalog.get(series.key.metric)
        changes = change_summary(series, metric, snapshot.baseline)
        deltas = {change.against: metric.format_delta(change.delta) for change in changes}
        cells = (*latest_cells(series, snapshot), *(deltas.get(name, "") for name in ("previous", "7d", "first")))
        title = escape_text("; ".join(describe_change(change, metric, series.newest) for change in changes), 600)
        row = "".join(f"<td>{escape_text(cell)}</td>" for cell in cells)
        yield f'<tr title="{title}"><th>{escape_text(series_name(series.key))}</th>{row}</tr>'
    yield "</tbody></table>"


def _charts(
    history: list[Series], drawn: list[Series], snapshot: Snapshot, diagnosis: Diagnosis | None
) -> Iterator[str]:
    for series in drawn:
        if svg := render_svg(series_chart(series, snapshot, diagnosis)):
            yield f"<figure><figcaption>{escape_text(series_name(series.key))}</figcaption>{svg}</figure>"
    if len(drawn) < len(history):
        yield f"<p>{pluralize(len(history) - len(drawn), 'more chart')} in the app: `modeltop` draws every one.</p>"


def _notes_and_past_alerts(model: str, snapshot: Snapshot) -> Iterator[str]:
    notes = model_notes(model, snapshot)
    if notes:
        yield from _list((escape_text(describe_note(note, snapshot.clock), 400) for note in notes), "<h3>Notes</h3>")
    past = [alert for alert in snapshot.alerts if alert.key.model == model and alert.resolved is not None]
    if past:
        yield f"<details><summary>{pluralize(len(past), 'resolved alert')}</summary>"
        yield from _list(_alert(alert, snapshot) for alert in past[:MAX_LISTED])
        if len(past) > MAX_LISTED:
            yield f"<p>and {len(past) - MAX_LISTED:,} older: <code>modeltop alerts --history</code> lists all.</p>"
        yield "</details>"


def _footer(snapshot: Snapshot, explanations: ExplanationCache) -> Iterator[str]:
    """Yield the rules, the skipped ones, read problems, and failed explanations."""
    problems = [problem for problem in snapshot.history.problems if not problem.fatal]  # those are alerts
    rules = rule_lines(snapshot) if snapshot.history.periods else ()  # without any, they were not applied
    items = [*rules, *(line.strip() for line in skipped_rules(snapshot.rule_statuses))]
    items += [f"{metric}: {direction_hint(metric, kind)}" for metric, kind in unknown_directions(snapshot).items()]
    lines = problem_lines(problems)
    items += [*snapshot.notices, *explanations.errors, *lines[:MAX_LISTED]]
    if more := len(lines[MAX_LISTED:]):
        items.append(f"and {pluralize(more, 'more line')} that could not be read")
    if items:
        yield from _list((escape_text(item, 400) for item in items), "<h2>How this was evaluated</h2>")


def _list(items: Iterable[str], heading: str = "") -> Iterator[str]:
    if heading:
        yield heading
    yield "<ul>"
    yield from (f"<li>{item}</li>" for item in items)
    yield "</ul>"
