"""The files of distributions that `compute` leaves beside a model's history.

A file is anyone's to break, and a diagnosis must not fail for it: a line that cannot be read is skipped, a file that
is missing, too large or unreadable holds nothing.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modeltop.core.distribution import MISSING, OTHER, Distributions, Histogram, ReliabilityCurve, ValueRange
from modeltop.core.stats.robust import MAX_MAGNITUDE
from modeltop.history.files import FileStat, file_stat
from modeltop.history.store.paths import file_prefix, uncommitted_files
from modeltop.history.store.row_format import encode_csv_line

DISTRIBUTIONS_FOLDER = "evidence"
HEADER = ("kind", "name", "period", "slot", "low", "high", "rows", "score", "rate")
REFERENCE = "reference"
MAX_FILE_BYTES = 16 * 1024 * 1024
"""Maximum bytes of a file that is read; 50 features of 20 bins and 8 periods have 0.5 MB."""
MAX_PERIODS = 8
"""Newest periods whose distributions are stored beside the reference."""
EMPTY = Distributions()

_Period = datetime | None
_Cells = dict[str, str]


@dataclass(slots=True)
class _ParsedRows:
    """The lines of a file, before all of its periods and slots are known."""

    rows: dict[str, dict[str, dict[_Period, float]]] = field(default_factory=dict)
    """Feature → slot → period → rows."""
    edges: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    """Feature → slot → low and high as written."""
    ranges: dict[str, dict[_Period, ValueRange]] = field(default_factory=dict)
    curves: dict[str, dict[_Period, dict[int, tuple[float, float, float]]]] = field(default_factory=dict)
    """Name → period → group → rows, score, rate."""
    groups: int = 0
    segments: dict[str, dict[datetime, float]] = field(default_factory=dict)
    """Segment → period → number of rows."""


def parse_distributions(text: str) -> Distributions:
    """Return the distributions in a file's text, without the lines that cannot be read."""
    parsed = _ParsedRows()
    reader = csv.reader(io.StringIO(text, newline=""))
    header: Sequence[str] | None = None
    while True:
        try:
            cells = next(reader)
            if header is not None:
                _add_line(parsed, cells)
            elif tuple(cells) != HEADER:
                return EMPTY
            else:
                header = cells
        except StopIteration:
            break
        except (csv.Error, KeyError, ValueError, OverflowError):  # the last of a year outside of 1 to 9999 in UTC
            continue
    histograms = {
        name: _to_histogram(name, rows, parsed.edges[name], parsed.ranges.get(name, {}))
        for name, rows in parsed.rows.items()
    }
    curve = next((_to_curve(name, periods, parsed.groups) for name, periods in parsed.curves.items()), None)
    return Distributions(histograms, curve, parsed.segments)


def _add_line(parsed: _ParsedRows, cells: Sequence[str]) -> None:
    line = dict(zip(HEADER, cells, strict=True))
    period, rows = _parse_period(line["period"]), _number(line["rows"])
    if rows < 0:
        raise ValueError(line["rows"])
    _ADDERS[line["kind"]](parsed, line, period, rows)


def _number(text: str) -> float:
    """Return a number whose square and sums are finite, or raise `ValueError`."""
    number = float(text)
    if not abs(number) < MAX_MAGNITUDE:
        raise ValueError(text)
    return number


def _parse_period(text: str) -> _Period:
    if text == REFERENCE:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _add_feature(parsed: _ParsedRows, line: _Cells, period: _Period, rows: float) -> None:
    name, slot, edges = line["name"], line["slot"], (line["low"], line["high"])
    for edge in edges:
        _number(edge or "0")
    parsed.rows.setdefault(name, {}).setdefault(slot, {})[period] = rows
    parsed.edges.setdefault(name, {})[slot] = edges


def _add_reliability(parsed: _ParsedRows, line: _Cells, period: _Period, rows: float) -> None:
    group, score, rate = int(line["slot"]), _number(line["score"]), _number(line["rate"])
    if not 0 <= group < 1000:
        raise ValueError(line["slot"])
    parsed.groups = max(parsed.groups, group + 1)
    parsed.curves.setdefault(line["name"], {}).setdefault(period, {})[group] = (rows, score, rate)


def _add_segment(parsed: _ParsedRows, line: _Cells, period: _Period, rows: float) -> None:
    if period is None:
        raise ValueError(line["period"])
    parsed.segments.setdefault(line["name"], {})[period] = rows


def _add_values(parsed: _ParsedRows, line: _Cells, period: _Period, rows: float) -> None:  # noqa: ARG001  one contract
    low, high, mean = (_number(line[column]) for column in ("low", "high", "score"))
    deviation = _number(line["rate"]) if line["rate"] else math.nan
    parsed.ranges.setdefault(line["name"], {})[period] = ValueRange(low, high, mean, deviation)


_ADDERS = {"feature": _add_feature, "values": _add_values, "reliability": _add_reliability, "segment": _add_segment}


