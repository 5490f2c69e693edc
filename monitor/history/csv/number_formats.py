"""Formats of numbers, each chosen for an entire column and never for a single cell: decimal commas, percent, ..."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

import numpy as np

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Flags, Floats
from modeltop.core.text import format_exact
from modeltop.history.csv.layout import DecimalMark, Layout, suggest_settings
from modeltop.history.csv.shapes import shapes_of
from modeltop.history.csv.tolerance import MIN_CELLS, is_within_tolerance

NULL_VALUES = frozenset({"", "nan", "na", "n/a", "#n/a", "<na>", "null", "(null)", "none", "-", r"\n"})
"""Cells of a number column without a value, in lower case."""
LARGEST = 1e300
"""Larger numbers represent infinity: MLflow stores it as 1.7976931348623157e308."""
_HUNDREDTH = 0.01
_SPACES = " \u00a0\u202f\u2009"
_PERCENT = re.compile(r"\s*[%\uff05]$", re.MULTILINE)


class AmbiguousNumbersError(ValueError):
    """Numbers that can be read in more than one way; the message names the remedy."""


class RefusedColumnError(ValueError):
    """A number of a column that is refused as a whole."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """One way to write numbers."""

    mark: str = "."
    """Decimal mark."""
    separators: str = ""
    """Characters that may separate thousands."""
    has_sign: bool = False
    """True if each number has a percent sign."""
    is_percent: bool = False
    """True if 95 represents 0.95, with or without the sign."""
    excludes_fractions: bool = False
    """True if numbers of at most 1 are refused: in a column of percent they are of another scale."""
    refusal: str | None = None
    """Why no number of the column is read."""

    @property
    def is_plain(self) -> bool:
        """True for decimal points alone."""
        return self == PLAIN

    def reads(self, cell: str) -> bool:
        """Return whether a cell without blanks around it is a number in this format."""
        body = _PERCENT.sub("", cell) if self.has_sign else cell
        return self.has_sign == (body != cell) and _reads(self, body)

    def accepts(self, cell: str) -> bool:
        """Return whether `parse` returns the number of a cell without blanks around it."""
        return self.reads(cell) and not (self.excludes_fractions and 0 < abs(self.convert(cell)) <= _HUNDREDTH)

    def parse(self, cell: str) -> float:
        """Return the number in a cell; NaN for one of `NULL_VALUES`.

        Raises:
            RefusedColumnError: No number of the column is read.
            ValueError: It is no number in this format; the message names the remedy.
        """
        text = cell.strip(" \t")
        if self.refusal is not None and text.lower() not in NULL_VALUES:
            raise RefusedColumnError(self.refusal)
        if self.accepts(text):
            return self.convert(text)
        if self.reads(text):
            raise ValueError(f"`{cell[:40]}` is far below the others, which are percent: write percent here too")
        if text.lower() in NULL_VALUES:
            return math.nan
        raise ValueError(f"`{cell[:40]}` is not a number: {self._remedy(text)}")

    def convert(self, cell: str) -> float:
        """Return the number of a cell that the format reads."""
        return self._convert_all([cell])[0]

    def _convert_all(self, cells: Sequence[str]) -> list[float]:
        text = _PERCENT.sub("", "\n".join(cells)).translate(_removal(self.separators)).replace(self.mark, ".")
        return list(map(_hundredth if self.is_percent else float, text.split("\n")))

    def read_all(self, cells: Sequence[str]) -> tuple[Floats, Flags]:
        """Return the numbers of a column, NaN where there is none, and which cells `parse` refuses.

        Args:
            cells: One or more.
        """
        if self.is_plain and (plain := _read_plain(cells)) is not None:
            return plain, np.zeros(len(cells), np.bool_)
        texts = [cell.strip(" \t") for cell in cells]
        shapes = shapes_of(texts)
        examples = dict(zip(shapes, texts, strict=True))
        unread = {shape for shape, text in examples.items() if self.refusal is not None or not self.reads(text)}
        readable = ["nan" if shape in unread else text for shape, text in zip(shapes, texts, strict=True)]
        values = np.array(self._convert_all(readable), dtype=np.float64)
        if self.excludes_fractions:
            values[(values != 0) & (np.abs(values) <= _HUNDREDTH)] = np.nan
        refused: Flags = np.isnan(values)
        refused[refused] = [texts[row].lower() not in NULL_VALUES for row in np.flatnonzero(refused)]
        return to_infinity(values), refused

    def _remedy(self, text: str) -> str:
        if self.has_sign:
            return "write a percent sign, as in the rest of the column"
        if text.endswith("%"):
            return "write a fraction, such as 0.95 for 95%"
        if self.mark == ",":
            return "write a decimal comma, as in the rest of the column"
        if "," in text:
            return "write a decimal point and no thousands separators"
        return "write one such as 0.95, or leave the cell empty"


def _read_plain(cells: Sequence[str]) -> Floats | None:
    """Return all cells as numbers, in C; None if one of them must be read by itself."""
    joined = "".join(cells)
    if "_" in joined or not joined.isascii():
        return None  # float() accepts 1_000 and digits of other scripts
    try:
        return to_infinity(np.array([float(cell) if cell else math.nan for cell in cells], dtype=np.float64))
    except ValueError:
        return None


def to_infinity(values: Floats) -> Floats:
    """Return the values with infinity for all beyond `LARGEST`."""
    huge = np.abs(values) > LARGEST
    return np.where(huge, np.copysign(np.inf, values), values) if huge.any() else values


PLAIN = NumberFormat()
_ENGLISH, _GERMAN = NumberFormat(".", ","), NumberFormat(",", ".")
_MARKS = (
    PLAIN,
    _ENGLISH,
    NumberFormat(",", ""),
    _GERMAN,
    NumberFormat(".", _SPACES),
    NumberFormat(",", _SPACES),
    NumberFormat(".", "'\u2019"),
    NumberFormat(",", "'\u2019"),
)
"""Decimal marks and thousands separators, the plainest first."""


@cache
def _pattern(form: NumberFormat) -> re.Pattern[str]:
    mark, separators = re.escape(form.mark), re.escape(form.separators)
    groups = rf"|[1-9]\d{{0,2}}(?P<separator>[{separators}])\d{{3}}(?:(?P=separator)\d{{3}})*" if separators else ""
    number = rf"(?:(?:\d+{groups})(?:{mark}\d*)?|{mark}\d+)(?:e[+-]?\d+)?"
    return re.compile(rf"[+-]?(?:{number}|inf(?:inity)?)", re.ASCII | re.IGNORECASE)


def _hundredth(digits: str) -> float:
    is_plain = digits[-1].isdigit() and "e" not in digits.lower()
    return float(f"{digits}e-2") if is_plain else float(Decimal(digits) / 100)  # exact: 95.52 / 100 is not 0.9552


@cache
def _removal(separators: str) -> dict[int, None]:
    return dict.fromkeys(map(ord, separators))


def numbers_of(cells: Iterable[str]) -> list[str]:
    """Return the cells that are not empty, without blanks around them."""
    return [text for cell in cells if (text := cell.strip(" \t")).lower() not in NULL_VALUES]


def decimal_mark(columns: Iterable[Sequence[str]]) -> str | None:
    """Return the decimal mark of a file: the one that some cells have in which it can mean nothing else.

    Args:
        columns: The cells of each column of numbers, from `numbers_of`.
    """
    marks = {
        form.mark
        for cells in columns
        for form, other in ((_ENGLISH, _GERMAN), (_GERMAN, _ENGLISH))
        if any(
            _reads(form, number) and not _reads(other, number)
            for cell in _count_alike(cells)
            if form.mark in cell and (number := _PERCENT.sub("", cell))
        )
    }
    return marks.pop() if len(marks) == 1 else None


def _reads(form: NumberFormat, cell: str) -> bool:
    return _pattern(form).fullmatch(cell) is not None


def _count_alike(cells: Sequence[str], *, keeps_zeros: bool = False) -> dict[str, int]:
    """Return the first cell of each shape, and how many have it: a format reads all of them or none."""
    shapes = shapes_of(cells, keeps_zeros=keeps_zeros)
    counts = Counter(shapes)
    firsts = dict(zip(reversed(shapes), reversed(cells), strict=True))
    return {firsts[shape]: count for shape, count in counts.items()}


def format_with_mark(cells: Sequence[str], mark: str) -> NumberFormat:
    """Return the format of most numbers of a column among those with a decimal mark, the plainest if all are equal.

    Args:
        cells: Its cells, from `numbers_of`.
        mark: The decimal mark that a person names.
    """
    bodies = [_PERCENT.sub("", cell) for cell in cells]
    forms = [form for form in _MARKS if form.mark == mark]
    best = max(forms, key=lambda form: sum(_reads(form, body) for body in bodies))
    has_sign = 2 * sum(body != cell for body, cell in zip(bodies, cells, strict=True)) > len(cells)
    return replace(best, has_sign=has_sign, is_percent=has_sign)


def choose_number_format(cells: Sequence[str], mark: str | None, *, is_count: bool = False) -> NumberFormat:
    """Return the format of nearly all numbers of a column; `PLAIN` if they have none.

    Args:
        cells: Its cells, from `numbers_of`.
        mark: The decimal mark of the file, if it is known from other columns.
        is_count: They are whole numbers.

    Raises:
        AmbiguousNumbersError: They have two formats.
    """
    alike = _count_alike(cells, keeps_zeros=is_count)
    bodies = Counter[str]()
    for cell, count in alike.items():
        bodies[_PERCENT.sub("", cell)] += count
    numbers = {form: {body: form.convert(body) for body in bodies if _reads(form, body)} for form in _MARKS}
    sizes = {form: sum(bodies[body] for body in each) for form, each in numbers.items()}
    possible = {
        form: each for form, each in numbers.items() if is_within_tolerance(len(cells) - sizes[form], len(cells))
    }
    if not possible or not cells:
        return PLAIN
    has_sign = _have_percent_signs(alike)
    chosen = _whole(possible, sizes) if is_count else _unambiguous(possible, sizes, next(iter(bodies)), mark)
    plainest = next(form for form in possible if possible[form] == possible[chosen])
    return replace(plainest, has_sign=has_sign, is_percent=has_sign)


_Numbers = Mapping[NumberFormat, Mapping[str, float]]
"""Format → the cells that it reads, one of each shape, and their numbers."""


def _whole(possible: _Numbers, sizes: Mapping[NumberFormat, int]) -> NumberFormat:
    whole = [form for form, numbers in possible.items() if all(number % 1 == 0 for number in numbers.values())]
    best = possible[max(whole or possible, key=lambda form: sizes[form])].items()
    return next(form for form, numbers in possible.items() if best <= numbers.items())  # it reads more


def _unambiguous(
    possible: _Numbers, sizes: Mapping[NumberFormat, int], first_cell: str, mark: str | None
) -> NumberFormat:
    of_file = [form for form in possible if form.mark == mark]
    best = max(of_file or possible, key=lambda form: sizes[form])
    for other, numbers in possible.items():
        if not of_file and PLAIN not in possible and sizes[other] == sizes[best] and numbers != possible[best]:
            first, second = (format_exact(next(iter(possible[form].values()))) for form in (best, other))
            remedy = suggest_settings(
                *(Layout(decimal=DecimalMark(mark)) for mark in sorted({best.mark, other.mark}, reverse=True))
            )
            raise AmbiguousNumbersError(f"holds {first_cell[:40]}, which could be {first} or {second}: {remedy}")
    return best


def _have_percent_signs(alike: Mapping[str, int]) -> bool:
    signs = [cell for cell in alike if _PERCENT.search(cell)]
    total, with_sign = sum(alike.values()), sum(alike[cell] for cell in signs)
    if with_sign == total:
        return True
    if is_within_tolerance(with_sign, total) or total < MIN_CELLS:
        return False
    if is_within_tolerance(total - with_sign, total):
        return True
    other = next(cell for cell in alike if not _PERCENT.search(cell))
    raise AmbiguousNumbersError(
        f"holds numbers with a percent sign, such as {signs[0][:40]}, and without one, such as {other[:40]}: "
        "write fractions"
    )


def choose_scale(form: NumberFormat, cells: Sequence[str], metric: Metric) -> NumberFormat:
    """Return the format with the scale of a column: percent if a metric is at most 1 and nearly all numbers are more.

    Args:
        form: Its marks.
        cells: Its cells, from `numbers_of`.
        metric: What the column holds.

    Raises:
        AmbiguousNumbersError: The column has two scales.
    """
    if metric.bounds[1] != 1 or form.has_sign or len(cells) < MIN_CELLS:
        return form
    sizes = np.abs(form.read_all(cells)[0])
    above, below = (sizes > 1) & (sizes <= 100), (sizes > 0) & (sizes <= 1)
    others = len(cells) - int((sizes <= 100).sum())
    if is_within_tolerance(int(above.sum()), len(cells)) or not is_within_tolerance(others, len(cells)):
        return form
    large = np.sort(sizes[above])
    median = large[(len(large) - 1) // 2]
    if median < 2:
        return form
    if is_within_tolerance(int(below.sum()), len(cells)):
        is_other_scale = not below.any() or median > 10 * sizes[below].max()
        return replace(form, is_percent=True, excludes_fractions=bool(is_other_scale))
    raise _two_scales(cells, below, sizes == median)


def require_one_scale(form: NumberFormat, cells: Sequence[str]) -> None:
    """Refuse numbers that a person calls percent if many are fractions: 0.95 among others of about 95.

    Args:
        form: Their marks.
        cells: From `numbers_of`.

    Raises:
        AmbiguousNumbersError: They have two scales.
    """
    sizes = np.abs(form.read_all(cells)[0]) if cells else np.zeros(0)
    above, below = sizes > 1, (sizes > 0) & (sizes <= 1)
    if not above.any() or is_within_tolerance(int(below.sum()), len(cells)):
        return
    lowest, highest = sizes[above].min(), sizes[above].max()
    if 10 * sizes[below].max() < lowest <= 100 * np.median(sizes[below]) <= highest:
        raise _two_scales(cells, below, above)


def _two_scales(cells: Sequence[str], fractions: Flags, percent: Flags) -> AmbiguousNumbersError:
    first, other = (cells[int(np.flatnonzero(mask)[0])] for mask in (fractions, percent))
    return AmbiguousNumbersError(f"holds fractions, such as {first}, and percent, such as {other}: write one of them")
