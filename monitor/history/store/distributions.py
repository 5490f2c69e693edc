"""Evidence files, read: what `compute` has left beside a model's history.

A file is anyone's to break, and a diagnosis must not fail for it: a line that cannot be read is passed over and
counted, a file that is missing, too large or unreadable says nothing.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.distribution import MISSING, OTHER, Distributions, Histogram, ReliabilityCurve

if TYPE_CHECKING:
    from numpy.typing import NDArray


HEADER = ("kind", "name", "period", "slot", "low", "high", "rows", "score", "rate")
"""Columns of a file of distributions."""
REFERENCE = "reference"

MAX_FILE_BYTES = 16 * 1024 * 1024
"""Bytes of a file that is read; 50 features of 20 bins and 8 periods take 0.5 MB."""
EMPTY = Distributions()

Cells = dict[str, str]
Moment = datetime | None


@dataclass(slots=True)
class _ParsedRows:
    """What a file says, before it is known which periods and slots there are."""

    rows: dict[str, dict[str, dict[Moment, float]]] = field(default_factory=dict)
    """Feature → slot → period → rows."""
    ends: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    """Feature → slot → low and high as written."""
    curves: dict[str, dict[Moment, dict[int, tuple[float, float, float]]]] = field(default_factory=dict)
    """Name → period → group → rows, score, rate."""
    groups: int = 0
    segments: dict[str, dict[datetime, float]] = field(default_factory=dict)


def parse_distributions(text: str) -> tuple[Distributions, int]:
    """What the file says, and how many of its lines could not be read."""
    found, broken = _ParsedRows(), 0
    reader = csv.reader(io.StringIO(text, newline=""))
    header: Sequence[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            broken += 1
            continue
        if header is None:
            header = cells
            if tuple(cells) != HEADER:
                return EMPTY, 1
        elif cells:
            broken += not _add_line(found, cells)
    return _to_distributions(found), broken


def _add_line(found: _ParsedRows, cells: Sequence[str]) -> bool:
    """Whether the line could be read."""
    if len(cells) != len(HEADER):
        return False
    line = dict(zip(HEADER, cells, strict=True))
    try:
        moment, rows = _moment(line["period"]), _count(line["rows"])
        _KINDS[line["kind"]](found, line, moment, rows)
    except (KeyError, ValueError):
        return False
    return True


def _moment(text: str) -> Moment:
    """None for the reference. Raises ValueError."""
    if text == REFERENCE:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _count(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise ValueError(text)
    return value


def _feature(found: _ParsedRows, line: Cells, moment: Moment, rows: float) -> None:
    name, slot, ends = line["name"], line["slot"], (line["low"], line["high"])
    for end in ends:
        float(end or "nan")
    found.rows.setdefault(name, {}).setdefault(slot, {})[moment] = rows
    found.ends.setdefault(name, {})[slot] = ends


def _reliability(found: _ParsedRows, line: Cells, moment: Moment, rows: float) -> None:
    group, score, rate = int(line["slot"]), float(line["score"]), float(line["rate"])
    if not 0 <= group < 1000:
        raise ValueError(line["slot"])
    found.groups = max(found.groups, group + 1)
    found.curves.setdefault(line["name"], {}).setdefault(moment, {})[group] = (rows, score, rate)


def _segment(found: _ParsedRows, line: Cells, moment: Moment, rows: float) -> None:
    if moment is None:
        raise ValueError(line["period"])
    found.segments.setdefault(line["name"], {})[moment] = rows


_KINDS = {"feature": _feature, "reliability": _reliability, "segment": _segment}


def _to_distributions(found: _ParsedRows) -> Distributions:
    histograms = {name: _histogram(name, found.rows[name], found.ends[name]) for name in found.rows}
    curve = next((_curve(name, by_period, found.groups) for name, by_period in found.curves.items()), None)
    return Distributions(histograms, curve, found.segments)


def _histogram(name: str, rows: Mapping[str, Mapping[Moment, float]], ends: Mapping[str, tuple[str, str]]) -> Histogram:
    numeric = any(low or high for low, high in ends.values())
    # A slot without rows has no line, so the order of the first lines is not that of the bins.
    own = [slot for slot in rows if slot not in (OTHER, MISSING)]
    own = sorted(own, key=lambda slot: _low(ends[slot])) if numeric else own
    slots = (*own, OTHER, MISSING)
    periods = tuple(sorted({moment for by in rows.values() for moment in by if moment is not None}))
    empty: Mapping[Moment, float] = {}

    def counted(moment: Moment) -> list[float]:
        return [rows.get(slot, empty).get(moment, 0.0) for slot in slots]

    counts = np.array([counted(moment) for moment in periods], dtype=np.float64).reshape(len(periods), len(slots))
    edges = tuple((_low(ends[slot]), _high(ends[slot])) for slot in own) if numeric else None
    return Histogram(name, slots, edges, np.array(counted(None), dtype=np.float64), periods, counts)


def _low(ends: tuple[str, str]) -> float:
    return float(ends[0]) if ends[0] else -math.inf


def _high(ends: tuple[str, str]) -> float:
    return float(ends[1]) if ends[1] else math.inf


def _curve(
    name: str, by_period: Mapping[Moment, Mapping[int, tuple[float, float, float]]], groups: int
) -> ReliabilityCurve:
    known = sorted(moment for moment in by_period if moment is not None)
    periods: tuple[Moment, ...] = (None, *known) if None in by_period else tuple(known)
    table: NDArray[np.float64] = np.full((len(periods), groups, 3), np.nan)
    table[:, :, 0] = 0
    for place, moment in enumerate(periods):
        for group, numbers in by_period[moment].items():
            table[place, group] = numbers
    return ReliabilityCurve(name, periods, table[..., 0], table[..., 1], table[..., 2])


def read_distributions(path: Path) -> Distributions:
    """The evidence in one file; nothing where it is missing, unreadable or larger than `LARGEST`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        return EMPTY
    return EMPTY if len(data) > MAX_FILE_BYTES else parse_distributions(data.decode("utf-8", "replace"))[0]


DISTRIBUTIONS_FOLDER = "evidence"


class DistributionStore(Mapping[str, "Distributions"]):
    """The evidence of each model of some stores, read when it is asked for, and anew when its file has changed.

    Args:
        places: Stores and other paths; a folder may hold evidence. Of two files for one model the later place's counts.
    """

    def __init__(self, places: Sequence[Path]) -> None:
        self._folders = tuple(place / DISTRIBUTIONS_FOLDER for place in places)
        self._read: dict[Path, tuple[tuple[int, int, int], Distributions]] = {}

    def __getitem__(self, model: str) -> Distributions:
        """Costs one `os.stat` a place. Raises KeyError where there is no file."""
        from modeltop.history.store.paths import file_prefix  # with hashlib: no look at plain files needs it

        name = f"{file_prefix(model)}.csv"
        for folder in reversed(self._folders):
            if (found := self._read_cached(folder / name)) is not None:
                return found
        raise KeyError(model)

    def __iter__(self) -> Iterator[str]:
        """None: a file name does not say whose it is, so models are asked about, not listed."""
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return bool(self._folders)

    def _read_cached(self, path: Path) -> Distributions | None:
        try:
            about = path.stat()
        except OSError:
            return None
        stamp = (about.st_ino, about.st_size, about.st_mtime_ns)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            # MERGED  # with the writer's room, whose words it takes

            known = self._read[path] = (stamp, read_distributions(path))
        return known[1]
