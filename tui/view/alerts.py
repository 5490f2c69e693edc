"""The alerts of the selected model, its other rules, and the alerts of other models."""

from __future__ import annotations

from dataclasses import dataclass, replace

from modeltop.core.series import Alert, Condition, RuleStatus, Severity, State
from modeltop.core.text import format_period, pluralize, sanitize
from modeltop.report.phrases import problem_lines
from modeltop_tui.view.acknowledgements import handling_lines, note_lines
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, wrap

MAX_OTHER_ALERTS = 50
"""Alerts of other models that are listed; the models pane has all of them."""


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """The lines about one alert, or about a rule without one."""

    alert: Alert | None
    lines: tuple[Cells, ...]


def entries(state: ScreenState, width: int) -> list[AlertEntry]:
    """Return what many models share, then the selected model's alerts, rules and notes, other alerts, and problems."""
    if state.snapshot is None:
        return []
    index = snapshot_index(state.snapshot)
    model = state.selection.model or ""
    own = index.alerts_by_model[model]
    shared = [wrap(one.sentence, width, role="critical", indent="  ") for one in state.snapshot.shared_starts]
    out = [AlertEntry(None, tuple(lines)) for lines in shared]
    out += [_alert_entry(alert, state, width, with_model=False) for alert in own]
    alerting = {(alert.rule, alert.key) for alert in own}
    statuses = index.statuses_by_model[model]
    out += [_rule_entry(status, width) for status in statuses if (status.rule, status.key) not in alerting]
    if len(out) == len(shared):
        out.append(AlertEntry(None, tuple(wrap("no rule asks about this model", width, role="dim"))))
    out += [AlertEntry(None, tuple(lines)) for lines in note_lines(state, width)]
    others = [alert for alert in index.open_alerts if alert.key.model != model]
    out += [_alert_entry(alert, state, width, with_model=True) for alert in others[:MAX_OTHER_ALERTS]]
    if len(others) > MAX_OTHER_ALERTS:
        out.append(AlertEntry(None, (((f"and {len(others) - MAX_OTHER_ALERTS} more in the list of models", "dim"),),)))
    return out + _problem_entries(index, width)


def _problem_entries(index: SnapshotIndex, width: int) -> list[AlertEntry]:
    """Return what could not be read, with its line in the file, errors of the watcher, and notices."""
    sources = index.model_statuses  # a source that failed often enough is an alert
    problems = (
        problem for problem in index.snapshot.history.problems if not problem.fatal or problem.source not in sources
    )
    lines = problem_lines(problems)
    texts = [(line, "warning") for line in lines[:MAX_OTHER_ALERTS]]
    if len(lines) > MAX_OTHER_ALERTS:
        texts.append((f"and {len(lines) - MAX_OTHER_ALERTS} more problems: `modeltop check` lists them", "dim"))
    health = index.snapshot.watcher_health
    if health is not None and not health.stopped:
        errors = [health.error] if health.error else []
        errors += [f"receiver {name} fails: {clause}" for name, clause in health.disabled_receivers.items()]
        texts += [(f"watcher: {sanitize(error, 400)}", "critical") for error in errors]
    texts += [(sanitize(notice, 400), "dim") for notice in index.snapshot.notices]
    return [AlertEntry(None, tuple(wrap(text, width, role=role, indent="  "))) for text, role in texts]


def _alert_entry(alert: Alert, state: ScreenState, width: int, *, with_model: bool) -> AlertEntry:
    pending = alert.state is State.PENDING
    role = "dim" if pending else TINTS[alert.severity]
    shape = " " if pending else SHAPES[alert.severity]
    model = f"{sanitize(alert.key.model, 60)}: " if with_model else ""
    problem = wrap(model + describe_problem(alert), width, role=role, indent="  ", lead=((f"{shape} ", role),))
    duration = wrap(f"  {describe_duration(alert, state)}", width, indent="  ", lead=(("  ", ""),))
    return AlertEntry(alert, (*problem, *duration, *handling_lines(alert, state, width)))


def with_cursor(entry: AlertEntry) -> AlertEntry:
    """Return the entry with a cursor on its first line."""
    (*lead, (text, _)), *rest = entry.lines
    return replace(entry, lines=((*lead, (text, "cursor")), *rest))


def entry_index(alert: Alert, alert_entries: list[AlertEntry], default: int) -> int:
    """Return the index of the entry about the alert, by rule and series.

    Args:
        alert: May be of an earlier snapshot.
        alert_entries: Entries of the newest one.
        default: Returned where no entry is about it.
    """
    for index, entry in enumerate(alert_entries):
        if entry.alert is not None and (entry.alert.rule, entry.alert.key) == (alert.rule, alert.key):
            return index
    return default


def describe_problem(alert: Alert) -> str:
    """Return what is wrong: the value against its limit, the missing data, or the unreadable source."""
    breach = alert.breach
    message = sanitize(breach.message if breach is not None else alert.condition.value, 300)
    return message if alert.key.metric == "*" else f"{label(alert.key)} {message}"


def describe_duration(alert: Alert, state: ScreenState) -> str:
    """Return for how many periods the alert has lasted, since when, and whether it is pending or recovering."""
    assert state.snapshot is not None
    since = format_period(alert.since, year=alert.since.year != state.snapshot.clock.year)
    if alert.condition is not Condition.THRESHOLD:
        return f"since {since}"
    text = f"{pluralize(alert.periods, 'period')}, since {since}" if alert.periods else f"since {since}"
    if alert.state is State.PENDING:
        return f"pending: {text}"
    if alert.state is State.RECOVERING:
        return f"recovering: {text}"
    return text


def _rule_entry(status: RuleStatus, width: int) -> AlertEntry:
    text = sanitize(status.sentence, 300)
    if status.key.segment != "all":
        text = f"[{sanitize(status.key.segment, 60)}] {text}"
    role = "dim" if status.skip_reason is not None else ""
    mark = SHAPES[Severity.OK] if status.skip_reason is None else " "
    return AlertEntry(None, tuple(wrap(text, width, role=role, indent="  ", lead=((f"{mark} ", "ok"),))))
