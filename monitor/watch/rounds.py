"""What the watcher does each time: look, follow, tell, and say how it is."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime

from monitor.errors import MonitorError
from monitor.events import Followed, ReceiverChanged, Watching
from monitor.journal.journal import Journal
from monitor.text import age
from monitor.watch.backoff import Backoff
from monitor.watch.bell import Bell
from monitor.watch.bulletin import Bulletin, Post
from monitor.watch.clock import APART, Clock
from monitor.watch.computing import Computing
from monitor.watch.dispatch import Dispatch
from monitor.watch.heartbeat import Heartbeat
from monitor.watch.introduce import broken, failing, introduced
from monitor.watch.ledger import Ledger
from monitor.watch.log import Log
from monitor.watch.look import Look, Looker
from monitor.watch.setup import Load

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
        self._setup = load()
        self.bell = Bell()
        self._journal = Journal(post.folder)
        self._ledger = Ledger(self._journal)
        self._dispatch = Dispatch(
            self._ledger, self._clock, log, self.bell.ring, None if post.once else backoff or Backoff()
        )
        self._looker = Looker(post.folder, self._setup.config.watch.no_data_wait)
        self._bulletin = Bulletin(post, log, self._clock.now())
        self._heartbeat = Heartbeat()
        store = self._setup.store
        self._computing = None if store is None else Computing(store, log, self._bulletin.says)
        self.last: Look | None = None
        """The last look that succeeded."""

    @property
    def every(self) -> float:
        """Seconds between two cycles at most."""
        return self._setup.config.watch.every.total_seconds()

    @property
    def troubled(self) -> bool:
        """Whether something could not be read, saved or sent, or a receiver is left alone or broken."""
        facts = self._ledger.facts()
        states = (facts.receivers.get(name) for name in self._setup.config.receivers)
        return self._bulletin.error is not None or any(state.failures for state in states if state is not None)

    def begin(self) -> None:
        """Say that this one leads now, and look for what the last one has left."""
        now = self._clock.now(self._ledger.facts().newest)
        self._bulletin.started = self._bulletin.completed = now
        self._looker = Looker(self._post.folder, self._setup.config.watch.no_data_wait)
        self._dispatch.start()
        self._says(now, began=True)
        if not self._setup.config.receivers:
            self._log.warning("receivers", "no receiver is configured: nobody is told")

    def cycle(self) -> bool:
        """Look at everything once and tell who is to be told; whether the look succeeded."""
        why = self._look()
        self._bulletin.says("look", why)
        self._hand_out()
        if why is None:
            self._bulletin.completed = self._clock.now()
            self._heartbeat.ping(self._setup.config.watch.heartbeat)
        self.report()
        return why is None

    def compute(self, *, wait: bool = False) -> None:
        """Have the configured logs computed that are due; a run from cron waits for them."""
        if self._computing is not None:
            work = self._computing.once if wait else self._computing.tick
            work(self._setup.config, self._clock.now())

    def deliver(self) -> None:
        """Without another look: take in what became of messages, and hand out what is to be told by the last one."""
        self._hand_out()
        self.report()

    def changed(self) -> bool:
        """Whether another look could find anything else: a file changed, or a second look is due."""
        due = self._looker.second.due()
        try:
            return (due is not None and due <= self._clock.now()) or self._setup.observer.changed()
        except OSError:
            return True  # the look itself will say what is wrong

    def wait(self) -> float:
        """Seconds until there may be something to send, or to take in, without another look."""
        return 0.0 if self._journal.changed() else self._dispatch.wait()

    def busy(self) -> bool:
        """Whether messages are on their way."""
        return self._dispatch.busy()

    def reload(self) -> None:
        """Read the configuration anew; a broken one is not used, and that is said."""
        try:
            self._setup = self._load()
        except MonitorError as error:
            self._bulletin.says("settings", f"the new configuration is not used: {'; '.join(str(error).splitlines())}")
        else:
            self._bulletin.says("settings", None)
            self._looker.second.wait = self._setup.config.watch.no_data_wait
            self._log.info("reload", "the configuration was read anew")
        self.report()

    def report(self, *, stopped: bool = False) -> None:
        """Say how the watcher is."""
        self._ledger.save()
        receivers, facts = self._setup.config.receivers, self._ledger.facts()
        behind = self._clock.behind()
        said = {
            "clock": f"the clock is {age(behind)} behind the journal: set it" if behind > APART else None,
            "journal": self._unsaved(),
            "message": self._dispatch.trouble,
            "heartbeat": self._heartbeat.trouble,
            "receivers": failing(receivers, facts),
        }
        for about, why in said.items():
            self._bulletin.says(about, why)
        self._bulletin.publish(self.every, broken(receivers, facts), stopped=stopped)

    def end(self, seconds: float = PARTING) -> None:
        """Let what is on its way arrive, within so many seconds; then say that this one leads no more."""
        self._dispatch.stop()
        if self._computing is not None:
            self._computing.end()
        deadline = time.monotonic() + seconds
        while self._dispatch.busy() and (left := deadline - time.monotonic()) > 0:
            self.bell.wait(left)
            self._dispatch.collect()
        self._heartbeat.wait(max(0.0, deadline - time.monotonic()))
        self._says(self._clock.now(self._ledger.facts().newest), began=False)
        self.report(stopped=not self._post.once)

    def _look(self) -> str | None:
        """Look, and journal what was found; why that could not be done, or None."""
        try:
            now = self._clock.now(self._ledger.facts().newest)
            found = self._looker.look(self._setup.observer.observe(now), self._ledger.facts(), now)
        except MonitorError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  what cannot be judged now may be later; people are told meanwhile
            return f"an error of modeltop's own, {type(error).__name__}"
        new = introduced(self._setup.config.receivers, self._ledger.facts(), now)
        self._ledger.append(*new, *found.followed)
        self._looker.keep(found, saved=self._ledger.trouble is None)
        self._dispatch.learn(found.followed)
        self.last = found
        self._tell(found.followed, new)
        return None

    def _tell(self, followed: Iterable[Followed], new: Iterable[ReceiverChanged]) -> None:
        for one in followed:
            key, course = one.incident.key, one.course.value
            self._log.info("incident", f"{course}: {key.model} {key.metric} {one.message}", incident=one.incident.id)
        for changed in new:
            if changed.state.broken:
                why = f"{changed.receiver} cannot be used: {changed.state.broken}"
                self._log.error("broken", why, receiver=changed.receiver)

    def _says(self, now: datetime, *, began: bool) -> None:
        """Journal who leads, or no longer does; of a run a minute from cron nobody wants to read that."""
        me = self._post.me
        if not self._post.once:
            self._ledger.append(Watching(now, me.pid, me.host, began=began))
            self._log.info("lead" if began else "end", f"{me} {'leads from now on' if began else 'ended cleanly'}")

    def _hand_out(self) -> None:
        self._dispatch.collect()
        if self.last is not None:
            self._dispatch.hand_out(self.last.snapshot, self._setup, self._unsaved())

    def _unsaved(self) -> str | None:
        trouble = self._ledger.trouble
        return None if trouble is None else f"the watcher's state was not saved: {trouble}"
