"""One cycle of the daemon: evaluate, track incidents, notify, and publish its health."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.alerting.notifiers.base import end_notifiers
from modeltop.core.errors import MonitorError
from modeltop.core.event import ClockAccepted, LeaderChanged
from modeltop.core.incident import CLOCK_TOLERANCE
from modeltop.rules.snapshot import Snapshot
from modeltop.service.clock import Clock, describe_offset
from modeltop.service.compute_jobs import ComputeJobs
from modeltop.service.event_buffer import BufferedEventLog
from modeltop.service.health import DaemonIdentity, HealthReporter, Heartbeat
from modeltop.service.incident_tracker import EvaluationResult, IncidentTracker
from modeltop.service.leader import overlaps
from modeltop.service.log import DaemonLog
from modeltop.service.pipeline import LoadSettings
from modeltop.service.receiver_health import (
    Backoff,
    any_reachable,
    disabled_receivers,
    failing_receivers,
    receiver_changes,
)
from modeltop.service.sending import Dispatcher
from modeltop.service.wakeup import WakeupPipe

MAX_LOGGED_PROBLEMS = 20
SHUTDOWN_SECONDS = 10.0
"""Seconds in which messages that are on their way may arrive when the daemon stops."""


class Cycle:
    """The steps of the daemon, which the leader calls in turn.

    Args:
        load: Reads the configuration. An error of the first time is raised here.
        identity: The state folder and the process.
        log: The daemon's own log.
        clock: The time; None for that of the machine.
        backoff: How long a receiver that failed is left alone; default: full jitter.
    """

    def __init__(
        self,
        load: LoadSettings,
        identity: DaemonIdentity,
        log: DaemonLog,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._load, self._identity, self._log = load, identity, log
        self._clock = clock or Clock()
        self._clock_offset: timedelta | None = None
        self._problem_sources: set[str] = set()
        self._clock.load(identity.folder)
        self.settings = load()
        self.wakeup = WakeupPipe()
        self._event_log = EventLog(identity.folder)
        self._buffer = BufferedEventLog(self._event_log)
        self.dispatcher = Dispatcher(
            self._buffer, self._clock, log, self.wakeup.wake, None if identity.one_shot else backoff or Backoff()
        )
        self._tracker = self._new_tracker()
        floor = self._buffer.state().last_event_at
        newest = newest_file_time(self.settings.file_times(), self._clock.wall) if floor is None else None
        if newest is not None:
            self._clock.witness(newest)
        self._reporter = HealthReporter(identity, log, self._clock.now(floor))
        self._heartbeat = Heartbeat()
        store = self.settings.store
        self._compute_jobs = None if store is None else ComputeJobs(store, log, self._reporter.set_error)
        self.last_result: EvaluationResult | None = None
        """The last evaluation that succeeded."""

    def _new_tracker(self) -> IncidentTracker:
        watch = self.settings.config.watch
        return IncidentTracker(self._identity.folder, watch.no_data_wait, watch.every)

    @property
    def seconds_waited(self) -> float:
        """Seconds that the last cycle has waited for the disk or for another process, not computed."""
        return self._buffer.seconds_waited

    @property
    def has_problems(self) -> bool:
        """True if something could not be read, saved or sent, or a receiver fails."""
        return self._reporter.error is not None

    def start(self) -> None:
        """Record that this process leads now, and continue from the state of the last leader."""
        now = self._clock.now(self._buffer.state().last_event_at)
        self._reporter.started = self._reporter.completed = now
        self._tracker = self._new_tracker()
        self.dispatcher.start()
        for overlap in overlaps(self._identity.folder):
            self._log.warning("overlap", overlap)
        if self._identity.one_shot:  # a run each minute would flood the event log and cron's mails
            return
        self._record_leadership(now, is_leader=True)
        if not self.settings.config.receivers:
            self._log.warning("receivers", "no receiver is configured: no one is notified")

    def compute(self, *, wait: bool = False) -> None:
        """Compute the configured logs that are due; with `wait`, until they have ended.

        Nothing is computed while the clock is unreliable: by a clock that is ahead every period would be complete.
        """
        if self._compute_jobs is not None:
            now = self._clock.now(self._buffer.state().last_event_at)
            compute_due = self._compute_jobs.run_due if wait else self._compute_jobs.tick
            if self._clock.offset is None:
                compute_due(self.settings.config, now)

    def run(self) -> bool:
        """Evaluate everything once and send due messages. Return whether the evaluation succeeded."""
        self._buffer.start_cycle()
        error = self._evaluate()
        self._reporter.set_error("look", error)
        if error is None:
            self._reporter.completed = self._clock.now()
        self.send_due()
        if error is None and not self._identity.one_shot:
            self._ping()
        return error is None

    def _ping(self) -> None:
        """Ping the heartbeat unless no receiver can be reached: then no one would notice otherwise."""
        if any_reachable(self.settings.config.receivers, self._buffer.state(), self.dispatcher.pending):
            self._heartbeat.ping(self.settings.config.watch.heartbeat)

    def send_due(self) -> None:
        """Collect the results of messages, send those due by the last evaluation, and publish the health."""
        self.dispatcher.collect_results()
        if self.last_result is not None:
            self.dispatcher.send_due(self.last_result.snapshot, self.settings, self._buffer.notice)
        self.publish_health()

    def needs_run(self) -> bool:
        """Return whether an evaluation could differ: a file or a baseline changed, or a grace period has passed."""
        due, state = self._tracker.no_data_grace.next_due(), self._buffer.state()
        known = {} if self.last_result is None else self.last_result.snapshot.alerting_state.baselines
        if state.clock_accept_requested or state.baselines != known:
            return True
        try:
            return (due is not None and due <= self._clock.now()) or self.settings.pipeline.needs_run()
        except OSError:
            return True  # the evaluation itself reports the error

    def seconds_until_due(self) -> float:
        """Return the seconds until there may be something to send or to collect without another evaluation."""
        return 0.0 if self._event_log.changed() else self.dispatcher.seconds_until_due()

    def reload(self) -> None:
        """Reload the configuration; a broken one is reported and not used."""
        try:
            self.settings = self._load()
        except MonitorError as error:
            self._reporter.set_error(
                "settings", f"the new configuration is not used: {'; '.join(str(error).splitlines())}"
            )
        else:
            self._reporter.set_error("settings", None)
            self._tracker.no_data_grace.wait = self.settings.config.watch.no_data_wait
            self._tracker.no_data_grace.every = self.settings.config.watch.every
            self._log.info("reload", "the configuration was reloaded")
        self.publish_health()

    def publish_health(self, *, stopped: bool = False) -> None:
        """Write the health file, with all errors since the last one."""
        self._buffer.save()
        receivers, state, pending = self.settings.config.receivers, self._buffer.state(), self.dispatcher.pending
        self._clock.save(self._identity.folder)
        errors = {
            "clock": self._clock_error(),
            "journal": self._buffer.notice,
            "message": self.dispatcher.error,
            "heartbeat": self._heartbeat.error,
            "receivers": failing_receivers(receivers, state, pending, one_shot=self._identity.one_shot),
        }
        for subject, error in errors.items():
            self._reporter.set_error(subject, error)
        disabled = disabled_receivers(receivers, state, pending)
        self._reporter.publish(self.settings.every, disabled, stopped=stopped, clock_offset=self._clock_offset)

    def _clock_error(self) -> str | None:
        """Return why the clock is not trusted, in the same words as long as it lasts; None where it is."""
        offset = self._clock.offset
        if offset is None:
            self._clock_offset = None
        elif self._clock_offset is None:
            self._clock_offset = offset
        if self._clock_offset is not None:
            return describe_offset(self._clock_offset, self._identity.accept_clock_command)
        doubt = None if self.last_result is None else self.last_result.snapshot.clock_doubt
        return None if doubt is None else f"clock unreliable: {doubt}; no-data alerts are paused"

    def stop(self, seconds: float = SHUTDOWN_SECONDS) -> None:
        """Let messages on their way arrive within `seconds`, then record that this process leads no more."""
        self._buffer.start_cycle()
        self.dispatcher.stop()
        if self._compute_jobs is not None:
            self._compute_jobs.stop()
        deadline = time.monotonic() + seconds
        while self.dispatcher.is_sending() and (remaining := deadline - time.monotonic()) > 0:
            self.wakeup.wait(remaining)
            self.dispatcher.collect_results()
        end_notifiers()
        if self._identity.one_shot and self.last_result is not None and not self._reporter.has_error("look"):
            self._ping()  # after the messages: only now it is known whether somebody can be reached
        self._heartbeat.wait(max(0.0, deadline - time.monotonic()))
        if not self._identity.one_shot:
            self._record_leadership(self._clock.now(self._buffer.state().last_event_at), is_leader=False)
        self.publish_health(stopped=not self._identity.one_shot)

    def _record_leadership(self, now: datetime, *, is_leader: bool) -> None:
        holder = self._identity.holder
        self._buffer.append(LeaderChanged(now, holder.pid, holder.host, is_leader=is_leader))
        event, text = ("lead", "leads from now on") if is_leader else ("end", "ended cleanly")
        self._log.info(event, f"{holder} {text}")

    def _accept_clock(self) -> None:
        """Accept the machine's clock if a person asked for it.

        Not while messages are on their way: their keys hold times that are about to change.
        """
        state = self._buffer.state()
        if state.clock_accept_requested and not self.dispatcher.is_sending():
            previous = self._clock.now(state.last_event_at)
            self._buffer.append(ClockAccepted(self._clock.accept(), previous))
            self._log.info("clock", "the machine's clock was accepted on request")

    def _log_read_problems(self, snapshot: Snapshot) -> None:
        problems = [problem for problem in snapshot.history.problems if not problem.fatal]
        if not self._identity.one_shot:  # a run each minute would repeat it in cron's mails
            for problem in [each for each in problems if each.source not in self._problem_sources][
                :MAX_LOGGED_PROBLEMS
            ]:
                self._log.warning("rows", str(problem))
        self._problem_sources = {problem.source for problem in problems}

    def _evaluate(self) -> str | None:
        try:
            self._accept_clock()
            now = self._clock.now(self._buffer.state().last_event_at)
            self._clock.synchronize()
            if self._clock_offset is not None and self._clock.offset is None:
                self.dispatcher.retry_now()  # signatures and certificates are valid again
            state = self._buffer.state()
            snapshot = self.settings.pipeline.run(now, state=state)
            state = snapshot.alerting_state
            allows_no_data = self._clock.allows_no_data if snapshot.clock_doubt is None else lambda _: False
            result = self._tracker.evaluate(snapshot, state, now, allows_no_data=allows_no_data)
        except MonitorError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  the next cycle may succeed; health reports the error
            return f"an internal error, {type(error).__name__}"
        receiver_events = receiver_changes(self.settings.config.receivers, self._buffer.state(), now)
        self._buffer.append(*receiver_events, *result.incident_changes)
        self._tracker.commit(result, saved=self._buffer.error is None)
        self.dispatcher.record_withdrawals(result.incident_changes)
        self.last_result = result
        self._log_read_problems(snapshot)
        for change in result.incident_changes:
            text = f"{change.transition.value}: {change.incident.model} {change.message}"
            self._log.info("incident", text, incident=change.incident.id)
        for event in receiver_events:
            if event.state.disabled_reason:
                reason = f"{event.receiver} cannot be used: {event.state.disabled_reason}"
                self._log.error("broken", reason, receiver=event.receiver)
        return None


def newest_file_time(times: Sequence[float], wall: datetime) -> datetime | None:
    """Return the newest of some file times in seconds since 1970, if more than half are ahead of `wall`; else None."""
    limit = (wall + CLOCK_TOLERANCE).timestamp()
    ahead = [moment for moment in times if moment > limit]
    return datetime.fromtimestamp(max(ahead), UTC) if 2 * len(ahead) > len(times) else None
