"""One file of history, read once in full and then from its last end."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from types import MappingProxyType

from modeltop.core.errors import SourceError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import FaultReason, FileSummary, ReadFault, ReadProblem, to_datetime
from modeltop.history.collisions import Collision, drop_series, find_collisions, locate, refuse_newest
from modeltop.history.csv.convert import ConvertedRows
from modeltop.history.csv.dialect import split_chunks, to_utf8
from modeltop.history.csv.header import NoHistory, no_date_column
from modeltop.history.csv.layout import DEFAULT_LAYOUT, Layout
from modeltop.history.csv.long_shape import LongShape
from modeltop.history.csv.misdated import MisdatedRows, misdated_models
from modeltop.history.csv.parser import NOTHING_KNOWN, CsvParser, PriorKnowledge
from modeltop.history.discovery import HistoryFile, open_regular
from modeltop.history.files import FileStat, TooLargeError, file_stat, read_range
from modeltop.history.formats import binary_reason, log_head_reason, may_be_history, text_reason
from modeltop.history.merge import MAX_GROUPS, Block, concat_blocks, too_many_groups
from modeltop.history.sources import file_converter
from modeltop.history.sources.gzipped import unpack_head
from modeltop.history.tables import HEAD_BYTES, log_reason

_BlockKey = tuple[str, str, tuple[str, ...]]
"""Model, segment and columns: the identity of a block within its file."""

QUIET_SECONDS = 5.0
"""A last line without its end counts once nothing was written for this long: its writer has stopped."""
FINGERPRINT_BYTES = 16 * 2**20
"""Up to twice this size all that was read is compared before reading on; of a larger file this much of its head and of
its end. It takes a millisecond a megabyte."""
CHECKED_AFTER = (2.0, 60.0)
"""Seconds after a change at which a file is compared though its times stay as they were. Network file systems round
times to two seconds; of a write through memory (`mmap`) Linux notes the first to a page, and the next once it has
written that page back, after 35 s at most."""
CHUNK_BYTES = 8 * 2**20
"""Bytes of text in hand at once; Python needs some ten times as many to split it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The bytes of one read, in UTF-8."""

    lines: bytes
    """Complete lines, each with its end."""
    last_line: bytes
    """The bytes after the last line end."""
    from_start: bool
    """True if it starts with the file's first line."""
    waits: bool
    """True if the last line may still be in the making."""

    @property
    def data(self) -> bytes:
        """All bytes."""
        return self.lines + self.last_line

    @property
    def complete(self) -> bytes:
        """The lines that count."""
        return self.lines if self.waits or not self.last_line else self.data + b"\n"


def whole(text: bytes) -> Chunk:
    """Return a text that is complete, also its last line."""
    return Chunk(text if text.endswith(b"\n") else text + b"\n", b"", from_start=True, waits=False)


