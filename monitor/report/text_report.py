"""A snapshot as text: a few lines a model (`check`), or a page a model (`report`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence

from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.core.diagnosis import Diagnosis, Verdict
from modeltop.core.series import (
    Alert,
    Condition,
    ModelStatus,
    RuleStatus,
    Series,
    SeriesKey,
    Severity,
)
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import pluralize, sanitize
from modeltop.diagnosis.phrases import describe_ok
from modeltop.report.diagnosis_sections import QUESTIONS_TITLE, diagnosis_sections
from modeltop.report.phrases import (
    HANG,
    alert_line,
    alert_mark,
    describe_handling,
    describe_time,
    direction_lines,
    fault_rest,
    has_too_little_history,
    headline,
    latest_cells,
    list_names,
    next_commands,
    problem_details,
    rule_lines,
    series_name,
    severity_mark,
    skipped_rules,
    wrapped,
)
from modeltop.report.summary import describe_changes
from modeltop.rules.concerns import describe_concern
from modeltop.rules.snapshot import Snapshot

QUESTION_HANG = 21
MAX_SHOWN = 20
"""Models without an alert that have a line of their own."""
MAX_DETAILED = 50
"""Models whose alerts are listed one by one, the worst; the others have a line each."""
MAX_SEGMENTS = 3
UNKNOWN_COUNT = "where no n is given, the number of cases is unknown, and with it the interval of a change"
MAX_SENTENCE = 400
"""Maximum terminal cells of a status."""
SHARED_LINES = {
    "healthy": (Severity.OK, "ok"),
    "waiting": (Severity.OK, "ok; latest period too small to evaluate"),
    "new": (Severity.UNKNOWN, "needs more history"),
    "unasked": (Severity.UNKNOWN, "no rule applies"),
}
"""Mark and text of the models that share a line."""


class ReportIndex:
    """The open alerts of a snapshot by model, worst first, and the applied rules without one."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.alerts: dict[str, list[Alert]] = {}
        for alert in snapshot.alerts:
            if alert.resolved is None:
                self.alerts.setdefault(alert.key.model, []).append(alert)
        alerting = {(alert.rule, alert.key) for alerts in self.alerts.values() for alert in alerts}
        self.statuses_without_alert: dict[str, list[RuleStatus]] = {}
        for status in snapshot.rule_statuses:
            if status.skip_reason is None and (status.rule, status.key) not in alerting:
                self.statuses_without_alert.setdefault(status.key.model, []).append(status)

    def is_healthy(self, status: RuleStatus) -> bool:
        """Return whether the rule holds in the newest period that could be evaluated."""
        # The end of a sentence is never foreign text.
        return status.sentence.rpartition(": ")[2].startswith("ok, ")


def text_summary(snapshot: Snapshot) -> Iterator[str]:
    """Yield the output of `check`: the headline, models that alert, worst first, the others, and the rules."""
    yield headline(snapshot)
    if _is_one_fault(snapshot):
        yield from _fault_lines(snapshot)
        return
    index, explanations = ReportIndex(snapshot), ExplanationCache(snapshot)
    alerting = [status for status in snapshot.model_statuses if status.model in index.alerts]
    for status in alerting:  # only so many are diagnosed: the worst
        explanations.verdict_for(status.model)
    own = yield from _shared_verdicts(snapshot, explanations)
    alerting = yield from _unreadable_alike(alerting, snapshot)
    for status in alerting[:MAX_DETAILED]:
        yield from alerting_section(status, index, own.get(status.model) or explanations.verdict_for(status.model))
    for status in alerting[MAX_DETAILED:]:
        yield from _status_lines(status, own.get(status.model) or explanations.verdict_for(status.model))
    others = [status for status in snapshot.model_statuses if status.model not in index.alerts]
    for status in others:
        if status.concerns:
            yield from _status_lines(status, explanations.verdict_for(status.model))
    yield from healthy_section([status for status in others if not status.concerns], index)
    yield from _footer(snapshot, explanations)
    if not snapshot.history.periods and (snapshot.history.problems or not snapshot.model_statuses):
        yield from wrapped(f"{'':{HANG}}{next_commands(snapshot.history.problems)}".rstrip(), HANG)


