"""The alerts of the selected model, its other rules, notes, and problems of reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modeltop.alerting.grouping import usual_gap
from modeltop.core.series import Alert, Condition, RuleStatus, SeriesKey, Severity, State
from modeltop.core.stats.spacing import period_unit
from modeltop.core.text import display_width, format_day, pluralize, sanitize, truncate_middle
from modeltop.diagnosis.phrases import describe_forecast
from modeltop.report.phrases import handling_mark, has_too_little_history, problem_lines
from modeltop_tui.view.acknowledgements import handling_lines, note_lines
from modeltop_tui.view.metrics import crossed_limit, label
from modeltop_tui.view.models import alert_age
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, WORDS, Cells, plain_text, wrap

LESS_CONFIDENT = {"avg_confidence": "less confident"}
"""What a fall of a metric is called, where it is no loss of quality."""
TRENDS = ("falling", "rising")
MAX_PROBLEMS = 50
MIN_WIDTH_FOR_VALUES, MIN_WIDTH_FOR_DATES = 40, 60
"""Width in cells from which there is room for the values beside a baseline, and for the start of an alert."""
FRAME_WIDTH, MIN_NAME_WIDTH = 7, 5
"""Width of corners, gaps and the number of the pane in its upper edge; and of a name that is cut, in cells."""
OK, NOT_EVALUATED = "ok", "not evaluated"
"""What a rule without an alert is."""
MAX_WIDTH = 100
"""Cells from the start of a line within which its age is, so that the two are seen together."""
SAME_START_PERIODS = 2
"""Periods within which alerts started together."""


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """The lines about one alert, about several that are folded, or about a rule without one."""

    alerts: tuple[Alert, ...]
    lines: tuple[Cells, ...]
    is_folded: bool = False
    """Whether each of several has a line of its own once it is unfolded."""
    rule_key: SeriesKey | None = None
    """The series of a rule without an alert."""
    kind: str = ""
    """What it is where it is counted: an alert, `ok`, or `not evaluated`; empty for a note or a problem."""
    count: int = 1
    """How many of its kind it is about."""

    @property
    def alert(self) -> Alert | None:
        """The alert, the worst of several; None without one."""
        return self.alerts[0] if self.alerts else None

    @property
    def key(self) -> SeriesKey | None:
        """The series that it is about; None for a note or a problem."""
        return self.alerts[0].key if self.alerts else self.rule_key


def entries(state: ScreenState, width: int, *, folded: bool = False) -> list[AlertEntry]:
    """Return the selected model's alerts, rules and notes, then problems of reading.

    Args:
        state: The state that is shown.
        width: Width of a line in cells.
        folded: Whether alerts of the same start and direction share a line, and rules without alerts on segments.
    """
    if state.snapshot is None:
        return []
    index = snapshot_index(state.snapshot)
    model = state.selection.model or ""
    own, statuses = _in_order(index, model), index.statuses_by_model[model]
    groups = _folded(index, own) if folded else [(alert,) for alert in own]
    out = [_alert_entry(index, group, width) for group in groups]
    handling = dict.fromkeys(tuple(handling_lines(alert, state, width, brief=folded)) for alert in own)
    # Where there is no room for all, who works on it comes right below what is worst.
    at = 1 if folded else len(out)
    out[at:at] = [AlertEntry((), lines) for lines in handling if lines]
    alerting = {(alert.rule, alert.key) for alert in own}
    healthy = [status for status in statuses if (status.rule, status.key) not in alerting]
    of_segments = [status for status in healthy if folded and status.key.segment != "all"]
    young = [status for status in healthy if status not in of_segments and has_too_little_history(status)]
    out += [_rule_entry(status, width) for status in healthy if status not in of_segments and status not in young]
    out += [*_young_entries(index, young, width), *_segment_entries(of_segments, width)]
    if not own and not statuses:
        out.append(_text_entry("no rule evaluates this model", width, "dim"))
    out += [AlertEntry((), tuple(lines)) for lines in note_lines(state, width)]
    return out + _problem_entries(index, width)


def _in_order(index: SnapshotIndex, model: str) -> list[Alert]:
    alerts, incident = index.alerts_by_model[model], index.incidents.get(model)
    if incident is None:
        return alerts
    return sorted(alerts, key=lambda one: (not one.is_active, one.id != incident.lead, -one.severity, one.since))


def _folded(index: SnapshotIndex, alerts: Iterable[Alert]) -> list[tuple[Alert, ...]]:
    """Group the alerts about baselines that have the same severity, start and direction; the others stay alone."""
    groups: dict[tuple[object, ...], list[Alert]] = {}
    for alert in alerts:
        side = _baseline_side(alert)
        key: tuple[object, ...] = (alert.rule, alert.key)
        if side and alert.is_active:
            slack = SAME_START_PERIODS * usual_gap(index.snapshot.history.periods.get(alert.key.model), alert.since)
            of_segment = alert.key.segment != "all"
            kind = (alert.severity, LESS_CONFIDENT.get(alert.key.metric, f"{side} {of_segment}"))
            near = (
                known for known in groups if known[:2] == kind and abs(groups[known][0].since - alert.since) <= slack
            )
            key = next(near, (*kind, alert.since))
        groups.setdefault(key, []).append(alert)
    return [tuple(group) for group in groups.values()]


def _baseline_side(alert: Alert) -> str:
    """Return on which side of its baseline the value is; empty for an alert about something else."""
    breach = alert.breach
    if breach is None or breach.limit is None or not breach.is_baseline:
        return ""
    return "below" if breach.value < breach.limit else "above"


def alerts_title(state: ScreenState, width: int, note: str = "") -> str:
    """Return the number of active alerts of the selected model; by severity and with acknowledgements if it is wide.

    Args:
        state: The state that is shown.
        width: Width of the pane in cells.
        note: What is at the other end of its upper edge.
    """
    if state.snapshot is None or state.selection.model is None:
        return "Alerts"
    active = [one for one in snapshot_index(state.snapshot).alerts_by_model[state.selection.model] if one.is_active]
    if width < MIN_WIDTH_FOR_DATES or not active:
        room = width - FRAME_WIDTH - len(note) - len(f"Alerts of : {len(active)}")
        name = truncate_middle(sanitize(state.selection.model), room)
        return f"Alerts of {name}: {len(active)}" if room >= MIN_NAME_WIDTH else f"Alerts: {len(active)}"
    counts = Counter(alert.severity for alert in active)
    acknowledged = sum(alert.id in state.snapshot.acknowledgements for alert in active)
    words = ", ".join(f"{counts[severity]} {WORDS[severity]}" for severity in sorted(counts, reverse=True))
    return f"Alerts: {words}, {acknowledged or 'none'} acknowledged"


def forecast_text(state: ScreenState) -> str:
    """Return when the selected metric will be beyond its next limit; empty without a trend."""
    forecast = state.outlook.forecast if state.outlook is not None else None
    if state.snapshot is None or state.selection.key is None or forecast is None:
        return ""
    text = describe_forecast(forecast, state.snapshot.history.newest or state.snapshot.clock)
    return f"{label(state.selection.key)} {text}" if text else ""


def _text_entry(text: str, width: int, role: str) -> AlertEntry:
    return AlertEntry((), tuple(wrap(text, width, role=role, indent="  ")))


def _problem_entries(index: SnapshotIndex, width: int) -> list[AlertEntry]:
    sources = index.model_statuses  # a source that failed often enough is an alert
    problems = (
        problem for problem in index.snapshot.history.problems if not problem.fatal or problem.source not in sources
    )
    lines = problem_lines(problems)
    texts = [(line, "warning") for line in lines[:MAX_PROBLEMS]]
    if len(lines) > MAX_PROBLEMS:
        texts.append((f"and {len(lines) - MAX_PROBLEMS} more problems: `modeltop check` lists them", "dim"))
    health = index.snapshot.watcher_health
    if health is not None and not health.stopped:
        errors = [health.error] if health.error else []
        errors += [f"receiver {name} fails: {clause}" for name, clause in health.disabled_receivers.items()]
        texts += [(f"watcher: {sanitize(error, 400)}", "critical") for error in errors]
    texts += [(sanitize(notice, 400), "dim") for notice in index.snapshot.notices]
    return [_text_entry(text, width, role) for text, role in texts]


def _alert_entry(index: SnapshotIndex, group: tuple[Alert, ...], width: int) -> AlertEntry:
    alert, width = group[0], min(width, MAX_WIDTH)
    pending = alert.state is State.PENDING
    role = "dim" if pending else TINTS[alert.severity]
    mark = f"{' ' if pending else SHAPES[alert.severity]}{handling_mark(index.snapshot, group)}"
    text = describe_group(index, group, detailed=width >= MIN_WIDTH_FOR_VALUES)
    # How long no data has come is in the sentence; the alert began only after some patience.
    is_dated = alert.condition is Condition.NO_DATA
    age = "" if is_dated else describe_duration(index, alert, brief=width < MIN_WIDTH_FOR_DATES)
    room = max(1, width - len(age) - 1)
    first, *rest = wrap(text, room, indent="  ", lead=((mark, role),))
    gap = " " * max(1, width - display_width(plain_text(first)) - len(age))
    lines = ((*first, (gap + age, "")), *rest)
    return AlertEntry(group, lines, is_folded=len(group) > 1, kind="alert", count=len(group))


def describe_hidden(hidden: Iterable[AlertEntry], *, brief: bool) -> str:
    """Return what is out of sight, such as `2 more alerts, 4 ok`; empty if nothing is.

    Args:
        hidden: Entries that are out of sight; notes and problems are not counted.
        brief: Only the first kind, alerts before rules.
    """
    counts: Counter[str] = Counter()
    for entry in hidden:
        counts[entry.kind] += entry.count
    alerts = [pluralize(counts["alert"], "more alert")] if counts["alert"] else []
    others = [f"{counts[kind]} {'' if alerts else 'more '}{kind}" for kind in (OK, NOT_EVALUATED) if counts[kind]]
    return ", ".join([*alerts, *others][: 1 if brief else 3])


def describe_group(index: SnapshotIndex, group: tuple[Alert, ...], *, detailed: bool) -> str:
    """Return what is wrong, in a few words.

    Args:
        index: Index of the snapshot.
        group: One alert, or several about their baselines.
        detailed: Whether there is room for the value and the baseline.
    """
    alert = group[0]
    side, crossed = _baseline_side(alert), crossed_limit(index, alert)
    if len({one.key for one in group}) > 1:
        return f"{_group_subject(group)} {side} baseline"
    if not side and crossed not in TRENDS:
        return describe_problem(alert)
    fell = side == "below" or crossed == "falling"
    text = LESS_CONFIDENT.get(alert.key.metric) if fell else None
    text = text or f"{label(alert.key)} {crossed or f'{side} baseline'}"
    return text + _baseline_values(index, alert, detailed=detailed)


def _group_subject(group: tuple[Alert, ...]) -> str:
    """Return what several alerts are about: `4 metrics`, `4 metrics [DE]`, `accuracy of 3 segments`, `3 segments`."""
    segments, metrics = {one.key.segment for one in group}, {one.key.metric for one in group}
    if len(segments) == 1:
        (segment,) = segments
        return f"{len(metrics)} metrics" + (f" [{sanitize(segment, 20)}]" if segment != "all" else "")
    metric = f"{label(SeriesKey('', min(metrics)))} of " if len(metrics) == 1 else ""
    return f"{metric}{len(segments)} segments"


def _baseline_values(index: SnapshotIndex, alert: Alert, *, detailed: bool) -> str:
    breach, metric = alert.breach, index.snapshot.catalog.get(alert.key.metric)
    if not detailed or breach is None or breach.limit is None:
        return ""
    return f" {metric.format(breach.limit)}→{metric.format(breach.value)}"


def entry_index(alert: Alert, alert_entries: list[AlertEntry], default: int) -> int:
    """Return the index of the entry about the alert, by rule and series.

    Args:
        alert: May be of an earlier snapshot.
        alert_entries: Entries of the newest one.
        default: Returned where no entry is about it.
    """
    for index, entry in enumerate(alert_entries):
        if any((one.rule, one.key) == (alert.rule, alert.key) for one in entry.alerts):
            return index
    return default


def describe_problem(alert: Alert) -> str:
    """Return what is wrong: the value against its limit, the missing data, or the unreadable source."""
    breach = alert.breach
    message = sanitize(breach.message if breach is not None else alert.condition.value, 300)
    return message if alert.key.metric == "*" else f"{label(alert.key)} {message}"


def describe_duration(index: SnapshotIndex, alert: Alert, *, brief: bool = False) -> str:
    """Return how long the alert has lasted, since when, and whether it is pending or recovering.

    Args:
        index: Index of the snapshot.
        alert: One of its alerts.
        brief: Without the start: only the age, such as `4d`.
    """
    snapshot = index.snapshot
    state = f"{alert.state.value} " if alert.state in (State.PENDING, State.RECOVERING) else ""
    if brief:
        return state + alert_age(snapshot, alert.key.model, alert.condition, alert.since)
    since = f"since {format_day(alert.since, snapshot.history.newest or snapshot.clock)}"
    series = snapshot.history.series.get(alert.key)
    if alert.condition is not Condition.THRESHOLD or not alert.periods or series is None:
        return state + since
    return f"{state}for {pluralize(alert.periods, period_unit(series))}, {since}"


def _young_entries(index: SnapshotIndex, statuses: Iterable[RuleStatus], width: int) -> Iterator[AlertEntry]:
    groups: dict[tuple[str, str], list[RuleStatus]] = {}
    for status in statuses:
        rule = index.rules.get(status.rule)
        kind = "limit" if rule is not None and any(rule.detector.limits()) else "baseline"
        groups.setdefault((kind, status.sentence.rpartition(": ")[2]), []).append(status)
    for (kind, need), group in groups.items():
        keys = list(dict.fromkeys(status.key for status in group))
        subject = f"{label(keys[0])} {kind}" if len(keys) == 1 else f"{kind}s of {len(keys)} metrics"
        lines = wrap(f"{subject}: {NOT_EVALUATED}, {need}", width, role="dim", indent="  ", lead=(("  ", ""),))
        yield AlertEntry((), tuple(lines), rule_key=keys[0], kind=NOT_EVALUATED, count=len(keys))


def _segment_entries(statuses: list[RuleStatus], width: int) -> list[AlertEntry]:
    ok = sum(status.is_evaluated and not status.severity for status in statuses)
    out = []
    for count, kind in ((ok, OK), (len(statuses) - ok, NOT_EVALUATED)):
        lines = rule_state_lines(f"{pluralize(count, 'rule')} on segments: {kind}", width, kind)
        out += [AlertEntry((), lines, is_folded=True, kind=kind, count=count)] if count else []
    return out


def _rule_entry(status: RuleStatus, width: int) -> AlertEntry:
    text = sanitize(status.sentence, 300)
    if status.key.segment != "all":
        text = f"[{sanitize(status.key.segment, 60)}] {text}"
    kind = OK if status.is_evaluated else NOT_EVALUATED
    return AlertEntry((), rule_state_lines(text, width, kind), rule_key=status.key, kind=kind)


def rule_state_lines(text: str, width: int, kind: str) -> tuple[Cells, ...]:
    """Return the lines about rules without an alert: with the mark of what is ok, or gray."""
    mark, role = (SHAPES[Severity.OK], "") if kind == OK else (" ", "dim")
    return tuple(wrap(text, width, role=role, indent="  ", lead=((f"{mark} ", "ok"),)))
