"""A snapshot in lines that people read; every foreign string is made safe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from monitor.changes import latest_interval, sentence
from monitor.changes import summary as changes_of
from monitor.records import Condition, Episode, Series, SeriesKey, Severity, Standing, State
from monitor.report.people import handled
from monitor.rules import sentence as rule_sentence
from monitor.snapshot import Snapshot
from monitor.text import clip, day, plain, plural, safe

MARKS = {
    Severity.CRITICAL: ("▲", "CRIT"),
    Severity.UNKNOWN: ("○", "n/d"),
    Severity.WARNING: ("◆", "WARN"),
    Severity.OK: ("●", "ok"),
}
"""Shape and word of each severity, worst first: never colour alone."""

EXIT_CODES = {Severity.OK: 0, Severity.WARNING: 1, Severity.CRITICAL: 2, Severity.UNKNOWN: 3}
"""As monitoring plugins have them."""
FIRST_LINE = 80
"""Cells; the first line may become a mail's subject or a pager's whole message."""
HOLDING_SHOWN = 20
NAMED = 8
"""Models named in one line."""


def status(snapshot: Snapshot) -> Severity:
    """The worst severity of any model; without any model and any alert, unknown."""
    found = [verdict.severity for verdict in snapshot.verdicts]
    found += [episode.severity for episode in snapshot.episodes if episode.stands]
    return max(found, default=Severity.UNKNOWN)


def exit_code(snapshot: Snapshot) -> int:
    """0 ok, 1 warning, 2 critical, 3 unknown."""
    return EXIT_CODES[status(snapshot)]


def headline(snapshot: Snapshot) -> str:
    """The verdict on everything in at most 80 cells, the worst model named."""
    models = len(snapshot.verdicts)
    if not models:
        return "UNKNOWN: no model found; there is nothing to judge"
    worst = status(snapshot)
    if worst is Severity.OK:
        rules = sum(standing.left_out is None for standing in snapshot.standings)
        said = f"{plural(rules, 'rule')} hold{'s' if rules == 1 else ''}" if rules else "no rule judges any of them"
        return f"OK: {plural(models, 'model')}, {said}"
    counts = Counter(verdict.severity for verdict in snapshot.verdicts)
    words = [f"{counts[severity]} {severity.name.lower()}" for severity in MARKS if severity and counts[severity]]
    first = next((episode for episode in snapshot.episodes if episode.stands), None)
    named = f": {safe(first.key.model, 40)} {_about(first)}" if first else _unjudged(snapshot)
    many = f"{', '.join(words)} of {plural(models, 'model')}"
    return clip(f"{worst.name}: {many}{named}" if models > 1 or not named else f"{worst.name}{named}", FIRST_LINE)


def _unjudged(snapshot: Snapshot) -> str:
    """The first model that nothing could be judged of for want of labels."""
    first = next((one for one in snapshot.verdicts if one.severity and one.model in snapshot.labels), None)
    return f": {safe(first.model, 40)} {snapshot.labels[first.model].sentence}" if first else ""


def summary(snapshot: Snapshot) -> Iterator[str]:
    """What `check` prints: the headline, a line a problem, what holds, what was left out, and the rules."""
    yield headline(snapshot)
    for episode in snapshot.episodes:
        if episode.resolved is None:
            yield alert_line(episode, snapshot)
    told = {(episode.rule, episode.key) for episode in snapshot.episodes if episode.resolved is None}
    holding = [item for item in snapshot.standings if item.left_out is None and (item.rule, item.key) not in told]
    for model, news in list(snapshot.labels.items())[:HOLDING_SHOWN]:
        yield f"○ n/d   {safe(model, 60)} {news.sentence}"
    if len(snapshot.labels) > HOLDING_SHOWN:
        yield f"        and {len(snapshot.labels) - HOLDING_SHOWN:,} more models lack labels"
    for item in holding[:HOLDING_SHOWN]:
        # What was never judged is not said to be ok.
        mark = "● ok " if snapshot.history.series[item.key].judged().any() else "○ n/d"
        yield f"{mark}   {safe(item.key.model, 60)} {safe(item.sentence)}"
    if len(holding) > HOLDING_SHOWN:
        yield f"        and {len(holding) - HOLDING_SHOWN:,} more hold"
    yield from left_out(snapshot.standings)
    for notice in snapshot.notices:
        yield f"  {safe(notice, 300)}"
    for rule in snapshot.rules:
        name = "default rule" if rule.default else f"rule {safe(rule.name, 60)}"
        yield f"  {name}: {safe(rule_sentence(rule, snapshot.catalog.of(rule.metric)))}"


def left_out(standings: Iterable[Standing]) -> Iterator[str]:
    """Default rules that were not applied, the models of one reason in one line."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for item in standings:
        if item.left_out is not None:
            grouped.setdefault((item.key.metric, item.left_out), []).append(safe(item.key.model, 60))
    for (metric, reason), models in grouped.items():
        rest = f" and {plural(len(models) - NAMED, 'more model')}" if len(models) > NAMED else ""
        yield f"  {safe(metric)} of {', '.join(models[:NAMED])}{rest}: {reason}"


