"""What the watcher does each time: look, follow, tell, and say how it is."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime

from modeltop.alerting.event_log.event_log import Journal
from modeltop.core.errors import MonitorError
from modeltop.core.event import Followed, ReceiverChanged, Watching
from modeltop.core.text import age
from modeltop.service.clock import APART, Clock
from modeltop.service.compute_jobs import Computing
from modeltop.service.evaluate import Look, Looker
from modeltop.service.event_buffer import Ledger
from modeltop.service.health import Bulletin, Post
from modeltop.service.heartbeat import Heartbeat
from modeltop.service.leader import Holder
from modeltop.service.log import Log
from modeltop.service.receivers import Backoff, broken, failing, introduced
from modeltop.service.sending import Dispatch
from modeltop.service.settings import Load
from modeltop.service.wakeup import Bell

PARTING = 10.0
"""Seconds in which messages that are on their way may arrive when the watcher ends."""


class Rounds:
    """The watcher's work, one step at a time; who leads calls them in turn.

    Args:
        load: Reads the configuration. What it raises at first is raised here.
        post: Where it stands.
        log: What it says of itself.
        clock: `now`.
        backoff: How long a receiver that failed is left alone.
    """

    def __init__(
        self, load: Load, post: Post, log: Log, clock: Clock | None = None, backoff: Backoff | None = None
    ) -> None:
        self._load, self._post, self._log = load, post, log
        self._clock = clock or Clock()
        self.setup = load()
        self.bell = Bell()
        self._journal = Journal(post.folder)
        self._ledger = Ledger(self._journal)
        self.dispatch = Dispatch(
            self._ledger, self._clock, log, self.bell.ring, None if post.once else backoff or Backoff()
        )
        self._looker = Looker(post.folder, self.setup.config.watch.no_data_wait)
        self._bulletin = Bulletin(post, log, self._clock.now())
        self._heartbeat = Heartbeat()
        store = self.setup.store
        self._computing = None if store is None else Computing(store, log, self._bulletin.says)
        self.last: Look | None = None
        """The last look that succeeded."""

    @property
    def troubled(self) -> bool:
        """Whether something could not be read, saved or sent, or a receiver is left alone or broken."""
        facts = self._ledger.facts()
        states = (facts.receivers.get(name) for name in self.setup.config.receivers)
        return self._bulletin.error is not None or any(state.failures for state in states if state is not None)

    def begin(self) -> None:
        """Say that this one leads now, and look for what the last one has left."""
        now = self._clock.now(self._ledger.facts().newest)
        self._bulletin.started = self._bulletin.completed = now
        self._looker = Looker(self._post.folder, self.setup.config.watch.no_data_wait)
        self.dispatch.start()
        if self._post.once:  # of a run a minute nobody wants to read, neither in the story nor in cron's mails
            return
        _leads(self._post.me, now, self._ledger, self._log, began=True)
        if not self.setup.config.receivers:
            self._log.warning("receivers", "no receiver is configured: nobody is told")

    def compute(self, *, wait: bool = False) -> None:
        """Have the configured logs computed that are due; a run from cron waits for them."""
        if self._computing is not None:
            work = self._computing.once if wait else self._computing.tick
            work(self.setup.config, self._clock.now())

    def cycle(self) -> bool:
        """Look at everything once and tell who is to be told; whether the look succeeded."""
        why = self._look()
        self._bulletin.says("look", why)
        if why is None:
            self._bulletin.completed = self._clock.now()
        self.deliver()
        if why is None:
            self._heartbeat.ping(self.setup.config.watch.heartbeat)
        return why is None

    def deliver(self) -> None:
        """Take in what became of messages, hand out what is to be told by the last look, and say how it goes."""
        self.dispatch.collect()
        if self.last is not None:
            self.dispatch.hand_out(self.last.snapshot, self.setup, self._ledger.notice)
        self.report()

    def changed(self) -> bool:
        """Whether another look could find anything else: a file changed, or a second look is due."""
        due = self._looker.second.due()
        try:
            return (due is not None and due <= self._clock.now()) or self.setup.observer.changed()
        except OSError:
            return True  # the look itself will say what is wrong

    def wait(self) -> float:
        """Seconds until there may be something to send, or to take in, without another look."""
        return 0.0 if self._journal.changed() else self.dispatch.wait()

    def reload(self) -> None:
        """Read the configuration anew; a broken one is not used, and that is said."""
        try:
            self.setup = self._load()
        except MonitorError as error:
            self._bulletin.says("settings", f"the new configuration is not used: {'; '.join(str(error).splitlines())}")
        else:
            self._bulletin.says("settings", None)
            self._looker.second.wait = self.setup.config.watch.no_data_wait
            self._log.info("reload", "the configuration was read anew")
        self.report()

    def report(self, *, stopped: bool = False) -> None:
        """Say how the watcher is."""
        self._ledger.save()
        receivers, facts = self.setup.config.receivers, self._ledger.facts()
        behind = self._clock.behind()
        said = {
            "clock": f"the clock is {age(behind)} behind the journal: set it" if behind > APART else None,
            "journal": self._ledger.notice,
            "message": self.dispatch.trouble,
            "heartbeat": self._heartbeat.trouble,
            "receivers": failing(receivers, facts),
        }
        for about, why in said.items():
            self._bulletin.says(about, why)
        self._bulletin.publish(self.setup.every, broken(receivers, facts), stopped=stopped)

    def end(self, seconds: float = PARTING) -> None:
        """Let what is on its way arrive, within so many seconds; then say that this one leads no more."""
        self.dispatch.stop()
        if self._computing is not None:
            self._computing.end()
        deadline = time.monotonic() + seconds
        while self.dispatch.busy() and (left := deadline - time.monotonic()) > 0:
            self.bell.wait(left)
            self.dispatch.collect()
        self._heartbeat.wait(max(0.0, deadline - time.monotonic()))
        if not self._post.once:
            now = self._clock.now(self._ledger.facts().newest)
            _leads(self._post.me, now, self._ledger, self._log, began=False)
        self.report(stopped=not self._post.once)

    def _look(self) -> str | None:
        """Look, and journal what was found; why that could not be done, or None."""
        try:
            now = self._clock.now(self._ledger.facts().newest)
            found = self._looker.look(self.setup.observer.observe(now), self._ledger.facts(), now)
        except MonitorError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  what cannot be judged now may be later; people are told meanwhile
            return f"an error of modeltop's own, {type(error).__name__}"
        new = introduced(self.setup.config.receivers, self._ledger.facts(), now)
        self._ledger.append(*new, *found.followed)
        self._looker.keep(found, saved=self._ledger.trouble is None)
        self.dispatch.learn(found.followed)
        self.last = found
        _say(self._log, found.followed, new)
        return None


def _leads(me: Holder, now: datetime, ledger: Ledger, log: Log, *, began: bool) -> None:
    ledger.append(Watching(now, me.pid, me.host, began=began))
    log.info(event="lead" if began else "end", message=f"{me} {'leads from now on' if began else 'ended cleanly'}")


def _say(log: Log, followed: Iterable[Followed], new: Iterable[ReceiverChanged]) -> None:
    for one in followed:
        key, course = one.incident.key, one.course.value
        about = f"{course}: {key.model} {key.metric} {one.message}"
        log.info(event="incident", message=about, incident=one.incident.id)
    for changed in new:
        if changed.state.broken:
            why = f"{changed.receiver} cannot be used: {changed.state.broken}"
            log.error(event="broken", message=why, receiver=changed.receiver)
