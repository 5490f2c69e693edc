"""Phrases for alerts, silences, notes, series and rules; every foreign string in them is sanitized."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime

from modeltop.core.incident import Acknowledgement, Incident, Matchers, Note, Silence, Suppression
from modeltop.core.series import (
    Alert,
    Condition,
    ReadProblem,
    RuleStatus,
    Series,
    SeriesKey,
    Severity,
    State,
)
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import (
    display_width,
    format_age,
    format_day,
    format_duration,
    format_minute,
    pluralize,
    sanitize,
    truncate,
)
from modeltop.rules.change_summary import latest_interval
from modeltop.rules.defaults import without_idle
from modeltop.rules.rule import UNKNOWN_METRIC, Rule, describe_rule, metric_table
from modeltop.rules.snapshot import Snapshot

MAX_NAME = 40
MAX_REASON = 200
MAX_PROBLEM_WIDTH = 400
"""Maximum terminal cells of why something could not be read, with the command to run."""
MAX_NAMED = 8
MARKS = {
    Severity.CRITICAL: ("▲", "critical"),
    Severity.UNKNOWN: ("○", "unknown"),
    Severity.WARNING: ("◆", "warning"),
    Severity.OK: ("●", "ok"),
}
"""Shape and word of each severity, worst first: never color alone."""
ACKNOWLEDGED_MARK, SUPPRESSED_MARK = "✓", "×"
MAX_HEADLINE = 80
"""Maximum terminal cells of the headline, which may become a mail's subject or a pager's entire message."""
NEXT_COMMANDS = (
    ("modeltop FILE.csv", "a CSV with a date and metrics"),
    ("modeltop record MODEL accuracy=0.93", "a first value, from a job"),
    ("modeltop demo", "a guided incident of two minutes"),
    ("modeltop help getting-started", "the manual"),
)
_FAULT_END = re.compile(": |; ")
"""What separates, in the message of a fault, what is wrong from what to do."""
LINE_WIDTH = 80
HANG = 4
"""Indentation in cells of the lines that belong to a model."""


def format_moment(at: datetime, now: datetime) -> str:
    """Return the date and the time of day in UTC, without the parts that are those of `now`.

    >>> at = datetime(2025, 1, 10, 14, 3, 27, tzinfo=UTC)
    >>> format_moment(at, at), format_moment(at, datetime(2025, 1, 9, tzinfo=UTC))
    ('14:03', '10 Jan 14:03')
    """
    at = at.astimezone(UTC)
    return f"{at:%H:%M}" if at.date() == now.date() else format_minute(at, now).removesuffix(" UTC")


def describe_ack(ack: Acknowledgement, now: datetime) -> str:
    """Return who has acknowledged an alert, when, for how long and why."""
    span = f"{format_moment(ack.at, now)} for {format_duration(ack.until - ack.at)}"
    text = f"acked by {sanitize(ack.by, MAX_NAME)} at {span}"
    return f"{text}: {sanitize(ack.reason, MAX_REASON)}" if ack.reason.strip() else text


def describe_suppression(suppression: Suppression) -> str:
    """Return why an alert is suppressed; the reason contains who, why and until when."""
    reason = sanitize(suppression.reason, MAX_REASON + MAX_NAME)
    return reason if reason.startswith(suppression.kind) else f"{suppression.kind}: {reason}"


def describe_matchers(matchers: Matchers) -> str:
    """Return which alerts match; a matcher that matches everything is left out.

    >>> describe_matchers(Matchers(model="fraud-*", severity="warning")), describe_matchers(Matchers())
    ('model fraud-*, severity warning', 'everything')
    """
    globs = ((field.name, getattr(matchers, field.name)) for field in fields(matchers))
    return ", ".join(f"{name} {sanitize(glob, 60)}" for name, glob in globs if glob != "*") or "everything"


def describe_silence(silence: Silence, now: datetime) -> str:
    """Return until when a silence holds, who made it and why; also that it has ended, or is not yet in force."""
    if not silence.is_credible(now):
        ahead = format_age(silence.end_set_at - now)
        span = f"not in force: set by a clock that was {ahead} ahead; set it again"
    elif silence.end <= now:
        span = f"ended {format_moment(silence.end, now)}"
    elif silence.start > now:
        span = f"from {format_moment(silence.start, now)} until {format_moment(silence.end, now)}"
    else:
        span = f"until {format_moment(silence.end, now)}"
    return f"{span}, {sanitize(silence.by, MAX_NAME)}: {sanitize(silence.reason, MAX_REASON)}"


def describe_note(note: Note, now: datetime) -> str:
    """Return when a note was written, by whom, and its text; the history's own, of a new version, is by nobody."""
    by = f"{sanitize(note.by, MAX_NAME)}: " if note.by else ""
    return f"{format_moment(note.at, now)} {by}{sanitize(note.text, MAX_REASON)}"


