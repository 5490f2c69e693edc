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
            after = self._brief(name, after_success(state))
            mended = (ReceiverChanged(now, name, after),) if state.failures or state.disabled_reason else ()
            return replace(after, recent_sends=(*after.recent_sends, now)), (
                *mended,
                SendFinished(now, outcome.notifications),
            )
        if error.permanent:
            self._log.error("broken", f"{name} is broken: {error}", receiver=name)
            after = self._brief(name, after_permanent_failure(state, str(error)))
            return after, (SendFinished(now, outcome.notifications, str(error)), ReceiverChanged(now, name, after))
        delay = (self._backoff or Backoff()).delay(
            state.failures + 1, retry_after=error.retry_after, random=random.random
        )
        again = f"tried again in {delay:.1f} s" if self._backoff else "left to the next run"
        self._log.warning("failed", f"{name} was not told: {error}; {again}", receiver=name)
        after = self._brief(name, after_temporary_failure(state, str(error), now, delay))
        return after, (ReceiverChanged(now, name, after),)

    def _brief(self, name: str, state: ReceiverState) -> ReceiverState:
        """The state without moments that its hourly cap does not ask for: each change of it is a line."""
        cap = self.hourly_limits.get(name, 0)
        return replace(state, recent_sends=state.recent_sends[-cap:] if cap else ())


BATCH_MESSAGES = 50
"""Messages that are handed to a receiver before it is decided anew what it has to be told."""