class FileTail:
    """Follower of one file; `blocks` and `problems` are its current content.

    Args:
        file: The path, and whether a person named it.
        catalog: The metrics.
        zone: Time zone of dates that name none.
        aliases: Earlier name of a model → the name it has now.
        layout: The configured layout of its columns.
    """

    def __init__(
        self,
        file: HistoryFile,
        *,
        catalog: MetricRegistry,
        zone: tzinfo,
        aliases: Mapping[str, str] = MappingProxyType({}),
        layout: Layout = DEFAULT_LAYOUT,
    ) -> None:
        self.file = file
        self.aliases = aliases
        self.catalog = catalog
        self.layout = layout
        self.zone = layout.timezone or zone
        self.stat: FileStat | None = None
        """The state that `blocks` and `problems` are from."""
        self.blocks: tuple[Block, ...] = ()
        self.problems: tuple[ReadProblem, ...] = ()
        self.summary: FileSummary | None = None
        """How much of the file could be read; None if nothing."""
        self._retry = True  # read again, regardless of the file's stat
        self._quiet_at: float | None = None
        self._changed_at = 0.0
        self._is_rewritten = False
        self._checks: list[float] = []
        self._known = NOTHING_KNOWN
        """What the next read from the file's start must know."""
        self._reset()

    def _reset(self, known: PriorKnowledge = NOTHING_KNOWN) -> None:
        self.parser = CsvParser(
            self.file.path, self.file.model, catalog=self.catalog, zone=self.zone, known=known, layout=self.layout
        )
        self._collisions: list[Collision] = []
        self._misdated: dict[str, MisdatedRows] = {}
        self._read: dict[_BlockKey, list[Block]] = {}
        self._long_shape = LongShape(self.catalog)
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._fingerprint: tuple[int, int] | None = None
        self._converted: int | None = None
        """Checksum of the file that was read, if it is not CSV."""

    @property
    def is_missing(self) -> bool:
        """Whether a file of a folder went away between listing and opening, which is no problem."""
        return self._retry and not self.file.is_explicit and not os.path.lexists(self.file.path)

    def is_due(self, now: float) -> bool:
        """Return whether to read again `now`, in seconds since 1970, though the stat is the same.

        A last line without its end has waited long enough, or another change may not show in the file's times.
        """
        return (self._quiet_at is not None and now >= self._quiet_at) or any(now >= due for due in self._checks)

    def mark_stale(self, known: PriorKnowledge = NOTHING_KNOWN) -> None:
        """Let the next read read everything anew, knowing this."""
        self._retry, self.parser.is_resumable, self._known = True, False, known

    def pending_bytes(self) -> int:
        """Return how many bytes a read would process, as far as can be known without opening the file."""
        state = file_stat(self.file.path)
        is_stale = self._retry and not self.parser.is_resumable
        if state is None or (state == self.stat and not is_stale):
            return 0
        is_longer = self.stat is None or state[3] > self.stat[3]
        return state[3] - self._offset if is_longer and not is_stale else state[3]

    def rename(self, file: HistoryFile) -> None:
        """Change the model's name, because another file of the same stem appeared or disappeared."""
        if file.model != self.file.model and self.parser.schema and self.parser.schema.model is None:
            self.mark_stale()
        self.file, self.parser.model = file, file.model

    def read(self, now: float) -> Chunk | None:
        """Return the new blocks, `now` seconds after 1970.

        None if there are none, or if reading failed: then `problems` gives the reason and `blocks` stay.
        """
        state = file_stat(self.file.path)
        is_unchanged = state == self.stat and not self._retry
        if is_unchanged and not self.is_due(now):
            return None
        self._note_change(state, now)
        self.stat, self._retry = state, False
        try:
            descriptor, opened = open_regular(self.file.path)
        except TooLargeError as error:
            self._refuse(error)
            return None
        except SourceError as error:
            self._fail(error)
            return None
        try:
            chunk = self._read_chunk(descriptor, opened, now)
        except TooLargeError as error:
            self._refuse(error)
        except NoHistory as error:
            self._drop(str(error), fatal=bool(self.blocks) or self.file.is_explicit or self._is_called_csv())
        except (SourceError, OSError) as error:
            self._fail(error)
        else:
            return None if is_unchanged and not chunk.from_start and not chunk.data else chunk
        finally:
            os.close(descriptor)
        return None

    def _refuse(self, error: TooLargeError) -> None:
        """Report a file that is too large, which in a folder is no error if it is a log or of a format of logs."""
        reason = None
        with contextlib.suppress(OSError, SourceError), open(self.file.path, "rb") as file:  # noqa: PTH123  a Path would lose `./`
            head = unpack_head(file.read(2 * HEAD_BYTES))
            reason = log_head_reason(to_utf8(head)[0], self.file.path, self.catalog)
        if reason is None or self.blocks:
            self._fail(error)
        else:
            self._drop(reason, fatal=self.file.is_explicit)

    def _note_change(self, state: FileStat | None, now: float) -> None:
        if state != self.stat:
            # What is as long as before was not appended to.
            self._is_rewritten |= state is not None and self.stat is not None and state[3] == self.stat[3]
            self._changed_at = now if self.stat or state is None else min(now, max(state[4:]) / 1e9)
            self._checks = [self._changed_at + seconds for seconds in CHECKED_AFTER]
        self._checks = [due for due in self._checks if due > now]

    def _fail(self, error: Exception) -> None:
        """Keep the last good data, with a problem that calls them old."""
        message = str(error)
        if self.blocks:
            message = "the file is gone" if isinstance(error.__cause__, FileNotFoundError) else message
            message += "; what was read before is shown"
        self.problems = (ReadProblem(self.file.path, message, fatal=True),)
        self._quiet_at, self._retry = None, True

    def _read_chunk(self, descriptor: int, opened: os.stat_result, now: float) -> Chunk:
        size = opened.st_size
        identity = opened.st_dev, opened.st_ino
        resumes = (
            identity == self._identity
            and self._is_resumable()
            and size >= self._offset > 0
            and not (self._is_rewritten and self._offset > 2 * FINGERPRINT_BYTES)
            and self._compute_fingerprint(descriptor) == self._fingerprint
        )
        data = read_range(descriptor, self._offset, size) if resumes else b""
        # A line feed behind a carriage return that was read as a line end makes one line end of the two.
        if data.startswith(b"\n") and read_range(descriptor, self._offset - 1, self._offset) == b"\r":
            resumes = False
        raw, was_utf16 = None, False
        if not resumes:
            raw = read_range(descriptor, 0, size)
            if (convert := file_converter(raw)) is not None:
                return self._convert(convert, raw)
            self._start_anew()
            if (reason := binary_reason(raw[:HEAD_BYTES], self.file.path)) is not None:
                raise SourceError(reason)
            data, was_utf16 = to_utf8(raw)
        end = data.rfind(b"\n") + 1
        if not end and not resumes:
            end = data.rfind(b"\r") + 1
        last_line = data[end:]
        chunk = Chunk(data[:end], last_line, not resumes, self._waits(last_line, opened.st_mtime, now))
        # Offsets are in the bytes of the file: UTF-16 is read from its start each time.
        self._identity = None if was_utf16 else identity
        self._offset = size - len(last_line)
        self._is_rewritten = False
        if resumes and self._fingerprint is not None and self._offset <= FINGERPRINT_BYTES:
            self._fingerprint = zlib.crc32(chunk.lines, self._fingerprint[0]), 0
        elif end or not resumes:
            self._fingerprint = self._compute_fingerprint(descriptor, raw)
        return chunk

    def _convert(self, convert: Callable[[bytes, str], bytes], raw: bytes) -> Chunk:
        """Return the content of a file that is not CSV: all of it, or nothing if it is what was read before."""
        checksum = zlib.crc32(raw)
        self._quiet_at, self._is_rewritten = None, False
        if checksum == self._converted and self.parser.is_resumable:
            return Chunk(b"", b"", from_start=False, waits=False)
        text, _ = to_utf8(convert(raw, self.file.path))
        self._start_anew()
        self._converted = checksum
        self.parser.lines = -1  # the header is no line of the file
        return whole(text)

    def _start_anew(self) -> None:
        self._reset(self._known)
        self._known = NOTHING_KNOWN

    def _is_resumable(self) -> bool:
        """Return whether what was read so far is what it would be if new rows had been there from the start."""
        parser, schema = self.parser, self.parser.schema
        is_plain = schema is None or (schema.is_expected and not parser.problems.doubts)
        is_read_anew = parser.known.rows_collide or parser.known.has_misdated_rows
        is_final = is_plain and parser.has_rows and not is_read_anew
        return parser.is_resumable and (is_final or self._offset > CHUNK_BYTES)

    def _compute_fingerprint(self, descriptor: int, raw: bytes | None = None) -> tuple[int, int]:
        """Return checksums of the bytes up to the offset: of their head, and of the end that is not in the head."""
        head = min(self._offset, FINGERPRINT_BYTES)
        spans = ((0, head), (max(head, self._offset - FINGERPRINT_BYTES), self._offset))
        first, last = (
            zlib.crc32(memoryview(raw)[start:end]) if raw is not None else _checksum(descriptor, start, end)
            for start, end in spans
        )
        return first, last

    def apply(self, chunk: Chunk, now: float, conversion: ConvertedRows | None = None) -> None:
        """Bring `blocks` and `problems` up to date with the text read.

        Args:
            chunk: From `read`.
            now: Seconds since 1970.
            conversion: What the complete lines behind the header hold, whose schema the parser has already.
        """
        try:
            self._apply(chunk, conversion)
        except NoHistory as error:
            reason = text_reason(chunk.data, self.file.path, self.catalog) if chunk.from_start else None
            message = reason or str(error)
            is_failed_export = self._converted is not None and self._is_called_csv()
            is_history = bool(self.blocks) or is_failed_export or may_be_history(chunk.data, self.catalog)
            if is_history and not self.file.is_explicit:
                message += "; if it holds no metrics, move it out of the folder"
            self._drop(message, fatal=is_history or self.file.is_explicit)
        except SourceError as error:
            self._drop(str(error), fatal=True)
        if known := self._knowledge_missing():
            # What a column holds is decided by all of its cells, and new ones differ.
            self.mark_stale(known)
            if (again := self.read(now)) is not None:
                self.apply(again, now)

    def _knowledge_missing(self) -> PriorKnowledge | None:
        """Return what the file must be read anew with from its start; None if it has been read as it is meant."""
        parser, known = self.parser, self.parser.known
        if parser.is_extended and parser.schema:
            return replace(known, columns=parser.schema.names)
        if self._misdated and not known.has_misdated_rows:
            return replace(known, has_misdated_rows=True)
        if self._collisions and not known.rows_collide:
            return replace(known, rows_collide=True)
        return known if not parser.is_consistent else None

    def _is_called_csv(self) -> bool:
        """Return whether a file has the name of CSV, which, if it is JSON instead, a failed export has left."""
        return self.file.path.lower().endswith(".csv")

    def _drop(self, message: str, *, fatal: bool) -> None:
        self._reset()
        self.blocks, self.summary = (), None
        self.problems = (ReadProblem(self.file.path, message, fatal=fatal),)

    def _apply(self, chunk: Chunk, conversion: ConvertedRows | None) -> None:
        is_configured = bool(self.layout.value or self.layout.models_as_columns)
        if chunk.from_start and not is_configured and (reason := log_reason(chunk.lines, self.file.path, self.catalog)):
            raise NoHistory(reason)  # whether or not it could be read as history
        parser, doubts = self.parser, self.parser.problems.doubts
        if conversion is not None:
            self._append(parser.add(conversion))
        else:
            for lines in split_chunks(chunk.complete, CHUNK_BYTES):
                self._append(parser.feed(lines))
        if chunk.last_line and not chunk.waits:
            parser.is_resumable = False  # more bytes of the same line may come
        if parser.schema is None and chunk.waits:
            if reason := text_reason(chunk.data, self.file.path, self.catalog):
                raise NoHistory(reason)
        elif parser.schema is None:
            raise NoHistory("the file is empty: write a header and a first row")
        elif not parser.schema.is_dated and not chunk.waits:
            raise no_date_column()
        is_decided = chunk.from_start or self._offset > CHUNK_BYTES
        parser.is_consistent = is_decided or parser.problems.doubts == doubts
        self._show(waits=chunk.waits)

    def _show(self, *, waits: bool) -> None:
        """Make `blocks`, `problems` and `summary` of what was parsed, without the values of rows that collide."""
        parser, path = self.parser, self.file.path
        self._read = {key: [concat_blocks(parts)] for key, parts in self._read.items()}
        blocks = tuple(block for parts in self._read.values() for block in parts)
        if parser.schema is None or not parser.schema.is_utc:
            self._misdated, self._collisions = misdated_models(blocks), list(find_collisions(blocks))
        faults, corrections = list(self._faults()), list(self._corrections())
        refused = {metric: problem for metric, problem, _ in corrections if metric}
        if parser.known.rows_collide:
            certain = [each for each in self._collisions if each.is_certain]
            blocks = drop_series(refuse_newest(blocks, self._collisions), certain)
        messages: list[str] = []
        if parser.schema and parser.schema.metric is not None:
            blocks, messages = self._long_shape.place(blocks)
        self.blocks, self.summary = blocks, self._summarize(blocks, faults, refused)
        of_rows = parser.problems.problems()
        self.problems = (
            *(ReadProblem(path, fault.message) for fault in faults),
            *of_rows,
            *(replace(problem, count=count) for _, problem, count in corrections if count),
            *(ReadProblem(path, message) for message in messages),
        )
        # Nothing read is no state: of a table that was cut off to its header the model would be gone without a word.
        is_empty = not blocks and not of_rows and not (parser.schema is not None and parser.schema.is_utc)
        if waits:
            message = f"the last line has no end yet: it counts once the file was quiet for {QUIET_SECONDS:.0f} s"
            self.problems += (ReadProblem(path, message, parser.lines + 1, fatal=is_empty),)
        elif is_empty:
            self.problems += (ReadProblem(path, "a header and no rows yet: append one", fatal=True),)

    def _corrections(self) -> Iterator[tuple[str, ReadProblem, int]]:
        """Yield what to report of the few rows that collide in a series, with its metric if they are its newest.

        Of the newest ones and of the others the first counts them all, the rest none.
        """
        few = [each for each in self._collisions if not each.is_certain]
        for is_newest, consequence in ((True, "keep one row a date"), (False, "the later row counts")):
            alike = [each for each in few if bool(each.newest) is is_newest]
            for each in alike:
                line, message = locate(each, self.zone)
                problem = ReadProblem(self.file.path, f"{message}: {consequence}", line)
                metric = self.catalog.normalize(each.metric).metric if is_newest else ""
                yield metric, problem, len(alike) if each is alike[0] else 0

    def _faults(self) -> Iterator[ReadFault]:
        """Yield what is wrong with all rows of a model, once a read has tried to mend it."""
        parser = self.parser
        for model, found in self._misdated.items():
            if found.may_be_newest and parser.known.has_misdated_rows:
                yield ReadFault(FaultReason.ROWS_MISDATED, f"the newest rows are {found.description}", models=(model,))
        certain = [each for each in self._collisions if each.is_certain]
        if certain and parser.known.rows_collide:
            has_models = parser.schema is not None and parser.schema.names_models
            models = dict.fromkeys(each.model if has_models else self.file.model for each in certain)
            yield replace(parser.collision, models=tuple(models))

    def _summarize(
        self, blocks: Sequence[Block], faults: Sequence[ReadFault], refused: Mapping[str, ReadProblem]
    ) -> FileSummary:
        models = dict.fromkeys(block.model for block in blocks)
        newest_first = bool(blocks) and bool(blocks[0].times[0] > blocks[0].times[-1])
        edges = [(block.times.min(), block.times.max()) for block in blocks]
        span = (to_datetime(min(edges)[0]), to_datetime(max(last for _, last in edges))) if edges else None
        numbers = () if self.parser.schema is None else self.parser.schema.numbers
        counts = {column.index: column.name for column in numbers if column.role != "value"}
        summary = self.parser.problems.summary(models, span, newest_first=newest_first, counts=counts)
        if not faults and not refused:
            return summary
        return replace(summary, faults=(*faults, *summary.faults), refused={**summary.refused, **refused})

    def _append(self, blocks: Iterable[Block]) -> None:
        for written in blocks:
            model = self.aliases.get(written.model)
            block = written if model is None else replace(written, model=model, is_renamed=True)
            key = (
                written.model,
                block.segment,
                (*block.values, "", *block.supports, "", *block.lows, "", *block.highs),
            )
            self._read.setdefault(key, []).append(block)
        if len(self._read) > MAX_GROUPS:
            raise SourceError(too_many_groups(len(self._read)))

    def _waits(self, last_line: bytes, modified_at: float, now: float) -> bool:
        """Return whether a last line without its end may still be in the making."""
        # The earlier of two clocks: a file may be dated in the future.
        quiet_at = min(modified_at, self._changed_at) + QUIET_SECONDS
        waits = bool(last_line) and now < quiet_at
        self._quiet_at = quiet_at if waits else None
        return waits


def _checksum(descriptor: int, start: int, end: int) -> int:
    """Return the CRC-32 of a range of a file, a megabyte at a time."""
    checksum = 0
    for first in range(start, end, 2**20):
        checksum = zlib.crc32(read_range(descriptor, first, min(first + 2**20, end)), checksum)
    return checksum
