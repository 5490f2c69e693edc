"""Models that had an alert and of which nothing can be read any more: unknown, for that is no recovery."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from modeltop.core.incident import AlertingState, IncidentStatus
from modeltop.core.series import Alert, Condition, History, ReadProblem, Severity
from modeltop.rules.replay import source_error_alert


class LostModels:
    """Finds them by the alerting state, and by the alerts of earlier runs in this process."""

    def __init__(self) -> None:
        self._alerting: dict[str, Severity] = {}
        """Highest level of each model that had an alert when its rows were last read."""

    def alerts(self, state: AlertingState, history: History, now: datetime, clock: datetime) -> list[Alert]:
        """Return an alert for each model with an open or acknowledged incident.

        Args:
            state: What people and the watcher did.
            history: The data.
            now: The time as of which it is evaluated, aware.
            clock: The true time, by which acknowledgements end.
        """
        tracked = {incident.model for incident in state.incidents.values()}
        found = list[Alert]()
        for ack in state.acks:  # without a watcher, of incidents that nothing else has recorded
            is_about_data = ack.level in (Severity.WARNING, Severity.CRITICAL) and ack.since <= now
            if is_about_data and clock < ack.until and ack.model not in tracked | history.periods.keys():
                tracked.add(ack.model)
                found.append(source_error_alert(_rows_gone(ack.model, ack.level), now))
        for incident in state.incidents.values():
            is_about_data = any(member.condition is Condition.THRESHOLD for member in incident.active_members)
            is_open = incident.status is IncidentStatus.OPEN and incident.started_at <= now
            if is_open and is_about_data and incident.model not in history.periods:
                problem = _rows_gone(incident.model, incident.level)
                found.append(source_error_alert(problem, incident.missing_since or now))
        return found

    def problems(self, known: Collection[str]) -> Iterable[ReadProblem]:
        """Yield a problem for each model that had an alert in an earlier run and is not among `known`."""
        return (_rows_gone(model, level) for model, level in self._alerting.items() if model not in known)

    def remember(self, alerts: Iterable[Alert], history: History) -> None:
        """Remember which models have an alert in this run."""
        self._alerting = {model: level for model, level in self._alerting.items() if model not in history.periods}
        for alert in alerts:
            model = alert.key.model
            if alert.is_active and alert.condition is Condition.THRESHOLD and model in history.periods:
                self._alerting[model] = max(alert.severity, self._alerting.get(model, Severity.OK))


def _rows_gone(model: str, level: Severity) -> ReadProblem:
    return ReadProblem(model, f"its rows are gone; it was {level.name.lower()}: restore its file", fatal=True)