class Dispatcher:
    """Hands out what is to be told, takes in what became of it, and journals both.

    Args:
        ledger: Where it is remembered.
        clock: `now`.
        log: Says what was sent, and what could not be.
        ring: Called, in any thread, when something became of a message.
        backoff: How long a receiver that failed is left alone; None: for as long as this process runs.
    """

    def __init__(
        self, ledger: BufferedEventLog, clock: Clock, log: DaemonLog, ring: Callable[[], None], backoff: Backoff | None
    ) -> None:
        self._ledger, self._clock, self._log, self._ring = ledger, clock, log, ring
        self._aftermath = DeliveryOutcomes(log, backoff)
        self._retries = backoff is not None
        self._given_up: set[str] = set()
        self._senders = SenderPool(ring)
        self._why: dict[str, str] = {}
        self._reasons: ExplanationCache | None = None
        self._wake: datetime | None = None
        self._last: datetime | None = None
        self.error: str | None = None
        """Why a message could not even be written; None: all could."""

    def start(self) -> None:
        """Begin, or begin anew after `stop`."""
        self._senders = SenderPool(self._ring)
        self._wake = None
        facts = self._ledger.state()
        if self._clock.lag() > MAX_LAG:
            # The moments to wait for were set by a clock that was ahead: nobody is to be waited for that long.
            waiting = {name: one for name, one in facts.receivers.items() if one.retry_at is not None}
            self._ledger.append(
                *(ReceiverChanged(self._moment(), name, replace(one, retry_at=None)) for name, one in waiting.items())
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
        return math.inf if self._wake is None else max(0.0, (self._wake - self._clock.now()).total_seconds())

    def record_withdrawals(self, followed: Iterable[IncidentChanged]) -> None:
        """Remember why incidents were withdrawn, for the messages that say so."""
        ends = (IncidentTransition.WITHDRAWN, IncidentTransition.MERGED)
        self._why |= {one.incident.id: one.message for one in followed if one.transition in ends}
        known = self._ledger.state().incidents
        self._why = {name: why for name, why in self._why.items() if name in known}

    def collect_results(self) -> bool:
        """Take in and journal what became of messages; whether a receiver has ended its row."""
        before = self._senders.busy_receivers()
        outcomes = self._senders.take_results()
        if outcomes:
            states = dict(self._ledger.state().receivers)
            events: list[Event] = []
            for outcome in outcomes:
                now = self._moment()
                state = states.get(outcome.receiver) or ReceiverState(now)
                states[outcome.receiver], became = self._aftermath.apply(outcome, state, now)
                events += became
                if outcome.error is not None and not self._retries:
                    self._given_up.add(outcome.receiver)
            self._ledger.append(*events)
        return self._senders.busy_receivers() != before

    def send_due(self, snapshot: Snapshot, setup: DaemonSettings, notice: str | None) -> None:
        """Decide what each receiver that is free is to be told, journal it, and have it sent.

        Args:
            snapshot: The last look.
            setup: The configuration.
            notice: What every message has to say beside: that the state was not saved; None: nothing.
        """
        receivers = setup.config.receivers
        self._senders.retain(receivers)
        self._aftermath.hourly_limits = {
            name: 0 if one.policy.exempt else one.policy.hourly for name, one in receivers.items()
        }
        facts = self._ledger.state()
        now = self._clock.now(facts.last_event_at)
        planned = plan_notifications(facts, routing_config(setup, snapshot), now)
        self._wake = planned.retry_at
        busy = self._senders.busy_receivers() | self._given_up
        # One that failed is asked with a single message whether it works again.
        many = {name: 1 if state.failures else BATCH_MESSAGES for name, state in facts.receivers.items()}
        rows = _rows(planned, busy, many)
        said = [one for one in planned.skipped if one.key.receiver not in busy]
        reasons = self._reasons_of(snapshot)
        parcels = {name: self._parcels(row, reasons, facts, notice) for name, row in rows.items()}
        sending = (one for row in parcels.values() for parcel in row for one in parcel.notifications)
        about = tuple(sending)
        self._ledger.append(*said, *([SendStarted(now, about)] if about else []))
        for name, row in parcels.items():
            if row:
                self._senders.send(name, receivers[name].notifier, row)

    def _reasons_of(self, snapshot: Snapshot) -> ExplanationCache:
        """Those of a look: asked for once, however many messages and attempts there are."""
        if self._reasons is None or self._reasons.snapshot is not snapshot:
            self._reasons = ExplanationCache(snapshot)
        return self._reasons

    def _parcels(
        self, row: Sequence[NotificationBatch], reasons: ExplanationCache, facts: AlertingState, notice: str | None
    ) -> list[QueuedMessage]:
        found: list[QueuedMessage] = []
        for bundle in row:
            try:
                message = compose(
                    bundle.notifications,
                    reasons.snapshot,
                    facts,
                    withdrawal_reasons=self._why,
                    explanations=reasons,
                    is_digest=bundle.is_digest,
                )
            except Exception as error:  # noqa: BLE001  one message that cannot be written must not keep back the others
                self.error = f"a message to {bundle.receiver} cannot be written: {type(error).__name__}"
            else:
                found.append(QueuedMessage(bundle.notifications, with_notice(message, notice)))
        return found

    def _moment(self) -> datetime:
        """Now, but later than ever before: of two messages at one moment the hourly cap would count one."""
        now = self._clock.now()
        if self._last is not None and now <= self._last:
            now = self._last + timedelta(microseconds=1)
        self._last = now
        return now


def routing_config(setup: DaemonSettings, snapshot: Snapshot) -> RoutingConfig:
    """What is configured of telling people."""
    config = setup.config
    paces = {name: one.policy for name, one in config.receivers.items()}
    return RoutingConfig(routes=config.routes, rules=snapshot.rules, mutes=config.mutes, policies=paces)


def with_notice(message: Message, notice: str | None) -> Message:
    """The message, and what it has to say beside: once in the text, once in the sentence of its first part."""
    if notice is None:
        return message
    first = replace(message.worst_section, sentence=f"{message.worst_section.sentence} ({notice})".strip())
    return replace(message, sections=(first, *message.sections[1:]), text=f"{message.text}\n\n{notice}")


def _rows(
    planned: NotificationPlan, busy: Collection[str], many: Mapping[str, int]
) -> dict[str, list[NotificationBatch]]:
    rows: dict[str, list[NotificationBatch]] = {}
    for bundle in planned.batches:
        row = rows.setdefault(bundle.receiver, [])
        if bundle.receiver not in busy and len(row) < many.get(bundle.receiver, BATCH_MESSAGES):
            row.append(bundle)
    return rows
