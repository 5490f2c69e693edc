"""A snapshot as text: a few lines a model (`check`), or a page a model (`report`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.core.diagnosis import Diagnosis
from modeltop.core.series import (
    Alert,
    Condition,
    Direction,
    ModelStatus,
    RuleStatus,
    Series,
    SeriesKey,
    Severity,
    to_datetime64,
)
from modeltop.core.text import format_period, pluralize, sanitize
from modeltop.report.diagnosis_sections import diagnosis_sections
from modeltop.report.phrases import (
    HANG,
    alert_line,
    alert_mark,
    describe_handling,
    direction_lines,
    has_too_little_history,
    headline,
    latest_cells,
    list_names,
    problem_details,
    rule_lines,
    series_name,
    severity_mark,
    skipped_rules,
    wrapped,
)
from modeltop.rules.change_summary import change_summary, describe_change
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.snapshot import Snapshot

MAX_SHOWN = 20
"""Models without an alert that have a line of their own."""
MAX_DETAILED = 50
"""Models whose alerts are listed one by one, the worst; the others have a line each."""
MAX_SENTENCE = 400
"""Maximum terminal cells of a status."""
MAX_PERIODS_APART = 3
"""Periods within which alerts of one model count as simultaneous."""
SHARED_LINES = {
    "healthy": ("● ok    ", "healthy"),
    "waiting": ("● ok    ", "healthy before the newest period, which is not judged"),
    "new": ("○ n/d   ", "too little history"),
    "unasked": ("○ n/d   ", "no rule applies"),
}
"""Mark and text of the models that share a line."""
CHANGE_VERBS = {frozenset({Direction.HIGHER}): "fell", frozenset({Direction.LOWER}): "rose"}
"""How metrics got worse, by their directions."""


class ReportIndex:
    """The open alerts of a snapshot by model, worst first, and the applied rules without one."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.rules = {rule.name: rule for rule in snapshot.rules}
        self.alerts: dict[str, list[Alert]] = {}
        for alert in snapshot.alerts:
            if alert.resolved is None:
                self.alerts.setdefault(alert.key.model, []).append(alert)
        alerting = {(alert.rule, alert.key) for alerts in self.alerts.values() for alert in alerts}
        self.statuses_without_alert: dict[str, list[RuleStatus]] = {}
        for status in snapshot.rule_statuses:
            if status.skip_reason is None and (status.rule, status.key) not in alerting:
                self.statuses_without_alert.setdefault(status.key.model, []).append(status)

    def is_lasting_shift(self, alert: Alert) -> bool:
        """Return whether the alert is about a sustained shift, not about a limit or missing data."""
        return alert.condition is Condition.THRESHOLD and self.detects_lasting_shift(alert.rule)

    def detects_lasting_shift(self, rule: str) -> bool:
        """Return whether the rule of that name looks for a sustained shift."""
        return rule in self.rules and isinstance(self.rules[rule].detector, LastingShift)

    def is_healthy(self, status: RuleStatus) -> bool:
        """Return whether the rule holds in the newest period that could be evaluated."""
        # The end of a sentence is never foreign text.
        return status.rule in self.rules and status.sentence.endswith(
            f"healthy, {self.rules[status.rule].detector.describe_normal()}"
        )


def text_summary(snapshot: Snapshot) -> Iterator[str]:
    """Yield the output of `check`: the headline, models that alert, worst first, the others, and the rules."""
    yield (first_line := headline(snapshot))
    if _says_all(first_line, snapshot):
        return
    index, explanations = ReportIndex(snapshot), ExplanationCache(snapshot)
    alerting = [status for status in snapshot.model_statuses if status.model in index.alerts]
    for status in alerting[:MAX_DETAILED]:
        yield from alerting_section(status, index, explanations.diagnosis_for(status.model))
    for status in alerting[MAX_DETAILED:]:
        yield from _status_lines(status, explanations.diagnosis_for(status.model))
    yield from healthy_section(
        [status for status in snapshot.model_statuses if status.model not in index.alerts], index
    )
    yield from _footer(snapshot, explanations)


def _says_all(first_line: str, snapshot: Snapshot) -> bool:
    """Return whether the headline is all there is to say: no model, and one source with a short reason."""
    faults = {f"UNKNOWN: {problem}" for problem in snapshot.history.problems}
    return (
        not snapshot.model_statuses[1:]
        and not snapshot.history.periods
        and not snapshot.notices
        and faults == {first_line}
    )


