"""The files of a log, and their format."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, cast

from modeltop.core.errors import SourceError
from modeltop.core.text import sanitize
from modeltop.history.csv.dialect import to_utf8, utf16_encoding
from modeltop.history.files import kind_of, partition_of
from modeltop.history.formats import unreadable_reason
from modeltop.history.locations import nearest_path
from modeltop.history.log_columns import guess_column


class FileFormat(Enum):
    """Format of a file of predictions."""

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
"""First rows of a CSV whose cells are counted and compared with its header."""
SNIFF_BYTES = 1 << 16
"""First bytes of a file, from which its format is inferred."""


@dataclass(frozen=True, slots=True)
class LogFiles:
    """Files of one format, in natural order within each source."""

    paths: tuple[Path, ...]
    format: FileFormat
    delimiter: str = ","
    """Delimiter of a CSV."""
    empty: tuple[Path, ...] = ()
    """Files beside them that are empty."""

    @property
    def bytes(self) -> int:
        """Total size of all files, in bytes."""
        return sum(path.stat().st_size for path in self.paths)

    def folder_keys(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the keys in the names of the folders of all files, which are columns beside those of the files.

        Raises:
            SourceError: A key is a column of the files too, or only some files are in the folder of a model.
        """
        keys = {tuple(partition_of(str(path))): path for path in self.paths}
        common = next(iter(keys)) if len(keys) == 1 else ()
        model = guess_column("model", [key for each in keys for key in each])
        if not common and model is not None and guess_column("model", columns) is None:
            other = next((path for each, path in keys.items() if model not in each), self.paths[0])
            raise SourceError(
                f"{sanitize(other)} is not in folders named as those of the other files, which name its model "
                f"({sanitize(model, 60)}=...): move it, or name one kind of folder at a time"
            )
        logged = {name.lower() for name in columns}
        for key in common:
            if key.lower() in logged:
                raise SourceError(
                    f"the folders are named {sanitize(key, 60)}=..., which is a column of the files too: "
                    "rename the folders or the column"
                )
        return common


def find_log_files(sources: Sequence[str]) -> LogFiles:
    """Return the files that the sources name.

    Args:
        sources: Files, folders (with the folders below them) and globs; a file that is there is never a glob.

    Raises:
        SourceError: There is none, one cannot be read, or they are of several formats.
    """
    found = [path for source in sources for path in _expanded(source)]
    try:
        empty = tuple(path for path in found if not path.stat().st_size)
        paths = tuple(path for path in found if path not in empty) or empty
        formats = {detect_format(path): path for path in paths}
    except (OSError, EOFError, zlib.error) as error:
        path = getattr(error, "filename", None) or ", ".join(sources)
        raise SourceError(f"{sanitize(path)} cannot be read: {_reason(error)}") from None
    if len(formats) > 1:
        names = " and ".join(sorted(format_.value for format_ in formats))
        raise SourceError(f"the files are {names}: compute one format at a time, as with a glob")
    format_ = next(iter(formats))
    if format_ is not FileFormat.CSV:
        return LogFiles(paths, format_, empty=empty)
    delimiter = _infer_delimiter(paths[0])
    for path in paths:
        _check_cells(path, delimiter)
    return LogFiles(paths, format_, delimiter, empty)


def _reason(error: Exception) -> str:
    return sanitize(getattr(error, "strerror", None) or error, 100)


def _expanded(source: str) -> list[Path]:
    path = Path(source)
    try:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file() and _is_log_file(file, path))
        elif path.exists():
            if (kind := kind_of(path.stat().st_mode)) is not None:
                raise SourceError(f"{sanitize(source)} is a {kind}, not a file: write the log into a file")
            files = [path]
        else:
            matches = glob.glob(source, recursive=True)  # noqa: PTH207  Path.glob accepts no absolute pattern
            files = sorted(Path(match) for match in matches if Path(match).is_file())
    except OSError as error:
        raise SourceError(f"{sanitize(source)} cannot be read: {_reason(error)}") from None
    if not files and (near := nearest_path(source)) is not None:
        raise SourceError(f"{sanitize(source)}: no such file; did you mean {sanitize(near)}?")
    if not files:
        suffixes = ", ".join(SUFFIXES)
        raise SourceError(
            f"{sanitize(source)} is not a file, and not a folder or glob with {suffixes} in it: correct the path"
        )
    return files


