"""From a snapshot to the changes of incidents, with what has to be remembered between two evaluations."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from modeltop.alerting.incidents import EvaluationScope, find_incident, track_incidents
from modeltop.core.errors import StoreError
from modeltop.core.event import IncidentChanged
from modeltop.core.incident import AlertingState, IncidentStatus
from modeltop.core.series import Alert, Condition
from modeltop.history.files import read_range
from modeltop.history.store.durable import close, open_file, write_atomically
from modeltop.rules.snapshot import Snapshot

FILE_NAME = "looked.json"
MAX_FILE_BYTES = 64_000_000
"""Size limit of the file; a larger one is not ours."""


@dataclass(frozen=True, slots=True)
class LastEvaluation:
    """What an evaluation leaves for the next one, also across processes."""

    newest_periods: Mapping[str, datetime] = field(default_factory=dict)
    """Newest period of each model."""
    no_data_first_seen: Mapping[str, datetime] = field(default_factory=dict)
    """Time at which a no-data alert in its grace period was first seen, by its id."""


def save_last_evaluation(folder: Path, evaluation: LastEvaluation) -> None:
    """Save it for the next run.

    Raises:
        StoreError: The file cannot be written.
    """
    write_atomically(
        folder / FILE_NAME,
        json.dumps(
            {"newest": _to_json(evaluation.newest_periods), "waiting": _to_json(evaluation.no_data_first_seen)}
        ).encode(),
    )


def load_last_evaluation(folder: Path) -> LastEvaluation:
    """Return what the last run saved; empty where there was none, or where its file cannot be read."""
    try:
        descriptor = open_file(folder / FILE_NAME, os.O_RDONLY)
    except OSError:
        return LastEvaluation()
    try:
        document = json.loads(read_range(descriptor, 0, MAX_FILE_BYTES))
        return LastEvaluation(_from_json(document["newest"]), _from_json(document["waiting"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return LastEvaluation()
    finally:
        close(descriptor)


def _to_json(moments: Mapping[str, datetime]) -> dict[str, str]:
    return {name: moment.isoformat() for name, moment in moments.items()}


def _from_json(document: Mapping[str, str]) -> dict[str, datetime]:
    times = {name: datetime.fromisoformat(text) for name, text in document.items()}
    if any(moment.tzinfo is None for moment in times.values()):
        raise ValueError("a time without a zone")
    return times


class NoDataGrace:
    """A filter that holds back new no-data alerts until they have lasted for a grace period.

    Args:
        wait: The grace period.
        first_seen: Time at which such alerts were first seen by an earlier run, by their ids.
    """

    def __init__(self, wait: timedelta, first_seen: Mapping[str, datetime] | None = None) -> None:
        self.wait = wait
        self.first_seen = dict(first_seen or {})

    def settled_alerts(
        self, alerts: Iterable[Alert], now: datetime, is_known: Callable[[Alert], bool]
    ) -> tuple[Alert, ...]:
        """Return the alerts that count now.

        Args:
            alerts: All alerts of a snapshot.
            now: The time of the evaluation.
            is_known: Tells whether an alert belongs to an open incident.
        """
        settled: list[Alert] = []
        waiting: dict[str, datetime] = {}
        for alert in alerts:
            if alert.condition is not Condition.NO_DATA or alert.id is None or is_known(alert):
                settled.append(alert)
                continue
            # A clock that was set back must not extend the grace period by years.
            first = min(self.first_seen.get(alert.id, now), now)
            if now - first >= self.wait:
                settled.append(alert)
            waiting[alert.id] = first
        self.first_seen = waiting
        return tuple(settled)

    def next_due(self) -> datetime | None:
        """Return when the next grace period ends; None where none runs."""
        return min((first + self.wait for first in self.first_seen.values()), default=None)


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationResult:
    """A snapshot, and the changes of incidents that it means."""

    snapshot: Snapshot
    incident_changes: tuple[IncidentChanged, ...]
    """Recorded before any receiver is notified."""
    newest_periods: Mapping[str, datetime]
    """Newest period of each model, which the next evaluation counts from."""

    @property
    def has_unconfirmed_errors(self) -> bool:
        """True where a source fails that has not failed often enough for an alert."""
        failing = {problem.source for problem in self.snapshot.history.problems if problem.fatal}
        alerts = (alert for alert in self.snapshot.alerts if alert.condition is Condition.ERROR)
        return bool(failing - {alert.key.model for alert in alerts})


class IncidentTracker:
    """The incidents of one state folder, followed from evaluation to evaluation, also across processes.

    Args:
        folder: The state folder.
        wait: The grace period of no-data alerts.
    """

    def __init__(self, folder: Path, wait: timedelta) -> None:
        self._folder = folder
        self._last = load_last_evaluation(folder)
        self.no_data_grace = NoDataGrace(wait, self._last.no_data_first_seen)

    def evaluate(self, snapshot: Snapshot, state: AlertingState, now: datetime) -> EvaluationResult:
        """Return what a snapshot, taken just now, changes about the known incidents."""
        alerts = self.no_data_grace.settled_alerts(snapshot.alerts, now, lambda episode: _is_open(episode, state))
        scope = EvaluationScope.from_statuses(snapshot.history, snapshot.rule_statuses, snapshot.rules)
        changes = track_incidents(alerts, state, now, scope=scope, previous_newest=self._last.newest_periods)
        return EvaluationResult(snapshot, changes, scope.newest_periods(now))

    def commit(self, result: EvaluationResult, *, saved: bool) -> None:
        """Count from this evaluation on, once its changes are recorded.

        Args:
            result: The last evaluation.
            saved: True where its changes are on the disk; else the next process has to find them again.
        """
        evaluation = LastEvaluation(result.newest_periods, self.no_data_grace.first_seen)
        if saved and evaluation != self._last:
            # If this is lost, nothing is sent twice: what was resolved and never seen open counts as past.
            with contextlib.suppress(StoreError):
                save_last_evaluation(self._folder, evaluation)
        self._last = evaluation


def _is_open(alert: Alert, state: AlertingState) -> bool:
    incident = find_incident(alert, state)
    return incident is not None and incident.status is IncidentStatus.OPEN