def text_report(snapshot: Snapshot) -> Iterator[str]:
    """Yield the report: the headline, a page a model, and the rules."""
    yield headline(snapshot)
    index, explanations = ReportIndex(snapshot), ExplanationCache(snapshot)
    for status in snapshot.model_statuses:
        yield ""
        yield from _model_page(status, index, explanations.diagnosis_for(status.model))
    yield ""
    for number, line in enumerate(problem_details(snapshot.history.problems)):
        yield from ([] if number else ["  Problems of the input"])
        yield from wrapped(f"    {line}", 6)
    yield from _footer(snapshot, explanations)


def _model_page(status: ModelStatus, index: ReportIndex, diagnosis: Diagnosis | None) -> Iterator[str]:
    snapshot = index.snapshot
    if status.model in index.alerts:
        yield from alerting_section(status, index, diagnosis)
    else:
        yield from wrapped(_healthy_line(status, index), HANG)
    sections = {} if diagnosis is None else diagnosis_sections(diagnosis, snapshot.catalog)
    for title, lines in sections.items():
        yield f"  {title}"
        for line in lines:
            yield from wrapped(f"    {line}", 6)
    for series in snapshot.history.for_model(status.model):
        yield f"  {_describe_latest(series, snapshot)}"
        metric = snapshot.catalog.get(series.key.metric)
        for change in change_summary(series, metric, snapshot.baseline):
            yield f"    {sanitize(describe_change(change, metric))}"


def _describe_latest(series: Series, snapshot: Snapshot) -> str:
    value, interval, start, count = latest_cells(series, snapshot)
    bounds = f" (95 % {interval})" if interval else ""
    return f"{series_name(series.key)} {value}{bounds} on {start}, n {'unknown' if count == '?' else count}"


def _footer(snapshot: Snapshot, explanations: ExplanationCache) -> Iterator[str]:
    """Yield skipped rules, unknown directions, read problems, failed explanations, and the rules."""
    yield from (line for text in skipped_rules(snapshot.rule_statuses) for line in wrapped(text, 4))
    yield from direction_lines(snapshot)
    rules = rule_lines(snapshot) if snapshot.history.periods else ()  # without any, they were not applied
    for text in (*(sanitize(notice, 300) for notice in snapshot.notices), *explanations.errors, *rules):
        yield from wrapped(f"  {text}", 4)


def healthy_section(statuses: Sequence[ModelStatus], index: ReportIndex) -> Iterator[str]:
    """Yield the lines of models without an alert, in order; models of one kind share a line."""
    kinds: dict[str, list[ModelStatus]] = {}
    for status in statuses:
        kinds.setdefault(_kind(status, index), []).append(status)
    single = kinds.pop("single", [])
    single += [status for group in kinds.values() if len(group) == 1 for status in group]
    for status in single[:MAX_SHOWN]:
        yield from wrapped(_healthy_line(status, index), HANG)
    if len(single) > MAX_SHOWN:
        yield f"{'':{HANG}}and {len(single) - MAX_SHOWN:,} more models without an alert"
    for kind, (mark, text) in SHARED_LINES.items():
        group = kinds.get(kind, [])
        if len(group) > 1:
            names = list_names([sanitize(status.model, 60) for status in group], "model")
            healthy = sum(index.is_healthy(rule) for status in group for rule in _other_rules(index, status.model))
            rules = f", {healthy:,} rule{'s hold' if healthy > 1 else ' holds'}" if healthy else ""
            yield from wrapped(f"{mark}{names}: {text}{rules}", HANG)


def _other_rules(index: ReportIndex, model: str) -> Sequence[RuleStatus]:
    return index.statuses_without_alert.get(model, ())


def _kind(status: ModelStatus, index: ReportIndex) -> str:
    """Return the key of the line that the model can share; `single` if it needs a line of its own."""
    rules = _other_rules(index, status.model)
    if status.model in index.snapshot.label_coverage or status.model in index.snapshot.missing_values:
        return "single"
    if not rules:
        return "unasked"
    unevaluated = [rule for rule in rules if not index.is_healthy(rule)]
    if not all(map(has_too_little_history, unevaluated)):
        return "single"
    if len(unevaluated) == len(rules):
        return "new"
    earlier = (rule for rule in rules if rule.sentence.rpartition(";")[2].startswith(" before it "))
    return "waiting" if any(map(index.is_healthy, earlier)) else "healthy"


