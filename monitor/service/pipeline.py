"""From files to a snapshot: the only place that knows every room."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from modeltop.alerting.event_log.segments import state_folder
from modeltop.alerting.suppression import suppressions, taken
from modeltop.config.load import Config, places
from modeltop.core.errors import StoreError
from modeltop.core.incident import Facts, Health
from modeltop.core.series import Episode, History, Problem, to_datetime, to_stamp
from modeltop.history.file_stat import State, state_of
from modeltop.history.merge import Progress
from modeltop.history.reader import Reader
from modeltop.history.store.distributions import Shelf
from modeltop.history.store.paths import network_filesystem
from modeltop.rules.evaluator import Judge
from modeltop.rules.label_coverage import label_news
from modeltop.rules.priority import ordered_episodes, verdicts
from modeltop.rules.replay import no_data, source_error
from modeltop.rules.rule import Rule, default_rules
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    from modeltop.alerting.event_log.event_log import Journal


class Memory:
    """Reads what people did and what the watcher said of itself; never in the way of a look at the data.

    Args:
        folder: Where the journal is, or will be; None where there is no place for one.
        health: Reads how the watcher of that folder is.
        trouble: Why there is no folder.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        health: Callable[[Path], Health | None] = lambda _: None,
        trouble: str = "there is no folder to remember it in",
    ) -> None:
        self.folder = folder
        self.trouble = "" if folder is not None else trouble
        self._health = health
        self._there = False

    @cached_property
    def journal(self) -> Journal | None:
        """Where what people do is written; None where there is no place for it."""
        if self.folder is None:
            return None
        from modeltop.alerting.event_log.event_log import (
            Journal,  # the first frame of plain files has nothing to remember
        )

        return Journal(self.folder)

    def facts(self) -> Facts:
        """All that the journal says; nothing while nobody has ever written one."""
        self._there = self._exists()
        return self.journal.facts() if self._there and self.journal else Facts()

    def health(self) -> Health | None:
        """How the watcher was at the end of its last cycle."""
        return self._health(self.folder) if self._there and self.folder else None

    def changed(self) -> bool:
        """Whether `facts` could say anything else; costs at most three `os.stat`."""
        exists = self._exists()
        return exists != self._there or (exists and self.journal is not None and self.journal.changed())

    def seen(self) -> dict[str, State | None]:
        """How the files that grow stood."""
        if self.folder is None:
            return {}
        folder = os.fspath(self.folder)
        return dict(self.journal.seen()) if self._there and self.journal else {folder: state_of(folder)}

    def _exists(self) -> bool:
        return self.folder is not None and self.folder.is_dir()


def memory_of(
    store: Path | None, paths: Sequence[Path], *, health: Callable[[Path], Health | None] = lambda _: None
) -> Memory:
    """The memory of a store, or of plain paths; one that keeps nothing, and says why, where there is no place."""
    try:
        return Memory(state_folder(store, paths), health=health)
    except StoreError as error:
        return Memory(health=health, trouble=str(error))


BEHIND = "lasting changes are still being looked for"


class _Failure(NamedTuple):
    looks: int
    """Looks in a row that could not read the source."""
    since: datetime


