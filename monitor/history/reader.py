"""History from files and folders; later looks read only what is new."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import History, ReadProblem, Series, SeriesKey
from modeltop.history.csv.dialect import sniff_delimiter
from modeltop.history.csv.header import CsvSchema, read_header
from modeltop.history.csv.vectorized import BLOCK_BYTES, MIN_BYTES, ParseInput, parse_batch
from modeltop.history.discovery import Discovery, HistoryFile, discover, list_csv_files
from modeltop.history.file_stat import FileStat, file_stat
from modeltop.history.merge import Block, Progress, all_periods, merge_blocks
from modeltop.history.tail import Chunk, FileTail

if TYPE_CHECKING:
    from modeltop.core.series import Times


class HistoryCache:
    """Makes histories, and remembers from which blocks each part was made.

    Args:
        catalog: Gives the direction of each metric.
    """

    def __init__(self, catalog: MetricRegistry) -> None:
        self.catalog = catalog
        self._merged: dict[tuple[str, str], tuple[tuple[Block, ...], list[Series]]] = {}
        self._periods: dict[str, tuple[tuple[Block, ...], Times]] = {}
        self._last: tuple[tuple[Block, ...], History] | None = None

    def history(self, blocks: Iterable[Block], problems: Sequence[ReadProblem]) -> History:
        """The history of `blocks`, in the order in which they count."""
        given = tuple(blocks)
        if self._last and _same(given, self._last[0]):
            if tuple(problems) == self._last[1].problems:
                return self._last[1]
            history = History(self._last[1].series, self._last[1].periods, tuple(problems))
        else:
            history = self._build(given, tuple(problems))
        self._last = given, history
        return history

    def _build(self, blocks: tuple[Block, ...], problems: tuple[ReadProblem, ...]) -> History:
        models: dict[str, dict[str, list[Block]]] = defaultdict(lambda: defaultdict(list))
        for block in blocks:
            models[block.model][block.segment].append(block)
        merged, periods, series = self._merged, self._periods, dict[SeriesKey, Series]()
        self._merged, self._periods = {}, {}
        for model, segments in models.items():
            found: list[Series] = []
            for segment, group in segments.items():
                key, parts = (model, segment), tuple(group)
                kept = merged.get(key)
                self._merged[key] = (
                    kept if kept and _same(kept[0], parts) else (parts, merge_blocks(parts, self.catalog))
                )
                found += self._merged[key][1]
            series.update((one.key, one) for one in _by_metric(found))
            every = tuple(block for group in segments.values() for block in group)
            times = periods.get(model)
            self._periods[model] = times if times and _same(times[0], every) else (every, all_periods(every))
        return History(series, {model: times for model, (_, times) in self._periods.items()}, problems)


def _same(one: Sequence[Block], other: Sequence[Block]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def _by_metric(series: Sequence[Series]) -> list[Series]:
    """Metrics in the order in which they were first met, each with its segments."""
    first = {metric: place for place, metric in enumerate(dict.fromkeys(one.key.metric for one in series))}
    return sorted(series, key=lambda one: first[one.key.metric])


class BatchParser:
    """Gathers what was read of many files, and hands it over a few megabytes at a time.

    Args:
        now: Seconds since 1970.
        catalog: The metrics.
        zone: Holds for dates that name none.
    """

    def __init__(self, now: float, *, catalog: MetricRegistry, zone: tzinfo) -> None:
        self.now = now
        self.catalog = catalog
        self.zone = zone
        self._layouts: dict[bytes, CsvSchema | None] = {}
        self._waiting: dict[bytes, list[tuple[FileTail, Chunk]]] = defaultdict(list)
        self._bytes = 0

    def add(self, follower: FileTail, piece: Chunk) -> None:
        """Take a piece in, now or with others like it."""
        header = piece.lines[: piece.lines.find(b"\n") + 1]
        if not piece.from_start or not header or len(piece.lines) > BLOCK_BYTES or self._schema(header) is None:
            follower.apply(piece, self.now)
            return
        self._waiting[header].append((follower, piece))
        self._bytes += len(piece.lines)
        if self._bytes >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand over what still waits."""
        for header, members in self._waiting.items():
            layout = self._schema(header)
            if layout is not None:
                self._parse_batch(layout, len(header), members)
        self._waiting.clear()
        self._bytes = 0

    def _parse_batch(self, layout: CsvSchema, start: int, members: Sequence[tuple[FileTail, Chunk]]) -> None:
        texts = [ParseInput(follower.file.model, piece.lines[start:]) for follower, piece in members]
        results = parse_batch(texts, layout, catalog=self.catalog, zone=layout.zone(self.zone))
        for (follower, piece), parsed in zip(members, results, strict=True):
            if parsed is not None:
                follower.parser.set_schema(layout)
            follower.apply(piece, self.now, parsed)

    def _schema(self, header: bytes) -> CsvSchema | None:
        """The layout of a header line; None where only the tolerant reader knows what to make of it."""
        if header not in self._layouts:
            self._layouts[header] = _simple_schema(header, self.catalog)
        return self._layouts[header]