def _healthy_line(status: ModelStatus, index: ReportIndex) -> str:
    """Return the status of the first rule of a model, and how many others hold or could not be evaluated."""
    rules = _other_rules(index, status.model)
    text = "; ".join((sanitize(status.sentence, MAX_SENTENCE), *_describe_others(index, rules)))
    return f"{severity_mark(status.severity)}{sanitize(status.model, 60)} {text}"


def _describe_others(index: ReportIndex, rules: Sequence[RuleStatus]) -> Iterator[str]:
    """Yield clauses about the rules after the first, which the status of the model is about."""
    healthy = [rule for rule in rules[1:] if index.is_healthy(rule)]
    shifts = {rule.key for rule in healthy if index.detects_lasting_shift(rule.rule)}
    if more := sum(not index.detects_lasting_shift(rule.rule) for rule in healthy):
        yield f"{more:,} more rule{'s hold' if more > 1 else ' holds'}"
    if shifts and index.detects_lasting_shift(rules[0].rule):
        yield f"nor {'is' if len(shifts) == 1 else 'are'} {pluralize(len(shifts), 'more metric')}"
    elif shifts:
        yield f"{pluralize(len(shifts), 'metric')}, none lastingly worse" if len(shifts) > 1 else "nor lastingly worse"
    yield from _describe_unevaluated(index, [rule for rule in rules[1:] if rule.key != rules[0].key])


def _describe_unevaluated(index: ReportIndex, rules: Sequence[RuleStatus]) -> Iterator[str]:
    """Yield how many rules could not be evaluated in the newest period, and why."""
    unevaluated = [rule for rule in rules if not index.is_healthy(rule)]
    young = [rule for rule in unevaluated if has_too_little_history(rule)]
    if young:
        yield f"{pluralize(len({rule.key for rule in young}), 'metric')} with {young[0].sentence.rpartition(': ')[2]}"
    if more := len(unevaluated) - len(young):
        yield f"{pluralize(more, 'rule')} could not judge the newest period"


def alerting_section(status: ModelStatus, index: ReportIndex, diagnosis: Diagnosis | None = None) -> Iterator[str]:
    """Yield the state of a model that alerts in one sentence, then its alerts, and its other rules.

    Args:
        status: The model, which has an active or a pending alert.
        index: The snapshot.
        diagnosis: Source of the sentence; None: the status of its worst rule.
    """
    yield from _status_lines(status, diagnosis)
    for text in (*alert_lines(index, status.model), *_describe_rest(index, status.model)):
        yield from wrapped(" " * HANG + text, HANG + 2)


def _status_lines(status: ModelStatus, diagnosis: Diagnosis | None) -> Iterator[str]:
    sentence = sanitize(status.sentence if diagnosis is None else diagnosis.sentence, MAX_SENTENCE)
    yield from wrapped(f"{severity_mark(status.severity)}{sanitize(status.model, 60)} {sentence}", HANG)


def _describe_rest(index: ReportIndex, model: str) -> Iterator[str]:
    """Yield the healthy models beside the alerts, and the metrics that could not be evaluated."""
    rules, alerts = _other_rules(index, model), index.alerts[model]
    unknown = severity_mark(Severity.UNKNOWN).strip()
    if not any(alert.is_model_wide for alert in alerts):
        breached = {alert.key for alert in alerts}
        healthy = [series_name(rule.key) for rule in rules if rule.key not in breached and index.is_healthy(rule)]
        if healthy:
            yield f"{severity_mark(Severity.OK).strip()} {list_names(list(dict.fromkeys(healthy)))}: healthy"
    yield from (f"{unknown} {text}" for text in _describe_unevaluated(index, rules))
    if model in index.snapshot.label_coverage:
        yield f"{unknown} {index.snapshot.label_coverage[model].sentence}"
    if model in index.snapshot.missing_values:
        yield f"{unknown} {sanitize(index.snapshot.missing_values[model], MAX_SENTENCE)}"


