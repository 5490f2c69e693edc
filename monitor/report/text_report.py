"""A model that alerts, in a few lines: the verdict, its alerts, what else of it holds."""

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
    State,
    to_datetime64,
)
from modeltop.core.text import format_exact, format_period, pluralize, sanitize
from modeltop.report.diagnosis_sections import diagnosis_sections
from modeltop.report.index import ReportIndex, build_index, explain_alerting_models, list_names
from modeltop.report.phrases import (
    HANG,
    MARKS,
    alert_line,
    describe_handling,
    has_too_little_history,
    headline,
    series_name,
    severity_mark,
    skipped_rules,
    wrapped,
)
from modeltop.rules.change_summary import change_summary as changes_of
from modeltop.rules.change_summary import describe_change, latest_interval
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.rule import describe_rule as rule_sentence
from modeltop.rules.snapshot import Snapshot

MAX_SHOWN = 20
"""Models that are told one by one."""
SENTENCE = 400
SHARED_LINES = {
    "healthy": ("● ok    ", "healthy"),
    "waiting": ("● ok    ", "healthy before the newest period, which is not judged"),
    "new": ("●       ", "too little history to judge"),
    "unasked": ("●       ", "no rule judges them"),
}
"""Kinds of models that share a line: how it is marked, and what is said of them."""


def healthy_section(verdicts: Sequence[ModelStatus], known: ReportIndex) -> Iterator[str]:
    """What is said of models without an alert.

    Args:
        verdicts: Of those models, in order.
        known: The snapshot.
    """
    kinds: dict[str, list[ModelStatus]] = {}
    for one in verdicts:
        kinds.setdefault(_kind(one, known), []).append(one)
    alone = kinds.pop("alone", [])
    alone += [one for some in kinds.values() if len(some) == 1 for one in some]
    for one in alone[:MAX_SHOWN]:
        yield from wrapped(healthy_line(one, known), HANG)
    if len(alone) > MAX_SHOWN:
        yield f"{'':{HANG}}and {len(alone) - MAX_SHOWN:,} more models without an alert"
    for kind, (mark, said) in SHARED_LINES.items():
        some = kinds.get(kind, [])
        if len(some) > 1:
            names = list_names([sanitize(one.model, 60) for one in some], "model")
            yield from wrapped(f"{mark}{names}: {said}{_held(some, known)}", HANG)


def _kind(verdict: ModelStatus, known: ReportIndex) -> str:
    """What of a model that can share a line; `alone` for one that has something of its own to say."""
    quiet = known.statuses_without_alert.get(verdict.model, [])
    if verdict.severity is not Severity.OK or verdict.model in known.snapshot.label_coverage:
        return "alone"
    if not quiet:
        return "unasked"
    unseen = [one for one in quiet if not known.is_healthy(one)]
    if not all(map(has_too_little_history, unseen)):
        return "alone"
    if len(unseen) == len(quiet):
        return "new"
    return "waiting" if any(map(known.is_healthy_before_newest, quiet)) else "healthy"


def _held(some: Sequence[ModelStatus], known: ReportIndex) -> str:
    held = sum(known.is_healthy(one) for verdict in some for one in known.statuses_without_alert.get(verdict.model, []))
    return f", {_hold(held)}" if held else ""


def healthy_line(verdict: ModelStatus, known: ReportIndex) -> str:
    """One model without an alert: how its first rule stands, and what else holds or could not be judged."""
    said = "; ".join((sanitize(verdict.sentence, SENTENCE), *_rest(known, verdict.model)))
    return f"{_mark(verdict, known)}{sanitize(verdict.model, 60)} {said}"


def _mark(verdict: ModelStatus, known: ReportIndex) -> str:
    """What was never judged is not said to be ok."""
    quiet = known.statuses_without_alert.get(verdict.model, [])
    series = known.snapshot.history.series
    if verdict.severity is Severity.OK:
        if not quiet:
            return SHARED_LINES["unasked"][0]
        if not any(series[one.key].evaluable().any() for one in quiet):
            return severity_mark(Severity.UNKNOWN)
    return severity_mark(verdict.severity)


def _rest(known: ReportIndex, model: str) -> Iterator[str]:
    """What holds beside the rule that the verdict speaks of."""
    quiet = known.statuses_without_alert.get(model, [])
    others = [one for one in quiet[1:] if known.is_healthy(one)]
    falls = {one.key for one in others if known.watches_lasting_falls(one)}
    if more := sum(not known.watches_lasting_falls(one) for one in others):
        yield f"{more:,} more rule{'s hold' if more > 1 else ' holds'}"
    if falls and known.watches_lasting_falls(quiet[0]):
        yield f"nor {'is' if len(falls) == 1 else 'are'} {pluralize(len(falls), 'more metric')}"
    elif falls:
        yield f"{pluralize(len(falls), 'metric')}, none lastingly worse" if len(falls) > 1 else "nor lastingly worse"
    yield from unevaluated_lines(known, quiet[1:])