def describe_handling(alert: Alert, snapshot: Snapshot) -> list[str]:
    """Return who has acknowledged an alert, and why it is suppressed: a clause each, or none."""
    if alert.id is None:
        return []
    ack, suppression = snapshot.acknowledgements.get(alert.id), snapshot.suppressions.get(alert.id)
    return [
        *([describe_ack(ack, snapshot.clock)] if ack is not None else []),
        *([describe_suppression(suppression)] if suppression is not None else []),
    ]


def state_word(severity: Severity, incident: Incident | None) -> str:
    """Return the word for the state of a model, by its severity and its open incident."""
    no_data = incident is not None and incident.condition is Condition.NO_DATA
    return "no data" if severity is Severity.UNKNOWN and no_data else MARKS[severity][1]


def handling_mark(snapshot: Snapshot, alerts: Iterable[Alert]) -> str:
    """Return the mark for how alerts are handled.

    Returns:
        `✓` if each active alert is acknowledged; `×` if each is suppressed, acknowledged or not, or else the others
        are; a blank if an active alert is neither, or none is active.
    """
    active = {alert.id or "" for alert in alerts if alert.is_active}
    acknowledged = active & snapshot.acknowledgements.keys()
    suppressed = active & snapshot.suppressions.keys()
    if not active or acknowledged | suppressed != active:
        return " "
    return ACKNOWLEDGED_MARK if acknowledged == active != suppressed else SUPPRESSED_MARK


def headline(snapshot: Snapshot) -> str:
    """Return the state of all models in at most 80 terminal cells; the worst model is named."""
    models = len(snapshot.model_statuses)
    if not (snapshot.history.series or snapshot.history.periods):
        return _nothing_read(snapshot)
    worst = snapshot.severity
    if worst is Severity.UNKNOWN and snapshot.clock_doubt is not None:
        return truncate(f"UNKNOWN: {snapshot.clock_doubt}", MAX_HEADLINE)
    if worst is Severity.OK:
        rules = sum(status.is_evaluated for status in snapshot.rule_statuses)
        return f"OK: {pluralize(models, 'model')}, {pluralize(rules, 'rule')} passed"
    counts = Counter(
        (status.severity, state_word(status.severity, snapshot.incident_of(status.model)))
        for status in snapshot.model_statuses
        if status.severity
    )
    worst_first = sorted((-severity, word, count) for (severity, word), count in counts.items())
    words = [f"{count} {word}" for _, word, count in worst_first]
    first = worst_alert(snapshot)
    counted = f"{worst.name}: {', '.join(words)} of {pluralize(models, 'model')}"
    example = _worst_example(snapshot, MAX_HEADLINE - len(counted) - len(": "))
    other = _other_severity(snapshot, first) if first else ""
    width = MAX_HEADLINE - display_width(other)
    if models == 1 and example:
        return truncate(f"{worst.name}{example}", width) + other
    line = counted + example
    if len(words) > 1:  # both are named already
        width, other = MAX_HEADLINE, ""
    # The problem is worth more than a word that can be guessed.
    short = line if display_width(line) <= width else truncate(line.replace(" models:", ":", 1), width)
    return short + other


