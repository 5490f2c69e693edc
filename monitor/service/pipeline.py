"""From files to a snapshot: the only module that calls every package below."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from modeltop.alerting.event_log.location import enclosing_store, real_paths, state_folder
from modeltop.alerting.fleet import shared_starts
from modeltop.alerting.grouping import group_incidents, ordered_incidents, with_incident_starts
from modeltop.alerting.incidents import is_known
from modeltop.alerting.state import with_current_names
from modeltop.alerting.suppression import acknowledged_alerts, suppressions
from modeltop.config.load import Config, candidate_paths
from modeltop.core.errors import StoreError
from modeltop.core.incident import CLOCK_TOLERANCE, AlertingState, IncidentStatus, WatcherHealth
from modeltop.core.series import (
    Alert,
    History,
    ReadProblem,
    Series,
    SeriesKey,
    to_datetime,
    to_datetime64,
)
from modeltop.core.text import format_age
from modeltop.history.files import FileStat, file_stat
from modeltop.history.future_rows import BoundedHistory, FutureRowFilter
from modeltop.history.locations import is_address
from modeltop.history.merge import Progress
from modeltop.history.reader import Reader
from modeltop.history.store.distributions import DistributionStore
from modeltop.history.store.paths import network_filesystem
from modeltop.rules.baselines.restart import ended_at_restart, split_at_restarts
from modeltop.rules.defaults import rules_in_force
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.evaluator import Evaluator
from modeltop.rules.input_validation import validate_input
from modeltop.rules.label_coverage import label_coverage
from modeltop.rules.no_data import drift_of_lost_columns, missing_newest_values, series_no_data_alerts
from modeltop.rules.priority import model_statuses, ordered_alerts
from modeltop.rules.replay import no_data_alert, source_error_alert
from modeltop.rules.rule import Rule
from modeltop.rules.snapshot import Snapshot
from modeltop.service.lost_models import LostModels

if TYPE_CHECKING:
    from modeltop.alerting.event_log.event_log import EventLog


class StateReader:
    """Access to the event log and to the daemon's health; its errors never keep data from being read.

    The state folder need not exist yet; it is None if there can be none, for the reason in `error`.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        health: Callable[[Path], WatcherHealth | None] = lambda _: None,
        error: str = "there is no folder to remember it in",
    ) -> None:
        self.folder = folder
        self.error = "" if folder is not None else error
        self._health = health
        self._has_folder = False

    @cached_property
    def event_log(self) -> EventLog | None:
        """The event log of the folder; None if there can be none."""
        if self.folder is None:
            return None
        # Late: the first frame of plain files has nothing to remember.
        from modeltop.alerting.event_log.event_log import EventLog

        return EventLog(self.folder)

    def alerting_state(self) -> AlertingState:
        """Return the state by the event log; empty while there is none."""
        self._has_folder = self._exists()
        return self.event_log.state() if self._has_folder and self.event_log else AlertingState()

    def watcher_health(self) -> WatcherHealth | None:
        """Return the health of the daemon at the end of its last cycle; None without one."""
        return self._health(self.folder) if self._has_folder and self.folder else None

    def has_changed(self) -> bool:
        """Return whether `alerting_state` could differ; costs at most three `os.stat`."""
        exists = self._exists()
        return exists != self._has_folder or (exists and self.event_log is not None and self.event_log.changed())

    def file_stats(self) -> dict[str, FileStat | None]:
        """Return how the files that the state was read from stood."""
        if self.folder is None:
            return {}
        folder = os.fspath(self.folder)
        return dict(self.event_log.file_stats()) if self._has_folder and self.event_log else {folder: file_stat(folder)}

    def _exists(self) -> bool:
        return self.folder is not None and self.folder.is_dir()


def state_reader_for(
    store: Path | None, paths: Sequence[str | Path], *, health: Callable[[Path], WatcherHealth | None] = lambda _: None
) -> StateReader:
    """Return the state reader of a store or of plain paths; one without a folder if there can be none."""
    try:
        return StateReader(state_folder(store, paths), health=health)
    except StoreError as error:
        return StateReader(health=health, error=str(error))


