"""History from files and folders; a repeated read reads only new content."""

from __future__ import annotations

import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import cache, partial
from types import MappingProxyType

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import FileSummary, History, ReadProblem, Series, SeriesKey, Times
from modeltop.history.csv.dialect import sniff_delimiter
from modeltop.history.csv.header import CsvSchema, read_header
from modeltop.history.csv.in_volume import BLOCK_BYTES, MIN_BYTES, convert_sound
from modeltop.history.csv.layout import NO_SOURCES, Sources
from modeltop.history.discovery import Discovery, HistoryFile, discover, list_history_files
from modeltop.history.fetched import FetchedTail, piped_to_csv
from modeltop.history.files import STDIN, FileStat, file_stat
from modeltop.history.locations import as_typed
from modeltop.history.merge import (
    Block,
    Progress,
    VersionStarts,
    all_periods,
    are_identical,
    merge_blocks,
    version_starts,
)
from modeltop.history.period_lengths import PeriodLengths
from modeltop.history.separation import note_renamed, separate
from modeltop.history.sources import POLL_SECONDS, is_service, service_fetcher
from modeltop.history.tail import Chunk, FileTail

NEVER: FileStat = (0, 0, 0, 0, 0, 0)
"""The state of no file: what depends on it is never current."""
UNSETTLED_SECONDS = 2.0
"""A folder changed as shortly as this before it was listed may change again without its time showing it."""


class HistoryCache:
    """Cache of histories: objects built from the same blocks as before are reused."""

    def __init__(self, catalog: MetricRegistry) -> None:
        self.catalog = catalog
        self._merged: dict[tuple[str, str], tuple[tuple[Block, ...], list[Series], dict[SeriesKey, Times]]] = {}
        self._periods: dict[str, tuple[tuple[Block, ...], Times, VersionStarts]] = {}
        self._last: tuple[tuple[Block, ...], History] | None = None
        self._placement_problems: list[ReadProblem] = []

    def history(
        self, blocks: Iterable[Block], problems: Sequence[ReadProblem], files: Iterable[FileSummary] = ()
    ) -> History:
        """Return the history of `blocks`, in the order in which they count, with what was found out about files."""
        current = tuple(blocks)
        if self._last is None or not are_identical(current, self._last[0]):
            separated, self._placement_problems = separate(current, self.catalog)
            self._placement_problems += note_renamed(current)
            self._last = current, self._build(separated)
        history, notes = self._last[1], ((*problems, *self._placement_problems), tuple(files))
        if notes != (history.problems, history.files):
            history = replace(history, problems=notes[0], files=notes[1])
            self._last = current, history
        return history

    def _build(self, blocks: Iterable[Block]) -> History:
        models: dict[str, dict[str, list[Block]]] = defaultdict(lambda: defaultdict(list))
        for block in blocks:
            models[block.model][block.segment].append(block)
        merged, periods, series = self._merged, self._periods, dict[SeriesKey, Series]()
        refused: dict[SeriesKey, Times] = {}
        self._merged, self._periods = {}, {}
        for model, segments in models.items():
            of_model: list[Series] = []
            for segment, group in segments.items():
                key, members = (model, segment), tuple(sorted(group, key=lambda block: not block.is_renamed))
                cached = merged.get(key)
                if not cached or not are_identical(cached[0], members):
                    cached = members, *merge_blocks(members, self.catalog)
                self._merged[key] = cached
                of_model += cached[1]
                refused.update(cached[2])
            # Metrics in the order in which they were first met, each with its segments.
            order = {metric: index for index, metric in enumerate(dict.fromkeys(each.key.metric for each in of_model))}
            series.update((each.key, each) for each in sorted(of_model, key=lambda each: order[each.key.metric]))
            members = tuple(block for group in segments.values() for block in group)
            times = periods.get(model)
            if not times or not are_identical(times[0], members):
                times = members, all_periods(members), version_starts(members)
            self._periods[model] = times
        return History(
            series,
            {model: times for model, (_, times, _) in self._periods.items()},
            refused=refused,
            versions={model: versions for model, (_, _, versions) in self._periods.items() if versions},
        )