def merge_distributions(stored: bytes, new: bytes, newest: Collection[str]) -> bytes:
    """Return the lines of a new file, and those of a stored one for periods that the new one lacks.

    Args:
        stored: Of the same kinds of periods and the same reference as the new one.
        new: Its lines are complete for the periods that it has.
        newest: Starts, as written, of the periods whose lines are kept.
    """
    merged = _lines_by_name(new)
    present = {period for periods in merged.values() for period in periods}
    for key, periods in _lines_by_name(stored).items():
        missing = {period: lines for period, lines in periods.items() if period in newest and period not in present}
        if key[0] not in _ADDERS or not missing:
            continue
        reference = periods.get(REFERENCE, [])
        own = merged.setdefault(key, {REFERENCE: reference})
        # Rows by the bins of another reference cannot be compared with these.
        if key[0] != "feature" or _bins(own.get(REFERENCE, [])) == _bins(reference):
            own.update(missing)
    lines: list[Sequence[str]] = []
    for (kind, _), periods in merged.items():
        kept = [period for period in periods if kind not in _ADDERS or period in newest or period == REFERENCE]
        lines += [
            cells for period in sorted(kept, key=lambda each: (each != REFERENCE, each)) for cells in periods[period]
        ]
    return b"".join(map(encode_csv_line, lines))


def _lines_by_name(data: bytes) -> dict[tuple[str, str], dict[str, list[list[str]]]]:
    """Return the lines of a file by kind and name, then by period; without those that cannot be read."""
    lines: dict[tuple[str, str], dict[str, list[list[str]]]] = {}
    with contextlib.suppress(csv.Error):
        for cells in csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline="")):
            if len(cells) == len(HEADER):
                lines.setdefault((cells[0], cells[1]), {}).setdefault(cells[2], []).append(cells)
    return lines


def _bins(lines: Sequence[Sequence[str]]) -> set[tuple[str, ...]]:
    return {tuple(cells[3:6]) for cells in lines}


def _to_histogram(
    name: str,
    rows: Mapping[str, Mapping[_Period, float]],
    edges: Mapping[str, tuple[str, str]],
    ranges: Mapping[_Period, ValueRange],
) -> Histogram:
    is_numeric = any(low or high for low, high in edges.values())
    bounds = {
        slot: (float(low) if low else -math.inf, float(high) if high else math.inf)
        for slot, (low, high) in edges.items()
    }
    bins = [slot for slot in rows if slot not in (OTHER, MISSING)]
    if is_numeric:
        # A slot without rows has no line, so the order of the first lines is not that of the bins.
        bins.sort(key=lambda slot: bounds[slot][0])
    slots = (*bins, OTHER, MISSING)
    periods = tuple(sorted({period for by_period in rows.values() for period in by_period if period is not None}))

    def count(period: _Period) -> list[float]:
        return [rows[slot].get(period, 0.0) if slot in rows else 0.0 for slot in slots]

    counts = np.array([count(period) for period in periods], dtype=np.float64).reshape(len(periods), len(slots))
    bin_edges = tuple(bounds[slot] for slot in bins) if is_numeric else None
    reference = np.array(count(None), dtype=np.float64)
    return Histogram(name, slots, bin_edges, reference, periods, counts, ranges)


def _to_curve(
    name: str, by_period: Mapping[_Period, Mapping[int, tuple[float, float, float]]], groups: int
) -> ReliabilityCurve:
    dated = sorted(period for period in by_period if period is not None)
    periods: tuple[_Period, ...] = (None, *dated) if None in by_period else tuple(dated)
    table: NDArray[np.float64] = np.full((len(periods), groups, 3), np.nan)
    table[:, :, 0] = 0
    for index, period in enumerate(periods):
        for group, numbers in by_period[period].items():
            table[index, group] = numbers
    return ReliabilityCurve(name, periods, table[..., 0], table[..., 1], table[..., 2])


def read_distributions(path: Path) -> Distributions:
    """Return the distributions in one file; none if it is missing, unreadable or over `MAX_FILE_BYTES`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        return EMPTY
    return EMPTY if len(data) > MAX_FILE_BYTES else parse_distributions(data.decode("utf-8", "replace"))


class DistributionStore(Mapping[str, Distributions]):
    """Model → its distributions in some stores, read when they are asked for, and again when the file has changed.

    Of two files for one model the one of the later path wins. It is not iterable: file names do not contain the model.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.folders = tuple(path / DISTRIBUTIONS_FOLDER for path in paths)
        self._cache: dict[Path, tuple[FileStat, Distributions]] = {}

    def __getitem__(self, model: str) -> Distributions:
        """Return the distributions of a model, for two system calls a folder."""
        name = f"{DISTRIBUTIONS_FOLDER}/{file_prefix(model)}.csv"
        for folder in reversed(self.folders):
            current = uncommitted_files(folder.parent).get(name, name)
            if current is not None and (distributions := self._read_cached(folder.parent / current)) is not None:
                return distributions
        raise KeyError(model)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return bool(self.folders)

    def _read_cached(self, path: Path) -> Distributions | None:
        state = file_stat(path)
        if state is None:
            return None
        cached = self._cache.get(path)
        if cached is None or cached[0] != state:
            cached = self._cache[path] = (state, read_distributions(path))
        return cached[1]