def make_reader(config: Config, paths: Sequence[str | Path], piped: bytes | None = None) -> Reader:
    """Return the reader of paths.

    Args:
        config: Metrics, zone, and what columns and models are called.
        paths: Files, folders and addresses in the order in which they count.
        piped: What came in by standard input, if `-` is one of the paths.
    """
    return Reader(
        [str(path) for path in paths],
        catalog=config.catalog,
        zone=config.zone,
        aliases=config.model_aliases,
        sources=config.sources,
        piped=piped,
    )


BACKLOG_NOTICE = "baselines are still being evaluated"


class _Failure(NamedTuple):
    runs: int
    """Runs in a row that could not read the source."""
    since: datetime


class Pipeline:
    """Repeated snapshots of the same paths; unchanged data is neither read nor evaluated again.

    Args:
        config: Rules, metrics, zone.
        paths: Files, folders and addresses in the order in which they count.
        live: True for a store, where `now` is the clock; False for plain paths, where it is the time of the newest row
            that is not after the clock.
        now: Overrides both; rows after it take no part.
        failures_before_alert: Failed reads in a row after which a source is an alert.
        state_reader: Access to the event log and the daemon's health.
        reader: Reads history from elsewhere than `paths`.
        defer_slow_detectors: Leave slow detectors on a large fleet to the second run; `needs_run` is then true
            after the first.
    """

    def __init__(
        self,
        config: Config,
        paths: Sequence[str | Path],
        *,
        live: bool = False,
        now: datetime | None = None,
        failures_before_alert: int = 1,
        state_reader: StateReader | None = None,
        reader: Reader | None = None,
        defer_slow_detectors: bool = False,
    ) -> None:
        self.state_reader = state_reader or StateReader()
        self.ack_duration = config.watch.ack_for
        self._config = config
        self._rules = rules_in_force(config.rules, config.defaults)
        self._reader = reader or make_reader(config, paths)
        self._live = live
        real = real_paths(paths)
        store = enclosing_store(real)
        # Files of a store share its state: only incidents of models that are not in its other files have lost rows.
        self._store_reader = None if store is None or str(store) in real else make_reader(config, [store])
        folders = [Path(path) for path in paths if not is_address(str(path))]
        self.distributions = DistributionStore(folders)
        self._notices = tuple(_network_disk_notices(folders)) if live else ()
        self.depends_on_clock = live or bool(config.mutes) or len(folders) < len(paths)
        """True if the same files, or what is fetched, may make another snapshot at another time."""
        self._now = now
        self._failures_before_alert = failures_before_alert
        self._failures: dict[str, _Failure] = {}
        self._lost_models = LostModels()
        self._unreadable_since: dict[SeriesKey, datetime] = {}
        self._defer_slow_detectors = defer_slow_detectors
        self._evaluator = Evaluator(self._rules, config.catalog, declining=config.defaults.declining)
        self._past_evaluators: list[Evaluator] = []
        """Evaluate what was before each new baseline that a person accepted, newest first."""
        self._future_rows = FutureRowFilter()
        self.valid_until: datetime | None = None
        """When a row of the last snapshot's future is due: then the same files are another snapshot."""

    def needs_run(self) -> bool:
        """Return whether a new snapshot could differ from the last; costs one `os.stat` a file."""
        return (
            any(failure.runs < self._failures_before_alert for failure in self._failures.values())
            or self._evaluator.has_backlog
            or self._reader.has_changed()
            or self.state_reader.has_changed()
        )

    def mark_stale(self) -> None:
        """Let the next run read every file anew, even if none shows a change."""
        self._reader.mark_stale()

    def read_history(self, clock: datetime | None = None) -> History:
        """Return the history without evaluating it; with a clock, without the rows that an evaluation leaves out."""
        history = self._reader.read()
        return history if clock is None else self._without_future_rows(history, clock).history

    def file_times(self) -> list[float]:
        """Return when each history file was last written, in seconds since 1970."""
        return self._reader.modification_times()

    def file_stats(self) -> dict[str, FileStat | None]:
        """Return how all input files, also the configuration, stood at the last run: equal stats, equal snapshot."""
        config_files = {os.fspath(path): file_stat(os.fspath(path)) for path in candidate_paths(self._config.path)}
        return self._reader.file_stats() | config_files | self.state_reader.file_stats()

    def run(self, clock: datetime, progress: Progress | None = None, state: AlertingState | None = None) -> Snapshot:
        """Read new data, evaluate it, and return a snapshot.

        Args:
            clock: The true time, aware.
            progress: Called with (files read, files in all) while files are read.
            state: The alerting state, if the caller keeps it; None to read it.
        """
        bounded = self._without_future_rows(self._reader.read(progress), clock)
        history = bounded.history
        now = self._now or (clock if self._live else _newest(history, clock))
        # The watcher, which gives its state, keeps and reports an incident whose rows are gone by itself.
        is_watcher = state is not None
        state = self.state_reader.alerting_state() if state is None else state
        state = with_current_names(self._without_other_files(state, history), self._config.model_aliases)
        health = self.state_reader.watcher_health()
        current, *earlier = split_at_restarts(history.series, state.baselines)
        self._evaluator.evaluate(current, defer_slow_detectors=self._defer_slow_detectors)
        if volumes := self._evaluator.volumes_with_alerts:
            history = replace(history, series={**history.series, **volumes})
        self._defer_slow_detectors = False
        rule_statuses = self._evaluator.rule_statuses
        absent, missing = self._absent_data(history, now)
        alerts = [*self._evaluator.alerts, *absent]
        self._add_earlier(alerts, earlier, state)
        clock_doubt = bounded.clock_doubt or (health and self._now is None and _disagreement(health, clock)) or None
        no_data = self._no_data_alerts(history, now)
        if clock_doubt is not None:  # what is known already stays, for its end would be no less of a guess
            no_data = (alert for alert in no_data if is_known(alert, state))
        alerts += no_data
        problems = list(history.problems)
        if not is_watcher:
            lost = self._lost_models.alerts(state, history, now, clock)
            alerts += lost
            problems += self._lost_models.problems({alert.key.model for alert in lost} | history.periods.keys())
        alerts += [source_error_alert(problem, since) for problem, since in self._failing_sources(problems, now)]
        self._lost_models.remember(alerts, history)
        labels = label_coverage(history, self._config.catalog)
        incidents = group_incidents(alerts, history, self._config.catalog, state=state)
        alerts = with_incident_starts(alerts, incidents, history)
        # Acknowledgements and silences end by the clock, even if data is evaluated as of another moment.
        acknowledgements = acknowledged_alerts(incidents, alerts, state, clock)
        leads = {incident.lead for incident in incidents if incident.status is IncidentStatus.OPEN}
        ordered = ordered_alerts(alerts, acknowledgements.keys(), leads)
        statuses = model_statuses(
            history,
            ordered,
            rule_statuses,
            self._config.catalog,
            acknowledged=acknowledgements.keys(),
            labels=labels,
            missing_values=missing,
            concerns=self._evaluator.concerns,
        )
        return Snapshot(
            taken_at=now,
            clock=clock,
            history=history,
            catalog=self._config.catalog,
            baseline=self._config.baseline,
            rules=_effective_rules(self._rules),
            alerts=ordered,
            rule_statuses=rule_statuses,
            model_statuses=statuses,
            incidents=ordered_incidents(incidents, [status.model for status in statuses]),
            shared_starts=shared_starts(incidents, history, now),
            notices=self._notices
            + ((clock_doubt,) if clock_doubt else ())
            + ((BACKLOG_NOTICE,) if self._evaluator.has_backlog else ()),
            label_coverage=labels,
            missing_values=missing,
            alerting_state=state,
            suppressions=suppressions(ordered, state, self._config.mutes, clock),
            acknowledgements=acknowledgements,
            watcher_health=health,
            distributions=self.distributions,
            calendar=self._config.calendar,
            clock_doubt=clock_doubt,
        )

    def _absent_data(self, history: History, now: datetime) -> tuple[list[Alert], dict[str, str]]:
        """Return the alerts about series without values, and by model a clause on those that only lack the newest."""
        catalog = self._config.catalog
        unreadable = validate_input(history, self._rules, catalog, now=now, first_seen=self._unreadable_since)
        self._unreadable_since = {alert.key: alert.since for alert in unreadable}
        explained = {*self._unreadable_since, *drift_of_lost_columns(history, self._evaluator.alerts)}
        silent = series_no_data_alerts(history, catalog, self._config.on_no_data)
        absent = [*unreadable, *(alert for alert in silent if alert.key not in explained)]
        return absent, missing_newest_values(history, catalog, {alert.key for alert in absent} | explained)

    def _without_other_files(self, state: AlertingState, history: History) -> AlertingState:
        """Return the state without the incidents of models that only other files of the same store hold."""
        absent = {incident.model for incident in state.incidents.values()} - history.periods.keys()
        if not absent or self._store_reader is None:
            return state
        others = absent & self._store_reader.read().periods.keys()
        own = {name: incident for name, incident in state.incidents.items() if incident.model not in others}
        return replace(state, incidents=MappingProxyType(own))

    def _add_earlier(
        self, alerts: list[Alert], parts: Sequence[Mapping[SeriesKey, Series]], state: AlertingState
    ) -> None:
        """Add the alerts that ended with a new baseline, from the newest one back."""
        for number, part in enumerate(parts):
            if number == len(self._past_evaluators):
                self._past_evaluators.append(Evaluator(self._rules, self._config.catalog))
            evaluator = self._past_evaluators[number]
            evaluator.evaluate(part)
            ends = {model: all_of[-1 - number] for model, all_of in state.baselines.items() if number < len(all_of)}
            alerts += tuple(ended_at_restart(evaluator.alerts, alerts, ends))

    def _without_future_rows(self, history: History, clock: datetime) -> BoundedHistory:
        as_of = None if self._now is None else to_datetime64(self._now)
        bounded = self._future_rows.apply(history, to_datetime64(clock), as_of)
        self.valid_until = None if bounded.next_due is None else to_datetime(bounded.next_due)
        return bounded

    def _no_data_alerts(self, history: History, now: datetime) -> Iterable[Alert]:
        for model, periods in history.periods.items():
            alert = no_data_alert(
                model, periods, now, stale_after=self._config.stale_after, severity=self._config.on_no_data
            )
            if alert is not None:
                yield alert

    def _failing_sources(self, problems: Iterable[ReadProblem], now: datetime) -> list[tuple[ReadProblem, datetime]]:
        """Return the sources that failed often enough in a row to be an alert, with the time of the first failure."""
        fatal = {problem.source: problem for problem in problems if problem.fatal}
        previous = {source: self._failures.get(source, _Failure(0, now)) for source in fatal}
        self._failures = {source: _Failure(failure.runs + 1, failure.since) for source, failure in previous.items()}
        return [
            (fatal[source], failure.since)
            for source, failure in self._failures.items()
            if failure.runs >= self._failures_before_alert
        ]