def worst_alert(snapshot: Snapshot) -> Alert | None:
    """Return the first active alert, or the lead of its model's incident if that is as bad; None without any."""
    active = [alert for alert in snapshot.alerts if alert.is_active]
    if not active:
        return None
    incident = snapshot.incident_of(active[0].key.model)
    leads = (alert for alert in active if incident is not None and alert.id == incident.lead)
    return next((lead for lead in leads if lead.severity is active[0].severity), active[0])


def _other_severity(snapshot: Snapshot, first: Alert) -> str:
    is_unknown = first.severity is Severity.UNKNOWN
    alerts = (alert for alert in snapshot.alerts if alert.is_active)
    other = next((alert for alert in alerts if (alert.severity is Severity.UNKNOWN) != is_unknown), None)
    if other is None:
        return ""
    what = other.condition.value if other.key.metric == "*" else truncate(series_name(other.key), 24)
    return f"; {other.severity.name.lower()}: {what}"


def _worst_example(snapshot: Snapshot, width: int) -> str:
    """Return the worst alert, else the first model that could not be evaluated, after a colon; empty without any.

    A source that cannot be read is described in `width` cells.
    """
    first = worst_alert(snapshot)
    if first is None:
        return _unevaluated_model(snapshot)
    if first.condition is Condition.ERROR and first.breach:
        return f": {describe_fault(first.key.model, first.breach.message, width)}"
    return f": {sanitize(first.key.model, 40)} {_describe_breach(first)}"


def _nothing_read(snapshot: Snapshot) -> str:
    """Return why no model was found: the first source that could not be read, and how many others."""
    problems = sorted(snapshot.history.problems, key=lambda problem: not problem.fatal)
    if not problems:
        return "UNKNOWN: no model found: name a folder with metric CSV files"
    sources = len({problem.source for problem in problems})
    start = "UNKNOWN: " if sources == 1 else f"UNKNOWN: {sources:,} sources not read: "
    return start + describe_fault(problems[0].source, problems[0].message, MAX_HEADLINE - len(start))


def describe_fault(source: str, message: str, width: int) -> str:
    """Return in `width` cells that a source cannot be read: what to do, or where there is no room only what it is."""
    name, reason = sanitize(source, 60), sanitize(message, MAX_REASON)
    text = f"{name}: {reason}"
    if display_width(text) <= width:
        return text
    return truncate(f"{name}: {_FAULT_END.split(reason, maxsplit=1)[0]}", width)


def fault_rest(problem: ReadProblem, line: str) -> str:
    """Return as a sentence what a line that ends with the start of a fault, as `describe_fault` has it, leaves out."""
    reason = sanitize(problem.message, MAX_PROBLEM_WIDTH)
    if line.endswith(reason):
        return ""
    what, *rest = _FAULT_END.split(reason, maxsplit=1)
    text = rest[0] if line.endswith(what) else reason
    return text[:1].upper() + text[1:]


def next_commands(problems: Iterable[ReadProblem]) -> str:
    """Return commands to go on with if nothing was read; empty if a problem names one, or the path that is meant."""
    if any(re.search("[`?]", problem.message) for problem in problems):
        return ""
    return "Try: " + ", ".join(f"`{command}`" for command, _ in NEXT_COMMANDS)


def problem_lines(problems: Iterable[ReadProblem]) -> list[str]:
    """Return a sanitized line for each fault: those that differ in a line, a value or a file alone share one."""
    groups: dict[tuple[str, ...], list[ReadProblem]] = {}
    for problem in problems:
        column = re.match(r"column `[^`]*`: ", problem.message)
        start = column[0] if column else ""
        kind = re.sub(r"`[^`]*`|\d+", "", problem.message[len(start) :])
        source = "" if problem.line is None else problem.source
        groups.setdefault((source, start, kind), []).append(problem)
    lines = []
    for group in groups.values():
        if count := sum(problem.count for problem in group):
            more = f" (and {count - 1:,} more like this)" if count > 1 else ""
            lines.append(sanitize(group[0], MAX_PROBLEM_WIDTH - len(more)) + more)
    return lines


def problem_details(problems: Iterable[ReadProblem]) -> Iterator[str]:
    """Yield every problem with its line, sanitized: what `problem_lines` counts."""
    yield from (sanitize(problem, MAX_PROBLEM_WIDTH) for problem in problems)


