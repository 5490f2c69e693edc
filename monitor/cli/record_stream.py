"""`modeltop record -`: rows from stdin into the store, batch by batch as they arrive."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from modeltop.cli.context import Context
from modeltop.config.load import Config
from modeltop.core.errors import MonitorError, SourceError, StoreError, UsageError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.text import pluralize, sanitize
from modeltop.history.collisions import find_collisions
from modeltop.history.csv.dialect import MAX_LINE, MAX_ROW_LINES, to_utf8
from modeltop.history.csv.layout import AmbiguousFormatError
from modeltop.history.csv.parser import CsvParser, PriorKnowledge
from modeltop.history.files import MAX_BYTES
from modeltop.history.formats import binary_reason, text_reason
from modeltop.history.merge import Block
from modeltop.history.store.row_format import COMPANIONS, PeriodRow, format_iso, validate
from modeltop.history.store.writer import Store

if TYPE_CHECKING:
    from modeltop.core.series import Floats

CHUNK_BYTES = 1 << 16
"""Maximum bytes of one read from stdin; they become one batch, durable before the next is read."""
FIRST_BYTES = 8 << 20
"""Maximum bytes of the first read, whose rows decide the formats: a file yields as many, a pipe what it holds."""
MAX_REPORTED = 50
SOURCE = "stdin"
WRITE_PLAIN = "write a header such as date,model,accuracy, and ISO 8601 dates"
NUMBERS = ("values", *COMPANIONS.values())
"""Fields of a row that hold a number per metric."""


def record_stream(store: Store, config: Config, context: Context) -> int:
    """Append the rows on stdin to a store, and report on stderr the written and the refused rows.

    Args:
        store: Receives the rows, in batches as they arrive.
        config: Names the metrics, and the zone of dates without one.
        context: Has the streams.

    Returns:
        The number of rows and cells that were refused.

    Raises:
        UsageError: There is no header, or the rows name no model.
        SourceError: This is no CSV with a date column.
        StoreError: A batch could not be written; those before it were.
    """
    recorded = _RecordedRows(config.catalog)
    parser = CsvParser(SOURCE, "", catalog=config.catalog, zone=config.zone)
    try:
        for blocks, next_parser in _batches(context.stdin, parser):
            parser = next_parser
            recorded.append(store, blocks)
    except (MonitorError, KeyboardInterrupt) as error:
        if recorded.row_count:
            _report(recorded, parser, store, context)
        if isinstance(error, AmbiguousFormatError):  # the flags that decide it are of commands that read files
            raise SourceError(f"{SOURCE}: {error.fact}: {WRITE_PLAIN}") from error
        if isinstance(error, SourceError):
            raise SourceError(f"{SOURCE}: {error}") from error
        raise
    if parser.schema is None or not parser.schema.is_dated:
        raise UsageError("stdin is empty: give a header such as date,model,accuracy, then rows")
    return _report(recorded, parser, store, context)


def _report(recorded: _RecordedRows, parser: CsvParser, store: Store, context: Context) -> int:
    context.err_problems(parser.problems.problems())
    for reason in recorded.reasons:
        context.err_line(sanitize(reason, 300))
    refused = parser.problems.error_count() + recorded.refused + parser.problems.fault_count()
    suffix = f"; {refused:,} refused" if refused else ""
    context.err_line(recorded_message(recorded.row_count, "row", list(recorded.models), store.folder) + suffix)
    return refused


def recorded_message(count: int, noun: str, models: Sequence[str], folder: Path) -> str:
    """Return one line about the rows written to the store.

    Args:
        count: Number of periods or rows.
        noun: `period` or `row`.
        models: Names of their models.
        folder: The store.
    """
    model = f" of {sanitize(models[0], 60) if len(models) == 1 else pluralize(len(models), 'model')}" if models else ""
    return f"recorded {pluralize(count, noun)}{model} in {sanitize(folder)}"


class _RecordedRows:
    """Counts of the rows that were written, and the reasons for which others were refused."""

    def __init__(self, catalog: MetricRegistry) -> None:
        self._catalog = catalog
        self.row_count = 0
        self.models: dict[str, None] = {}
        self.refused = 0
        self.reasons: list[str] = []

    def append(self, store: Store, blocks: Iterable[Block]) -> None:
        named = [replace(block, values=self._stored(block.values)) for block in blocks]
        rows = [row for row in map(self._valid, rows_from_blocks(named)) if row]
        store.append(rows)
        self.row_count += len(rows)
        self.models |= dict.fromkeys(row.model for row in rows)

    def _stored(self, values: Mapping[str, Floats]) -> dict[str, Floats]:
        return {self._catalog.stored_name(name): column for name, column in values.items()}

    def _valid(self, row: PeriodRow) -> PeriodRow | None:
        label = f"{row.model} on {format_iso(row.date)}"
        values = {metric: value for metric, value in row.values.items() if math.isfinite(value)}
        for metric in row.values.keys() - values.keys():
            self._refuse(f"{label}: `{metric}` is infinite: give a finite number, or leave it out")
        if not values:
            return None
        numbers: dict[str, Any] = {
            name: {metric: number for metric, number in getattr(row, name).items() if metric in values}
            for name in NUMBERS
        }
        finite = replace(row, **numbers)
        try:
            validate(finite)
        except StoreError as error:
            self._refuse(f"{label}: {error}")
            return None
        return finite

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        if len(self.reasons) < MAX_REPORTED:
            self.reasons.append(f"{SOURCE}: {reason}")


def rows_from_blocks(blocks: Iterable[Block]) -> list[PeriodRow]:
    """Return the rows of parsed blocks; those of one period that do not correct each other are joined (long format)."""
    rows: list[PeriodRow] = []
    latest: dict[tuple[str, str, datetime], int] = {}
    for row in (row for block in blocks for row in _rows(block)):
        key = row.model, row.segment, row.date
        joined = _join(rows[latest[key]], row) if key in latest else None
        if joined:
            rows[latest[key]] = joined
        else:
            latest[key] = len(rows)
            rows.append(row)
    return rows


def _rows(block: Block) -> Iterator[PeriodRow]:
    columns = {name: getattr(block, name) for name in NUMBERS}
    for row, time in enumerate(block.times.tolist()):
        yield PeriodRow(
            block.model,
            time.replace(tzinfo=UTC),
            count=None if block.rows is None or math.isnan(block.rows[row]) else float(block.rows[row]),
            segment=block.segment,
            provisional=None if block.provisional is None else bool(block.provisional[row]) or None,
            **{name: _present(numbers, row) for name, numbers in columns.items()},
        )


def _present(columns: Mapping[str, Floats], row: int) -> dict[str, float]:
    return {metric: float(column[row]) for metric, column in columns.items() if not math.isnan(column[row])}


def _join(earlier: PeriodRow, later: PeriodRow) -> PeriodRow | None:
    same_count = earlier.count == later.count or None in (earlier.count, later.count)
    if earlier.values.keys() & later.values.keys() or earlier.provisional != later.provisional or not same_count:
        return None
    numbers: dict[str, Any] = {name: {**getattr(earlier, name), **getattr(later, name)} for name in NUMBERS}
    return replace(earlier, count=earlier.count if later.count is None else later.count, **numbers)


def _batches(stdin: BinaryIO, parser: CsvParser) -> Iterator[tuple[list[Block], CsvParser]]:
    buffer, open_lines = b"", 0
    for chunk, is_last in _chunks(stdin, parser.catalog):
        buffer += chunk
        end = len(buffer) if is_last else buffer.rfind(b"\n") + 1
        fork = parser.fork()
        fork.is_resumable = True
        fork, blocks = _told_apart(fork, buffer[:end])
        if fork.schema and fork.schema.model is None:
            raise UsageError("the rows on stdin name no model: add a column `model`")
        # A quote that is open may be closed by the next chunk, but no row has more lines than this.
        open_lines += 0 if fork.is_resumable else max(1, chunk.count(b"\n"))
        if fork.is_resumable or is_last or open_lines > MAX_ROW_LINES:
            parser, buffer, open_lines = fork, buffer[end:], 0
            yield blocks, parser
        if len(buffer) > MAX_LINE:
            raise SourceError(f"a row is longer than {MAX_LINE:,} characters: look for missing line ends")


def _told_apart(parser: CsvParser, lines: bytes) -> tuple[CsvParser, list[Block]]:
    """Return the parser behind some lines, and their blocks: by columns that tell colliding rows apart, if there are.

    If there are none, later rows correct earlier ones.
    """
    is_first = parser.lines == 0
    blocks = parser.feed(lines)
    if is_first and any(find_collisions(blocks)):
        known = PriorKnowledge(rows_collide=True)
        other = CsvParser(SOURCE, "", catalog=parser.catalog, zone=parser.zone, known=known)
        apart = other.feed(lines)
        if not any(each.is_certain for each in find_collisions(apart)):
            return other, apart
    return parser, blocks


def _chunks(stdin: BinaryIO, catalog: MetricRegistry) -> Iterator[tuple[bytes, bool]]:
    """Yield the input as it arrives, as UTF-8, without waiting for more; with True at the end."""
    start = b""
    while len(start) < 4 and (chunk := _read_available(stdin, FIRST_BYTES)):
        start += chunk
    is_text = start.lstrip()[:1] in (b"{", b"[", b"<")
    reason = text_reason(start, SOURCE, catalog) if is_text else binary_reason(start, SOURCE)
    if reason is not None:
        raise SourceError(f"{reason.partition(': ')[0]}: write CSV rows with a header such as date,model,accuracy")
    data, utf16 = to_utf8(start)
    if utf16:  # no stream, but a file that some program has saved
        data, _ = to_utf8(start + stdin.read(MAX_BYTES))
    yield data, False
    while chunk := _read_available(stdin):
        yield chunk, False
    yield b"", True


def _read_available(stdin: BinaryIO, size: int = CHUNK_BYTES) -> bytes:
    return bytes(stdin.read1(size)) if isinstance(stdin, io.BufferedIOBase) else stdin.read(size)