class BatchParser:
    """Collector of text read from many files, which parses it a few megabytes at a time.

    Args:
        now: Seconds since 1970.
        catalog: The metrics.
        zone: Time zone of dates that name none.
    """

    def __init__(self, now: float, *, catalog: MetricRegistry, zone: tzinfo) -> None:
        self.now = now
        self.catalog = catalog
        self.zone = zone
        self._schema = cache(partial(_simple_schema, catalog=catalog))
        self._pending: dict[bytes, list[tuple[FileTail, Chunk]]] = defaultdict(list)
        self._bytes = 0

    def add(self, tail: FileTail, chunk: Chunk) -> None:
        """Parse a chunk at once, or together with others of the same header."""
        text = chunk.complete
        header = text[: text.find(b"\n") + 1]
        is_alone = not chunk.from_start or not tail.layout.is_empty or len(text) > BLOCK_BYTES
        if is_alone or not header or self._schema(header) is None:
            tail.apply(chunk, self.now)
            return
        self._pending[header].append((tail, chunk))
        self._bytes += len(text)
        if self._bytes >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Parse all chunks that are still pending."""
        for header, members in self._pending.items():
            if (schema := self._schema(header)) is None:
                continue
            texts = [chunk.complete[len(header) :] for _, chunk in members]
            conversions = convert_sound(texts, schema, catalog=self.catalog, zone=schema.zone(self.zone))
            for (tail, chunk), conversion in zip(members, conversions, strict=True):
                if conversion is not None:
                    tail.parser.set_schema(schema)
                tail.apply(chunk, self.now, conversion)
        self._pending.clear()
        self._bytes = 0


def _simple_schema(header: bytes, catalog: MetricRegistry) -> CsvSchema | None:
    """Return the schema of a header line; None if only the parser can make something of it."""
    try:
        text = header.decode("utf-8").rstrip("\r\n")
        delimiter = sniff_delimiter(text)
        schema = None if '"' in text or "\r" in text else read_header(text.split(delimiter), delimiter, catalog)
    except (UnicodeDecodeError, SourceError):
        return None
    return schema if schema is not None and schema.is_dated else None


class Reader:
    """The history in the paths that a person gave.

    A file that only grew is read from its old end, an address fetched once a minute. The content of what cannot be read
    any more stays, with a fatal problem. Not to be used from two threads at once.

    Args:
        paths: Files, folders and addresses of services; a later one is later.
        catalog: The metrics.
        zone: Time zone of dates that name none.
        aliases: Earlier name of a model → the name it has now: both are one model.
        sources: The configured layouts of the files.
        clock: Returns the seconds since 1970.
        piped: What came in by standard input, if `-` is one of the paths.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        catalog: MetricRegistry,
        zone: tzinfo = UTC,
        aliases: Mapping[str, str] = MappingProxyType({}),
        sources: Sources = NO_SOURCES,
        clock: Callable[[], float] = time.time,
        piped: bytes | None = None,
    ) -> None:
        self.paths = [as_typed(os.fspath(path)) for path in paths]
        self.catalog = catalog
        self.zone = zone
        self.aliases = aliases
        self.sources = sources
        self.clock = clock
        self.piped = piped
        self.failures: dict[str, int] = {}
        """Source that cannot be read now → how many reads in a row have failed."""
        self._discovery = Discovery((), {}, ())
        self._tails: dict[str, FileTail] = {}
        self._stats: dict[str, FileStat | None] = {}
        self._unsettled: set[str] = set()
        self._lengths = PeriodLengths()
        self._cache = HistoryCache(catalog)

    def read(self, progress: Progress | None = None) -> History:
        """Return all history now; unchanged series, or a history that did not change at all, are the same objects."""
        now = self.clock()
        stats = {path: file_stat(path) for path in self.paths}
        self._tails = self._find_tails()
        self._stats = {**stats, **self._discovery.stats}
        self._unsettled = {
            path for path, state in self._stats.items() if state and now - state[4] / 1e9 < UNSETTLED_SECONDS
        }
        self._read_new(now, progress)
        self._tails = {path: tail for path, tail in self._tails.items() if not tail.is_missing}
        return self._history()

    def mark_stale(self) -> None:
        """Let the next read read every file anew, even if none shows a change."""
        for tail in self._tails.values():
            tail.mark_stale()

    def open_tails(self) -> list[FileTail]:
        """Return the followers of all files there are now, for a caller that reads them itself."""
        self._tails = self._find_tails()
        return list(self._tails.values())

    def _find_tails(self) -> dict[str, FileTail]:
        self._discovery = discover(self.paths, self._discovery.folders)
        return {file.path: self._tail_of(file) for file in self._discovery.files}

    def _tail_of(self, file: HistoryFile) -> FileTail:
        if (tail := self._tails.get(file.path)) is not None:
            tail.rename(file)
            return tail
        layout = self.sources.layout_of(file.path)
        fetch, interval = (service_fetcher(file.path), POLL_SECONDS) if is_service(file.path) else (None, math.inf)
        if (piped := self.piped) is not None and file.path == STDIN:
            file, fetch = replace(file, path=file.model), lambda _: piped_to_csv(piped)
        if fetch is None:
            return FileTail(file, catalog=self.catalog, zone=self.zone, aliases=self.aliases, layout=layout)
        return FetchedTail(
            file,
            fetch,
            interval=interval,
            catalog=self.catalog,
            zone=self.zone,
            aliases=self.aliases,
            layout=layout,
        )

    def _read_new(self, now: float, progress: Progress | None) -> None:
        tails = list(self._tails.values())
        in_volume = sum(tail.pending_bytes() for tail in tails) >= MIN_BYTES
        batch = BatchParser(now, catalog=self.catalog, zone=self.zone)
        for count, tail in enumerate(tails, start=1):
            chunk = tail.read(now)
            # Packed files and fetched text show their size only once they are read.
            in_volume |= chunk is not None and len(chunk.lines) >= MIN_BYTES
            tail.parser.in_volume = in_volume
            if chunk is not None and in_volume:
                batch.add(tail, chunk)
            elif chunk is not None:
                tail.apply(chunk, now)
            if progress:
                progress(count, len(tails))
        batch.flush()

    def _history(self) -> History:
        tails = self._tails.values()
        blocks, of_lengths = self._lengths.separate({path: tail.blocks for path, tail in self._tails.items()})
        of_files = (problem for tail in tails for problem in tail.problems)
        problems = (*self._discovery.problems, *of_files, *of_lengths)
        failed = dict.fromkeys(problem.source for problem in problems if problem.fatal)
        self.failures = {source: self.failures.get(source, 0) + 1 for source in failed}
        files = [tail.summary for tail in tails if tail.summary is not None]
        return self._cache.history(blocks, problems, files)

    def has_changed(self) -> bool:
        """Return whether another read would find something else, by the state of files and folders alone."""
        now = self.clock()
        if any(file_stat(path) != state for path, state in self._stats.items()):
            return True
        if any(tail.is_due(now) or file_stat(path) != tail.stat for path, tail in self._tails.items()):
            return True
        return any(self._lists_other_files(path) for path in self._unsettled & self._discovery.folders.keys())

    def _lists_other_files(self, folder: str) -> bool:
        try:
            return tuple(list_history_files(folder) or ()) != self._discovery.folders[folder]
        except OSError:
            return True

    def modification_times(self) -> list[float]:
        """Return when each file was last written, in seconds since 1970, by the clock of whoever writes it."""
        states = (file_stat(file.path) for file in discover(self.paths, self._discovery.folders).files)
        return [state[4] / 1e9 for state in states if state is not None]

    def file_stats(self) -> dict[str, FileStat | None]:
        """Return how every file and folder stood when it was last read: the same states, the same history."""
        stats = self._stats | {path: tail.stat for path, tail in self._tails.items()}
        return stats if self.piped is None else stats | {STDIN: NEVER}