def _unevaluated_model(snapshot: Snapshot) -> str:
    first = next((status for status in snapshot.model_statuses if status.severity), None)
    if first is None:
        return ""
    coverage = snapshot.label_coverage.get(first.model)
    return f": {sanitize(first.model, 40)} {sanitize(first.sentence, 60) if coverage is None else coverage.sentence}"


def describe_time(snapshot: Snapshot) -> str:
    """Return up to which period there is data, how old that is, and for when it was evaluated if that differs."""
    newest = snapshot.history.newest
    if newest is None:
        return "No data. Times are UTC."
    age = format_duration(snapshot.clock - newest, 1)
    at = "" if snapshot.taken_at == newest else f"; evaluated for {format_day(snapshot.taken_at, snapshot.clock)}"
    return f"Data to {format_day(newest, snapshot.clock)}, {age} old{at}. Times are UTC."


def has_too_little_history(status: RuleStatus) -> bool:
    """Return whether there are too few periods to evaluate a rule."""
    # What follows the last colon is never foreign text.
    return status.sentence.rpartition(": ")[2].startswith("needs ")


def list_names(names: Sequence[str], noun: str = "") -> str:
    """Return the first of many sanitized names, and how many more there are.

    >>> list_names([str(number) for number in range(10)], "model")
    '0, 1, 2, 3, 4, 5, 6, 7 and 2 more models'
    """
    more = len(names) - MAX_NAMED
    words = f" {noun}{'s' if more > 1 else ''}" if noun else ""
    return ", ".join(names[:MAX_NAMED]) + (f" and {more:,} more{words}" if more > 0 else "")


def skipped_rules(statuses: Iterable[RuleStatus]) -> Iterator[str]:
    """Yield the default rules that were not applied, the models of one reason in one line."""
    models: dict[tuple[str, str], dict[str, None]] = {}
    for status in statuses:
        if status.skip_reason is not None:
            of_reason = models.setdefault((status.key.metric, sanitize(status.skip_reason, 240)), {})
            of_reason[sanitize(status.key.model, 60)] = None
    for (metric, reason), names in models.items():
        yield f"  {sanitize(metric)} of {list_names(list(names), 'model')}: {reason}"


def unknown_directions(snapshot: Snapshot) -> dict[str, str | None]:
    """Return the first unknown metrics with an open alert, each with the registered one that it may be a kind of."""
    alerts = (alert for alert in snapshot.alerts if alert.resolved is None and alert.rule == UNKNOWN_METRIC)
    metrics = list(dict.fromkeys(alert.key.metric for alert in alerts))[:MAX_NAMED]
    return {metric: snapshot.catalog.resembles(metric) for metric in metrics}


def direction_lines(snapshot: Snapshot) -> Iterator[str]:
    """Yield the unknown metrics with an open alert, and the lines of TOML that configure their direction."""
    for metric, similar in unknown_directions(snapshot).items():
        kind = f" (it may be a kind of {similar})" if similar else ""
        text = f"  direction of {sanitize(metric, 60)} unknown{kind}: to alert on one side only, add to modeltop.toml"
        yield from wrapped(text, 4)
        yield f"    {sanitize(metric_table(metric), 140)}"
        yield '    better = "higher"  # or "lower"'


def rule_lines(snapshot: Snapshot) -> Iterator[str]:
    """Yield each rule with its name, one line a rule."""
    for rule in without_idle(snapshot.rules, snapshot.rule_statuses):
        name = "default rule" if rule.default else f"rule {sanitize(rule.name, 60)}"
        yield f"{name}: {rule_sentence(rule, snapshot)}"


def rule_sentence(rule: Rule, snapshot: Snapshot) -> str:
    """Return the condition of a rule, in one sanitized sentence."""
    return sanitize(describe_rule(rule, snapshot.catalog.get(rule.metric)), 300)


def severity_mark(severity: Severity) -> str:
    """Return shape and word of a severity."""
    return " ".join(MARKS[severity])