def unevaluated_lines(known: ReportIndex, quiet: Sequence[RuleStatus]) -> Iterator[str]:
    """How many rules could say nothing of the newest period, and why."""
    unseen = [one for one in quiet if not known.is_healthy(one)]
    young = [one for one in unseen if has_too_little_history(one)]
    if young:
        yield f"{pluralize(len(young), 'metric')} with {young[0].sentence.rpartition(': ')[2]}"
    if more := len(unseen) - len(young):
        yield f"{pluralize(more, 'rule')} could not judge the newest period"


def _hold(rules: int) -> str:
    return f"{rules:,} rule{'s hold' if rules > 1 else ' holds'}"


MAX_APART = 3
"""Periods within which alerts of one model began together."""
CHANGE_VERBS = {frozenset({Direction.HIGHER}): "fell", frozenset({Direction.LOWER}): "rose"}
"""How metrics got worse, by their directions."""


def alerting_section(verdict: ModelStatus, known: ReportIndex, why: Diagnosis | None = None) -> Iterator[str]:
    """The verdict in one sentence, then a line an alert, and what else of the model holds, or could not be judged.

    Args:
        verdict: Of a model that alerts, or has a pending alert.
        known: The snapshot.
        why: What was found out; None: how its worst rule stands is said instead.
    """
    model, alerts = verdict.model, known.alerts[verdict.model]
    yield from verdict_lines(verdict, why)
    for text in (*alert_lines(known, model), *_beside(known, model, alerts)):
        yield from wrapped(" " * HANG + text, HANG + 2)


def verdict_lines(verdict: ModelStatus, why: Diagnosis | None = None) -> Iterator[str]:
    """How bad, which model, and what was found out, or how it stands."""
    said = verdict.sentence if why is None else why.sentence
    yield from wrapped(
        f"{severity_mark(verdict.severity)}{sanitize(verdict.model, 60)} {sanitize(said, SENTENCE)}", HANG
    )


def alert_lines(known: ReportIndex, model: str) -> Iterator[str]:
    """A line an alert, without the model's name, the worst first; lasting falls are folded into what is told already.

    Of a series that alerts by a limit, a fall only adds when it began; falls that began together are one line.
    """
    alerts = known.alerts.get(model, [])
    limits = {one.key: one for one in reversed(alerts) if one.is_active and not known.is_lasting_fall(one)}
    folded = {one.key: one for one in alerts if known.is_lasting_fall(one) and _says_less(one, limits, known)}
    shown = [one for one in alerts if folded.get(one.key) is not one]
    groups = _together([one for one in shown[1:] if known.is_lasting_fall(one)], known)
    rest = {id(one) for some in groups for one in some[1:]}
    by_first = {id(some[0]): some for some in groups}
    for one in shown:
        if id(one) in rest:
            continue
        some = by_first.get(id(one), [one])
        if len(some) > 1:
            yield _group(some, shown[0], known)
        else:
            yield alert_line(one, known.snapshot, with_model=False) + _began(one, folded.get(one.key), known)


def _says_less(fall: Alert, limits: Mapping[SeriesKey, Alert], known: ReportIndex) -> bool:
    """Whether another alert says as much of its series; what people did about the one must stay seen."""
    other = limits.get(fall.key)
    return other is not None and other.severity >= fall.severity and not describe_handling(fall, known.snapshot)


def _began(shown: Alert, fall: Alert | None, known: ReportIndex) -> str:
    if (
        fall is None
        or known.is_lasting_fall(shown)
        or shown.condition is not Condition.THRESHOLD
        or _near(shown, fall, known)
    ):
        return ""
    return f"; lastingly {_word(fall, known)} since {format_period(fall.since)}"