def _is_log_file(path: Path, root: Path) -> bool:
    """Return whether a file in a folder belongs to the log; writers such as Spark add files that start with . or _."""
    return _suffix(path) in SUFFIXES and not any(part[0] in "._" for part in path.relative_to(root).parts)


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return Path(name.removesuffix(".gz")).suffix


def stem(path: Path) -> str:
    """Return the name without the suffixes of its format.

    >>> stem(Path("churn.eu.csv.gz"))
    'churn.eu'
    """
    name = path.name
    return name[: len(name) - len(".gz")].rpartition(".")[0] if name.lower().endswith(".gz") else path.stem


def detect_format(path: Path) -> FileFormat:
    """Return the format by the suffix, else by the first bytes.

    Raises:
        OSError: The file cannot be read, or is empty.
        SourceError: It is of a format that is not read.
    """
    head = _head(path)
    if not head:
        raise OSError(0, "it is empty", str(path))
    if head.startswith(b"PAR1"):
        return FileFormat.PARQUET
    if (reason := unreadable_reason(head, str(path))) is not None:
        raise SourceError(f"{sanitize(path)}: {reason}")
    is_json = head.lstrip().startswith(b"{")
    return SUFFIXES.get(_suffix(path)) or (FileFormat.JSON if is_json else FileFormat.CSV)


def _head(path: Path) -> bytes:
    with _open(path) as file:
        return file.read(SNIFF_BYTES)


def _open(path: Path) -> BinaryIO:
    """Open a file, unpacked if it is gzip."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", gzip.open(path)) if is_gzip else path.open("rb")


def text_encoding(path: Path) -> str | None:
    """Return the encoding of a CSV file if it is UTF-16; None for UTF-8."""
    return utf16_encoding(_head(path))


def write_utf8(path: Path, encoding: str, copy: Path) -> None:
    """Write a file of another encoding, also a packed one, as UTF-8."""
    with (
        io.TextIOWrapper(_open(path), encoding, "replace", newline="") as text,
        copy.open("w", encoding="utf-8", newline="") as target,
    ):
        for line in text:
            target.write(line.removeprefix("\ufeff"))


def _infer_delimiter(path: Path) -> str:
    """Return the delimiter that splits the header, and the row below it, into the most cells."""
    lines = _lines(path)[:2]
    counts = {delimiter: [len(row) for row in _rows(lines, delimiter)] or [0] for delimiter in DELIMITERS}

    def score(delimiter: str) -> tuple[bool, bool, int]:
        cells = counts[delimiter]
        return min(cells) > 1, len(set(cells)) == 1, cells[0]

    return max(DELIMITERS, key=score)


def _lines(path: Path) -> list[str]:
    """Return the first lines, without one that is cut off."""
    head = _head(path)
    lines = to_utf8(head)[0].decode("utf-8", "replace").splitlines(keepends=True)
    return lines[:-1] if len(head) == SNIFF_BYTES else lines


def _check_cells(path: Path, delimiter: str) -> None:
    """Raise SourceError if rows are longer than the header: engines would interpret the header as a comment."""
    header, *rows = [row for row in _rows(_lines(path), delimiter) if row] or [[]]
    for number, row in enumerate(rows[:SNIFF_ROWS], 2):
        if len(row) > len(header):
            reason = f"row {number} has {len(row)} cells and the header {len(header)}"
            raise SourceError(f"{sanitize(path)} cannot be read: {reason}; correct the file")


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:
        return
