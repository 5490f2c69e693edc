"""What the watcher does each time: look, follow, tell, and say how it is."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime

from modeltop.alerting.event_log.event_log import EventLog
from modeltop.core.errors import MonitorError
from modeltop.core.event import IncidentChanged, LeaderChanged, ReceiverChanged
from modeltop.core.text import format_age
from modeltop.service.clock import MAX_LAG, Clock
from modeltop.service.compute_jobs import ComputeJobs
from modeltop.service.evaluate import EvaluationResult, IncidentTracker
from modeltop.service.event_buffer import BufferedEventLog
from modeltop.service.health import DaemonIdentity, HealthReporter
from modeltop.service.heartbeat import Heartbeat
from modeltop.service.leader import LockHolder
from modeltop.service.log import DaemonLog
from modeltop.service.receivers import Backoff, disabled_receivers, failing_receivers, receiver_changes
from modeltop.service.sending import Dispatcher
from modeltop.service.settings import LoadSettings
from modeltop.service.wakeup import WakeupPipe

SHUTDOWN_SECONDS = 10.0
"""Seconds in which messages that are on their way may arrive when the watcher ends."""


class Cycle:
    """The watcher's work, one step at a time; who leads calls them in turn.

    Args:
        load: Reads the configuration. What it raises at first is raised here.
        post: Where it stands.
        log: What it says of itself.
        clock: `now`.
        backoff: How long a receiver that failed is left alone.
    """

    def __init__(
        self,
        load: LoadSettings,
        post: DaemonIdentity,
        log: DaemonLog,
        clock: Clock | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._load, self._post, self._log = load, post, log
        self._clock = clock or Clock()
        self.settings = load()
        self.wakeup = WakeupPipe()
        self._journal = EventLog(post.folder)
        self._ledger = BufferedEventLog(self._journal)
        self.dispatcher = Dispatcher(
            self._ledger, self._clock, log, self.wakeup.wake, None if post.one_shot else backoff or Backoff()
        )
        self._looker = IncidentTracker(post.folder, self.settings.config.watch.no_data_wait)
        self._bulletin = HealthReporter(post, log, self._clock.now())
        self._heartbeat = Heartbeat()
        store = self.settings.store
        self._computing = None if store is None else ComputeJobs(store, log, self._bulletin.set_error)
        self.last_result: EvaluationResult | None = None
        """The last look that succeeded."""

    @property
    def has_problems(self) -> bool:
        """Whether something could not be read, saved or sent, or a receiver is left alone or broken."""
        facts = self._ledger.state()
        states = (facts.receivers.get(name) for name in self.settings.config.receivers)
        return self._bulletin.error is not None or any(state.failures for state in states if state is not None)

    def start(self) -> None:
        """Say that this one leads now, and look for what the last one has left."""
        now = self._clock.now(self._ledger.state().last_event_at)
        self._bulletin.started = self._bulletin.completed = now
        self._looker = IncidentTracker(self._post.folder, self.settings.config.watch.no_data_wait)
        self.dispatcher.start()
        if self._post.one_shot:  # of a run a minute nobody wants to read, neither in the story nor in cron's mails
            return
        _leads(self._post.holder, now, self._ledger, self._log, began=True)
        if not self.settings.config.receivers:
            self._log.warning("receivers", "no receiver is configured: nobody is told")

    def compute(self, *, wait: bool = False) -> None:
        """Have the configured logs computed that are due; a run from cron waits for them."""
        if self._computing is not None:
            work = self._computing.run_due if wait else self._computing.tick
            work(self.settings.config, self._clock.now())

    def run(self) -> bool:
        """Look at everything once and tell who is to be told; whether the look succeeded."""
        why = self._look()
        self._bulletin.set_error("look", why)
        if why is None:
            self._bulletin.completed = self._clock.now()
        self.send_due()
        if why is None:
            self._heartbeat.ping(self.settings.config.watch.heartbeat)
        return why is None

    def send_due(self) -> None:
        """Take in what became of messages, hand out what is to be told by the last look, and say how it goes."""
        self.dispatcher.collect_results()
        if self.last_result is not None:
            self.dispatcher.send_due(self.last_result.snapshot, self.settings, self._ledger.notice)
        self.publish_health()

    def needs_run(self) -> bool:
        """Whether another look could find anything else: a file changed, or a second look is due."""
        due = self._looker.no_data_grace.next_due()
        try:
            return (due is not None and due <= self._clock.now()) or self.settings.pipeline.needs_run()
        except OSError:
            return True  # the look itself will say what is wrong

    def seconds_until_due(self) -> float:
        """Seconds until there may be something to send, or to take in, without another look."""
        return 0.0 if self._journal.changed() else self.dispatcher.seconds_until_due()

    def reload(self) -> None:
        """Read the configuration anew; a broken one is not used, and that is said."""
        try:
            self.settings = self._load()
        except MonitorError as error:
            self._bulletin.set_error(
                "settings", f"the new configuration is not used: {'; '.join(str(error).splitlines())}"
            )
        else:
            self._bulletin.set_error("settings", None)
            self._looker.no_data_grace.wait = self.settings.config.watch.no_data_wait
            self._log.info("reload", "the configuration was read anew")
        self.publish_health()

    def publish_health(self, *, stopped: bool = False) -> None:
        """Say how the watcher is."""
        self._ledger.save()
        receivers, facts = self.settings.config.receivers, self._ledger.state()
        behind = self._clock.lag()
        said = {
            "clock": f"the clock is {format_age(behind)} behind the journal: set it" if behind > MAX_LAG else None,
            "journal": self._ledger.notice,
            "message": self.dispatcher.error,
            "heartbeat": self._heartbeat.error,
            "receivers": failing_receivers(receivers, facts),
        }
        for about, why in said.items():
            self._bulletin.set_error(about, why)
        self._bulletin.publish(self.settings.every, disabled_receivers(receivers, facts), stopped=stopped)

    def stop(self, seconds: float = SHUTDOWN_SECONDS) -> None:
        """Let what is on its way arrive, within so many seconds; then say that this one leads no more."""
        self.dispatcher.stop()
        if self._computing is not None:
            self._computing.stop()
        deadline = time.monotonic() + seconds
        while self.dispatcher.is_sending() and (left := deadline - time.monotonic()) > 0:
            self.wakeup.wait(left)
            self.dispatcher.collect_results()
        self._heartbeat.wait(max(0.0, deadline - time.monotonic()))
        if not self._post.one_shot:
            now = self._clock.now(self._ledger.state().last_event_at)
            _leads(self._post.holder, now, self._ledger, self._log, began=False)
        self.publish_health(stopped=not self._post.one_shot)

    def _look(self) -> str | None:
        """Look, and journal what was found; why that could not be done, or None."""
        try:
            now = self._clock.now(self._ledger.state().last_event_at)
            found = self._looker.evaluate(self.settings.pipeline.run(now), self._ledger.state(), now)
        except MonitorError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  what cannot be judged now may be later; people are told meanwhile
            return f"an error of modeltop's own, {type(error).__name__}"
        new = receiver_changes(self.settings.config.receivers, self._ledger.state(), now)
        self._ledger.append(*new, *found.incident_changes)
        self._looker.commit(found, saved=self._ledger.error is None)
        self.dispatcher.record_withdrawals(found.incident_changes)
        self.last_result = found
        _say(self._log, found.incident_changes, new)
        return None


def _leads(me: LockHolder, now: datetime, ledger: BufferedEventLog, log: DaemonLog, *, began: bool) -> None:
    ledger.append(LeaderChanged(now, me.pid, me.host, is_leader=began))
    log.info(event="lead" if began else "end", message=f"{me} {'leads from now on' if began else 'ended cleanly'}")


def _say(log: DaemonLog, followed: Iterable[IncidentChanged], new: Iterable[ReceiverChanged]) -> None:
    for one in followed:
        key, course = one.incident.key, one.transition.value
        about = f"{course}: {key.model} {key.metric} {one.message}"
        log.info(event="incident", message=about, incident=one.incident.id)
    for changed in new:
        if changed.state.disabled_reason:
            why = f"{changed.receiver} cannot be used: {changed.state.disabled_reason}"
            log.error(event="broken", message=why, receiver=changed.receiver)