def _shared_verdicts(snapshot: Snapshot, explanations: ExplanationCache) -> Generator[str, None, dict[str, Verdict]]:
    """Yield what models share, and why and what to do where they share that too; return what is left to say of each."""
    own: dict[str, Verdict] = {}
    for shared in snapshot.shared_starts:
        yield from wrapped(shared.sentence, 2)
        verdicts = {model: explanations.verdict_for(model) for model in shared.models}
        ((why, do), count), *_ = Counter((one.why, one.do) for one in verdicts.values()).most_common(1)
        if count > 1:
            yield from (line for text in filter(None, (why, do)) for line in wrapped(f"{'':{HANG}}{text}", HANG))
            own |= {model: Verdict(one.what) for model, one in verdicts.items() if (one.why, one.do) == (why, do)}
    return own


def _unreadable_alike(statuses: list[ModelStatus], snapshot: Snapshot) -> Generator[str, None, list[ModelStatus]]:
    """Yield a line for sources that cannot be read for one reason, as those of a folder; return the other statuses."""
    alike: dict[str, list[str]] = {}
    for status in statuses:
        if status.model not in snapshot.history.periods:
            alike.setdefault(status.sentence, []).append(status.model)
    groups = {sentence: models for sentence, models in alike.items() if len(models) > 1}
    for sentence, models in groups.items():
        names = list_names([sanitize(model, 60) for model in models], "source")
        yield from wrapped(f"{severity_mark(Severity.UNKNOWN)} {names}: {sanitize(sentence, MAX_SENTENCE)}", HANG)
    named = {model for models in groups.values() for model in models}
    return [status for status in statuses if status.model not in named]


def _is_one_fault(snapshot: Snapshot) -> bool:
    """Return whether all there is to say is that the only source cannot be read."""
    sources = {problem.source for problem in snapshot.history.problems}
    others = (*snapshot.history.periods, *snapshot.notices, *snapshot.acknowledgements, *snapshot.suppressions)
    return len(sources) == 1 and not snapshot.model_statuses[1:] and not others


def _fault_lines(snapshot: Snapshot) -> Iterator[str]:
    problems = snapshot.history.problems
    texts = (*(fault_rest(problem, headline(snapshot)) for problem in problems), next_commands(problems))
    yield from (line for text in filter(None, texts) for line in wrapped(f"{'':{HANG}}{text}", HANG))


def text_report(snapshot: Snapshot) -> Iterator[str]:
    """Yield the report: the headline, a page a model, and the rules."""
    yield headline(snapshot)
    if _is_one_fault(snapshot):
        yield from _fault_lines(snapshot)
        return
    yield from (line for shared in snapshot.shared_starts for line in wrapped(shared.sentence, 2))
    index, explanations = ReportIndex(snapshot), ExplanationCache(snapshot)
    yield describe_time(snapshot)
    for status in snapshot.model_statuses:
        yield ""
        yield from _model_page(status, index, explanations)
    yield ""
    if any(series.latest_support is None for series in snapshot.history.series.values()):
        yield from wrapped(f"  {UNKNOWN_COUNT}", 4)
    for number, line in enumerate(problem_details(snapshot.history.problems)):
        yield from ([] if number else ["  Problems of the input"])
        yield from wrapped(f"    {line}", 6)
    yield from _footer(snapshot, explanations)


def text_explanation(snapshot: Snapshot, models: Sequence[str]) -> Iterator[str]:
    """Yield the output of `check --explain`: a page of each model."""
    index, explanations = ReportIndex(snapshot), ExplanationCache(snapshot, models)
    for number, status in enumerate(status for status in snapshot.model_statuses if status.model in models):
        yield from ([""] if number else [])
        yield from _model_page(status, index, explanations)
    yield from (f"  {error}" for error in explanations.errors)


def _sections(snapshot: Snapshot, diagnosis: Diagnosis | None) -> Iterator[str]:
    sections = {} if diagnosis is None else diagnosis_sections(diagnosis, snapshot.catalog)
    for title, lines in sections.items():
        yield f"  {title}"
        hang = QUESTION_HANG if title == QUESTIONS_TITLE else 6
        for line in lines:
            yield from wrapped(f"    {line}", hang)


