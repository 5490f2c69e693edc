"""One file, read once in full and then from where it ended."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo

import numpy as np

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import ReadProblem, to_datetime
from modeltop.core.stats.robust import distinct, median
from modeltop.history.csv.blocks import MAX_GROUPS, too_many_groups
from modeltop.history.csv.dialect import is_complete_row, split_chunks, to_utf8
from modeltop.history.csv.header import NoHistory
from modeltop.history.csv.repair import repair
from modeltop.history.csv.tolerant import TolerantParser
from modeltop.history.csv.vectorized import BLOCK_BYTES, MIN_BYTES, ParseInput, ParseResult, parse_batch
from modeltop.history.discovery import HistoryFile, open_regular
from modeltop.history.file_stat import FileStat, file_stat
from modeltop.history.growable import GrowableBlock, Key, append_blocks
from modeltop.history.merge import Block


@dataclass(frozen=True, slots=True)
class FutureRows:
    """The newest row of a model, where it lies more than one period after now."""

    model: str
    newest: np.datetime64
    period: np.timedelta64
    """The median step between its periods; a day where there is one row."""

    def is_future(self, now: float) -> bool:
        """Whether it still does, `now` seconds after 1970."""
        return bool(self.newest > _stamp(now) + self.period)

    def to_problem(self, source: str) -> ReadProblem:
        """The same, for a person."""
        row = f"model `{self.model[:40]}`: its newest row, {to_datetime(self.newest):%Y-%m-%d %H:%M}, is in the future"
        return ReadProblem(source, f"{row}: check the clock, and the zone of the dates")


def find_future_rows(block: Block, now: float) -> FutureRows | None:
    """The newest row of `block`, if it lies more than one period after now."""
    newest = block.times.max()
    if newest <= _stamp(now):
        return None
    steps = np.diff(distinct(block.times)).astype(np.int64)
    period = np.timedelta64(int(median(steps)), "us") if len(steps) else np.timedelta64(1, "D")
    found = FutureRows(block.model, newest, period)
    return found if found.is_future(now) else None


def _stamp(now: float) -> np.datetime64:
    return np.datetime64(round(now * 1e6), "us")


QUIET_SECONDS = 5.0
"""A last line without its end counts once nothing was written for this long: its writer has stopped."""
FINGERPRINT_BYTES = 2**20
"""Up to here all that was read is compared before reading on; of a larger file this much of its head and its end."""
CHUNK_BYTES = 8 * 2**20
"""Text in hand at once, some ten times which Python needs to split it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What was read of a file: whole lines, and what stands behind the last line end."""

    lines: bytes
    partial_line: bytes
    from_start: bool
    """True if it begins with the file's first line."""


