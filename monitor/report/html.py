"""A snapshot as one HTML file: no script, nothing fetched, charts drawn in place, readable in light and in dark.

First what a person on call asks for: which models are bad since when, and of each what happened, why and what to do,
beside the chart; everything else unfolds. It is ASCII (other characters are references), so that it reads the same
however it is written out and sent on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.core.series import ModelStatus, Series, SeriesKey, Severity
from modeltop.core.text import pluralize
from modeltop.report.diagnosis_sections import QUESTIONS_TITLE, diagnosis_sections
from modeltop.report.phrases import (
    MARKS,
    alert_line,
    describe_matchers,
    describe_note,
    describe_silence,
    describe_time,
    handling_mark,
    headline,
    latest_cells,
    problem_lines,
    rule_lines,
    series_name,
    skipped_rules,
    unknown_directions,
)
from modeltop.report.summary import (
    CHANGE_NAMES,
    LEAD_NAMES,
    change_cells,
    lead_cells,
    lead_series,
    window_length,
    window_text,
)
from modeltop.report.svg import escape_text, render_spark, render_svg, series_chart, severity_class
from modeltop.report.text_report import ReportIndex, alert_lines, describe_rules
from modeltop.rules.rule import direction_hint
from modeltop.rules.snapshot import Snapshot

STYLE = """
:root { color-scheme: light dark; --fg: #1c1e21; --bg: #fdfdfc; --dim: #5f656d; --rule: #d9dce0; --band: #4a78b833;
  --line: #2458a6; --critical: #b3261e; --warning: #8a5a00; --unknown: #6b4fa0; --ok: #2c6e3f; --pending: #5f656d; }
@media screen and (prefers-color-scheme: dark) { :root { --fg: #e3e5e8; --bg: #16181b; --dim: #a3a9b2;
  --rule: #363b42; --band: #7faaeb40; --line: #8ab4f8; --critical: #ff8a80; --warning: #f2bd55; --unknown: #c3a6ff;
  --ok: #7fcf95; --pending: #a3a9b2; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--fg); background: var(--bg); max-width: 66rem;
  margin: 1rem auto; padding: 0 1rem; overflow-wrap: anywhere; -webkit-text-size-adjust: 100%; }
h1 { font-size: 1.25rem; line-height: 1.3; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 0 0 .5rem; }
h3 { font-size: 1rem; margin: .9rem 0 .2rem; } p, ul, dl { margin: .3rem 0; } ul { padding-left: 1.2rem; }
section { border-top: 1px solid var(--rule); margin-top: 1.2rem; padding-top: 1rem; }
.folded { margin-top: 0; padding-top: .2rem; } section:not(.folded) + .folded { margin-top: 1.2rem; }
a { color: inherit; } summary { cursor: pointer; padding: .3rem 0; } details details { margin-left: 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .5rem 0; }
th, td { padding: .2rem .5rem; text-align: right; vertical-align: bottom; border-bottom: 1px solid var(--rule); }
th:first-child, .fleet :nth-child(2) { text-align: left; padding-left: 0; }
td, .fleet thead th { white-space: nowrap; } tbody th { min-width: 8.2rem; } .fleet tbody th { min-width: 9.5rem; }
thead th { font-weight: normal; overflow-wrap: normal; }
thead th, figcaption, .axis, .dim { color: var(--dim); } .dim { font-style: italic; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .8rem; }
dt { color: var(--dim); } dd { margin: 0; } .marked { list-style: none; padding: 0; }
figure { margin: 0; } figcaption { padding-left: .2rem; } svg { display: block; overflow: visible; }
.chart { width: 100%; max-width: 30rem; height: auto; } .spark { width: 6.5rem; height: 1.4rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 1rem; }
.critical { color: var(--critical); --tone: var(--critical); }
.warning { color: var(--warning); --tone: var(--warning); }
.unknown { color: var(--unknown); --tone: var(--unknown); } .ok { color: var(--ok); --tone: var(--ok); }
.pending { color: var(--pending); --tone: var(--pending); }
.axis { fill: var(--tone, var(--dim)); font-size: 12px; } .strong { fill: var(--fg); }
.grid { stroke: var(--rule); stroke-width: .6; }
.line { stroke: var(--line); stroke-width: 1.6; fill: none; stroke-linejoin: round; } .thin { stroke-width: 1; }
.dot { fill: var(--line); } .now { fill: var(--tone, var(--line)); }
.band { fill: var(--band); } .mark { stroke: var(--dim); stroke-width: 1.2; stroke-dasharray: 2 3; }
.window { fill: var(--dim); fill-opacity: .16; } .begin { stroke: var(--fg); stroke-width: 1.4; }
.trend { stroke: var(--warning); stroke-width: 1.4; fill: none; stroke-dasharray: 7 3; }
.limit { stroke: var(--tone); stroke-width: 1.2; stroke-dasharray: 5 4; }
.span { fill: var(--tone); fill-opacity: .14; }
@media (min-width: 54rem) { .lead { display: grid; grid-template: "text chart" "rest chart" 1fr / 1fr 30rem;
  column-gap: 2rem; } .lead > figure { grid-area: chart; } .lead > .text { grid-area: text; } }
@media screen and (max-width: 54rem) { .wide { display: none; } }
@media screen and (max-width: 43rem) { th, td { padding: .2rem; }
  table { width: 100%; } table:not(.fleet) { font-size: .81rem; }
  .fleet, .fleet thead, .fleet tbody { display: block; }
  .fleet tr { display: grid; grid-template-columns: 1fr 3.2rem 5.2rem 6.5rem; column-gap: .3rem;
    border-bottom: 1px solid var(--rule); }
  .fleet tr > * { border: 0; padding: 0 0 .15rem; } .fleet tbody th { grid-column: 1 / 4; }
  .fleet td:last-child { grid-area: 1 / 4; justify-self: end; }
  .fleet thead th:first-child, .fleet thead th:last-child { display: none; } }
@media screen and (max-width: 24rem) { tbody th { min-width: 6rem; } .fleet .spark { width: 5rem; }
  .fleet tr { grid-template-columns: 1fr 3.2rem 5.2rem 5rem; } }
@media print { body { font-size: 9.5pt; max-width: none; margin: 0; } a { text-decoration: none; }
  summary { list-style: none; } details::details-content { content-visibility: visible; block-size: auto; }
  figure, tr, dl, li { break-inside: avoid; } h2, h3, summary { break-after: avoid; } }
"""

MAX_LINE_WIDTH = 900
MAX_VERDICT_WIDTH = 400
MAX_CHARTS = 240
"""Charts in one file, those of the worst models; more would make it too large to be sent."""
MAX_CHARTS_PER_MODEL = 12
"""Series of one model that are drawn, those of all rows first."""
MAX_ROWS = 20
"""Rows of a table that are shown unfolded, the worst."""
MAX_LISTED = 20
COLUMNS = ("metric", "now", *CHANGE_NAMES.values(), "95 %", "n")
WIDE_COLUMNS = (CHANGE_NAMES["30d"], CHANGE_NAMES["first"], "95 %", "n")
"""Columns that a phone does not show."""
WIDE = ' class="wide"'
CHANCE = ' class="dim" title="not significant"'
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
LEGEND = (
    "Charts: dashed line, limit; vertical line, start of the change; shaded, alert active; band around the line, 95 % "
    "interval; strip below, the entire history. Changes in gray italics are not significant: their 95 % interval "
    "includes 0."
)


def html(snapshot: Snapshot) -> Iterator[str]:
    """Yield the lines of the report; ASCII, and well-formed as XML too."""
    for line in _Page(snapshot).lines():
        yield line.encode("ascii", "xmlcharrefreplace").decode("ascii")


class _Page:
    """The report of one snapshot.

    Args:
        snapshot: The snapshot.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.index = ReportIndex(snapshot)
        self.explanations = ExplanationCache(snapshot)
        self.charts_left = MAX_CHARTS
        self.severities: dict[SeriesKey, Severity] = {}
        for alert in snapshot.alerts:
            if alert.is_active:
                self.severities[alert.key] = max(alert.severity, self.severities.get(alert.key, alert.severity))
        self.history: dict[str, list[Series]] = {}
        for series in snapshot.history.series.values():
            self.history.setdefault(series.key.model, []).append(series)

    def lines(self) -> Iterator[str]:
        snapshot = self.snapshot
        title, statuses = escape_text(headline(snapshot)), snapshot.model_statuses
        yield "<!DOCTYPE html>"
        yield '<html lang="en"><head><meta charset="utf-8"/>'
        yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        yield '<meta name="color-scheme" content="light dark"/>'
        yield f"<title>{title}</title><style>{STYLE}</style></head><body>"
        yield f'<h1 class="{severity_class(snapshot.severity)}">{title}</h1>'
        yield f"<p>{escape_text(describe_time(snapshot))}</p>"
        yield from (f"<p><strong>{escape_text(shared.sentence)}</strong></p>" for shared in snapshot.shared_starts)
        if len(statuses) > 1:
            yield from self._fleet(statuses)
        for number, status in enumerate(statuses):
            yield from self._model(number, status)
        yield from self._silences()
        yield from self._problems()
        yield from self._footer()
        yield "</body></html>"

    def _fleet(self, statuses: Sequence[ModelStatus]) -> Iterator[str]:
        heads = _cells("th", "model", *LEAD_NAMES, "")
        yield f'<table class="fleet"><thead><tr>{heads}</tr></thead><tbody>'
        for number, status in enumerate(statuses):
            if number == MAX_ROWS:
                more = pluralize(len(statuses) - number, "more model")
                yield f'</tbody></table><details><summary>{more}</summary><table class="fleet"><tbody>'
            yield self._fleet_row(number, status)
        yield f"</tbody></table>{'</details>' if len(statuses) > MAX_ROWS else ''}"

    def _fleet_row(self, number: int, status: ModelStatus) -> str:
        kind = severity_class(status.severity)
        mark = MARKS[status.severity][0] + handling_mark(self.snapshot, self.index.alerts.get(status.model, ())).strip()
        link = f'<a href="#m{number}">{mark} {escape_text(status.model, 60)}</a>'
        series = lead_series(status.model, self.history.get(status.model, []), self.snapshot)
        incident = self.snapshot.incident_of(status.model)
        cells = map(escape_text, lead_cells(status.model, series, self.snapshot))
        start = None if incident is None else incident.started_at
        spark = "" if series is None else render_spark(series.values[-window_length(series.times, start) :], kind)
        return f'<tr><th class="{kind}">{link}</th>{_cells("td", *cells, spark)}</tr>'

    def _model(self, number: int, status: ModelStatus) -> Iterator[str]:
        model, mark = status.model, MARKS[status.severity][0]
        heading = f'<span class="{severity_class(status.severity)}">{mark} {escape_text(model, 60)}</span>'
        is_open = bool(model in self.index.alerts or status.concerns or status.severity)
        if is_open:
            yield f'<section id="m{number}"><h2>{heading}</h2>'
        else:
            verdict = escape_text(describe_rules(status, self.index).removeprefix("ok: "), MAX_LINE_WIDTH)
            yield f'<section class="folded"><details><summary>{heading} {verdict}</summary><div id="m{number}">'
        history = self.history.get(model, [])
        lead = lead_series(model, history, self.snapshot)
        yield '<div class="lead">'
        yield from self._verdict(status) if is_open else ()
        yield from self._chart(lead, is_lead=True) if lead is not None else ()
        yield "<div>"
        yield from _list(alert_lines(self.index, model), "<h3>Alerts</h3>", kind="marked")
        yield from self._questions(model)
        yield "</div></div>"
        yield from self._tables(history)
        yield from self._more_charts([series for series in history if series is not lead])
        yield from self._evidence(model)
        yield from self._notes_and_alerts(model)
        yield "</section>" if is_open else "</div></details></section>"

    def _verdict(self, status: ModelStatus) -> Iterator[str]:
        verdict = self.explanations.verdict_for(status.model)
        coverage = self.snapshot.label_coverage.get(status.model)
        missing = ("" if coverage is None else coverage.sentence, self.snapshot.missing_values.get(status.model, ""))
        texts = (("What", verdict.what), ("Why", verdict.why), ("Do", verdict.do), *(("But", text) for text in missing))
        items = (f"<dt>{name}</dt><dd>{escape_text(text, MAX_VERDICT_WIDTH)}</dd>" for name, text in texts if text)
        yield f'<dl class="text">{"".join(items)}</dl>'

    def _questions(self, model: str) -> Iterator[str]:
        diagnosis = self.explanations.diagnosis_for(model)
        if diagnosis is not None and diagnosis.questions:
            yield "<h3>Five questions</h3><dl>"
            for question, answer, reason in diagnosis.questions:
                yield f"<dt>{escape_text(question)}</dt>"
                yield f"<dd><strong>{escape_text(answer)}</strong>: {escape_text(reason)}</dd>"
            yield "</dl>"

    def _chart(self, series: Series, *, is_lead: bool) -> Iterator[str]:
        diagnosis = self.explanations.diagnosis_for(series.key.model)
        chart = series_chart(series, self.snapshot, diagnosis, is_lead=is_lead)
        if self.charts_left and (svg := render_svg(chart)):
            self.charts_left -= 1
            caption = f"{series_name(series.key)}, {window_text(series, len(chart.values))}"
            yield f"<figure><figcaption>{escape_text(caption)}</figcaption>{svg}</figure>"

    def _more_charts(self, others: Sequence[Series]) -> Iterator[str]:
        first, segments = self._by_interest(others)
        # A report of one model has room for all of its charts.
        is_open = len(self.snapshot.model_statuses) == 1
        drawn = 0
        for group, name, flag in ((first, "", ' open=""' if is_open else ""), (segments, ": segments", "")):
            shown = group[: MAX_CHARTS_PER_MODEL - 1 - drawn]
            if charts := [line for series in shown for line in self._chart(series, is_lead=False)]:
                yield f"<details{flag}><summary>{pluralize(len(charts), 'more chart')}{name}</summary>"
                yield f'<div class="charts">{"".join(charts)}</div></details>'
            drawn += len(charts)
        if missing := len(others) - drawn:
            yield f"<p>{pluralize(missing, 'more chart')} in the app: run modeltop to see them.</p>"

    def _by_interest(self, history: Sequence[Series]) -> tuple[list[Series], list[Series]]:
        first = [one for one in history if one.key.segment == "all" or one.key in self.severities]
        return first, [one for one in history if one not in first]

    def _tables(self, history: Sequence[Series]) -> Iterator[str]:
        first, _ = self._by_interest(history)
        shown = (first or history)[:MAX_ROWS]
        others = [series for series in history if series not in shown]
        yield from self._table(shown) if shown else ()
        if others:
            yield f"<details><summary>{pluralize(len(others), 'more row')}: segments</summary>"
            yield from self._table(others)
            yield "</details>"

    def _table(self, history: Sequence[Series]) -> Iterator[str]:
        rows = [self._table_cells(series) for series in history]
        names = [name for name in COLUMNS if any(name in cells for cells in rows)]
        yield f"<table><thead><tr>{''.join(_column(name, name, 'th') for name in names)}</tr></thead><tbody>"
        for series, cells in zip(history, rows, strict=True):
            severity = self.severities.get(series.key)
            kind = "" if severity is None else f' class="{severity_class(severity)}"'
            mark = "" if severity is None else f"{MARKS[severity][0]}&#160;"
            head = f"<th{kind}>{mark}{escape_text(series_name(series.key))}</th>"
            yield f"<tr>{head}{''.join(_column(name, cells.get(name, '')) for name in names[1:])}</tr>"
        yield "</tbody></table>"

    def _table_cells(self, series: Series) -> dict[str, str]:
        value, interval, _, count = latest_cells(series, self.snapshot)
        cells = {"metric": "", "now": value, "95 %": interval, "n": count}
        for against, change in change_cells(series, self.snapshot).items():
            is_dim = change.is_chance
            cells[CHANGE_NAMES[against]] = f"<span{CHANCE}>{change.text}</span>" if is_dim else change.text
        return {name: cell for name, cell in cells.items() if cell or name == "metric"}

    def _evidence(self, model: str) -> Iterator[str]:
        diagnosis = self.explanations.diagnosis_for(model)
        sections = {} if diagnosis is None else diagnosis_sections(diagnosis, self.snapshot.catalog)
        sections.pop(QUESTIONS_TITLE, None)
        if sections:
            yield f"<details><summary>Evidence: {', '.join(sections).lower()}</summary>"
            for title, lines in sections.items():
                yield from _list(lines, f"<h3>{escape_text(title)}</h3>")
            yield "</details>"

    def _notes_and_alerts(self, model: str) -> Iterator[str]:
        snapshot = self.snapshot
        notes = (describe_note(note, snapshot.clock) for note in snapshot.notes_about(model))
        yield from _list(notes, "<h3>Notes</h3>")
        alerts = [alert for alert in snapshot.alerts if alert.key.model == model]
        active = [alert for alert in alerts if alert.resolved is None]
        listed = alerts[: len(active) + MAX_LISTED]  # the past ones come last
        lines = [alert_line(alert, snapshot, name=alert.id or "", with_model=False) for alert in listed]
        if more := len(alerts) - len(listed):
            lines.append(f"and {more:,} older: `modeltop alerts --history` lists all")
        summary = f"Alert ids: {len(active):,} open, {len(alerts) - len(active):,} resolved"
        yield from _list(lines, f"<details><summary>{summary}</summary>", "</details>", kind="marked")

    def _silences(self) -> Iterator[str]:
        now = self.snapshot.clock
        silences = (silence for silence in self.snapshot.alerting_state.silences if silence.end > now)
        texts = (f"{describe_matchers(silence.matchers)}: {describe_silence(silence, now)}" for silence in silences)
        yield from _list(texts, "<section><h2>Silences</h2>", "</section>")

    def _problems(self) -> Iterator[str]:
        lines = problem_lines(problem for problem in self.snapshot.history.problems if not problem.fatal)
        if len(lines) > MAX_LISTED:
            lines[MAX_LISTED:] = [f"and {pluralize(len(lines) - MAX_LISTED, 'more line')}"]
        yield from _list(lines, "<section><h2>Problems of the input</h2>", "</section>")

    def _footer(self) -> Iterator[str]:
        snapshot = self.snapshot
        rules = rule_lines(snapshot) if snapshot.history.periods else ()  # without any, they were not applied
        items = [LEGEND, *rules, *(line.strip() for line in skipped_rules(snapshot.rule_statuses))]
        items += [f"{metric}: {direction_hint(metric, kind)}" for metric, kind in unknown_directions(snapshot).items()]
        items += [*snapshot.notices, *self.explanations.errors]
        yield from _list(
            items, "<section class='folded'><details><summary>How this was evaluated</summary>", "</details></section>"
        )


def _column(name: str, content: str, cell: str = "td") -> str:
    return f"<{cell}{WIDE if name in WIDE_COLUMNS else ''}>{content}</{cell}>"


def _cells(tag: str, *contents: str) -> str:
    return "".join(f"<{tag}>{content}</{tag}>" for content in contents)


def _list(lines: Iterable[str], before: str, after: str = "", kind: str = "plain") -> Iterator[str]:
    texts = [f"<li>{escape_text(line, MAX_LINE_WIDTH)}</li>" for line in lines]
    if texts:
        yield from (before, f'<ul class="{kind}">', *texts, "</ul>", after)