class Observer:
    """Looks at the same paths again and again; what did not change is neither read nor judged anew.

    Args:
        config: Rules, metrics, zone.
        paths: Files and folders in the order in which they count.
        live: True for a store, where `now` is the clock; False for plain paths, where it is the newest row
            that is not after the clock.
        now: Overrides both.
        patience: Looks in a row that must fail before a source that cannot be read is an alert.
        memory: What people did, and how the watcher is.
        hurry: Leave of a large fleet what takes long to the second look; `changed` is then true after the first.
    """

    def __init__(
        self,
        config: Config,
        paths: Sequence[Path],
        *,
        live: bool = False,
        now: datetime | None = None,
        patience: int = 1,
        memory: Memory | None = None,
        hurry: bool = False,
    ) -> None:
        self.memory = memory or Memory()
        self.ack_for = config.watch.ack_for
        self._config = config
        self._rules = config.rules or default_rules()
        self._reader = Reader([str(path) for path in paths], catalog=config.catalog, zone=config.zone)
        self._live = live
        self._shelf = Shelf(paths)
        self._notices = tuple(_of_disks(paths)) if live else ()
        self._now = now
        self._patience = patience
        self._failures: dict[str, _Failure] = {}
        self._hurry = hurry
        self._judge = Judge(self._rules, config.catalog)

    def changed(self) -> bool:
        """Whether a new look could show anything else; costs one `os.stat` a file."""
        waiting = any(known.looks < self._patience for known in self._failures.values())
        return waiting or self._judge.behind or self._reader.changed() or self.memory.changed()

    def history(self) -> History:
        """What there is to judge, unjudged."""
        return self._reader.read()

    def seen(self) -> dict[str, State | None]:
        """How every file that counts, a configuration among them, stood at the last look: the same, the same answer."""
        configured = {os.fspath(path): state_of(os.fspath(path)) for path in places(self._config.path)}
        return self._reader.seen() | configured | self.memory.seen()

    def observe(self, clock: datetime, progress: Progress | None = None) -> Snapshot:
        """Read what is new, judge it, and say how everything stands.

        Args:
            clock: The true time, aware.
            progress: Called with (files read, files in all) while files are read.
        """
        history = self._reader.read(progress)
        now = self._now or (clock if self._live else _newest(history, clock))
        self._judge.look(history.series, hurry=self._hurry)
        self._hurry = False
        standings = self._judge.standings
        episodes = [*self._judge.episodes]
        episodes += self._silences(history, now)
        episodes += [source_error(problem, since) for problem, since in self._broken(history.problems, now)]
        facts = self.memory.facts()
        labels = label_news(history, self._config.catalog)
        # People live by the clock, also where the data is judged as of another moment.
        acks = taken(episodes, facts, clock)
        ordered = ordered_episodes(episodes, acks.keys())
        return Snapshot(
            taken_at=now,
            clock=clock,
            history=history,
            catalog=self._config.catalog,
            reference=self._config.reference,
            rules=_in_force(self._rules),
            episodes=ordered,
            standings=standings,
            verdicts=verdicts(
                history, ordered, standings, self._config.catalog, acknowledged=acks.keys(), labels=labels
            ),
            notices=self._notices + _idle(self._rules, history) + ((BEHIND,) if self._judge.behind else ()),
            labels=labels,
            facts=facts,
            suppressed=suppressions(ordered, facts, self._config.mutes, clock),
            acks=acks,
            health=self.memory.health(),
            exhibits=self._shelf,
        )

    def _silences(self, history: History, now: datetime) -> Iterable[Episode]:
        for model, periods in history.periods.items():
            found = no_data(model, periods, now, stale_after=self._config.stale_after, severity=self._config.on_no_data)
            if found is not None:
                yield found

    def _broken(self, problems: Iterable[Problem], now: datetime) -> list[tuple[Problem, datetime]]:
        """Sources that could not be read as often in a row as it takes to be an alert, and since when."""
        fatal = {problem.source: problem for problem in problems if problem.fatal}
        before = self._failures
        self._failures = {
            source: _Failure(before[source].looks + 1, before[source].since) if source in before else _Failure(1, now)
            for source in fatal
        }
        told = {source: known.since for source, known in self._failures.items() if known.looks >= self._patience}
        return [(fatal[source], since) for source, since in told.items()]


def _in_force(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules without those of which a limit of the command line leaves nothing."""
    limits = [rule for rule in rules if rule.override]
    return tuple(
        rule for rule in rules if rule.override or not any(fnmatchcase(rule.metric, limit.metric) for limit in limits)
    )


def _of_disks(folders: Sequence[Path]) -> Iterable[str]:
    """What a person should know of the disks that stores lie on."""
    for folder in folders:
        if kind := network_filesystem(folder):
            yield f"{folder} is on {kind}, where locks are not reliable: let each writer have a store of its own"


def _idle(rules: Sequence[Rule], history: History) -> tuple[str, ...]:
    """Configured rules that ask about nothing that is there: a name is misspelt, or a model is gone."""
    asking = [rule for rule in rules if not rule.default]
    if not asking or not history.series:
        return ()
    return tuple(
        f"rule {rule.name} asks about {rule.metric} of {rule.model}, segment {rule.segment}: there is no such series"
        for rule in asking
        if not any(rule.matches(key) for key in history.series)
    )


def _newest(history: History, clock: datetime) -> datetime:
    """Start of the newest period that is not after the clock; the clock itself without any."""
    stamp = to_stamp(clock)
    past = [times[index - 1] for times in history.periods.values() if (index := np.searchsorted(times, stamp, "right"))]
    return to_datetime(max(past)) if past else clock