def _simple_schema(header: bytes, catalog: MetricRegistry) -> CsvSchema | None:
    try:
        text = header.decode("utf-8").rstrip("\r\n")
        delimiter = sniff_delimiter(text)
        return None if '"' in text or "\r" in text else read_header(text.split(delimiter), delimiter, catalog)
    except (UnicodeDecodeError, SourceError):
        return None


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
        catalog: MetricRegistry,
        zone: tzinfo = UTC,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.paths = [os.fspath(path) for path in paths]
        self.catalog = catalog
        self.zone = zone
        self.clock = clock
        self.failures: dict[str, int] = {}
        """Per source that cannot be read now, how many looks in a row have failed."""
        self._found = Discovery((), {}, ())
        self._followers: dict[str, FileTail] = {}
        self._states: dict[str, FileStat | None] = {}
        self._unsettled: set[str] = set()
        self._assembly = HistoryCache(catalog)

    def read(self, progress: Progress | None = None) -> History:
        """All history now. Unchanged series, or the whole unchanged history, are the very same objects as before."""
        now = self.clock()
        self._states = {path: file_stat(path) for path in self.paths}
        self._unsettled = {
            path for path, state in self._states.items() if state and now - state[4] / 1e9 < UNSETTLED_SECONDS
        }
        self._found = discover(self.paths, self._found.folders)
        before = self._followers
        self._followers = {file.path: self._tail_of(file, before) for file in self._found.files}
        self._read_new(now, progress)
        self._followers = {path: one for path, one in self._followers.items() if not one.is_missing}
        return self._history(now)

    def _read_new(self, now: float, progress: Progress | None) -> None:
        """Reads what is new in all files."""
        followers = list(self._followers.values())
        in_volume = sum(one.pending_bytes() for one in followers) >= MIN_BYTES
        bulk = BatchParser(now, catalog=self.catalog, zone=self.zone)
        for number, follower in enumerate(followers, start=1):
            piece = follower.read(now)
            follower.in_volume = in_volume
            if piece is not None and in_volume:
                bulk.add(follower, piece)
            elif piece is not None:
                follower.apply(piece, now)
            if progress:
                progress(number, len(followers))
        bulk.flush()

    def _tail_of(self, file: HistoryFile, before: dict[str, FileTail]) -> FileTail:
        follower = before.get(file.path)
        if follower is None:
            return FileTail(file, catalog=self.catalog, zone=self.zone)
        follower.rename(file)
        return follower

    def _history(self, now: float) -> History:
        followers = self._followers.values()
        told = (problem for one in followers for problem in (*one.problems, *one.future_problems(now)))
        problems = (*self._found.problems, *told)
        self._count_failures(problems)
        return self._assembly.history([block for one in followers for block in one.blocks], problems)

    def _count_failures(self, problems: Iterable[ReadProblem]) -> None:
        failed = dict.fromkeys(problem.source for problem in problems if problem.fatal)
        self.failures = {source: self.failures.get(source, 0) + 1 for source in failed}

    def has_changed(self) -> bool:
        """Whether another look would see something else; asks the system only for the state of files and folders."""
        now = self.clock()
        if any(file_stat(path) != state for path, state in self._states.items()):
            return True
        if any(one.is_partial_line_due(now) or file_stat(path) != one.stat for path, one in self._followers.items()):
            return True
        return any(self._relisted(path) for path in self._unsettled & self._found.folders.keys())

    def _relisted(self, folder: str) -> bool:
        try:
            return tuple(list_csv_files(folder) or ()) != self._found.folders[folder]
        except OSError:
            return True

    def file_stats(self) -> dict[str, FileStat | None]:
        """How every file and folder stood when it was last read: the same states, the same history."""
        return self._states | {path: one.stat for path, one in self._followers.items()}