def alert_line(episode: Episode, snapshot: Snapshot | None = None, *, name: str | None = None) -> str:
    """One alert in one line.

    Args:
        episode: The alert.
        snapshot: Adds who has it and why nobody is told, where somebody did something about it.
        name: The id to show before it, with how it ended; None: neither is shown.
    """
    shape, word = MARKS[episode.severity]
    if episode.state is State.PENDING:
        shape, word = "·", "pend"
    count = "" if episode.count is None else f", n {plain(episode.count)}"
    line = f"{shape} {word:5} {safe(episode.key.model, 60)} {_about(episode)}"
    if episode.condition is Condition.THRESHOLD:
        line += f", {plural(episode.periods, 'period')}"
    line += f", since {day(episode.since)}{count}"
    if episode.state in (State.RECOVERING, State.PENDING):
        line += f", {episode.state.value}"
    if name is not None:
        ended = f", resolved {day(episode.resolved)}" if episode.resolved else ""
        line = f"{name:8}  {line}{ended}"
    said = handled(episode, snapshot) if snapshot is not None else []
    return "; ".join((line, *said))


def _about(episode: Episode) -> str:
    """The metric, its segment, and the value against the limit."""
    message = episode.evidence.message if episode.evidence else episode.condition.value
    if episode.condition is not Condition.THRESHOLD:
        return safe(message)
    return f"{series_name(episode.key)} {safe(message)}"


def series_name(key: SeriesKey) -> str:
    """The metric, with its segment where that is not all, made safe."""
    name = safe(key.metric, 60)
    return name if key.segment == "all" else f"{name} [{safe(key.segment, 60)}]"


def pages(snapshot: Snapshot) -> Iterator[str]:
    """The text report: the summary, then a page a model."""
    yield from summary(snapshot)
    for verdict in snapshot.verdicts:
        shape, word = MARKS[verdict.severity]
        yield ""
        yield f"{shape} {word} {safe(verdict.model)}: {safe(verdict.sentence, 300)}"
        for series in snapshot.history.of_model(verdict.model):
            yield f"  {_latest(series, snapshot)}"
            metric = snapshot.catalog.of(series.key.metric)
            for change in changes_of(series, metric):
                yield f"    {safe(sentence(change, metric))}"


def _latest(series: Series, snapshot: Snapshot) -> str:
    metric = snapshot.catalog.of(series.key.metric)
    interval = latest_interval(series, metric)
    bounds = "" if interval is None else f" (95 % {metric.show(interval[0])} to {metric.show(interval[1])})"
    support = series.latest_support
    count = "n unknown" if support is None else f"n {plain(support)}"
    return f"{series_name(series.key)} {metric.show(series.latest)}{bounds} on {day(series.newest)}, {count}"