def _effective_rules(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Return the rules without the thresholds that a limit of the command line replaces."""
    limits = [rule for rule in rules if rule.override]
    return tuple(
        rule
        for rule in rules
        if rule.override
        or not isinstance(rule.detector, Threshold)
        or not any(fnmatchcase(rule.metric, limit.metric) for limit in limits)
    )


def _network_disk_notices(folders: Sequence[Path]) -> Iterable[str]:
    for folder in folders:
        if kind := network_filesystem(folder):
            yield f"{folder} is on {kind}, where locks are not reliable: let each writer have a store of its own"


def _disagreement(health: WatcherHealth, clock: datetime) -> str | None:
    """Return a clause if the machine's clock is off by as much as the watcher beside it found; else None."""
    if health.clock_offset_seconds is None or health.stopped or health.is_overdue(clock):
        return None
    difference = clock - health.at
    if abs(difference) <= CLOCK_TOLERANCE + timedelta(seconds=3 * health.interval_seconds):
        return None  # of another machine than the watcher's, or set right by now
    direction = "ahead of" if difference > timedelta() else "behind"
    return f"this clock is {format_age(abs(difference))} {direction} the watcher's: see `modeltop watch --status`"


def _newest(history: History, clock: datetime) -> datetime:
    stamp = to_datetime64(clock)
    past = [times[index - 1] for times in history.periods.values() if (index := np.searchsorted(times, stamp, "right"))]
    return to_datetime(max(past)) if past else clock


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """The configuration and the pipeline of one daemon; reloaded at SIGHUP."""

    config: Config
    pipeline: Pipeline
    store: Path | None = None
    """Folder that configured logs are computed into; None if plain paths are watched."""
    file_times: Callable[[], Sequence[float]] = list
    """Returns when the history files were written, in seconds since 1970: if most of them are ahead of the machine's
    clock, it is behind."""

    @property
    def every(self) -> float:
        """Interval between two cycles in seconds, at most."""
        return self.config.watch.every.total_seconds()


LoadSettings = Callable[[], DaemonSettings]
"""Reads the configuration; raises MonitorError if it is invalid, and then no part of it is used."""
