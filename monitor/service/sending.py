"""The notifications that are due: planned, composed, queued for the receivers, and their results recorded."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from modeltop.alerting.dispatch import NotificationPlan, plan_notifications
from modeltop.alerting.incidents import NEW_BASELINE
from modeltop.alerting.messages.compose import build_recovery_message, compose
from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.alerting.messages.message import Message
from modeltop.alerting.routing import RoutingConfig
from modeltop.alerting.state import reenabled
from modeltop.alerting.throttle import NotificationBatch
from modeltop.core.errors import NotifyError
from modeltop.core.event import Event, IncidentChanged, IncidentTransition, ReceiverChanged, SendFinished, SendStarted
from modeltop.core.incident import AlertingState, ReceiverState
from modeltop.rules.snapshot import Snapshot
from modeltop.service.clock import Clock
from modeltop.service.event_buffer import BufferedEventLog
from modeltop.service.log import DaemonLog
from modeltop.service.pipeline import DaemonSettings
from modeltop.service.receiver_health import Backoff, after_permanent_failure, after_rejection
from modeltop.service.sender_threads import QueuedMessage, SenderPool, SendResult

BATCH_MESSAGES = 50
"""Messages that are queued for a receiver before the next plan is made."""


class Dispatcher:
    """The queues of all receivers: sends due messages, collects results, records both.

    Args:
        buffer: The event log.
        clock: The daemon's clock.
        log: Receives a line for each message that was sent or failed.
        wake: Called in any thread when a message was sent or failed.
        backoff: How long a receiver that failed is left alone; None in a run from cron, where the next run retries.
    """

    def __init__(
        self, buffer: BufferedEventLog, clock: Clock, log: DaemonLog, wake: Callable[[], None], backoff: Backoff | None
    ) -> None:
        self._buffer, self._clock, self._log, self._wake, self._backoff = buffer, clock, log, wake, backoff
        self._hourly_limits: Mapping[str, int] = {}
        self._given_up: set[str] = set()
        self._senders = SenderPool(wake)
        self._withdrawal_reasons: dict[str, str] = {}
        self._explanations: ExplanationCache | None = None
        self._retry_at: datetime | None = None
        self.pending: Mapping[str, int] = {}
        """Number of alerts that a receiver was still to be notified of at the last plan, by its name."""
        self.error: str | None = None
        """Error of a message that could not be composed; None if all could."""

    def start(self) -> None:
        """Start the sender threads, also again after `stop`."""
        self._senders = SenderPool(self._wake)
        self._retry_at = None

    def stop(self) -> None:
        """Start no more messages; those already started are completed."""
        self._senders.stop()

    def retry_now(self) -> None:
        """Let each failing receiver be tried at once: what it failed for is over."""
        now, state = self._clock.now(), self._buffer.state()
        for name, receiver in state.receivers.items():
            if receiver.failures and not receiver.is_due(now):
                self._buffer.append(ReceiverChanged(now, name, replace(receiver, retry_at=now)))

    def is_sending(self) -> bool:
        """Return whether messages are on their way."""
        return bool(self._senders.busy_receivers())

    def seconds_until_due(self) -> float:
        """Return the seconds until there are results to collect or a receiver to retry."""
        if self._senders.has_results():
            return 0.0
        return math.inf if self._retry_at is None else max(0.0, (self._retry_at - self._clock.now()).total_seconds())

    def record_withdrawals(self, incident_changes: Iterable[IncidentChanged]) -> None:
        """Keep the reasons of incidents that did not recover for the messages that report them."""
        for change in incident_changes:
            is_withdrawn = change.transition in (IncidentTransition.WITHDRAWN, IncidentTransition.MERGED)
            if is_withdrawn or change.message == NEW_BASELINE:
                self._withdrawal_reasons[change.incident.id] = change.message
        for incident_id in self._withdrawal_reasons.keys() - self._buffer.state().incidents.keys():
            del self._withdrawal_reasons[incident_id]

    def collect_results(self) -> bool:
        """Collect and record the results of messages. Return whether a receiver has finished its queue."""
        busy_before = self._senders.busy_receivers()
        results = self._senders.take_results()
        if results:
            states = dict(self._buffer.state().receivers)
            events: list[Event] = []
            for result in results:
                now = self._clock.unique_now()  # of two equal times the hourly limit would count one
                state = states.get(result.receiver) or ReceiverState(now)
                states[result.receiver], result_events = self._apply_result(result, state, now)
                events += result_events
                if result.error is not None and self._backoff is None:
                    self._given_up.add(result.receiver)
            self._buffer.append(*events)
        return self._senders.busy_receivers() != busy_before

    def _apply_result(
        self, result: SendResult, state: ReceiverState, now: datetime
    ) -> tuple[ReceiverState, tuple[Event, ...]]:
        """Return the receiver's state after one message, and the events to record."""
        name, error = result.receiver, result.error
        # Without the times that the limit does not need: each change of the state is a line of the event log.
        limit = self._hourly_limits.get(name, 0)
        state = replace(state, recent_sends=state.recent_sends[-limit:] if limit else ())
        if error is None:
            self._log.info("sent", f"notified {name}: {result.title}", receiver=name)
            after = reenabled(state, now)
            recovered = (ReceiverChanged(now, name, after),) if after != state else ()
            after = replace(after, recent_sends=(*after.recent_sends, now))
            return after, (*recovered, *_finished(now, result))
        if error.rejects_message and result.notifications:
            return self._apply_rejection(result, error, state, now)
        if error.permanent:
            self._log.error("broken", f"{name} fails: {error}", receiver=name)
            after = after_permanent_failure(state, str(error), now)
            return after, (ReceiverChanged(now, name, after),)
        failures = state.failures + 1
        delay = (self._backoff or Backoff()).delay(failures, retry_after=error.retry_after, random=random.random)
        retry = f"tried again in {delay:.1f} s" if self._backoff else "left to the next run"
        self._log.warning("failed", f"{name} was not notified: {error}; {retry}", receiver=name)
        after = replace(state, failures=failures, retry_at=now + timedelta(seconds=delay), error=str(error))
        return after, (ReceiverChanged(now, name, after),)

    def _apply_rejection(
        self, result: SendResult, error: NotifyError, state: ReceiverState, now: datetime
    ) -> tuple[ReceiverState, tuple[Event, ...]]:
        """Return the state after a message was rejected: it is dropped, or its alerts are sent one by one."""
        name, alerts = result.receiver, len({notification.incident for notification in result.notifications})
        if alerts > 1 and not state.send_apart:
            self._log.warning("rejected", f"{name} rejected {alerts} alerts; sent one by one: {error}", receiver=name)
            after = replace(state, error=str(error), send_apart=True)  # one of them may be at fault alone
            return after, (ReceiverChanged(now, name, after),)
        finished = _finished(now, result, str(error)) if self._clock.offset is None else ()
        if finished:
            self._log.error("dropped", f"{name} rejected a message, which is dropped: {error}", receiver=name)
        after = after_rejection(state, str(error))
        if state.disabled_reason or state.rejections or not finished:
            self._log.error("broken", f"{name} fails: {error}", receiver=name)
            after = after_permanent_failure(after, str(error), now)
        return after, (*finished, ReceiverChanged(now, name, after))

    def send_due(self, snapshot: Snapshot, settings: DaemonSettings, notice: str | None) -> None:
        """Plan the messages due to each idle receiver by the last snapshot, record them, and queue them.

        `notice` is a warning in every message, that the state was not saved; None without one.
        """
        receivers = settings.config.receivers
        self._senders.retain(receivers)
        policies = {name: receiver.policy for name, receiver in receivers.items()}
        self._hourly_limits = {name: 0 if policy.exempt else policy.hourly for name, policy in policies.items()}
        state = self._buffer.state()
        now = self._clock.now(state.last_event_at)
        plan = plan_notifications(state, routing_config(settings, snapshot), now)
        self._retry_at, self.pending = plan.retry_at, plan.pending
        busy = self._senders.busy_receivers() | self._given_up
        # A receiver that failed is probed with a single message.
        batch_sizes = {name: 1 for name, receiver in state.receivers.items() if receiver.failures}
        batches = _batches_by_receiver(plan, busy, batch_sizes)
        skipped = [event for event in plan.skipped if event.key.receiver not in busy]
        # Computed once for all messages about a snapshot, and all attempts.
        if self._explanations is None or self._explanations.snapshot is not snapshot:
            self._explanations = ExplanationCache(snapshot)
        queues = {name: self._compose_messages(due, self._explanations, state, notice) for name, due in batches.items()}
        queues |= {
            name: [QueuedMessage((), self._with_clock(build_recovery_message(name, now)))]
            for name in plan.recovery_messages
            if name not in busy
        }
        started = tuple(
            notification for queue in queues.values() for queued in queue for notification in queued.notifications
        )
        self._buffer.append(*skipped, *([SendStarted(now, started)] if started else []))
        for name, queue in queues.items():
            if queue:
                self._senders.send(name, receivers[name].notifier, queue)

    def _compose_messages(
        self,
        batches: Sequence[NotificationBatch],
        explanations: ExplanationCache,
        state: AlertingState,
        notice: str | None,
    ) -> list[QueuedMessage]:
        messages: list[QueuedMessage] = []
        for batch in batches:
            try:
                message = compose(
                    batch.notifications,
                    explanations.snapshot,
                    state,
                    withdrawal_reasons=self._withdrawal_reasons,
                    explanations=explanations,
                    is_digest=batch.is_digest,
                )
            except Exception as error:  # noqa: BLE001  one message that cannot be written must not keep back the others
                self.error = f"a message to {batch.receiver} cannot be written: {type(error).__name__}"
            else:
                message = self._with_clock(with_notice(message, notice))
                messages.append(QueuedMessage(batch.notifications, message))
        return messages

    def _with_clock(self, message: Message) -> Message:
        return replace(message, clock_offset=self._clock.offset or timedelta())