def _model_page(status: ModelStatus, index: ReportIndex, explanations: ExplanationCache) -> Iterator[str]:
    snapshot, diagnosis = index.snapshot, explanations.diagnosis_for(status.model)
    incident = snapshot.incident_of(status.model)
    if status.model in index.alerts:
        yield from alerting_section(status, index, explanations.verdict_for(status.model))
    else:
        yield from wrapped(_ok_line(status, index), HANG)
    yield from () if incident is None else (f"{' ' * HANG}incident {sanitize(incident.id, 20)}",)
    yield from _sections(snapshot, diagnosis)
    for series in snapshot.history.for_model(status.model):
        yield f"  {_describe_latest(series, snapshot)}"
        yield from wrapped(f"    {describe_changes(series, snapshot)}".rstrip(), 4)


def _describe_latest(series: Series, snapshot: Snapshot) -> str:
    value, interval, day, count = latest_cells(series, snapshot)
    named = (("on ", "" if series.newest == snapshot.history.newest else day), ("95 % ", interval), ("n ", count))
    return ", ".join((f"{series_name(series.key)} {value}", *(f"{name}{cell}" for name, cell in named if cell)))


def _footer(snapshot: Snapshot, explanations: ExplanationCache) -> Iterator[str]:
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
        yield from wrapped(_ok_line(status, index), HANG)
    if len(single) > MAX_SHOWN:
        yield f"{'':{HANG}}and {len(single) - MAX_SHOWN:,} more models without an alert"
    for kind, (severity, text) in SHARED_LINES.items():
        group = kinds.get(kind, [])
        if len(group) > 1:
            names = list_names([sanitize(status.model, 60) for status in group], "model")
            healthy = sum(index.is_healthy(rule) for status in group for rule in _other_rules(index, status.model))
            rules = f", {pluralize(healthy, 'rule')} passed" if healthy else ""
            yield from wrapped(f"{severity_mark(severity)} {names}: {text}{rules}", HANG)


def _other_rules(index: ReportIndex, model: str) -> Sequence[RuleStatus]:
    return index.statuses_without_alert.get(model, ())


def _kind(status: ModelStatus, index: ReportIndex) -> str:
    """Return the key of the line that the model can share; `single` if it needs a line of its own."""
    rules = _other_rules(index, status.model)
    snapshot = index.snapshot
    if status.model in snapshot.label_coverage or status.model in snapshot.missing_values or status.concerns:
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


def _ok_line(status: ModelStatus, index: ReportIndex) -> str:
    text = describe_rules(status, index).removeprefix("ok: ")
    return f"{severity_mark(status.severity)} {sanitize(status.model, 60)}: {text}"


def describe_rules(status: ModelStatus, index: ReportIndex) -> str:
    """Return that all metrics of a model are ok, else the status of its first rule and what was not evaluated."""
    rules = _other_rules(index, status.model)
    if _kind(status, index) == "healthy" and all(map(index.is_healthy, rules)):
        return describe_ok(len({rule.key for rule in rules}))
    unevaluated = _describe_unevaluated(index, [rule for rule in rules[1:] if rule.key != rules[0].key])
    return "; ".join((sanitize(status.sentence, MAX_SENTENCE), *unevaluated))


def _describe_unevaluated(index: ReportIndex, rules: Sequence[RuleStatus]) -> Iterator[str]:
    """Yield how many rules could not be evaluated in the newest period, and why."""
    unevaluated = [rule for rule in rules if not index.is_healthy(rule)]
    young = [rule for rule in unevaluated if has_too_little_history(rule)]
    if young:
        count = len({rule.key for rule in young})
        need = young[0].sentence.rpartition(": ")[2]
        need = need if count == 1 else need.replace("needs", "need").replace("has", "have")
        yield f"{pluralize(count, 'metric')} {need}"
    if more := len(unevaluated) - len(young):
        yield f"{pluralize(more, 'rule')} could not evaluate the newest period"


