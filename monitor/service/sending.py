"""Whom to tell now, of what, and what became of it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from modeltop.alerting.dispatch import Plan, plan
from modeltop.alerting.messages.compose import compose
from modeltop.alerting.messages.explanation import Reasons
from modeltop.alerting.messages.message import Message
from modeltop.alerting.routing import Orders
from modeltop.alerting.throttle import Bundle
from modeltop.core.event import Course, Event, Followed, ReceiverChanged, Sending, Sent
from modeltop.core.incident import Facts, ReceiverState
from modeltop.rules.snapshot import Snapshot
from modeltop.service.clock import APART, Clock
from modeltop.service.event_buffer import Ledger
from modeltop.service.log import Log
from modeltop.service.receivers import Backoff, broke, failed, works
from modeltop.service.sender_threads import Outcome, Parcel, Senders
from modeltop.service.settings import Setup


class Aftermath:
    """Judges outcomes.

    Args:
        log: Says what was sent, and what could not be.
        backoff: How long a receiver that failed is left alone; None: that is for the next run.
    """

    def __init__(self, log: Log, backoff: Backoff | None) -> None:
        self._log, self._backoff = log, backoff
        self.caps: Mapping[str, int] = {}
        """Messages an hour, by receiver; 0: no cap."""

    def of(self, outcome: Outcome, state: ReceiverState, now: datetime) -> tuple[ReceiverState, tuple[Event, ...]]:
        """How the receiver is after one message, and what is to be journaled.

        Args:
            outcome: What became of the message.
            state: How the receiver was.
            now: The watcher's clock, later than at any outcome before.
        """
        name, error = outcome.receiver, outcome.error
        if error is None:
            self._log.info("sent", f"told {name} of {outcome.title}", receiver=name)
            after = self._brief(name, works(state))
            mended = (ReceiverChanged(now, name, after),) if state.failures or state.broken else ()
            return replace(after, sent=(*after.sent, now)), (*mended, Sent(now, outcome.deliveries))
        if error.permanent:
            self._log.error("broken", f"{name} is broken: {error}", receiver=name)
            after = self._brief(name, broke(state, str(error)))
            return after, (Sent(now, outcome.deliveries, str(error)), ReceiverChanged(now, name, after))
        delay = (self._backoff or Backoff()).delay(state.failures + 1, asked=error.retry_after, chance=random.random)
        again = f"tried again in {delay:.1f} s" if self._backoff else "left to the next run"
        self._log.warning("failed", f"{name} was not told: {error}; {again}", receiver=name)
        after = self._brief(name, failed(state, str(error), now, delay))
        return after, (ReceiverChanged(now, name, after),)

    def _brief(self, name: str, state: ReceiverState) -> ReceiverState:
        """The state without moments that its hourly cap does not ask for: each change of it is a line."""
        cap = self.caps.get(name, 0)
        return replace(state, sent=state.sent[-cap:] if cap else ())


AT_ONCE = 50
"""Messages that are handed to a receiver before it is decided anew what it has to be told."""


class Dispatch:
    """Hands out what is to be told, takes in what became of it, and journals both.

    Args:
        ledger: Where it is remembered.
        clock: `now`.
        log: Says what was sent, and what could not be.
        ring: Called, in any thread, when something became of a message.
        backoff: How long a receiver that failed is left alone; None: for as long as this process runs.
    """

    def __init__(
        self, ledger: Ledger, clock: Clock, log: Log, ring: Callable[[], None], backoff: Backoff | None
    ) -> None:
        self._ledger, self._clock, self._log, self._ring = ledger, clock, log, ring
        self._aftermath = Aftermath(log, backoff)
        self._retries = backoff is not None
        self._given_up: set[str] = set()
        self._senders = Senders(ring)
        self._why: dict[str, str] = {}
        self._reasons: Reasons | None = None
        self._wake: datetime | None = None
        self._last: datetime | None = None
        self.trouble: str | None = None
        """Why a message could not even be written; None: all could."""

    def start(self) -> None:
        """Begin, or begin anew after `stop`."""
        self._senders = Senders(self._ring)
        self._wake = None
        facts = self._ledger.facts()
        if self._clock.behind() > APART:
            # The moments to wait for were set by a clock that was ahead: nobody is to be waited for that long.
            waiting = {name: one for name, one in facts.receivers.items() if one.retry_at is not None}
            self._ledger.append(
                *(ReceiverChanged(self._moment(), name, replace(one, retry_at=None)) for name, one in waiting.items())
            )

    def stop(self) -> None:
        """Begin no further message."""
        self._senders.stop()

    def busy(self) -> bool:
        """Whether messages are on their way."""
        return bool(self._senders.busy())

    def wait(self) -> float:
        """Seconds until there is something to do: outcomes to take in, or a receiver to be tried again."""
        if self._senders.pending():
            return 0.0
        return math.inf if self._wake is None else max(0.0, (self._wake - self._clock.now()).total_seconds())

    def learn(self, followed: Iterable[Followed]) -> None:
        """Remember why incidents were withdrawn, for the messages that say so."""
        ends = (Course.WITHDRAWN, Course.MERGED)
        self._why |= {one.incident.id: one.message for one in followed if one.course in ends}
        known = self._ledger.facts().incidents
        self._why = {name: why for name, why in self._why.items() if name in known}

    def collect(self) -> bool:
        """Take in and journal what became of messages; whether a receiver has ended its row."""
        before = self._senders.busy()
        outcomes = self._senders.outcomes()
        if outcomes:
            states = dict(self._ledger.facts().receivers)
            events: list[Event] = []
            for outcome in outcomes:
                now = self._moment()
                state = states.get(outcome.receiver) or ReceiverState(now)
                states[outcome.receiver], became = self._aftermath.of(outcome, state, now)
                events += became
                if outcome.error is not None and not self._retries:
                    self._given_up.add(outcome.receiver)
            self._ledger.append(*events)
        return self._senders.busy() != before

    def hand_out(self, snapshot: Snapshot, setup: Setup, notice: str | None) -> None:
        """Decide what each receiver that is free is to be told, journal it, and have it sent.

        Args:
            snapshot: The last look.
            setup: The configuration.
            notice: What every message has to say beside: that the state was not saved; None: nothing.
        """
        receivers = setup.config.receivers
        self._senders.keep(receivers)
        self._aftermath.caps = {name: 0 if one.pace.exempt else one.pace.hourly for name, one in receivers.items()}
        facts = self._ledger.facts()
        now = self._clock.now(facts.newest)
        planned = plan(facts, orders(setup, snapshot), now)
        self._wake = planned.wake
        busy = self._senders.busy() | self._given_up
        # One that failed is asked with a single message whether it works again.
        many = {name: 1 if state.failures else AT_ONCE for name, state in facts.receivers.items()}
        rows = _rows(planned, busy, many)
        said = [one for one in planned.believed if one.key.receiver not in busy]
        reasons = self._reasons_of(snapshot)
        parcels = {name: self._parcels(row, reasons, facts, notice) for name, row in rows.items()}
        sending = (one for row in parcels.values() for parcel in row for one in parcel.deliveries)
        about = tuple(sending)
        self._ledger.append(*said, *([Sending(now, about)] if about else []))
        for name, row in parcels.items():
            if row:
                self._senders.send(name, receivers[name].notifier, row)

    def _reasons_of(self, snapshot: Snapshot) -> Reasons:
        """Those of a look: asked for once, however many messages and attempts there are."""
        if self._reasons is None or self._reasons.snapshot is not snapshot:
            self._reasons = Reasons(snapshot)
        return self._reasons

    def _parcels(self, row: Sequence[Bundle], reasons: Reasons, facts: Facts, notice: str | None) -> list[Parcel]:
        found: list[Parcel] = []
        for bundle in row:
            try:
                message = compose(
                    bundle.deliveries, reasons.snapshot, facts, why=self._why, reasons=reasons, digest=bundle.digest
                )
            except Exception as error:  # noqa: BLE001  one message that cannot be written must not keep back the others
                self.trouble = f"a message to {bundle.receiver} cannot be written: {type(error).__name__}"
            else:
                found.append(Parcel(bundle.deliveries, noticed(message, notice)))
        return found

    def _moment(self) -> datetime:
        """Now, but later than ever before: of two messages at one moment the hourly cap would count one."""
        now = self._clock.now()
        if self._last is not None and now <= self._last:
            now = self._last + timedelta(microseconds=1)
        self._last = now
        return now


def orders(setup: Setup, snapshot: Snapshot) -> Orders:
    """What is configured of telling people."""
    config = setup.config
    paces = {name: one.pace for name, one in config.receivers.items()}
    return Orders(routes=config.routes, rules=snapshot.rules, mutes=config.mutes, paces=paces)


def noticed(message: Message, notice: str | None) -> Message:
    """The message, and what it has to say beside: once in the text, once in the sentence of its first part."""
    if notice is None:
        return message
    first = replace(message.first, sentence=f"{message.first.sentence} ({notice})".strip())
    return replace(message, parts=(first, *message.parts[1:]), text=f"{message.text}\n\n{notice}")


def _rows(planned: Plan, busy: Collection[str], many: Mapping[str, int]) -> dict[str, list[Bundle]]:
    rows: dict[str, list[Bundle]] = {}
    for bundle in planned.bundles:
        row = rows.setdefault(bundle.receiver, [])
        if bundle.receiver not in busy and len(row) < many.get(bundle.receiver, AT_ONCE):
            row.append(bundle)
    return rows
