"""From bytes to lines and cells, whatever program wrote them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence

from modeltop.core.errors import SourceError
from modeltop.core.text import pluralize

DELIMITERS = (",", ";", "\t", "|")
MAX_LINE = 2**20
"""Characters in one row; a longer one is a file without line ends, or no CSV."""
NO_OBJECT = "not a JSON object"
"""The only cell of a row that stands for a damaged line of JSON."""
MAX_CELL = 100_000
"""Characters in one cell (under the csv module's own limit of 131,072); a longer one is an open quote."""
MAX_ROW_LINES = 20
"""Lines that one quoted row may span; beyond that the quote is considered a typo, and only its line is lost."""

_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def to_utf8(data: bytes) -> tuple[bytes, bool]:
    """Return the bytes of a file in UTF-8 without a byte order mark, and whether they were UTF-16.

    Raises:
        SourceError: It is UTF-32.
    """
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise SourceError("the file is UTF-32: save it as UTF-8")
    if data.startswith(codecs.BOM_UTF8):
        return data[3:], False
    if (encoding := utf16_encoding(data)) is None:
        return data, False
    text = data.decode(encoding, "replace").removeprefix("\ufeff")
    return text.encode("utf-8", "surrogatepass"), True


def utf16_encoding(data: bytes) -> str | None:
    """Return the encoding of a file that is UTF-16, by its first bytes."""
    return next((name for bom, name in _UTF16 if data.startswith(bom)), None) or _sniff_utf16(data)


def _sniff_utf16(data: bytes) -> str | None:
    # In a header of plain letters one of each two bytes is zero.
    head = data[:4]
    if len(head) == 4 and head[0] and head[2] and not head[1] and not head[3]:
        return "utf-16-le"
    if len(head) == 4 and head[1] and head[3] and not head[0] and not head[2]:
        return "utf-16-be"
    return None


def split_lines(data: bytes) -> tuple[list[str], list[int]]:
    r"""Return the lines with their ends (LF, CRLF or a lone CR), and the indices of those that were not UTF-8.

    Such a line is read as Windows-1252, the commonest other encoding, so that its text stays legible.

    >>> split_lines(b"a\r\nb\rc\n\xe9")
    (['a\r\n', 'b\r', 'c\n', 'é'], [3])
    """
    try:
        return list(io.StringIO(data.decode("utf-8"), newline="")), []
    except UnicodeDecodeError:
        pass
    foreign, lines = [], []
    # A byte of value 10 or 13 is a line end in every encoding that extends ASCII.
    for index, line in enumerate(io.StringIO(data.decode("latin-1"), newline="")):
        raw = line.encode("latin-1")
        try:
            lines.append(raw.decode("utf-8"))
        except UnicodeDecodeError:
            foreign.append(index)
            is_cp1252 = not re.search(rb"[\x81\x8d\x8f\x90\x9d]", raw)
            lines.append(raw.decode("cp1252") if is_cp1252 else line)
    return lines, foreign


def is_utf8(data: bytes) -> bool:
    """Return whether all bytes are UTF-8."""
    try:
        return data.isascii() or bool(data.decode("utf-8"))
    except UnicodeDecodeError:
        return False


class UnclosedQuote(ValueError):  # noqa: N818  the csv format's word for the state of a row
    """A quote that is still open at the line where the row must have ended."""

    def __init__(self) -> None:
        super().__init__("a quote is opened and not closed: close it, or write a quote inside a quoted cell twice")


def sniff_delimiter(header: str) -> str:
    """Return the delimiter of a header: the commonest of `DELIMITERS` outside of quotes.

    >>> sniff_delimiter("date;accuracy;f1"), sniff_delimiter("date")
    (';', ',')
    """
    bare = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=bare.count)


def split_cells(text: str, delimiter: str) -> list[str] | None:
    """Return the cells of one row, or None if a quote is still open at its end.

    Raises:
        ValueError: It cannot be split; the message names the remedy.
    """
    if len(text) > MAX_LINE:
        raise ValueError(f"the row is longer than {MAX_LINE:,} characters: look for a missing line end")
    if '"' not in text:
        cells = text.rstrip("\r\n").split(delimiter)
    else:
        try:
            cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                return None
            raise ValueError(f"the quotes are wrong ({error}): write a quote inside a quoted cell twice") from None
    if max(map(len, cells), default=0) > MAX_CELL:
        raise ValueError(f"a cell is longer than {MAX_CELL:,} characters: look for a quote that is not closed")
    return cells


def read_row(lines: Sequence[str], index: int, delimiter: str) -> tuple[list[str], int]:
    """Return the cells of the row that starts on a line, and its number of lines.

    Args:
        lines: All lines read so far, with their line ends.
        index: Index of the row's first line.
        delimiter: Character between the cells.

    Raises:
        UnclosedQuote: It does not end within `MAX_ROW_LINES`.
        ValueError: It cannot be split; the message names the remedy.
    """
    text = ""
    for used, line in enumerate(lines[index : index + MAX_ROW_LINES], start=1):
        text += line
        if used > 1 and '"' not in line:
            continue  # it cannot close the quote
        cells = split_cells(text, delimiter)
        if cells is not None:
            return cells, used
    raise UnclosedQuote


def fit_to_width(cells: list[str], width: int) -> list[str]:
    """Return as many cells as the header has; none if all are empty.

    Empty cells beyond the header's, as spreadsheets leave them, are cut.

    Raises:
        ValueError: The row has more or fewer cells; the message names the remedy.
    """
    while len(cells) > width and not cells[-1]:
        cells.pop()
    if not any(cell.strip() for cell in cells):
        return []
    if cells == [NO_OBJECT]:
        raise ValueError(f"{NO_OBJECT}: correct the line or delete it")
    if len(cells) == width:
        return cells
    remedy = "quote cells that hold the delimiter" if len(cells) > width else "write every cell, empty or not"
    raise ValueError(f"the row has {pluralize(len(cells), 'cell')}, the header {width}: {remedy}")


def split_chunks(lines: bytes, size: int) -> list[bytes]:
    r"""Split complete lines into chunks of at least `size` bytes each but the last; none ends inside a quoted cell.

    >>> split_chunks(b"date\n1\n2\n3\n", 3)
    [b'date\n', b'1\n2\n', b'3\n']
    """
    chunks, start = [], 0
    while start < len(lines):
        end = _line_end(lines, start + size - 1)
        quotes = lines.count(b'"', start, end)
        for _ in range(MAX_ROW_LINES):
            if quotes % 2 == 0:
                break
            after = _line_end(lines, end)
            quotes += lines.count(b'"', end, after)
            end = after
        chunks.append(lines[start:end])
        start = end
    return chunks or [lines]


def _line_end(lines: bytes, start: int) -> int:
    return lines.find(b"\n", start) + 1 or len(lines)