def _together(falls: Sequence[Alert], known: ReportIndex) -> list[list[Alert]]:
    """Groups of what is equally bad and began within a few periods, in the order given."""
    groups: list[list[Alert]] = []
    for one in falls:
        group = next((some for some in groups if _alike(one, some[0], known) and _near(one, some[0], known)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return groups


def _alike(one: Alert, other: Alert, known: ReportIndex) -> bool:
    first, second = (
        (each.severity, each.state, describe_handling(each, known.snapshot), _word(each, known))
        for each in (one, other)
    )
    return first == second


def _near(one: Alert, other: Alert, known: ReportIndex) -> bool:
    periods = known.snapshot.history.periods[one.key.model]
    first, second = (int(periods.searchsorted(to_datetime64(each.since))) for each in (one, other))
    return abs(first - second) <= MAX_APART


def _word(fall: Alert, known: ReportIndex) -> str:
    check = known.rules[fall.rule].detector
    return "changed" if isinstance(check, LastingShift) and check.outside else "worse"


def _group(some: Sequence[Alert], worst: Alert, known: ReportIndex) -> str:
    """Several falls in one line; where they began with the model's first alert, that is all there is to say of when."""
    shape, word = ("·", "pend") if some[0].state is State.PENDING else MARKS[some[0].severity]
    names = list_names([series_name(one.key) for one in some])
    if worst.condition is Condition.THRESHOLD and _near(some[0], worst, known):
        line = f"{shape} {word} and {pluralize(len(some), 'more metric')} {_went(some, known)} with it: {names}"
    else:
        line = f"{shape} {word} {pluralize(len(some), 'metric')} lastingly {_word(some[0], known)}: {names}"
        line += f", since {format_period(min(one.since for one in some))}"
    return "; ".join((line, *describe_handling(some[0], known.snapshot)))


def _went(some: Sequence[Alert], known: ReportIndex) -> str:
    if _word(some[0], known) == "changed":
        return "changed"
    series = known.snapshot.history.series
    return CHANGE_VERBS.get(frozenset(series[one.key].better for one in some), "got worse")


def _beside(known: ReportIndex, model: str, alerts: Sequence[Alert]) -> Iterator[str]:
    """What holds, and what could not be judged."""
    quiet = known.statuses_without_alert.get(model, [])
    if all(one.condition is Condition.THRESHOLD for one in alerts):
        wrong = {one.key for one in alerts}
        fine = dict.fromkeys(series_name(one.key) for one in quiet if one.key not in wrong and known.is_healthy(one))
        if fine:
            yield f"{severity_mark(Severity.OK).strip()} {list_names(list(fine))}: healthy"
    yield from (f"{severity_mark(Severity.UNKNOWN).strip()} {text}" for text in unevaluated_lines(known, quiet))
    if model in known.snapshot.label_coverage:
        yield f"{severity_mark(Severity.UNKNOWN).strip()} {known.snapshot.label_coverage[model].sentence}"


DETAILED = 50
"""Models whose alerts are listed one by one, the worst; of the others the verdict is told."""
NOTE = 4
"""Cells in front of what goes on from one line at the foot to the next."""


def text_summary(snapshot: Snapshot) -> Iterator[str]:
    """What `check` prints: the headline, what alerts, the worst first, what does not, and how it was judged."""
    yield headline(snapshot)
    known, why = build_index(snapshot), explain_alerting_models(snapshot)
    wrong = [one for one in snapshot.model_statuses if one.model in known.alerts]
    for verdict in wrong[:DETAILED]:
        yield from alerting_section(verdict, known, why.diagnosis_for(verdict.model))
    for verdict in wrong[DETAILED:]:
        yield from verdict_lines(verdict, why.diagnosis_for(verdict.model))
    yield from healthy_section([one for one in snapshot.model_statuses if one.model not in known.alerts], known)
    yield from _foot(snapshot, why)


def _foot(snapshot: Snapshot, why: ExplanationCache) -> Iterator[str]:
    """How it was judged."""
    for line in (*skipped_rules(snapshot.rule_statuses), *(f"  {sanitize(one, 300)}" for one in snapshot.notices)):
        yield from wrapped(line, NOTE)
    for line in why.errors:
        yield from wrapped(f"  {line}", NOTE)
    for rule in snapshot.rules:
        name = "default rule" if rule.default else f"rule {sanitize(rule.name, 60)}"
        said = sanitize(rule_sentence(rule, snapshot.catalog.get(rule.metric)), 300)
        yield from wrapped(f"  {name}: {said}", NOTE)


def text_report(snapshot: Snapshot) -> Iterator[str]:
    """The text report: the headline, a page a model, and how it was judged."""
    yield headline(snapshot)
    known, why = build_index(snapshot), explain_alerting_models(snapshot)
    for verdict in snapshot.model_statuses:
        yield ""
        yield from _page(verdict.model, known, why)
    yield ""
    yield from _foot(snapshot, why)


def _page(model: str, known: ReportIndex, why: ExplanationCache) -> Iterator[str]:
    """A model: the verdict, what it rests on, every metric as it stands and has changed."""
    snapshot, found = known.snapshot, why.diagnosis_for(model)
    verdict = next(one for one in snapshot.model_statuses if one.model == model)
    if model in known.alerts:
        yield from alerting_section(verdict, known, found)
    else:
        yield from wrapped(healthy_line(verdict, known), HANG)
    for section in diagnosis_sections(found, snapshot.catalog) if found is not None else ():
        yield f"  {section.title}"
        for line in section.lines:
            yield from wrapped(f"    {line}", 6)
    for series in snapshot.history.for_model(model):
        yield f"  {_latest(series, snapshot)}"
        metric = snapshot.catalog.get(series.key.metric)
        for change in changes_of(series, metric, snapshot.baseline):
            yield f"    {sanitize(describe_change(change, metric))}"


def _latest(series: Series, snapshot: Snapshot) -> str:
    metric = snapshot.catalog.get(series.key.metric)
    interval = latest_interval(series, metric)
    bounds = "" if interval is None else f" (95 % {metric.format(interval[0])} to {metric.format(interval[1])})"
    support = series.latest_support
    count = "n unknown" if support is None else f"n {format_exact(support)}"
    return (
        f"{series_name(series.key)} {metric.format(series.latest)}{bounds} on {format_period(series.newest)}, {count}"
    )
