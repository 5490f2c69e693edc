"""One look after another: what is there, followed to incidents."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from modeltop.alerting.incidents import EvaluationScope as Sight
from modeltop.alerting.incidents import find_incident, track_incidents
from modeltop.core.errors import StoreError
from modeltop.core.event import IncidentChanged
from modeltop.core.incident import AlertingState, IncidentStatus
from modeltop.core.series import Alert, Condition
from modeltop.history.files import read_range
from modeltop.history.store.durable import close, open_file, write_atomically
from modeltop.rules.snapshot import Snapshot

FILE_NAME = "looked.json"
MAX_FILE_BYTES = 64_000_000
"""Bytes; a larger file is not ours."""


@dataclass(frozen=True, slots=True)
class LastEvaluation:
    """What was seen."""

    newest_periods: Mapping[str, datetime] = field(default_factory=dict)
    """Per model, its newest period."""
    no_data_first_seen: Mapping[str, datetime] = field(default_factory=dict)
    """By id, when an alert of no data was first seen that nobody is told of before a second look."""


def save_last_evaluation(folder: Path, evaluation: LastEvaluation) -> None:
    """Keep it for the next run. Raises StoreError."""
    write_atomically(
        folder / FILE_NAME,
        json.dumps(
            {"newest": _to_json(evaluation.newest_periods), "waiting": _to_json(evaluation.no_data_first_seen)}
        ).encode(),
    )


def load_last_evaluation(folder: Path) -> LastEvaluation:
    """What the last run saw; nothing where there was none, or its file cannot be read."""
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
    """Holds back an alert of no data that nobody knows of until it has been seen for a while.

    Args:
        wait: Time between the first look and the one that counts.
        first_seen: By id, when such alerts were first seen, by an earlier run.
    """

    def __init__(self, wait: timedelta, first_seen: Mapping[str, datetime] | None = None) -> None:
        self.wait = wait
        self.first_seen = dict(first_seen or {})

    def settled_alerts(
        self, alerts: Iterable[Alert], now: datetime, is_known: Callable[[Alert], bool]
    ) -> tuple[Alert, ...]:
        """The alerts that count now.

        Args:
            alerts: All that were found.
            now: The moment of the look.
            is_known: Whether an alert belongs to an incident that is open already.
        """
        settled: list[Alert] = []
        waiting: dict[str, datetime] = {}
        for alert in alerts:
            if alert.condition is not Condition.NO_DATA or alert.id is None or is_known(alert):
                settled.append(alert)
                continue
            # A clock that was set back must not make anybody wait for years.
            first = min(self.first_seen.get(alert.id, now), now)
            if now - first >= self.wait:
                settled.append(alert)
            waiting[alert.id] = first
        self.first_seen = waiting
        return tuple(settled)

    def next_due(self) -> datetime | None:
        """When the next second look is due; None where none is."""
        return min((first + self.wait for first in self.first_seen.values()), default=None)


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationResult:
    """What was found."""

    snapshot: Snapshot
    incident_changes: tuple[IncidentChanged, ...]
    """To be journaled before anybody is told."""
    newest_periods: Mapping[str, datetime]
    """Per model, its newest period: what the next look counts from."""

    @property
    def has_unconfirmed_errors(self) -> bool:
        """Whether a source cannot be read, and that is no alert yet: it would have to fail again."""
        failing = {problem.source for problem in self.snapshot.history.problems if problem.fatal}
        alerts = (one for one in self.snapshot.alerts if one.condition is Condition.ERROR)
        return bool(failing - {one.key.model for one in alerts})


class IncidentTracker:
    """Knows of the last look what the next one needs, also that of an earlier process.

    Args:
        folder: The state folder.
        wait: Time between the first look that finds no data and the one that counts.
    """

    def __init__(self, folder: Path, wait: timedelta) -> None:
        self._folder = folder
        self._last = load_last_evaluation(folder)
        self.no_data_grace = NoDataGrace(wait, self._last.no_data_first_seen)

    def evaluate(self, snapshot: Snapshot, state: AlertingState, now: datetime) -> EvaluationResult:
        """What a snapshot, taken just now, means for the incidents that are known."""
        alerts = self.no_data_grace.settled_alerts(snapshot.alerts, now, lambda episode: _is_open(episode, state))
        scope = Sight.from_statuses(snapshot.history, snapshot.rule_statuses, snapshot.rules)
        changes = track_incidents(alerts, state, now, scope=scope, previous_newest=self._last.newest_periods)
        return EvaluationResult(snapshot, changes, scope.newest_periods(now))

    def commit(self, result: EvaluationResult, *, saved: bool) -> None:
        """Count from this look on, once what it found is journaled.

        Args:
            result: The last one.
            saved: Whether that is on the disk; else the next process has to find it again.
        """
        evaluation = LastEvaluation(result.newest_periods, self.no_data_grace.first_seen)
        if saved and evaluation != self._last:
            # Lost, nothing is told twice: what is over and was not seen open is then taken for the past.
            with contextlib.suppress(StoreError):
                save_last_evaluation(self._folder, evaluation)
        self._last = evaluation


def _is_open(alert: Alert, state: AlertingState) -> bool:
    incident = find_incident(alert, state)
    return incident is not None and incident.status is IncidentStatus.OPEN