def alert_mark(alert: Alert) -> str:
    """Return shape and word of an alert: those of its severity, or of a pending one."""
    return "· pending" if alert.state is State.PENDING else severity_mark(alert.severity)


def alert_line(alert: Alert, snapshot: Snapshot, *, name: str | None = None, with_model: bool = True) -> str:
    """Return one alert in one line.

    Args:
        alert: The alert.
        snapshot: Source of its series, of acknowledgements and suppressions.
        name: The id to show before the line, with the end of the alert; None: neither is shown.
        with_model: False if the model is named already.
    """
    model = f"{sanitize(alert.key.model, 60)} " if with_model else ""
    line = f"{alert_mark(alert)} {model}{_describe_breach(alert)}"
    if alert.condition is Condition.THRESHOLD:
        series = snapshot.history.series.get(alert.key)
        line += f", for {pluralize(alert.periods, 'period' if series is None else period_unit(series))}"
    if alert.condition is not Condition.NO_DATA:  # since when no data has come is in the sentence
        line += f", since {format_day(alert.since, snapshot.taken_at)}"
    line += "" if alert.count is None else f", {pluralize(round(alert.count), 'case')}"
    if alert.state is State.RECOVERING:
        line += ", recovering"
    if name is not None:
        line = f"{name:8}  {line}{resolved_clause(alert, snapshot.taken_at)}"
    return "; ".join((line, *_alert_notes(alert, snapshot)))


def _alert_notes(alert: Alert, snapshot: Snapshot) -> Iterator[str]:
    """Yield that the direction of a metric is unknown, and who has the alert."""
    if alert.rule == UNKNOWN_METRIC and alert.resolved is None:
        yield "direction unknown"
    yield from describe_handling(alert, snapshot)


def resolved_clause(alert: Alert, now: datetime) -> str:
    """Return when an alert was resolved, with a leading comma; empty while it is open."""
    return f", resolved {format_day(alert.resolved, now)}" if alert.resolved else ""


def _describe_breach(alert: Alert) -> str:
    breach = alert.breach
    message = breach.message if breach else alert.condition.value
    if alert.key.metric == "*":
        return sanitize(message, MAX_PROBLEM_WIDTH)
    return f"{series_name(alert.key)} {sanitize(message, MAX_PROBLEM_WIDTH)}"


def series_name(key: SeriesKey) -> str:
    """Return the metric, with its segment if that is not all; sanitized."""
    name = sanitize(key.metric, 60)
    return name if key.segment == "all" else f"{name} [{sanitize(key.segment, 60)}]"


def latest_cells(series: Series, snapshot: Snapshot) -> tuple[str, str, str, str]:
    """Return the cells of a table for the newest period: value, 95 % interval, date, support; empty if unknown."""
    metric = snapshot.catalog.get(series.key.metric)
    interval, support = latest_interval(series, metric), series.latest_support
    return (
        metric.format(series.latest),
        "" if interval is None else f"{metric.format(interval[0])} to {metric.format(interval[1])}",
        format_day(series.newest, snapshot.taken_at),
        "" if support is None else f"{support:,.0f}",
    )


def wrapped(text: str, hang: int, width: int = LINE_WIDTH) -> Iterator[str]:
    """Yield the text in lines, broken at spaces.

    Args:
        text: One line.
        hang: Spaces before the second line and all that follow.
        width: Maximum terminal cells of a line; a longer word is not broken: it may be a name to search for, or a
            command.

    >>> list(wrapped("* WARN churn recall fell from 0.64 to 0.50", 7, 24))
    ['* WARN churn recall fell', '       from 0.64 to 0.50']
    """
    indent = len(text) - len(text.lstrip(" "))
    line, used, is_empty = text[:indent], indent, True
    for word in re.findall(r"(?:`[^`]*`|[^ ])+|(?<= )(?= )", text[indent:]):
        size = display_width(word)
        if not is_empty and used + 1 + size > width:
            yield line.rstrip()
            line, used, is_empty = " " * hang, hang, True
        line, used = (line + word, used + size) if is_empty else (f"{line} {word}", used + 1 + size)
        is_empty = False
    yield line