def alert_lines(index: ReportIndex, model: str) -> Iterator[str]:
    """Yield a line an alert, worst first, without the model's name.

    A sustained shift of a series that also breaches a limit only adds its start to that alert's line, and shifts that
    began together share a line.
    """
    # Why a source cannot be read is its status; an alert of its own would only repeat it.
    alerts = [
        alert
        for alert in index.alerts.get(model, [])
        if alert.condition is not Condition.ERROR or describe_handling(alert, index.snapshot)
    ]
    breaches = {alert.key: alert for alert in reversed(alerts) if alert.is_active and not index.is_lasting_shift(alert)}
    implied = {
        alert.key: alert for alert in alerts if index.is_lasting_shift(alert) and _is_implied(alert, breaches, index)
    }
    shown = [alert for alert in alerts if implied.get(alert.key) is not alert]
    groups = _simultaneous([alert for alert in shown[1:] if index.is_lasting_shift(alert)], index)
    group_of = {id(alert): group for group in groups for alert in group}
    for alert in shown:
        group = group_of.get(id(alert), [alert])
        if group[0] is not alert:
            continue
        if len(group) > 1:
            yield _group_line(group, shown[0], index)
        else:
            line = alert_line(alert, index.snapshot, with_model=False)
            yield line + _shift_clause(alert, implied.get(alert.key), index)


def _is_implied(shift: Alert, breaches: Mapping[SeriesKey, Alert], index: ReportIndex) -> bool:
    """Return whether another alert reports as much of the series; an acknowledged or silenced one stays visible."""
    other = breaches.get(shift.key)
    return other is not None and other.severity >= shift.severity and not describe_handling(shift, index.snapshot)


def _shift_clause(alert: Alert, shift: Alert | None, index: ReportIndex) -> str:
    if shift is None or index.is_lasting_shift(alert) or alert.condition is not Condition.THRESHOLD:
        return ""
    if _began_together(alert, shift, index):
        return ""
    return f"; lastingly {_shift_word(shift, index)} since {format_period(shift.since)}"


def _simultaneous(shifts: Sequence[Alert], index: ReportIndex) -> list[list[Alert]]:
    """Return groups of alerts that are equally bad and began within a few periods, in the order given."""

    def state(alert: Alert) -> tuple[object, ...]:
        return alert.severity, alert.state, describe_handling(alert, index.snapshot), _shift_word(alert, index)

    groups: list[list[Alert]] = []
    for alert in shifts:
        for group in groups:
            if state(alert) == state(group[0]) and _began_together(alert, group[0], index):
                group.append(alert)
                break
        else:
            groups.append([alert])
    return groups


def _began_together(alert: Alert, other: Alert, index: ReportIndex) -> bool:
    periods = index.snapshot.history.periods[alert.key.model]
    first, second = (int(periods.searchsorted(to_datetime64(start))) for start in (alert.since, other.since))
    return abs(first - second) <= MAX_PERIODS_APART


def _shift_word(shift: Alert, index: ReportIndex) -> str:
    detector = index.rules[shift.rule].detector
    return "changed" if isinstance(detector, LastingShift) and detector.outside else "worse"


def _group_line(shifts: Sequence[Alert], worst: Alert, index: ReportIndex) -> str:
    """Return one line for several shifts; of those that began with the model's worst alert the date is left out."""
    shape, word = alert_mark(shifts[0])
    names = list_names([series_name(shift.key) for shift in shifts])
    if worst.condition is Condition.THRESHOLD and _began_together(shifts[0], worst, index):
        verb = _change_verb(shifts, index)
        line = f"{shape} {word} and {pluralize(len(shifts), 'more metric')} {verb} with it: {names}"
    else:
        line = f"{shape} {word} {pluralize(len(shifts), 'metric')} lastingly {_shift_word(shifts[0], index)}: {names}"
        line += f", since {format_period(min(shift.since for shift in shifts))}"
    return "; ".join((line, *describe_handling(shifts[0], index.snapshot)))


def _change_verb(shifts: Sequence[Alert], index: ReportIndex) -> str:
    if _shift_word(shifts[0], index) == "changed":
        return "changed"
    series = index.snapshot.history.series
    return CHANGE_VERBS.get(frozenset(series[shift.key].better for shift in shifts), "got worse")
