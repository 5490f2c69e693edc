"""One look after another: what is there, followed to incidents."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from monitor.errors import StoreError
from monitor.events import Followed
from monitor.facts import Facts, Standing
from monitor.incidents import Look as Sight
from monitor.incidents import follow, incident_of
from monitor.records import Condition, Episode
from monitor.snapshot import Snapshot
from monitor.watch import looked
from monitor.watch.looked import Looked
from monitor.watch.patience import SecondLook


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What was found."""

    snapshot: Snapshot
    followed: tuple[Followed, ...]
    """To be journaled before anybody is told."""
    newest: Mapping[str, datetime]
    """Per model, its newest period: what the next look counts from."""

    @property
    def doubts(self) -> bool:
        """Whether a source cannot be read, and that is no alert yet: it would have to fail again."""
        failing = {problem.source for problem in self.snapshot.history.problems if problem.fatal}
        alerts = (one for one in self.snapshot.episodes if one.condition is Condition.ERROR)
        return bool(failing - {one.key.model for one in alerts})


class Looker:
    """Knows of the last look what the next one needs, also that of an earlier process.

    Args:
        folder: The state folder.
        wait: Time between the first look that finds no data and the one that counts.
    """

    def __init__(self, folder: Path, wait: timedelta) -> None:
        self._folder = folder
        self._looked = looked.load_last_evaluation(folder)
        self.second = SecondLook(wait, self._looked.waiting)

    def look(self, snapshot: Snapshot, facts: Facts, now: datetime) -> Look:
        """What a snapshot, taken just now, means for the incidents that are known."""
        episodes = self.second.of(snapshot.episodes, now, lambda episode: _known(episode, facts))
        sight = Sight.of(snapshot.history, snapshot.standings, snapshot.rules)
        followed = follow(episodes, facts, now, look=sight, before=self._looked.newest)
        return Look(snapshot, followed, sight.newest(now))

    def keep(self, look: Look, *, saved: bool) -> None:
        """Count from this look on, once what it found is journaled.

        Args:
            look: The last one.
            saved: Whether that is on the disk; else the next process has to find it again.
        """
        seen = Looked(look.newest, self.second.seen)
        if saved and seen != self._looked:
            # Lost, nothing is told twice: what is over and was not seen open is then taken for the past.
            with contextlib.suppress(StoreError):
                looked.save_last_evaluation(self._folder, seen)
        self._looked = seen


def _known(episode: Episode, facts: Facts) -> bool:
    incident = incident_of(episode, facts)
    return incident is not None and incident.standing is Standing.OPEN