class FileTail:
    """Follows one file; `blocks` and `problems` are what it says now.

    Args:
        file: Where, and whether a person named it.
        catalog: The metrics.
        zone: Holds for dates that name none.
    """

    def __init__(self, file: HistoryFile, *, catalog: MetricRegistry, zone: tzinfo) -> None:
        self.file = file
        self.catalog = catalog
        self.zone = zone
        self.stat: FileStat | None = None
        """The state that `blocks` and `problems` are from."""
        self.blocks: tuple[Block, ...] = ()
        self.problems: tuple[ReadProblem, ...] = ()
        self.in_volume = False
        """Whether there is enough to read for the fast reader."""
        self._retry = True  # look again, whatever the state says
        self._mtime = 0.0
        self._quiet_at: float | None = None
        self._since = 0.0
        self._forget()

    def _forget(self) -> None:
        self.parser = TolerantParser(self.file.path, self.file.model, catalog=self.catalog, zone=self.zone)
        self._grown: dict[Key, GrowableBlock] = {}
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._early: list[FutureRows] = []
        self._broken = False
        self._print: tuple[int, int] | None = None

    @property
    def is_missing(self) -> bool:
        """Whether a file of a folder went away between listing and opening: then it is not there, and no problem."""
        return self._retry and not self.file.is_explicit and not os.path.lexists(self.file.path)

    def is_partial_line_due(self, now: float) -> bool:
        """Whether a last line without its end has waited long enough."""
        return self._quiet_at is not None and now >= self._quiet_at

    def future_problems(self, now: float) -> list[ReadProblem]:
        """What is dated more than one period after now, as far as it still is."""
        return [one.to_problem(self.file.path) for one in self._early if one.is_future(now)]

    def pending_bytes(self) -> int:
        """Bytes that a look would read, as far as can be told without opening the file."""
        state = file_stat(self.file.path)
        if state is None or state == self.stat:
            return 0
        return state[3] - self._offset if state[3] >= self._offset else state[3]

    def rename(self, file: HistoryFile) -> None:
        """The model's name changed, as another file of the same stem came or went."""
        if file.model != self.file.model and self.parser.schema and self.parser.schema.model is None:
            self._grown = {
                (file.model, *key[1:]): GrowableBlock(replace(grown.block, model=file.model))
                for key, grown in self._grown.items()
            }
            self.blocks = tuple(replace(block, model=file.model) for block in self.blocks)
        self.file, self.parser.model = file, file.model

    def read(self, now: float) -> Chunk | None:
        """Reads what is new. None if there is nothing, or if it failed: then `problems` says so and `blocks` stay."""
        state = file_stat(self.file.path)
        if state == self.stat and not self.is_partial_line_due(now) and not self._retry:
            return None
        if state != self.stat:
            self._since = now
        self.stat, self._retry = state, False
        try:
            descriptor, opened = open_regular(self.file.path)
        except SourceError as error:
            self._fail(error)
            return None
        try:
            return self._read_chunk(descriptor, opened)
        except (SourceError, OSError) as error:
            self._fail(error)
            return None
        finally:
            os.close(descriptor)

    def _fail(self, error: Exception) -> None:
        """The last good data stay, and a problem says that they are old."""
        kept = "; what was read before is shown" if self.blocks else ""
        self.problems = (ReadProblem(self.file.path, f"{error}{kept}", fatal=True),)
        self._quiet_at, self._retry = None, True

    def _read_chunk(self, descriptor: int, opened: os.stat_result) -> Chunk:
        size = opened.st_size
        identity = opened.st_dev, opened.st_ino
        onward = identity == self._identity and size >= self._offset and self._unchanged(descriptor)
        data = _bytes(descriptor, self._offset, size) if onward else b""
        if onward and not (data.startswith(b"\n") and _bytes(descriptor, self._offset - 1, self._offset) == b"\r"):
            wide = False
        else:
            self._forget()
            onward = False
            raw = _bytes(descriptor, 0, size)
            data, wide = to_utf8(raw)
        end = data.rfind(b"\n") + 1
        if not end and not onward:
            end = data.rfind(b"\r") + 1
        piece = Chunk(data[:end], data[end:], not onward)
        self._identity = None if wide else identity
        self._offset = size - len(piece.partial_line)
        self._mtime = opened.st_mtime
        if end or not onward:
            read = raw if not onward else None
            self._print = self._fingerprint(descriptor, read)
        return piece

    def _unchanged(self, descriptor: int) -> bool:
        return self.parser.whole and self._offset > 0 and self._fingerprint(descriptor) == self._print

    def _fingerprint(self, descriptor: int, raw: bytes | None = None) -> tuple[int, int]:
        """Of the bytes up to the offset: their head, and what is not head of their last part."""
        head = min(self._offset, FINGERPRINT_BYTES)
        spans = ((0, head), (max(head, self._offset - FINGERPRINT_BYTES), self._offset))
        one, two = (raw[a:b] if raw is not None else _bytes(descriptor, a, b) for a, b in spans)
        return zlib.crc32(one), zlib.crc32(two)

    def apply(self, piece: Chunk, now: float, parsed: ParseResult | None = None) -> None:
        """Makes `blocks` and `problems` of what was read.

        Args:
            piece: From `look`.
            now: Seconds since 1970.
            parsed: What the fast reader made of its whole lines behind the header that the parser knows already.
        """
        try:
            self._apply(piece, now, parsed)
        except NoHistory as error:
            self._drop(str(error), fatal=self.file.is_explicit)
        except SourceError as error:
            self._drop(str(error), fatal=True)

    def _drop(self, message: str, *, fatal: bool) -> None:
        self._forget()
        self.blocks, self._quiet_at = (), None
        self.problems = (ReadProblem(self.file.path, message, fatal=fatal),)

    def _apply(self, piece: Chunk, now: float, parsed: ParseResult | None) -> None:
        if parsed is not None:
            self.parser.add_result(parsed)
            self._grow(parsed.blocks)
        else:
            for lines in split_chunks(self._without_header(piece.lines), CHUNK_BYTES):
                self._feed(lines)
        parser, extra = self.parser, list[Block]()
        waits = self._waits(piece.partial_line, now)
        if piece.partial_line and not waits:
            parser = parser.fork()
            extra = parser.feed(piece.partial_line)
        if parser.schema is None and not waits:
            raise NoHistory("the file is empty: write a header and a first row")
        self.blocks = (*(grown.block for grown in self._grown.values()), *extra)
        self.problems = (*parser.problems.problems(), *self._status_problems(parser, waits=waits))
        self._early = [found for block in self.blocks if (found := find_future_rows(block, now))]

    def _without_header(self, lines: bytes) -> bytes:
        """Reads the header by itself, so that the fast reader may have the rest."""
        end = lines.find(b"\n") + 1
        if self.parser.schema is None and self.in_volume and is_complete_row(lines[:end]):
            self._grow(self.parser.feed(lines[:end]))
            return lines[end:]
        return lines

    def _feed(self, lines: bytes) -> None:
        """The rows of one piece: in volume by the fast reader, unless too much is wrong."""
        layout = self.parser.schema
        small = len(lines) < MIN_BYTES // 4 or not self.in_volume
        if layout is None or small:
            self._grow(self.parser.feed(lines))
            return
        zone = layout.zone(self.zone)
        # Between stray quotes only the rows themselves tell where to cut.
        for part in [lines] if b'"' in lines else split_chunks(lines, BLOCK_BYTES):
            text = ParseInput(self.file.model, part)
            # Where one piece was broken the next one most likely is, and nothing is lost if it is not.
            parsed = None if self._broken else parse_batch([text], layout, catalog=self.catalog, zone=zone)[0]
            self._broken = parsed is None
            if parsed is None:
                parsed = repair(text, layout, catalog=self.catalog, zone=zone)
                self._broken = parsed is not None and any(part.error_count() for part in parsed.problems)
            if parsed is not None:
                self.parser.add_result(parsed)
            self._grow(self.parser.feed(part) if parsed is None else parsed.blocks)

    def _grow(self, blocks: Iterable[Block]) -> None:
        long = self.parser.schema is not None and self.parser.schema.metric is not None
        append_blocks(self._grown, blocks, long=long)
        if len(self._grown) > MAX_GROUPS:
            raise SourceError(too_many_groups(len(self._grown)))

    def _waits(self, tail: bytes, now: float) -> bool:
        """Whether a last line without its end may still be in the making."""
        quiet_at = min(self._mtime, self._since) + QUIET_SECONDS
        waits = bool(tail) and now < quiet_at
        self._quiet_at = quiet_at if waits else None
        return waits

    def _status_problems(self, parser: TolerantParser, *, waits: bool) -> list[ReadProblem]:
        if waits:
            message = f"the last line has no end yet: it counts once the file was quiet for {QUIET_SECONDS:.0f} s"
            return [ReadProblem(self.file.path, message, parser.lines + 1)]
        if not self.blocks and not parser.problems.problems():
            return [ReadProblem(self.file.path, "a header and no rows yet: append one")]
        return []


def _bytes(descriptor: int, start: int, end: int) -> bytes:
    found = []
    while start < end:
        more = os.pread(descriptor, end - start, start)
        if not more:
            break  # it was cut short meanwhile; the next look sees that
        found.append(more)
        start += len(more)
    return b"".join(found)
