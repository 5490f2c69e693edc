"""From a snapshot to the changes of incidents, with the state that is kept between two evaluations."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from modeltop.alerting.grouping import group_incidents, ordered_incidents
from modeltop.alerting.incidents import EvaluationScope, is_known, track_incidents
from modeltop.core.errors import StoreError
from modeltop.core.event import IncidentChanged
from modeltop.core.incident import AlertingState
from modeltop.core.series import Alert, Condition
from modeltop.history.store.durable import write_atomically
from modeltop.rules.snapshot import Snapshot
from modeltop.service.leader import aware_datetime, read_state_file

FILE_NAME = "looked.json"
_GRACE_CONDITIONS = (Condition.NO_DATA, Condition.UNREADABLE)


@dataclass(frozen=True, slots=True)
class LastEvaluation:
    """The state that an evaluation keeps for the next one, also across processes."""

    newest_periods: Mapping[str, datetime] = field(default_factory=dict)
    no_data_first_seen: Mapping[str, datetime] = field(default_factory=dict)
    """Time at which a no-data alert in its grace period was first seen, by its id."""


def save_last_evaluation(folder: Path, evaluation: LastEvaluation) -> None:
    """Save it for the next run; raise StoreError if the file cannot be written."""
    document = {"newest": evaluation.newest_periods, "waiting": evaluation.no_data_first_seen}
    times = {key: {name: at.isoformat() for name, at in moments.items()} for key, moments in document.items()}
    write_atomically(folder / FILE_NAME, json.dumps(times).encode())


def load_last_evaluation(folder: Path) -> LastEvaluation:
    """Return the state that the last run saved; empty if there was none, or its file cannot be read."""

    def build(document: Mapping[str, Mapping[str, str]], _: float) -> LastEvaluation:
        newest, waiting = (
            {name: aware_datetime(text) for name, text in document[key].items()} for key in ("newest", "waiting")
        )
        return LastEvaluation(newest, waiting)

    return read_state_file(folder / FILE_NAME, build) or LastEvaluation()


MAX_PAUSE = timedelta(minutes=10)
"""Time between two evaluations of one process after which grace periods start anew."""


class NoDataGrace:
    """A filter that holds back new alerts of no data, and of unreadable data, until they lasted for a grace period."""

    def __init__(
        self,
        wait: timedelta,
        first_seen: Mapping[str, datetime] | None = None,
        every: timedelta = timedelta(minutes=1),
    ) -> None:
        self.wait = wait
        self.every = every
        self.waiting = 0
        """Alerts that wait since the last evaluation."""
        self.first_seen = dict(first_seen or {})
        """Time at which such alerts were first seen, also by an earlier run, by their ids."""
        self._last_evaluated: datetime | None = None

    def settled_alerts(
        self, alerts: Iterable[Alert], now: datetime, is_known: Callable[[Alert], bool]
    ) -> tuple[Alert, ...]:
        """Return the alerts of a snapshot that count now; `is_known` is true if one belongs to an open incident."""
        if self._last_evaluated is not None and now - self._last_evaluated > max(MAX_PAUSE, 3 * self.every):
            # The machine was suspended: only the next evaluation can tell whether rows would have come meanwhile.
            self.first_seen = dict.fromkeys(self.first_seen, now)
        self._last_evaluated = now
        settled: list[Alert] = []
        waiting: dict[str, datetime] = {}
        for alert in alerts:
            if alert.condition not in _GRACE_CONDITIONS or alert.id is None or is_known(alert):
                settled.append(alert)
                continue
            # A clock that was set back must not extend the grace period by years.
            first = min(self.first_seen.get(alert.id, now), now)
            if now - first >= self.wait:
                settled.append(alert)
            waiting[alert.id] = first
        self.first_seen, self.waiting = waiting, sum(now - first < self.wait for first in waiting.values())
        return tuple(settled)

    def next_due(self) -> datetime | None:
        """Return when the next grace period ends; None if none runs."""
        return min((first + self.wait for first in self.first_seen.values()), default=None)


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationResult:
    """A snapshot, and the changes of incidents that it means."""

    snapshot: Snapshot
    """Without the alerts that wait."""
    incident_changes: tuple[IncidentChanged, ...]
    """Recorded before any receiver is notified."""
    newest_periods: Mapping[str, datetime]
    """Newest period of each model, which the next evaluation counts from."""

    @property
    def has_unconfirmed_errors(self) -> bool:
        """True if a source fails that has not failed often enough for an alert."""
        failing = {problem.source for problem in self.snapshot.history.problems if problem.fatal}
        alerts = (alert for alert in self.snapshot.alerts if alert.condition is Condition.ERROR)
        return bool(failing - {alert.key.model for alert in alerts})


class IncidentTracker:
    """The incidents of one state folder, tracked from evaluation to evaluation, also across processes."""

    def __init__(self, folder: Path, wait: timedelta, every: timedelta = timedelta(minutes=1)) -> None:
        self._folder = folder
        self._last = load_last_evaluation(folder)
        self.no_data_grace = NoDataGrace(wait, self._last.no_data_first_seen, every)

    def evaluate(
        self,
        snapshot: Snapshot,
        state: AlertingState,
        now: datetime,
        *,
        allows_no_data: Callable[[datetime | None], bool] = lambda _: True,
    ) -> EvaluationResult:
        """Return the changes to the known incidents that result from a snapshot that was just taken.

        Args:
            snapshot: What was evaluated, with this state.
            state: The incidents so far.
            now: The daemon's clock.
            allows_no_data: Tells by the newest period of any model whether the clock is reliable enough for new
                incidents of no data; open ones stay open until rows come.
        """
        scope = EvaluationScope.from_statuses(snapshot.history, snapshot.rule_statuses, snapshot.rules)
        alerts: Iterable[Alert] = snapshot.alerts
        if not allows_no_data(max(scope.newest_periods(now).values(), default=None)):
            # Of one series it is concluded from the rows of its model, whatever the clock says.
            alerts = [
                alert
                for alert in alerts
                if alert.condition is not Condition.NO_DATA or not alert.is_model_wide or is_known(alert, state)
            ]
        alerts = self.no_data_grace.settled_alerts(alerts, now, lambda alert: is_known(alert, state))
        if len(alerts) < len(snapshot.alerts):  # what waits is not in the verdict of a message either
            incidents = group_incidents(alerts, snapshot.history, snapshot.catalog, state=state)
            ordered = ordered_incidents(incidents, [status.model for status in snapshot.model_statuses])
            snapshot = replace(snapshot, alerts=alerts, incidents=ordered)
        previous = self._last.newest_periods
        changes = track_incidents(snapshot.incidents, alerts, state, now, scope=scope, previous_newest=previous)
        return EvaluationResult(snapshot, changes, scope.newest_periods(now))

    def commit(self, result: EvaluationResult, *, saved: bool) -> None:
        """Count from this evaluation on, once its changes are recorded.

        If they are not `saved` on the disk, the next process has to find them again.
        """
        evaluation = LastEvaluation(result.newest_periods, self.no_data_grace.first_seen)
        if saved and evaluation != self._last:
            # If this is lost, nothing is sent twice: alerts resolved and never seen open count as past.
            with contextlib.suppress(StoreError):
                save_last_evaluation(self._folder, evaluation)
        self._last = evaluation
