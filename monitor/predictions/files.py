"""Which files a log consists of, and how they are written."""

from __future__ import annotations

import csv
import glob
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize


class FileFormat(Enum):
    """How a file of predictions is written."""

    CSV = "CSV"
    PARQUET = "Parquet"
    JSON = "JSON lines"


SUFFIXES = {
    ".csv": FileFormat.CSV,
    ".tsv": FileFormat.CSV,
    ".parquet": FileFormat.PARQUET,
    ".pq": FileFormat.PARQUET,
    ".jsonl": FileFormat.JSON,
    ".ndjson": FileFormat.JSON,
    ".json": FileFormat.JSON,
}
DELIMITERS = ",;\t|"
SNIFF_ROWS = 50
"""First rows of a CSV that are compared with its header."""
SNIFF_BYTES = 1 << 16
"""Bytes of a file that tell how it is written."""


@dataclass(frozen=True, slots=True)
class LogFiles:
    """Files of one format, in natural order within each source."""

    paths: tuple[Path, ...]
    format: FileFormat
    delimiter: str = ","
    """Of CSV."""

    @property
    def bytes(self) -> int:
        """Their size."""
        return sum(path.stat().st_size for path in self.paths)


def find_log_files(sources: Sequence[str]) -> LogFiles:
    """The files that the sources name.

    Args:
        sources: Files, folders (with the folders below them) and globs; a file that is there is never a glob.

    Raises:
        SourceError: There is none, one cannot be read, or they are of several formats.
    """
    paths = tuple(path for source in sources for path in _expanded(source))
    try:
        formats = {detect_format(path): path for path in paths}
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{sanitize(_error_path(error, sources))} cannot be read: {_reason(error)}") from None
    if len(formats) > 1:
        names = " and ".join(sorted(one.value for one in formats))
        raise SourceError(f"the files are {names}: compute one format at a time, as with a glob")
    found = next(iter(formats))
    if found is not FileFormat.CSV:
        return LogFiles(paths, found)
    mark = _delimiter(paths[0])
    for path in paths:
        _check_cells(path, mark)
    return LogFiles(paths, found, mark)


def _error_path(error: Exception, sources: Sequence[str]) -> str:
    return str(getattr(error, "filename", None) or ", ".join(sources))


def _reason(error: Exception) -> str:
    return sanitize(getattr(error, "strerror", None) or error, 100)


def _expanded(source: str) -> list[Path]:
    path = Path(source)
    try:
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.is_file() and _is_log_file(one, path))
        elif path.exists():
            found = [path]
        else:
            named = glob.glob(source, recursive=True)  # noqa: PTH207  Path.glob takes no absolute pattern
            found = sorted(Path(one) for one in named if Path(one).is_file())
    except OSError as error:
        raise SourceError(f"{sanitize(source)} cannot be read: {_reason(error)}") from None
    if not found:
        kinds = ", ".join(SUFFIXES)
        raise SourceError(f"{sanitize(source)} is no file, and no folder or glob with {kinds} in it: correct the path")
    return found


def _is_log_file(path: Path, root: Path) -> bool:
    """Whether a file found in a folder is part of the log; what writers leave beside it begins with . or _."""
    return _suffix(path) in SUFFIXES and not any(part[0] in "._" for part in path.relative_to(root).parts)


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def stem(path: Path) -> str:
    """The name without what tells its format.

    >>> stem(Path("churn.eu.csv.gz"))
    'churn.eu'
    """
    name = path.name
    return name[: len(name) - len(".gz")].rpartition(".")[0] if name.lower().endswith(".gz") else path.stem


def detect_format(path: Path) -> FileFormat:
    """By the suffix, else by the first bytes. Raises OSError."""
    head = _head(path)
    known = SUFFIXES.get(_suffix(path))
    if known is not None and head:
        return known
    if not head:
        raise OSError(0, "it is empty", str(path))
    if head.startswith(b"PAR1"):
        return FileFormat.PARQUET
    return FileFormat.JSON if head.lstrip().startswith(b"{") else FileFormat.CSV


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            return file.read(SNIFF_BYTES)
        with gzip.open(file) as unpacked:
            return unpacked.read(SNIFF_BYTES)


def _delimiter(path: Path) -> str:
    """The delimiter that cuts the header, and the row below it, into the most cells."""
    lines = _lines(path)[:2]
    counts = {mark: [len(row) for row in _rows(lines, mark)] or [0] for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: (min(counts[mark]) > 1, len(set(counts[mark])) == 1, counts[mark][0]))


def _lines(path: Path) -> list[str]:
    """The first lines; one that the end of what is looked at has cut is left out."""
    head = _head(path)
    lines = head.decode("utf-8-sig", "replace").splitlines(keepends=True)
    return lines[:-1] if len(head) == SNIFF_BYTES else lines


def _check_cells(path: Path, mark: str) -> None:
    """Raises SourceError where rows are longer than the header: engines would take the header for a comment."""
    header, *rows = [row for row in _rows(_lines(path), mark) if row] or [[]]
    for number, row in enumerate(rows[:SNIFF_ROWS], 2):
        if len(row) > len(header):
            told = f"row {number} has {len(row)} cells and the header {len(header)}"
            raise SourceError(f"{sanitize(path)} cannot be read: {told}; correct the file")


def _rows(lines: Sequence[str], mark: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=mark)
    except csv.Error:
        return
