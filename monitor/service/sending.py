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
    """Judges outcomes.

    Args:
        log: Says what was sent, and what could not be.
        backoff: How long a receiver that failed is left alone; None: that is for the next run.
    """

    def __init__(self, log: DaemonLog, backoff: Backoff | None) -> None:
        self._log, self._backoff = log, backoff
        self.hourly_limits: Mapping[str, int] = {}
        """Messages an hour, by receiver; 0: no cap."""

    def apply(
        self, outcome: SendResult, state: ReceiverState, now: datetime
    ) -> tuple[ReceiverState, tuple[Event, ...]]:
        """How the receiver is after one message, and what is to be journaled.

        Args:
            outcome: What became of the message.
            state: How the receiver was.
            now: The watcher's clock, later than at any outcome before.
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
        """The state without moments that its hourly cap does not ask for: each change of it is a line."""
        limit = self.hourly_limits.get(name, 0)
        return replace(state, recent_sends=state.recent_sends[-limit:] if limit else ())


BATCH_MESSAGES = 50
"""Messages that are handed to a receiver before it is decided anew what it has to be told."""


class Dispatcher:
    """Hands out what is to be told, takes in what became of it, and journals both.

    Args:
        buffer: Where it is remembered.
        clock: `now`.
        log: Says what was sent, and what could not be.
        wake: Called, in any thread, when something became of a message.
        backoff: How long a receiver that failed is left alone; None: for as long as this process runs.
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
        """Why a message could not even be written; None: all could."""

    def start(self) -> None:
        """Begin, or begin anew after `stop`."""
        self._senders = SenderPool(self._wake_up)
        self._retry_at = None
        state = self._buffer.state()
        if self._clock.lag() > MAX_LAG:
            # The moments to wait for were set by a clock that was ahead: nobody is to be waited for that long.
            waiting = {name: one for name, one in state.receivers.items() if one.retry_at is not None}
            self._buffer.append(
                *(
                    ReceiverChanged(self._unique_now(), name, replace(one, retry_at=None))
                    for name, one in waiting.items()
                )
            )

    def stop(self) -> None:
        """Begin no further message."""
        self._senders.stop()

    def is_sending(self) -> bool:
        """Whether messages are on their way."""
        return bool(self._senders.busy_receivers())

    def seconds_until_due(self) -> float:
        """Seconds until there is something to do: outcomes to take in, or a receiver to be tried again."""
        if self._senders.has_results():
            return 0.0
        return math.inf if self._retry_at is None else max(0.0, (self._retry_at - self._clock.now()).total_seconds())

    def record_withdrawals(self, incident_changes: Iterable[IncidentChanged]) -> None:
        """Remember why incidents were withdrawn, for the messages that say so."""
        withdrawals = (IncidentTransition.WITHDRAWN, IncidentTransition.MERGED)
        self._withdrawal_reasons |= {
            one.incident.id: one.message for one in incident_changes if one.transition in withdrawals
        }
        incidents = self._buffer.state().incidents
        self._withdrawal_reasons = {name: why for name, why in self._withdrawal_reasons.items() if name in incidents}

    def collect_results(self) -> bool:
        """Take in and journal what became of messages; whether a receiver has ended its row."""
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
        """Decide what each receiver that is free is to be told, journal it, and have it sent.

        Args:
            snapshot: The last look.
            settings: The configuration.
            notice: What every message has to say beside: that the state was not saved; None: nothing.
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
        # One that failed is asked with a single message whether it works again.
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
        """Those of a look: asked for once, however many messages and attempts there are."""
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
        """Now, but later than ever before: of two messages at one moment the hourly cap would count one."""
        now = self._clock.now()
        if self._last_time is not None and now <= self._last_time:
            now = self._last_time + timedelta(microseconds=1)
        self._last_time = now
        return now


def routing_config(settings: DaemonSettings, snapshot: Snapshot) -> RoutingConfig:
    """What is configured of telling people."""
    config = settings.config
    paces = {name: one.policy for name, one in config.receivers.items()}
    return RoutingConfig(routes=config.routes, rules=snapshot.rules, mutes=config.mutes, policies=paces)


def with_notice(message: Message, notice: str | None) -> Message:
    """The message, and what it has to say beside: once in the text, once in the sentence of its first part."""
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