def alerting_section(status: ModelStatus, index: ReportIndex, verdict: Verdict | None = None) -> Iterator[str]:
    """Yield the verdict on a model that alerts, then its alerts, and its other rules.

    Args:
        status: The model, which has an active or a pending alert.
        index: The snapshot.
        verdict: The verdict; None: the status of its worst rule.
    """
    yield from _status_lines(status, verdict)
    for text in (*alert_lines(index, status.model), *_describe_rest(index, status)):
        yield from wrapped(" " * HANG + text, HANG + 2)


def _status_lines(status: ModelStatus, verdict: Verdict | None) -> Iterator[str]:
    what = sanitize(status.sentence, MAX_SENTENCE) if verdict is None else verdict.what.removeprefix("ok: ")
    yield from wrapped(f"{severity_mark(status.severity)} {sanitize(status.model, 60)}: {what}", HANG)
    for sentence in () if verdict is None else (verdict.why, verdict.do):
        if sentence:
            yield from wrapped(" " * HANG + sentence, HANG)


def _describe_rest(index: ReportIndex, status: ModelStatus) -> Iterator[str]:
    model, snapshot = status.model, index.snapshot
    rules, alerts = _other_rules(index, model), index.alerts[model]
    unknown = severity_mark(Severity.UNKNOWN)
    if not any(alert.is_model_wide for alert in alerts):
        breached = {alert.key for alert in alerts} | {concern.key for concern in status.concerns}
        healthy = [rule.key for rule in rules if rule.key not in breached and index.is_healthy(rule)]
        if healthy:
            yield f"no alert: {list_names(_fold_segments(list(dict.fromkeys(healthy))))}"
    if status.concerns:
        first, *others = status.concerns
        unit = period_unit(snapshot.history.series[first.key])
        text = describe_concern(first, snapshot.catalog.get(first.key.metric), unit, snapshot.taken_at)
        also = [series_name(concern.key) for concern in others if concern.key != first.key]
        also_text = f"; also: {list_names(list(dict.fromkeys(also)))}" if also else ""
        yield f"{severity_mark(Severity.OK)}, but {text}{also_text}"
    yield from (f"{unknown} {text}" for text in _describe_unevaluated(index, rules))
    if model in index.snapshot.label_coverage:
        yield f"{unknown} {index.snapshot.label_coverage[model].sentence}"
    if model in index.snapshot.missing_values:
        yield f"{unknown} {sanitize(index.snapshot.missing_values[model], MAX_SENTENCE)}"


def _fold_segments(keys: Sequence[SeriesKey]) -> list[str]:
    segments: dict[str, list[str]] = {}
    for key in keys:
        segments.setdefault(key.metric, []).extend([] if key.segment == "all" else [series_name(key)])
    names = [series_name(key) for key in keys if key.segment == "all"]
    for metric, named in segments.items():
        many = f"{series_name(SeriesKey('', metric))} of {len(named)} segments"
        names += [many] if len(named) > MAX_SEGMENTS else named
    return names


def alert_lines(index: ReportIndex, model: str) -> Iterator[str]:
    """Yield the lead alert of a model's incident, then a line for the others of each severity, without its name.

    Of several alerts about one series only the worst is listed, unless a person handles the others apart.
    """
    # Why a source cannot be read is its status; an alert of its own would only repeat it.
    alerts = [
        alert
        for alert in index.alerts.get(model, [])
        if alert.condition is not Condition.ERROR or describe_handling(alert, index.snapshot)
    ]
    incident = index.snapshot.incident_of(model)
    alerts.sort(key=lambda alert: incident is None or alert.id != incident.lead)
    groups: dict[tuple[object, ...], list[Alert]] = {}
    listed: dict[SeriesKey, list[str]] = {}
    for alert in alerts:
        handling = describe_handling(alert, index.snapshot)
        if listed.get(alert.key) == handling:
            continue
        listed.setdefault(alert.key, handling)
        is_alone = alert is alerts[0] or alert.condition is not Condition.THRESHOLD
        key = (alert.id,) if is_alone else (alert.severity, alert.state, *handling)
        groups.setdefault(key, []).append(alert)
    for group in groups.values():
        if len(group) == 1:
            yield alert_line(group[0], index.snapshot, with_model=False)
            continue
        names = list_names([series_name(alert.key) for alert in group])
        yield "; ".join((f"{alert_mark(group[0])} also: {names}", *describe_handling(group[0], index.snapshot)))
