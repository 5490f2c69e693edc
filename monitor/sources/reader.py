"""History from files and folders; later looks read only what is new."""

from __future__ import annotations

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from monitor.errors import SourceError
from monitor.metrics.base import Catalog
from monitor.records import History, Problem, Series, SeriesKey
from monitor.sources.base import Block, Progress
from monitor.sources.dialect import to_utf8
from monitor.sources.files import find, open_regular
from monitor.sources.header import NoHistory
from monitor.sources.history_csv import Parser
from monitor.sources.merge import all_periods, merge

if TYPE_CHECKING:
    from monitor.records import Times


class Reader:
    """The history that a person's paths stand for.

    Args:
        paths: Files and folders; a later one is later.
        catalog: The metrics.
        zone: Holds for dates that name none.
        clock: Seconds since 1970, now.
    """

    def __init__(
        self, paths: Sequence[str], *, catalog: Catalog, zone: tzinfo = UTC, clock: Callable[[], float] = time.time
    ) -> None:
        self.paths = [os.fspath(path) for path in paths]
        self.catalog = catalog
        self.zone = zone
        self.clock = clock
        self._stats: dict[str, tuple[int, ...] | None] = {}

    def read(self, progress: Progress | None = None) -> History:
        """All history now."""
        found = find(self.paths)
        self._stats = {path: _stat(path) for path in self._watched(found)}
        problems = list(found.problems)
        blocks: list[Block] = []
        for number, file in enumerate(found.files, start=1):
            parser = Parser(file.path, file.model, catalog=self.catalog, zone=self.zone)
            try:
                descriptor, _ = open_regular(file.path)
                with open(descriptor, "rb") as stream:
                    data, _ = to_utf8(stream.read())
                blocks += parser.feed(data)
            except NoHistory as error:
                problems.append(Problem(file.path, str(error), fatal=file.named))
            except SourceError as error:
                problems.append(Problem(file.path, str(error), fatal=True))
            problems += parser.complaints.problems()
            if progress:
                progress(number, len(found.files))
        return history_of(blocks, self.catalog, problems)

    def _watched(self, found) -> list[str]:
        return [*self.paths, *(file.path for file in found.files)]

    def changed(self) -> bool:
        """Whether another look would see something else."""
        return any(_stat(path) != before for path, before in self._stats.items())

    def identity(self) -> str:
        """A digest of what the files are now."""
        text = repr([(path, _stat(path)) for path in self._watched(find(self.paths))])
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _stat(path: str) -> tuple[int, ...] | None:
    try:
        state = os.stat(path)
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino, state.st_mode, state.st_size, state.st_mtime_ns


def history_of(blocks: Sequence[Block], catalog: Catalog, problems: Sequence[Problem]) -> History:
    models: dict[str, dict[str, list[Block]]] = defaultdict(lambda: defaultdict(list))
    for block in blocks:
        models[block.model][block.segment].append(block)
    series: dict[SeriesKey, Series] = {}
    periods: dict[str, Times] = {}
    for model, segments in models.items():
        found = [one for group in segments.values() for one in merge(group, catalog)]
        first = {metric: place for place, metric in enumerate(dict.fromkeys(one.key.metric for one in found))}
        found.sort(key=lambda one: first[one.key.metric])
        series.update((one.key, one) for one in found)
        periods[model] = all_periods([block for group in segments.values() for block in group])
    return History(series, periods, tuple(problems))
