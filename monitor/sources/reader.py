"""History from files and folders; later looks read only what is new."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, tzinfo

from monitor.metrics.base import Catalog
from monitor.records import History, Problem
from monitor.sources.assembly import Assembly
from monitor.sources.base import Progress
from monitor.sources.bulk import Bulk
from monitor.sources.fast_csv import WORTH_BYTES
from monitor.sources.files import Found, HistoryFile, find, inside_of
from monitor.sources.follow import Follower
from monitor.sources.state import State, state_of

UNSETTLED_SECONDS = 2.0
"""A folder changed as shortly as this before it was listed may change again without its time showing it."""


class Reader:
    """The history that a person's paths stand for.

    A file that only grew is read from where it ended. What was read of a file that cannot be opened any more is
    kept, and a fatal problem says so. Not to be used from two threads at once.

    Args:
        paths: Files and folders; a later one is later.
        catalog: The metrics.
        zone: Holds for dates that name none.
        clock: Seconds since 1970, now.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        catalog: Catalog,
        zone: tzinfo = UTC,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.paths = [os.fspath(path) for path in paths]
        self.catalog = catalog
        self.zone = zone
        self.clock = clock
        self.failures: dict[str, int] = {}
        """Per source that cannot be read now, how many looks in a row have failed."""
        self._found = Found((), {}, ())
        self._followers: dict[str, Follower] = {}
        self._states: dict[str, State | None] = {}
        self._unsettled: set[str] = set()
        self._assembly = Assembly(catalog)

    def read(self, progress: Progress | None = None) -> History:
        """All history now. Unchanged series, or the whole unchanged history, are the very same objects as before."""
        now = self.clock()
        self._states = {path: state_of(path) for path in self.paths}
        self._unsettled = {
            path for path, state in self._states.items() if state and now - state[4] / 1e9 < UNSETTLED_SECONDS
        }
        self._found = find(self.paths, self._found.folders)
        before = self._followers
        self._followers = {file.path: self._follower(file, before) for file in self._found.files}
        self._look(now, progress)
        self._followers = {path: one for path, one in self._followers.items() if not one.gone}
        return self._history(now)

    def _look(self, now: float, progress: Progress | None) -> None:
        """Reads what is new in all files."""
        followers = list(self._followers.values())
        in_volume = sum(one.expected() for one in followers) >= WORTH_BYTES
        bulk = Bulk(now, catalog=self.catalog, zone=self.zone)
        for number, follower in enumerate(followers, start=1):
            piece = follower.look(now)
            follower.in_volume = in_volume
            if piece is not None and in_volume:
                bulk.add(follower, piece)
            elif piece is not None:
                follower.take(piece, now)
            if progress:
                progress(number, len(followers))
        bulk.flush()

    def _follower(self, file: HistoryFile, before: dict[str, Follower]) -> Follower:
        follower = before.get(file.path)
        if follower is None:
            return Follower(file, catalog=self.catalog, zone=self.zone)
        follower.rename(file)
        return follower

    def _history(self, now: float) -> History:
        followers = self._followers.values()
        told = (problem for one in followers for problem in (*one.problems, *one.early(now)))
        problems = (*self._found.problems, *told)
        self._count_failures(problems)
        return self._assembly.history([block for one in followers for block in one.blocks], problems)

    def _count_failures(self, problems: Iterable[Problem]) -> None:
        failed = dict.fromkeys(problem.source for problem in problems if problem.fatal)
        self.failures = {source: self.failures.get(source, 0) + 1 for source in failed}

    def changed(self) -> bool:
        """Whether another look would see something else; asks the system only for the state of files and folders."""
        now = self.clock()
        if any(state_of(path) != state for path, state in self._states.items()):
            return True
        if any(one.due(now) or state_of(path) != one.seen for path, one in self._followers.items()):
            return True
        return any(self._listed_anew(path) for path in self._unsettled & self._found.folders.keys())

    def _listed_anew(self, folder: str) -> bool:
        try:
            return tuple(inside_of(folder) or ()) != self._found.folders[folder]
        except OSError:
            return True

    def seen(self) -> dict[str, State | None]:
        """How every file and folder stood when it was last read: the same states, the same history."""
        return self._states | {path: one.seen for path, one in self._followers.items()}
