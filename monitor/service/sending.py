"""Whom to tell now, of what, and what became of it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from modeltop.alerting.dispatch import NotificationPlan, plan_notifications
from modeltop.alerting.messages.compose import compose
from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.alerting.messages.message import Message
from modeltop.alerting.routing import RoutingConfig
from modeltop.alerting.throttle import NotificationBatch
from modeltop.core.event import Event, IncidentChanged, IncidentTransition, ReceiverChanged, SendFinished, SendStarted
from modeltop.core.incident import AlertingState, ReceiverState
from modeltop.rules.snapshot import Snapshot
from modeltop.service.clock import MAX_LAG, Clock
from modeltop.service.event_buffer import BufferedEventLog
from modeltop.service.log import DaemonLog
from modeltop.service.receivers import Backoff, after_permanent_failure, after_success, after_temporary_failure
from modeltop.service.sender_threads import QueuedMessage, SenderPool, SendResult
from modeltop.service.settings import DaemonSettings


class DeliveryOutcomes:
    """The effect of delivery results on receivers.

    Args:
        log: Receives a line for each message that was sent or failed.
        backoff: How long a receiver that failed is left alone; None in a run from cron, where the next run retries.
    """

    def __init__(self, log: DaemonLog, backoff: Backoff | None) -> None:
        self._log, self._backoff = log, backoff
        self.hourly_limits: Mapping[str, int] = {}
        """Messages an hour by receiver; 0 means no limit."""

    def apply(
        self, outcome: SendResult, state: ReceiverState, now: datetime
    ) -> tuple[ReceiverState, tuple[Event, ...]]:
        """Return the receiver's state after one message, and the events to record.

        Args:
            outcome: The result of the message.
            state: The receiver's state before.
            now: The daemon's clock, later than at any result before.
        """
        name, error = outcome.receiver, outcome.error
        if error is None:
            self._log.info("sent", f"told {name} of {outcome.title}", receiver=name)
            after = self._without_old_sends(name, after_success(state))
            recovered = (ReceiverChanged(now, name, after),) if state.failures or state.disabled_reason else ()
            return replace(after, recent_sends=(*after.recent_sends, now)), (
                *recovered,
                SendFinished(now, outcome.notifications),
            )
        if error.permanent:
            self._log.error("broken", f"{name} is broken: {error}", receiver=name)
            after = self._without_old_sends(name, after_permanent_failure(state, str(error)))
            return after, (SendFinished(now, outcome.notifications, str(error)), ReceiverChanged(now, name, after))
        delay = (self._backoff or Backoff()).delay(
            state.failures + 1, retry_after=error.retry_after, random=random.random
        )
        retry = f"tried again in {delay:.1f} s" if self._backoff else "left to the next run"
        self._log.warning("failed", f"{name} was not told: {error}; {retry}", receiver=name)
        after = self._without_old_sends(name, after_temporary_failure(state, str(error), now, delay))
        return after, (ReceiverChanged(now, name, after),)

    def _without_old_sends(self, name: str, state: ReceiverState) -> ReceiverState:
        """Drop the times that the hourly limit does not need: each change of the state is a line of the event log."""
        limit = self.hourly_limits.get(name, 0)
        return replace(state, recent_sends=state.recent_sends[-limit:] if limit else ())


BATCH_MESSAGES = 50
"""Messages that are queued for a receiver before the next plan is made."""


class Dispatcher:
    """The queues of all receivers: sends what is due, collects results, records both.

    Args:
        buffer: The event log.
        clock: The daemon's clock.
        log: Receives a line for each message that was sent or failed.
        wake: Called in any thread when a message was sent or failed.
        backoff: How long a receiver that failed is left alone; None: until this process ends.
    """

    def __init__(
        self, buffer: BufferedEventLog, clock: Clock, log: DaemonLog, wake: Callable[[], None], backoff: Backoff | None
    ) -> None:
        self._buffer, self._clock, self._log, self._wake_up = buffer, clock, log, wake
        self._outcomes = DeliveryOutcomes(log, backoff)
        self._retries = backoff is not None
        self._given_up: set[str] = set()
        self._senders = SenderPool(wake)
        self._withdrawal_reasons: dict[str, str] = {}
        self._explanations: ExplanationCache | None = None
        self._retry_at: datetime | None = None
        self._last_time: datetime | None = None
        self.error: str | None = None
        """Error of a message that could not be composed; None where all could."""

    def start(self) -> None:
        """Start the sender threads, also again after `stop`."""
        self._senders = SenderPool(self._wake_up)
        self._retry_at = None
        state = self._buffer.state()
        if self._clock.lag() > MAX_LAG:
            # The retry times were set by a clock that was ahead; waiting for them could take years.
            waiting = {name: one for name, one in state.receivers.items() if one.retry_at is not None}
            self._buffer.append(
                *(
                    ReceiverChanged(self._unique_now(), name, replace(one, retry_at=None))
                    for name, one in waiting.items()
                )
            )

    def stop(self) -> None:
        """Begin no further message; those on their way go on."""
        self._senders.stop()

    def is_sending(self) -> bool:
        """Return whether messages are on their way."""
        return bool(self._senders.busy_receivers())

    def seconds_until_due(self) -> float:
        """Return the seconds until there are results to collect or a receiver to retry."""
        if self._senders.has_results():
            return 0.0
        return math.inf if self._retry_at is None else max(0.0, (self._retry_at - self._clock.now()).total_seconds())

    def record_withdrawals(self, incident_changes: Iterable[IncidentChanged]) -> None:
        """Keep the reasons of withdrawn incidents for the messages that report them."""
        withdrawals = (IncidentTransition.WITHDRAWN, IncidentTransition.MERGED)
        self._withdrawal_reasons |= {
            one.incident.id: one.message for one in incident_changes if one.transition in withdrawals
        }
        incidents = self._buffer.state().incidents
        self._withdrawal_reasons = {name: why for name, why in self._withdrawal_reasons.items() if name in incidents}

    def collect_results(self) -> bool:
        """Collect and record the results of messages. Return whether a receiver has finished its queue."""
        busy_before = self._senders.busy_receivers()
        results = self._senders.take_results()
        if results:
            states = dict(self._buffer.state().receivers)
            events: list[Event] = []
            for outcome in results:
                now = self._unique_now()
                state = states.get(outcome.receiver) or ReceiverState(now)
                states[outcome.receiver], more = self._outcomes.apply(outcome, state, now)
                events += more
                if outcome.error is not None and not self._retries:
                    self._given_up.add(outcome.receiver)
            self._buffer.append(*events)
        return self._senders.busy_receivers() != busy_before

    def send_due(self, snapshot: Snapshot, settings: DaemonSettings, notice: str | None) -> None:
        """Plan what each idle receiver is to be sent, record it, and queue it.

        Args:
            snapshot: The last one.
            settings: The configuration.
            notice: A warning for every message, that the state was not saved; None without one.
        """
        receivers = settings.config.receivers
        self._senders.retain(receivers)
        self._outcomes.hourly_limits = {
            name: 0 if one.policy.exempt else one.policy.hourly for name, one in receivers.items()
        }
        state = self._buffer.state()
        now = self._clock.now(state.last_event_at)
        planned = plan_notifications(state, routing_config(settings, snapshot), now)
        self._retry_at = planned.retry_at
        busy = self._senders.busy_receivers() | self._given_up
        # A receiver that failed is probed with a single message.
        batch_sizes = {name: 1 if state.failures else BATCH_MESSAGES for name, state in state.receivers.items()}
        batches = _batches_by_receiver(planned, busy, batch_sizes)
        skipped = [one for one in planned.skipped if one.key.receiver not in busy]
        explanations = self._explanations_for(snapshot)
        messages = {name: self._compose_messages(row, explanations, state, notice) for name, row in batches.items()}
        sending = (one for row in messages.values() for parcel in row for one in parcel.notifications)
        started = tuple(sending)
        self._buffer.append(*skipped, *([SendStarted(now, started)] if started else []))
        for name, row in messages.items():
            if row:
                self._senders.send(name, receivers[name].notifier, row)

    def _explanations_for(self, snapshot: Snapshot) -> ExplanationCache:
        """Return the explanations of a snapshot, computed once for all messages and attempts."""
        if self._explanations is None or self._explanations.snapshot is not snapshot:
            self._explanations = ExplanationCache(snapshot)
        return self._explanations

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
                messages.append(QueuedMessage(batch.notifications, with_notice(message, notice)))
        return messages

    def _unique_now(self) -> datetime:
        """Return the time, later than any before: of two equal times the hourly limit would count one."""
        now = self._clock.now()
        if self._last_time is not None and now <= self._last_time:
            now = self._last_time + timedelta(microseconds=1)
        self._last_time = now
        return now


def routing_config(settings: DaemonSettings, snapshot: Snapshot) -> RoutingConfig:
    """Return the routes, policies and mutes of a configuration for the planner."""
    config = settings.config
    paces = {name: one.policy for name, one in config.receivers.items()}
    return RoutingConfig(routes=config.routes, rules=snapshot.rules, mutes=config.mutes, policies=paces)


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
        own = batches.setdefault(batch.receiver, [])
        if batch.receiver not in busy and len(own) < batch_sizes.get(batch.receiver, BATCH_MESSAGES):
            own.append(batch)
    return batches