def _finished(now: datetime, result: SendResult, given_up: str | None = None) -> tuple[SendFinished, ...]:
    return (SendFinished(now, result.notifications, given_up),) if result.notifications else ()


def routing_config(settings: DaemonSettings, snapshot: Snapshot) -> RoutingConfig:
    """Return the routes, policies and mutes of a configuration for the planner."""
    config = settings.config
    policies = {name: receiver.policy for name, receiver in config.receivers.items()}
    shared = frozenset(model for shared in snapshot.shared_starts for model in shared.models)
    return RoutingConfig(config.routes, snapshot.rules, config.mutes, policies, shared)


def with_notice(message: Message, notice: str | None) -> Message:
    """Return the message with a warning: once in the text, once in the sentence of its first section."""
    if notice is None:
        return message
    first = replace(message.worst_section, sentence=f"{message.worst_section.sentence} ({notice})".strip())
    return replace(message, sections=(first, *message.sections[1:]), text=f"{message.text}\n\n{notice}")


def _batches_by_receiver(
    plan: NotificationPlan, busy: Collection[str], batch_sizes: Mapping[str, int]
) -> dict[str, list[NotificationBatch]]:
    batches: dict[str, list[NotificationBatch]] = {}
    for batch in plan.batches:
        queue = batches.setdefault(batch.receiver, [])
        if batch.receiver not in busy and len(queue) < batch_sizes.get(batch.receiver, BATCH_MESSAGES):
            queue.append(batch)
    return batches
