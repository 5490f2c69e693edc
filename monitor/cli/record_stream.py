"""`modeltop record -`: rows from stdin into the store, batch by batch as they come."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from modeltop.cli.context import Context, recorded_message
from modeltop.config.load import Config
from modeltop.core.errors import MonitorError, SourceError, StoreError, UsageError
from modeltop.core.text import sanitize
from modeltop.history.csv.dialect import MAX_LINE, MAX_ROW_LINES, to_utf8
from modeltop.history.csv.tolerant import TolerantParser
from modeltop.history.discovery import MAX_BYTES
from modeltop.history.merge import Block
from modeltop.history.store.row_format import COMPANIONS, PeriodRow, format_iso, validate
from modeltop.history.store.writer import Store

if TYPE_CHECKING:
    from modeltop.core.series import Floats

CHUNK_BYTES = 1 << 16
"""Bytes asked of stdin at once; what is there by then becomes one batch, durable before the next is read."""
MAX_REPORTED = 50
"""Refused records said one by one."""
SOURCE = "stdin"


def record_stream(store: Store, config: Config, context: Context) -> int:
    """Keep the rows on stdin.

    Returns:
        The number of rows and cells that were refused; they are said on stderr.

    Raises:
        UsageError: There is no header, or the rows name no model.
        SourceError: This is no CSV with a date column.
        StoreError: A batch could not be kept; those before it were.
    """
    taken = _RecordedRows()
    parser = TolerantParser(SOURCE, "", catalog=config.catalog, zone=config.zone)
    try:
        for blocks, newer in _batches(context.stdin, parser):
            parser = newer
            taken.append(store, blocks)
    except (MonitorError, KeyboardInterrupt) as error:
        if taken.rows:
            _report(taken, parser, store, context)
        if isinstance(error, SourceError):
            raise SourceError(f"{SOURCE}: {error}") from error
        raise
    if parser.schema is None:
        raise UsageError("nothing came in on stdin: give a header such as date,model,accuracy, then rows")
    return _report(taken, parser, store, context)


def _report(taken: _RecordedRows, parser: TolerantParser, store: Store, context: Context) -> int:
    """Say what was kept and what was refused, and how much of it."""
    for problem in (*parser.problems.problems(), *taken.reasons):
        context.err_line(sanitize(problem, 300))
    refused = parser.problems.error_count() + taken.refused
    rest = f"; {refused:,} refused" if refused else ""
    context.err_line(recorded_message(taken.rows, "row", taken.models, store.folder) + rest)
    return refused


class _RecordedRows:
    """What has been kept so far, and what was refused."""

    def __init__(self) -> None:
        self.rows = 0
        self.models: dict[str, None] = {}
        self.refused = 0
        self.reasons: list[str] = []
        """The first `TOLD` of them."""

    def append(self, store: Store, blocks: Iterable[Block]) -> None:
        """One batch, in one append. Raises StoreError if it could not be kept."""
        records = [record for record in map(self._possible, rows_from_blocks(blocks)) if record]
        store.append(records)
        self.rows += len(records)
        self.models |= dict.fromkeys(record.model for record in records)

    def _possible(self, record: PeriodRow) -> PeriodRow | None:
        """What of the record can be kept."""
        where = f"{record.model} on {format_iso(record.date)}"
        values = {metric: value for metric, value in record.values.items() if math.isfinite(value)}
        for metric in record.values.keys() - values.keys():
            self._refuse(f"{where}: `{metric}` is infinite: give a finite number, or leave it out")
        if not values:
            return None
        supports, lows, highs = (
            {metric: number for metric, number in numbers.items() if metric in values}
            for numbers in (record.supports, record.lows, record.highs)
        )
        kept = replace(record, values=values, supports=supports, lows=lows, highs=highs)
        try:
            validate(kept)
        except StoreError as error:
            self._refuse(f"{where}: {error}")
            return None
        return kept

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        if len(self.reasons) < MAX_REPORTED:
            self.reasons.append(f"{SOURCE}: {reason}")


def rows_from_blocks(blocks: Iterable[Block]) -> list[PeriodRow]:
    """One record a row; rows of one period that do not correct each other, as in the long shape, become one."""
    found: list[PeriodRow] = []
    latest: dict[tuple[str, str, datetime], int] = {}
    for record in (record for block in blocks for record in _rows(block)):
        key = record.model, record.segment, record.date
        joined = _joined(found[latest[key]], record) if key in latest else None
        if joined:
            found[latest[key]] = joined
        else:
            latest[key] = len(found)
            found.append(record)
    return found


def _rows(block: Block) -> Iterator[PeriodRow]:
    columns = {name: getattr(block, name) for name in ("values", *COMPANIONS.values())}
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


def _joined(earlier: PeriodRow, later: PeriodRow) -> PeriodRow | None:
    """Both as one; None where the later one corrects the earlier."""
    same_rows = earlier.count == later.count or None in (earlier.count, later.count)
    if earlier.values.keys() & later.values.keys() or earlier.provisional != later.provisional or not same_rows:
        return None
    count = earlier.count if later.count is None else later.count
    return replace(
        earlier,
        count=count,
        values={**earlier.values, **later.values},
        supports={**earlier.supports, **later.supports},
        lows={**earlier.lows, **later.lows},
        highs={**earlier.highs, **later.highs},
    )


def _batches(stdin: BinaryIO, parser: TolerantParser) -> Iterator[tuple[list[Block], TolerantParser]]:
    """The blocks of what has come in, and the parser behind them."""
    buffer, waited = b"", 0
    for piece, last in _pieces(stdin):
        buffer += piece
        end = len(buffer) if last else buffer.rfind(b"\n") + 1
        trial = parser.fork()
        trial.is_resumable = True
        blocks = trial.feed(buffer[:end])
        if trial.schema and trial.schema.model is None:
            raise UsageError("the rows on stdin do not say whose they are: add a column `model`")
        # A quote that is open may be closed by the next piece, but no row takes more lines than this.
        waited += 0 if trial.is_resumable else max(1, piece.count(b"\n"))
        if trial.is_resumable or last or waited > MAX_ROW_LINES:
            parser, buffer, waited = trial, buffer[end:], 0
            yield blocks, parser
        if len(buffer) > MAX_LINE:
            raise SourceError(f"a row is longer than {MAX_LINE:,} characters: look for missing line ends")


def _pieces(stdin: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """What has come in, as UTF-8, as soon as it is there; and whether that is the end."""
    start = b""
    while len(start) < 4 and (piece := _some(stdin)):
        start += piece
    data, utf16 = to_utf8(start)
    if utf16:  # no stream, but a file that some program has saved
        data, _ = to_utf8(start + stdin.read(MAX_BYTES))
    yield data, False
    while piece := _some(stdin):
        yield piece, False
    yield b"", True


def _some(stdin: BinaryIO) -> bytes:
    """At least one byte, and no waiting for more; none at the end."""
    return bytes(stdin.read1(CHUNK_BYTES)) if isinstance(stdin, io.BufferedIOBase) else stdin.read(CHUNK_BYTES)
